//! Archived rows as the engine evaluates them: Parquet's columns become typed columns, and nothing is written as text.

use polars_arrow::array::{BooleanArray, PrimitiveArray, Utf8ViewArray};

use super::columns::{
    ACCOUNT_ID, AS_WRITTEN, AWS_PARTITION, ISSUES, MICROSECONDS, REPORT_ROW, UNKNOWN_CELLS, USER_NAME,
    USER_PATH, archived_name,
};
use super::csv_format::UtcSuffix;
use super::error::Error;
use super::issues;
use super::meta::RowsFacts;
use super::place::Place;
use super::row_group::has_any;
use super::rows::{ArchivedRows, AsWrittenCache};
use super::usual_arn::ArnParts;
use crate::engine::StoredColumns;
use crate::report::cell::{self, Flag};
use crate::report::chunk::{Flags, Times};
use crate::report::issue::{Issue, RowIssue};
use crate::report::schema::{Column, ColumnSet, TextColumn};
use crate::report::stored::{StoredBlock, TextCells};

impl ArchivedRows {
    /// Their columns, of which these are decoded; none if the file does not say all that is read from a row now.
    pub(super) fn columns(&self, wanted: ColumnSet) -> Result<Option<StoredColumns>, Error> {
        let Some(group) = self.place.groups().first() else {
            return Ok(None);
        };
        if !group.file().is_current() {
            return Ok(None);
        }
        let mut block = StoredBlock {
            count: self.place.len(),
            utc: match self.format.style.utc {
                UtcSuffix::Letter => "Z",
                UtcSuffix::Offset => "+00:00",
            },
            ..StoredBlock::default()
        };
        self.add_exceptions(&mut block)?;
        let in_report = wanted
            .iter()
            .filter(|&column| self.header.position(column).is_some());
        for column in in_report {
            match column {
                Column::Time(time) => block.times[time as usize] = self.times(column, &block)?,
                Column::Flag(flag) => block.flags[flag as usize] = self.flags(column)?,
                Column::Text(text) => block.texts[text as usize] = Some(self.texts(column, &block)?),
            }
        }
        self.forget_unknown(&mut block)?;
        let issues = self.add_issues(&mut block)?;
        Ok(Some(StoredColumns { block, issues }))
    }

    /// The texts of a column that has few, by row.
    fn few_texts(&self, name: &str) -> Result<Vec<(usize, &str)>, Error> {
        let columns = self.place.needed::<Utf8ViewArray>(name)?;
        let mut texts = Vec::new();
        if columns.iter().any(|column| has_any(*column)) {
            let mut at = 0;
            self.place.values(&columns, |text| {
                texts.extend(text.map(|text| (at, text)));
                at += 1;
            });
        }
        Ok(texts)
    }

    fn add_exceptions(&self, block: &mut StoredBlock) -> Result<(), Error> {
        let mut cache = AsWrittenCache::default();
        for (row, json) in self.few_texts(AS_WRITTEN)? {
            let written = cache.of(&self.format, json);
            let written = written.map_err(|_| self.place.damaged("its cells as written cannot be read"))?;
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            let cells = written.iter().enumerate();
            let cells = cells.filter_map(|(position, cell)| Some(((row, position), cell.clone()?)));
            block.exceptions.extend(cells);
        }
        Ok(())
    }

    fn times(&self, column: Column, block: &StoredBlock) -> Result<Times, Error> {
        let columns = self.place.needed::<PrimitiveArray<i64>>(archived_name(column))?;
        let position = self.header.position(column).unwrap_or_default();
        let mut times = Times {
            cells: Vec::with_capacity(block.count),
            ..Times::default()
        };
        let seconds = |time: i64| time.div_euclid(MICROSECONDS);
        if !columns.iter().any(|column| has_any(*column)) {
            times.cells.resize(block.count, cell::ABSENT);
        } else if let Some((column, rows)) = self.place.only(&columns) {
            times
                .cells
                .extend(column.values()[rows.clone()].iter().map(|&time| seconds(time)));
            if let Some(valid) = column.validity() {
                let valid = valid.iter().skip(rows.start);
                for (cell, is_valid) in times.cells.iter_mut().zip(valid) {
                    *cell = if is_valid { *cell } else { cell::ABSENT };
                }
            }
        } else {
            self.place.values(&columns, |time| {
                times.cells.push(time.map_or(cell::ABSENT, seconds));
            });
        }
        let of_column = block.exceptions.iter().filter(|((_, at), _)| *at == position);
        times.any_stand_in = of_column.into_iter().any(|((row, _), cell)| {
            times.cells[*row as usize] == cell::ABSENT && cell::stands_in(cell).is_some()
        });
        Ok(times)
    }

    /// What is null is unknown, or `not_supported`.
    fn flags(&self, column: Column) -> Result<Flags, Error> {
        let columns = self.place.needed::<BooleanArray>(archived_name(column))?;
        let mut flags = Flags {
            cells: Vec::with_capacity(self.place.len()),
            ..Flags::default()
        };
        let of = |flag: bool| if flag { Flag::True } else { Flag::False };
        match self.place.only(&columns) {
            Some((column, rows)) if column.validity().is_none() => {
                let values = column.values().iter().skip(rows.start);
                flags.cells.extend(values.take(rows.len()).map(of));
            }
            Some(_) | None => {
                self.place.values(&columns, |flag| {
                    flags.cells.push(flag.map_or(Flag::NotSupported, of));
                });
            }
        }
        Ok(flags)
    }

    fn texts(&self, column: Column, block: &StoredBlock) -> Result<TextCells, Error> {
        let has_usual_arns = self.meta.facts.as_ref().is_some_and(|facts| facts.usual_arns);
        if has_usual_arns && column == Column::Text(TextColumn::Arn) {
            return self.usual_arns();
        }
        let columns = self.place.needed::<Utf8ViewArray>(archived_name(column))?;
        let position = self.header.position(column).unwrap_or_default();
        let any_exception = block.exceptions.keys().any(|(_, at)| *at == position);
        if !any_exception && !columns.iter().any(|column| has_any(*column)) {
            return Ok(TextCells::absent(block.count));
        }
        let mut texts = TextCells::with_capacity(block.count, block.count * 4);
        let mut at = 0;
        self.place.values(&columns, |text| {
            let exception = any_exception
                .then(|| block.exceptions.get(&(at, position)))
                .flatten();
            texts.push(exception.map(|cell| &**cell).or(text.map(str::as_bytes)));
            at += 1;
        });
        Ok(texts)
    }

    /// The ARNs, from the columns of their parts.
    fn usual_arns(&self) -> Result<TextCells, Error> {
        let texts = |name: &str| -> Result<Vec<Option<&str>>, Error> {
            let columns = self.place.needed::<Utf8ViewArray>(name)?;
            let mut texts = Vec::with_capacity(self.place.len());
            self.place.values(&columns, |text| texts.push(text));
            Ok(texts)
        };
        let (partitions, accounts) = (texts(AWS_PARTITION)?, texts(ACCOUNT_ID)?);
        let (paths, users) = (texts(USER_PATH)?, texts(USER_NAME)?);
        let mut arns = TextCells::with_capacity(self.place.len(), self.place.len() * 64);
        let mut arn = Vec::new();
        for (((partition, account), path), user) in partitions.into_iter().zip(accounts).zip(paths).zip(users)
        {
            arn.clear();
            let parts = ArnParts {
                partition: partition.unwrap_or_default(),
                account: account.unwrap_or_default(),
                path,
                user: user.unwrap_or_default(),
            };
            parts.write(&mut arn);
            arns.push(Some(&arn));
        }
        Ok(arns)
    }

    fn forget_unknown(&self, block: &mut StoredBlock) -> Result<(), Error> {
        let mut last: (&str, Vec<Column>) = ("", Vec::new());
        let texts = self.few_texts(UNKNOWN_CELLS)?;
        for &(row, names) in &texts {
            // A report that lacks columns says it in every row.
            if names != last.0 {
                last = (names, self.unknown_columns(names)?);
            }
            for &column in &last.1 {
                match column {
                    Column::Time(column) => {
                        let times = &mut block.times[column as usize];
                        if let Some(cell) = times.cells.get_mut(row) {
                            *cell = cell::UNKNOWN;
                            times.any_unknown = true;
                        }
                    }
                    Column::Flag(column) => {
                        let flags = &mut block.flags[column as usize];
                        if let Some(cell) = flags.cells.get_mut(row) {
                            *cell = Flag::Unknown;
                            flags.any_unknown = true;
                        }
                    }
                    Column::Text(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Columns by their names in `unknown_cells`, but for those that the report lacks.
    fn unknown_columns(&self, names: &str) -> Result<Vec<Column>, Error> {
        let mut columns = Vec::new();
        for name in names.split(',').filter(|name| !name.is_empty()) {
            let unreadable = || {
                self.place
                    .damaged("which cells of a row are unknown cannot be read")
            };
            let column = Column::named(name).ok_or_else(unreadable)?;
            if self.header.position(column).is_some() {
                columns.push(column);
            }
        }
        Ok(columns)
    }

    /// The issues of the rows; what is ragged, and what was left out.
    fn add_issues(&self, block: &mut StoredBlock) -> Result<Vec<RowIssue>, Error> {
        let facts = self.meta.facts.as_ref();
        let texts = self.few_texts(ISSUES)?;
        // Of almost every report each data row is stored, and nothing is wrong with them.
        let is_plain = |facts: &RowsFacts| facts.data_rows == self.meta.rows && facts.issues_after.is_empty();
        if texts.is_empty() && facts.is_some_and(is_plain) {
            return Ok(Vec::new());
        }
        let unreadable = || self.place.damaged("what was wrong with its rows cannot be read");
        let numbers = |place: &Place| -> Result<Vec<u64>, Error> {
            let mut numbers = Vec::with_capacity(place.len());
            let columns = place.needed::<PrimitiveArray<i64>>(REPORT_ROW)?;
            place.values(&columns, |number| {
                numbers.push(number.map_or(0, i64::cast_unsigned));
            });
            Ok(numbers)
        };
        let before = match &self.last_before {
            Some(place) => numbers(place)?.last().copied().unwrap_or(self.before),
            None => self.before,
        };
        let mut found: Vec<(u64, Issue, usize)> = Vec::new();
        let mut texts = texts.into_iter().peekable();
        let mut next = before;
        for (row, number) in numbers(&self.place)?.into_iter().enumerate() {
            let gap = next
                .checked_add(1)
                .and_then(|next| number.checked_sub(next))
                .ok_or_else(unreadable)?;
            leave_out(block, row, gap).ok_or_else(unreadable)?;
            next = number;
            if let Some((_, text)) = texts.next_if(|(of, _)| *of == row) {
                let of_row = issues::parse(text, number).ok_or_else(unreadable)?;
                found.extend(of_row.into_iter().map(|(number, issue)| (number, issue, row)));
            }
        }
        if let Some(facts) = facts.filter(|_| self.is_last) {
            let gap = facts.data_rows.checked_sub(next).ok_or_else(unreadable)?;
            leave_out(block, block.count, gap).ok_or_else(unreadable)?;
            let after = issues::parse(&facts.issues_after, 0).ok_or_else(unreadable)?;
            found.extend(
                after
                    .into_iter()
                    .map(|(number, issue)| (number, issue, block.count)),
            );
        }
        let of_block = |(number, issue, record): (u64, Issue, usize)| {
            if matches!(issue, Issue::Ragged(_)) {
                (record < block.count).then_some(())?;
                block.ragged.push(u32::try_from(record).ok()?);
            }
            let row = u32::try_from(number.checked_sub(before.checked_add(1)?)?).ok()?;
            Some(RowIssue { row, issue })
        };
        found
            .into_iter()
            .map(of_block)
            .collect::<Option<_>>()
            .ok_or_else(unreadable)
    }
}

/// Leaves out rows before a record; none if they are too many.
fn leave_out(block: &mut StoredBlock, record: usize, rows: u64) -> Option<()> {
    if rows > 0 {
        block.left_out.leave_out(record, u32::try_from(rows).ok()?);
    }
    Some(())
}

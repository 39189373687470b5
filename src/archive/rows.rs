//! Rows of an archived report: their CSV, byte for byte as it was added, or their columns as the engine evaluates them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::columns::{
    AS_OF, AS_WRITTEN, ISSUES, MICROSECONDS, REPORT_ROW, UNKNOWN_CELLS, archived_name,
};
use super::csv_format::{CsvFormat, UtcSuffix, WrittenCells};
use super::decoded::{DecodedRow, DecodedRows};
use super::error::Error;
use super::issues;
use super::meta::ReportMeta;
use super::place::Place;
use super::row_group::{DecodedColumn, Kind};
use crate::engine::StoredColumns;
use crate::report::cell::{self, Flag};
use crate::report::chunk::{Flags, Times};
use crate::report::header::Header;
use crate::report::issue::{Issue, RowIssue};
use crate::report::schema::{Column, ColumnSet};
use crate::report::stored::{StoredBlock, TextCells};
use crate::report::time::Timestamp;

/// How many different values of `as_written` are cached.
const CACHED: usize = 1_000;

/// Bytes of a typical row.
const ROW_BYTES: usize = 256;

/// Consecutive rows of an archived report.
pub struct ArchivedRows {
    format: Arc<CsvFormat>,
    header: Header,
    meta: Arc<ReportMeta>,
    place: Place,
    /// The rows of the report before these.
    before: Option<Place>,
    /// Whether the report ends with them.
    is_last: bool,
}

impl ArchivedRows {
    /// Rows of the report with this format, header and metadata.
    pub(super) fn new(
        (format, header, meta): (&Arc<CsvFormat>, &Header, &Arc<ReportMeta>),
        place: Place,
        (before, is_last): (Option<Place>, bool),
    ) -> Self {
        Self {
            format: Arc::clone(format),
            header: header.clone(),
            meta: Arc::clone(meta),
            place,
            before,
            is_last,
        }
    }

    /// Whether the rows say themselves that their report is as of this instant.
    pub(super) fn is_as_of(&self, as_of: Timestamp) -> Result<bool, Error> {
        let Some(stored) = self.place.columns(AS_OF, Kind::Numbers)? else {
            return Ok(self.place.len() == 0);
        };
        let mut is_as_of = true;
        self.place.visit(|group, row| {
            is_as_of &= stored[group].number(row) == Some(as_of.0 * MICROSECONDS);
        });
        Ok(is_as_of)
    }

    /// Appends their CSV to `text`.
    pub fn append_to(&self, text: &mut Vec<u8>) -> Result<(), Error> {
        let decoded = DecodedRows::of(&self.place, &self.format)?;
        let mut cache = AsWrittenCache::default();
        let mut error = None;
        text.reserve(self.place.len() * ROW_BYTES);
        self.place.visit(|group, row| {
            if let Some(record) = decoded.record(group, row) {
                text.extend_from_slice(record);
                return;
            }
            match cache.of(&self.format, decoded.as_written(group, row)) {
                Ok(written) => {
                    let row = DecodedRow { decoded: &decoded, group, row };
                    self.format.write_row(&row, written, text);
                }
                Err(_) => error = Some(group),
            }
        });
        if let Some(group) = error {
            return Err(self.place.groups()[group].damaged("its cells as written cannot be read"));
        }
        if self.is_last {
            text.extend_from_slice(&self.meta.tail.0);
            if !self.meta.ends_line {
                let cut = self.format.style.line_end.bytes().len();
                text.truncate(text.len().saturating_sub(cut));
            }
        }
        Ok(())
    }

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
        let in_report = wanted.iter().filter(|&column| self.header.position(column).is_some());
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

    fn damaged(&self, why: &str) -> Error {
        let group = self.place.groups().first();
        group.map_or_else(|| Error::Refused(why.to_owned()), |group| group.damaged(why))
    }

    fn stored(&self, name: &str, kind: Kind) -> Result<Vec<&DecodedColumn>, Error> {
        let columns = self.place.columns(name, kind)?;
        columns.ok_or_else(|| self.damaged(&format!("its column {name} is missing")))
    }

    /// The texts of a column that has few, by row.
    fn few_texts(&self, name: &str) -> Result<Vec<(usize, &str)>, Error> {
        let columns = self.stored(name, Kind::Texts)?;
        let mut texts = Vec::new();
        if columns.iter().any(|column| column.has_any()) {
            let mut at = 0;
            self.place.visit(|group, row| {
                texts.extend(columns[group].text(row).map(|text| (at, text)));
                at += 1;
            });
        }
        Ok(texts)
    }

    fn add_exceptions(&self, block: &mut StoredBlock) -> Result<(), Error> {
        let mut cache = AsWrittenCache::default();
        for (row, json) in self.few_texts(AS_WRITTEN)? {
            let written = cache.of(&self.format, json);
            let written = written.map_err(|_| self.damaged("its cells as written cannot be read"))?;
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            let cells = written.iter().enumerate();
            let cells = cells.filter_map(|(position, cell)| Some(((row, position), cell.clone()?)));
            block.exceptions.extend(cells);
        }
        Ok(())
    }

    fn times(&self, column: Column, block: &StoredBlock) -> Result<Times, Error> {
        let columns = self.stored(archived_name(column), Kind::Numbers)?;
        let position = self.header.position(column).unwrap_or_default();
        let mut times = Times {
            cells: Vec::with_capacity(block.count),
            ..Times::default()
        };
        if columns.iter().any(|column| column.has_any()) {
            self.place.visit(|group, row| {
                let time = columns[group].number(row);
                times.cells.push(time.map_or(cell::ABSENT, |time| time.div_euclid(MICROSECONDS)));
            });
        } else {
            times.cells.resize(block.count, cell::ABSENT);
        }
        let of_column = block.exceptions.iter().filter(|((_, at), _)| *at == position);
        times.any_stand_in = of_column.into_iter().any(|((row, _), cell)| {
            times.cells[*row as usize] == cell::ABSENT && cell::stands_in(cell).is_some()
        });
        Ok(times)
    }

    /// What is null is unknown, or `not_supported`.
    fn flags(&self, column: Column) -> Result<Flags, Error> {
        let columns = self.stored(archived_name(column), Kind::Flags)?;
        let mut flags = Flags {
            cells: Vec::with_capacity(self.place.len()),
            ..Flags::default()
        };
        self.place.visit(|group, row| {
            flags.cells.push(match columns[group].flag(row) {
                Some(true) => Flag::True,
                Some(false) => Flag::False,
                None => Flag::NotSupported,
            });
        });
        Ok(flags)
    }

    fn texts(&self, column: Column, block: &StoredBlock) -> Result<TextCells, Error> {
        let columns = self.stored(archived_name(column), Kind::Texts)?;
        let position = self.header.position(column).unwrap_or_default();
        let any_exception = block.exceptions.keys().any(|(_, at)| *at == position);
        let mut texts = TextCells::with_capacity(block.count, block.count * 4);
        let mut at = 0;
        self.place.visit(|group, row| {
            let exception = any_exception.then(|| block.exceptions.get(&(at, position))).flatten();
            let text = columns[group].text(row).map(str::as_bytes);
            texts.push(exception.map(|cell| &**cell).or(text));
            at += 1;
        });
        Ok(texts)
    }

    fn forget_unknown(&self, block: &mut StoredBlock) -> Result<(), Error> {
        for (row, names) in self.few_texts(UNKNOWN_CELLS)? {
            for name in names.split(',').filter(|name| !name.is_empty()) {
                match Column::named(name) {
                    Some(Column::Time(column)) => {
                        let times = &mut block.times[column as usize];
                        if let Some(cell) = times.cells.get_mut(row) {
                            *cell = cell::UNKNOWN;
                            times.any_unknown = true;
                        }
                    }
                    Some(Column::Flag(column)) => {
                        let flags = &mut block.flags[column as usize];
                        if let Some(cell) = flags.cells.get_mut(row) {
                            *cell = Flag::Unknown;
                            flags.any_unknown = true;
                        }
                    }
                    Some(Column::Text(_)) => {}
                    None => return Err(self.damaged("a column that is unknown in a row has no name of a column")),
                }
            }
        }
        Ok(())
    }

    /// The issues of the rows; what is ragged, and what was left out.
    fn add_issues(&self, block: &mut StoredBlock) -> Result<Vec<RowIssue>, Error> {
        let before = match &self.before {
            Some(before) => last_number(before)?.unwrap_or(0),
            None => 0,
        };
        let texts = self.few_texts(ISSUES)?;
        let numbers = self.stored(REPORT_ROW, Kind::Numbers)?;
        let mut issues = Vec::new();
        let mut texts = texts.into_iter().peekable();
        let (mut at, mut next, mut is_sound) = (0, before, true);
        let unreadable = || self.damaged("what was wrong with a row cannot be read");
        self.place.visit(|group, row| {
            next += 1;
            let number = numbers[group].number(row).map_or(0, i64::cast_unsigned);
            if number > next {
                let gap = u32::try_from(number - next);
                is_sound &= gap.is_ok();
                block.left_out.leave_out(at, gap.unwrap_or_default());
            }
            is_sound &= number >= next;
            next = number;
            if let Some((_, text)) = texts.next_if(|(row, _)| *row == at) {
                match issues::parse(text, number) {
                    Some(of_row) => issues.extend(of_row.into_iter().map(|issue| (issue, at))),
                    None => is_sound = false,
                }
            }
            at += 1;
        });
        if self.is_last && let Some(facts) = &self.meta.facts {
            let after = u32::try_from(facts.data_rows.saturating_sub(next)).map_err(|_| unreadable())?;
            if after > 0 {
                block.left_out.leave_out(at, after);
            }
            let issues_after = issues::parse(&facts.issues_after, 0).ok_or_else(unreadable)?;
            issues.extend(issues_after.into_iter().map(|issue| (issue, at)));
        }
        if !is_sound {
            return Err(unreadable());
        }
        let of_block = |((number, issue), record): ((u64, Issue), usize)| {
            if matches!(issue, Issue::Ragged(_)) {
                block.ragged.push(u32::try_from(record).ok()?);
            }
            let row = u32::try_from(number.checked_sub(before + 1)?).ok()?;
            Some(RowIssue { row, issue })
        };
        issues.into_iter().map(of_block).collect::<Option<_>>().ok_or_else(unreadable)
    }
}

/// The number of the last of these rows in the report.
fn last_number(place: &Place) -> Result<Option<u64>, Error> {
    let columns = place.columns(REPORT_ROW, Kind::Numbers)?;
    let last = place.last().zip(columns);
    Ok(last.and_then(|((group, row), columns)| columns[group].number(row)).map(i64::cast_unsigned))
}

/// The parsed values of `as_written`, of which there are few different ones.
#[derive(Default)]
struct AsWrittenCache(HashMap<String, WrittenCells, xxhash_rust::xxh3::Xxh3DefaultBuilder>);

impl AsWrittenCache {
    fn of(&mut self, format: &CsvFormat, json: &str) -> serde_json::Result<&[Option<Box<[u8]>>]> {
        if json.is_empty() {
            return Ok(&[]);
        }
        if self.0.len() >= CACHED {
            self.0.clear();
        }
        if !self.0.contains_key(json) {
            self.0.insert(json.to_owned(), written(format, json)?);
        }
        Ok(&self.0[json])
    }
}

/// A cell in `as_written`: text, or bytes that are not UTF-8.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum WrittenCell<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Bytes(Vec<u8>),
}

/// Parses a value of `as_written`. One that cannot be parsed is an error: otherwise an unknown cell would become an
/// absent one.
fn written(format: &CsvFormat, json: &str) -> serde_json::Result<WrittenCells> {
    let mut cells: HashMap<String, WrittenCell<'_>> = serde_json::from_str(json)?;
    let cell = |name: &String| {
        Some(match cells.remove(name)? {
            WrittenCell::Text(text) => text.as_bytes().into(),
            WrittenCell::Bytes(bytes) => bytes.into(),
        })
    };
    Ok(format.names().iter().map(cell).collect())
}

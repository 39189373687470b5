//! Where the rows of a report are in its file.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::{PrimitiveArray, StaticArray};

use super::columns::{REPORT, REPORT_ROW};
use super::error::Error;
use super::meta::FileMeta;
use super::row_group::{ArchivedArray, RowGroup};

/// Some rows of a report, in its order.
#[derive(Clone)]
pub(super) struct Place {
    groups: Vec<Arc<RowGroup>>,
    rows: RowsIn,
}

#[derive(Clone)]
enum RowsIn {
    /// One after another in the only row group.
    Range(Range<usize>),
    /// Anywhere.
    Picked(Arc<[Pick]>),
}

/// A row of a report. They are in the order of the file, in which memory is read fastest.
#[derive(Clone, Copy)]
pub(super) struct Pick {
    /// The number of its row group, and its number in that.
    group: u32,
    row: u32,
    /// Its place in the order of the report.
    rank: u32,
}

impl Place {
    pub(super) fn nowhere() -> Self {
        Self {
            groups: Vec::new(),
            rows: RowsIn::Range(0..0),
        }
    }

    pub(super) fn range(group: Arc<RowGroup>, rows: Range<usize>) -> Self {
        Self {
            groups: vec![group],
            rows: RowsIn::Range(rows),
        }
    }

    pub(super) fn picked(groups: &[Arc<RowGroup>], picks: &Arc<[Pick]>) -> Self {
        Self {
            groups: groups.to_vec(),
            rows: RowsIn::Picked(Arc::clone(picks)),
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        match &self.rows {
            RowsIn::Range(rows) => rows.len(),
            RowsIn::Picked(picks) => picks.len(),
        }
    }

    /// The row groups that have rows of it.
    pub(super) fn groups(&self) -> &[Arc<RowGroup>] {
        &self.groups
    }

    /// Calls `each` with the row group of each row, by its position in [`groups`](Self::groups), and the row in it.
    #[inline]
    pub(super) fn visit(&self, mut each: impl FnMut(usize, usize)) {
        match &self.rows {
            RowsIn::Range(rows) => rows.clone().for_each(|row| each(0, row)),
            RowsIn::Picked(picks) => {
                let mut in_order = vec![(0, 0); picks.len()];
                for pick in &**picks {
                    in_order[pick.rank as usize] = (pick.group as usize, pick.row as usize);
                }
                for (group, row) in in_order {
                    each(group, row);
                }
            }
        }
    }

    /// The column of the only row group, and the rows in it, if they are one after another.
    pub(super) fn only<'a, A>(&self, columns: &[&'a A]) -> Option<(&'a A, Range<usize>)> {
        match &self.rows {
            RowsIn::Range(rows) => columns.first().map(|column| (*column, rows.clone())),
            RowsIn::Picked(_) => None,
        }
    }

    /// Calls `each` with the value of each row.
    #[inline]
    pub(super) fn values<'a, A: StaticArray>(
        &self,
        columns: &[&'a A],
        mut each: impl FnMut(Option<A::ValueT<'a>>),
    ) {
        match &self.rows {
            RowsIn::Range(rows) => {
                let Some(column) = columns.first() else { return };
                if column.null_count() == 0 {
                    rows.clone().for_each(|row| each(Some(column.value(row))));
                } else {
                    rows.clone().for_each(|row| each(column.get(row)));
                }
            }
            RowsIn::Picked(picks) => {
                let mut in_order: Vec<Option<A::ValueT<'a>>> = picks.iter().map(|_| None).collect();
                for pick in &**picks {
                    in_order[pick.rank as usize] = columns[pick.group as usize].get(pick.row as usize);
                }
                in_order.into_iter().for_each(each);
            }
        }
    }

    /// A column, by row group; none if the file lacks it.
    pub(super) fn columns<A: ArchivedArray>(&self, name: &str) -> Result<Option<Vec<&A>>, Error> {
        self.groups.iter().map(|group| group.column(name)).collect()
    }

    /// A column that every file has, by row group.
    pub(super) fn needed<A: ArchivedArray>(&self, name: &str) -> Result<Vec<&A>, Error> {
        let missing = || self.damaged(&format!("its column {name} is missing"));
        self.columns(name)?.ok_or_else(missing)
    }

    /// The error that something in the file cannot be.
    pub(super) fn damaged(&self, why: &str) -> Error {
        let group = self.groups.first();
        group.map_or_else(|| Error::Refused(why.to_owned()), |group| group.damaged(why))
    }
}

impl Pick {
    /// The rows of each report of a compacted file.
    pub(super) fn by_report(groups: &[Arc<RowGroup>], meta: &FileMeta) -> Result<Vec<Arc<[Self]>>, Error> {
        let mut found: Vec<(Vec<i64>, Vec<Self>)> = meta.reports.iter().map(|_| Default::default()).collect();
        for (group, decoded) in (0_u32..).zip(groups) {
            let column = |name| decoded.column::<PrimitiveArray<i64>>(name);
            let (Some(reports), Some(numbers)) = (column(REPORT)?, column(REPORT_ROW)?) else {
                return Err(decoded.damaged("its columns of reports are missing"));
            };
            for (row, (report, number)) in (0_u32..).zip(reports.iter().zip(numbers.iter())) {
                let number = number.copied();
                let at = report.and_then(|&report| usize::try_from(report).ok()?.checked_sub(1));
                let of_report = at.and_then(|at| found.get_mut(at));
                let (Some(of_report), Some(number)) = (of_report, number) else {
                    return Err(decoded.damaged("a row has the number of a report that is not in it"));
                };
                of_report.0.push(number);
                of_report.1.push(Self { group, row, rank: 0 });
            }
        }
        let is_whole = found
            .iter()
            .zip(&meta.reports)
            .all(|((_, rows), report)| rows.len() as u64 == report.rows);
        if let (false, Some(group)) = (is_whole, groups.first()) {
            return Err(group.damaged("its reports do not have the rows that they should have"));
        }
        let ranked = found.into_iter().map(|(numbers, mut rows)| {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by_key(|&at| numbers[at]);
            for (rank, at) in (0_u32..).zip(order) {
                rows[at].rank = rank;
            }
            rows.into()
        });
        Ok(ranked.collect())
    }
}

//! The columns from which the CSV of archived rows is written.

use polars_arrow::array::{BinaryViewArray, BooleanArray, PrimitiveArray, StaticArray as _, Utf8ViewArray};

use super::columns::{AS_WRITTEN, MICROSECONDS, RECORD, archived_name};
use super::csv_format::{CREDENTIAL_RUNS, CsvFormat, FLAGS, TEXTS, TIMES, TypedCells};
use super::error::Error;
use super::place::Place;
use super::row_group::has_any;
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};

/// A column by row group; empty if the file or the report lacks it.
type ByGroup<'a, A> = Vec<&'a A>;

/// The columns of a place.
#[derive(Default)]
pub(super) struct DecodedRows<'a> {
    times: [ByGroup<'a, PrimitiveArray<i64>>; TIMES],
    flags: [ByGroup<'a, BooleanArray>; FLAGS],
    texts: [ByGroup<'a, Utf8ViewArray>; TEXTS],
    as_written: ByGroup<'a, Utf8ViewArray>,
    record: ByGroup<'a, BinaryViewArray>,
    has_written: bool,
    has_records: bool,
}

impl<'a> DecodedRows<'a> {
    /// The columns that a report in this format has.
    pub(super) fn of(place: &'a Place, format: &CsvFormat) -> Result<Self, Error> {
        let mut decoded = Self::default();
        for column in format.columns().iter().flatten() {
            let name = archived_name(*column);
            match *column {
                Column::Time(time) => decoded.times[time as usize] = place.columns(name)?.unwrap_or_default(),
                Column::Flag(flag) => decoded.flags[flag as usize] = place.columns(name)?.unwrap_or_default(),
                Column::Text(text) => decoded.texts[text as usize] = place.columns(name)?.unwrap_or_default(),
            }
        }
        decoded.as_written = place.needed(AS_WRITTEN)?;
        decoded.record = place.needed(RECORD)?;
        decoded.has_written = decoded.as_written.iter().any(|column| has_any(*column));
        decoded.has_records = decoded.record.iter().any(|column| has_any(*column));
        Ok(decoded)
    }

    /// The bytes of a row, if its cells do not reproduce them.
    pub(super) fn record(&self, group: usize, row: usize) -> Option<&'a [u8]> {
        let record = self.has_records.then(|| self.record[group].get(row));
        record.flatten()
    }

    /// The cells that are not written as their typed cells, as JSON; empty if there are none.
    pub(super) fn as_written(&self, group: usize, row: usize) -> &'a str {
        let json = self.has_written.then(|| self.as_written[group].get(row));
        json.flatten().unwrap_or_default()
    }
}

/// One decoded row.
pub(super) struct DecodedRow<'r, 'a> {
    pub(super) decoded: &'r DecodedRows<'a>,
    pub(super) group: usize,
    pub(super) row: usize,
}

impl TypedCells for DecodedRow<'_, '_> {
    fn time(&self, column: TimeColumn) -> Option<i64> {
        let times = self.decoded.times[column as usize].get(self.group)?;
        times.get(self.row).map(|time| time.div_euclid(MICROSECONDS))
    }

    fn flag(&self, column: FlagColumn) -> Option<bool> {
        self.decoded.flags[column as usize].get(self.group)?.get(self.row)
    }

    fn text(&self, column: TextColumn) -> Option<&[u8]> {
        let texts = self.decoded.texts[column as usize].get(self.group)?;
        texts.get(self.row).map(str::as_bytes)
    }

    fn is_unused(&self, run: usize) -> bool {
        CREDENTIAL_RUNS[run].iter().all(|&column| match column {
            Column::Time(time) => self.time(time).is_none(),
            Column::Flag(flag) => self.flag(flag) == Some(false),
            Column::Text(text) => self.text(text).is_none(),
        })
    }
}

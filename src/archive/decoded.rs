//! The rows of a row group, decoded from Parquet into one vector per column.

use polars::prelude::{
    BinaryChunked, BooleanChunked, DataFrame, DataType, Int64Chunked, PolarsResult, Series, StringChunked,
};

use super::columns::{AS_OF, AS_WRITTEN, MICROSECONDS, RECORD, archived_name};
use super::csv_format::{CREDENTIAL_RUNS, FLAGS, TEXTS, TIMES, TypedCells};
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};

/// Null among times.
const NULL: i64 = i64::MIN;

/// Decoded rows, by column.
#[derive(Default)]
pub(super) struct DecodedRows {
    times: [Vec<i64>; TIMES],
    flags: [Vec<Option<bool>>; FLAGS],
    texts: [StringChunked; TEXTS],
    /// The as-of of each row's report, in microseconds; empty if the column is missing.
    pub(super) as_of: Vec<i64>,
    pub(super) as_written: StringChunked,
    pub(super) record: BinaryChunked,
    /// For each of [`CREDENTIAL_RUNS`], by row, whether the credential does not exist.
    unused: [Vec<bool>; CREDENTIAL_RUNS.len()],
}

impl DecodedRows {
    /// The columns of a frame, or what is wrong with them. It may lack report columns: the caller knows which ones.
    pub(super) fn of(frame: &DataFrame) -> Result<Self, String> {
        let mut decoded = Self::default();
        for column in Column::ALL {
            let name = archived_name(column);
            if let Ok(values) = frame.column(name) {
                decoded
                    .add(column, values.as_materialized_series())
                    .map_err(|_| mistyped(name))?;
            }
        }
        if let Ok(as_of) = frame.column(AS_OF) {
            let physical = as_of.as_materialized_series().cast(&DataType::Int64);
            let physical = physical.map_err(|_| mistyped(AS_OF))?;
            let physical = physical.i64().map_err(|_| mistyped(AS_OF))?;
            decoded.as_of = physical.iter().map(|time| time.unwrap_or(NULL)).collect();
        }
        let column = |name: &str| {
            let missing = |_| format!("its column {name} is missing");
            frame.column(name).map_err(missing)
        };
        let as_written = column(AS_WRITTEN)?.str();
        decoded.as_written = as_written.map_err(|_| mistyped(AS_WRITTEN))?.clone();
        let record = column(RECORD)?.binary();
        decoded.record = record.map_err(|_| mistyped(RECORD))?.clone();
        decoded.unused = CREDENTIAL_RUNS.map(|columns| decoded.is_unused(frame.height(), columns));
        Ok(decoded)
    }

    /// Adds a report column.
    fn add(&mut self, column: Column, series: &Series) -> PolarsResult<()> {
        match column {
            Column::Time(time) => {
                let physical = series.cast(&DataType::Int64)?;
                self.times[time as usize] = times(physical.i64()?);
            }
            Column::Flag(flag) => self.flags[flag as usize] = flags(series.bool()?),
            Column::Text(text) => self.texts[text as usize] = series.str()?.clone(),
        }
        Ok(())
    }

    /// By row, whether a credential does not exist.
    fn is_unused(&self, rows: usize, columns: &[Column]) -> Vec<bool> {
        let mut unused = vec![true; rows];
        for &column in columns {
            match column {
                Column::Time(time) => {
                    let times = &self.times[time as usize];
                    unused.truncate(times.len());
                    for (unused, &time) in unused.iter_mut().zip(times) {
                        *unused &= time == NULL;
                    }
                }
                Column::Flag(flag) => {
                    let flags = &self.flags[flag as usize];
                    unused.truncate(flags.len());
                    for (unused, &flag) in unused.iter_mut().zip(flags) {
                        *unused &= flag == Some(false);
                    }
                }
                Column::Text(text) => {
                    let texts = &self.texts[text as usize];
                    if texts.null_count() < texts.len() {
                        for (unused, is_null) in unused.iter_mut().zip(texts.is_null().iter()) {
                            *unused &= is_null == Some(true);
                        }
                    }
                }
            }
        }
        unused
    }
}

fn mistyped(column: &str) -> String {
    format!("its column {column} has another type")
}

/// One decoded row.
pub(super) struct DecodedRow<'a> {
    pub(super) decoded: &'a DecodedRows,
    pub(super) row: usize,
}

impl TypedCells for DecodedRow<'_> {
    fn time(&self, column: TimeColumn) -> Option<i64> {
        let time = self.decoded.times[column as usize].get(self.row).copied();
        time.filter(|&time| time != NULL)
    }

    fn flag(&self, column: FlagColumn) -> Option<bool> {
        self.decoded.flags[column as usize]
            .get(self.row)
            .copied()
            .flatten()
    }

    fn text(&self, column: TextColumn) -> Option<&[u8]> {
        self.decoded.texts[column as usize]
            .get(self.row)
            .map(str::as_bytes)
    }

    fn is_unused(&self, run: usize) -> bool {
        self.decoded.unused[run].get(self.row) == Some(&true)
    }
}

fn times(column: &Int64Chunked) -> Vec<i64> {
    let seconds = |time: i64| time.div_euclid(MICROSECONDS);
    let mut times = Vec::with_capacity(column.len());
    for array in column.downcast_iter() {
        let values = array.values().iter().map(|&time| seconds(time));
        match array.validity() {
            None => times.extend(values),
            Some(valid) => {
                let cells = values.zip(valid.iter());
                times.extend(cells.map(|(time, is_valid)| if is_valid { time } else { NULL }));
            }
        }
    }
    times
}

fn flags(column: &BooleanChunked) -> Vec<Option<bool>> {
    column.iter().collect()
}

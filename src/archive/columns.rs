//! The columns of an archived file, and the builder that fills them row by row.

use polars::prelude::{
    BinaryChunkedBuilder, BooleanChunkedBuilder, ChunkedBuilder as _, Column as PolarsColumn, DataFrame,
    Int64Type, IntoSeries as _, PlSmallStr, PrimitiveChunkedBuilder, Schema, StringChunkedBuilder, TimeUnit,
    TimeZone,
};

use super::csv_format::{FLAGS, TEXTS, TIMES, TypedRow};
use crate::report::schema::{Column, TextColumn};

/// The as-of of the report, in microseconds, UTC.
pub(super) const AS_OF: &str = "as_of";
/// The account that the row's ARN names.
pub(super) const ACCOUNT_ID: &str = "account_id";
/// The `user` of the report. In several engines, `user` is a function or a reserved word.
const USER_NAME: &str = "user_name";
/// JSON: the cells that differ from the CSV of their typed columns, by the name of the column in the report.
pub(super) const AS_WRITTEN: &str = "as_written";
/// The bytes of the row, if the other columns do not reproduce them.
pub(super) const RECORD: &str = "record";

/// The name of a report's column in the archive.
pub(super) fn archived_name(column: Column) -> &'static str {
    match column {
        Column::Text(TextColumn::User) => USER_NAME,
        Column::Time(_) | Column::Flag(_) | Column::Text(_) => column.name(),
    }
}

/// Rows that are being added, by column.
pub(super) struct RowBuilder {
    as_of: PrimitiveChunkedBuilder<Int64Type>,
    account: StringChunkedBuilder,
    times: [PrimitiveChunkedBuilder<Int64Type>; TIMES],
    flags: [BooleanChunkedBuilder; FLAGS],
    texts: [StringChunkedBuilder; TEXTS],
    as_written: StringChunkedBuilder,
    record: BinaryChunkedBuilder,
    count: usize,
}

pub(super) const MICROSECONDS: i64 = 1_000_000;

impl RowBuilder {
    /// No rows.
    pub(super) fn new() -> Self {
        let name = PlSmallStr::from_static;
        let times = |_| PrimitiveChunkedBuilder::new(PlSmallStr::EMPTY, 0);
        Self {
            as_of: PrimitiveChunkedBuilder::new(name(AS_OF), 0),
            account: StringChunkedBuilder::new(name(ACCOUNT_ID), 0),
            times: std::array::from_fn(times),
            flags: std::array::from_fn(|_| BooleanChunkedBuilder::new(PlSmallStr::EMPTY, 0)),
            texts: std::array::from_fn(|_| StringChunkedBuilder::new(PlSmallStr::EMPTY, 0)),
            as_written: StringChunkedBuilder::new(name(AS_WRITTEN), 0),
            record: BinaryChunkedBuilder::new(name(RECORD), 0),
            count: 0,
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds a row. Text that is not UTF-8 is stored with replacement characters; its bytes are in `record` then.
    pub(super) fn push(
        &mut self,
        (as_of, account): (i64, Option<&str>),
        row: &TypedRow<'_>,
        as_written: Option<&str>,
        record: Option<&[u8]>,
    ) {
        self.as_of.append_value(as_of * MICROSECONDS);
        self.account.append_option(account);
        for (column, time) in self.times.iter_mut().zip(row.times) {
            column.append_option(time.map(|seconds| seconds * MICROSECONDS));
        }
        for (column, flag) in self.flags.iter_mut().zip(row.flags) {
            column.append_option(flag);
        }
        for (column, text) in self.texts.iter_mut().zip(row.texts) {
            match text.map(String::from_utf8_lossy) {
                Some(text) => column.append_value(text),
                None => column.append_null(),
            }
        }
        self.as_written.append_option(as_written);
        self.record.append_option(record);
        self.count += 1;
    }

    /// The rows as columns, in the order of the report's columns.
    pub(super) fn finish(self) -> DataFrame {
        let instant = |name: &'static str, column: PrimitiveChunkedBuilder<Int64Type>| {
            let column = column.finish().with_name(PlSmallStr::from_static(name));
            let utc = Some(TimeZone::UTC);
            PolarsColumn::from(column.into_datetime(TimeUnit::Microseconds, utc).into_series())
        };
        let mut times = self.times.map(Some);
        let mut flags = self.flags.map(Some);
        let mut texts = self.texts.map(Some);
        let mut columns = vec![
            instant(AS_OF, self.as_of),
            PolarsColumn::from(self.account.finish().into_series()),
        ];
        for column in Column::ALL {
            let name = archived_name(column);
            let taken = match column {
                Column::Time(at) => times[at as usize].take().map(|times| instant(name, times)),
                Column::Flag(at) => flags[at as usize].take().map(|flags| named(name, flags.finish())),
                Column::Text(at) => texts[at as usize].take().map(|texts| named(name, texts.finish())),
            };
            columns.extend(taken);
        }
        columns.push(PolarsColumn::from(self.as_written.finish().into_series()));
        columns.push(PolarsColumn::from(self.record.finish().into_series()));
        DataFrame::new(self.count, columns)
            .expect("invariant: columns are equally long, and their names differ")
    }
}

fn named(name: &'static str, column: impl polars::prelude::IntoSeries) -> PolarsColumn {
    let mut series = column.into_series();
    series.rename(PlSmallStr::from_static(name));
    PolarsColumn::from(series)
}

/// The names and types of the columns.
pub(super) fn schema() -> Schema {
    Schema::clone(RowBuilder::new().finish().schema())
}

//! The columns of an archived file, and the builder that fills them row by row.

use polars::prelude::{
    BinaryChunkedBuilder, BooleanChunkedBuilder, ChunkedBuilder as _, Column as PolarsColumn, DataFrame,
    Int32Type, Int64Type, IntoSeries, PlSmallStr, PrimitiveChunkedBuilder, Schema, StringChunkedBuilder,
    TimeUnit, TimeZone,
};

use super::csv_format::{FLAGS, TEXTS, TIMES, TypedRow};
use super::meta::VERSION;
use crate::report::schema::{Column, TextColumn};

/// The as-of of the report, in microseconds, UTC.
pub(super) const AS_OF: &str = "as_of";
/// The account that the row's ARN names.
pub(super) const ACCOUNT_ID: &str = "account_id";
/// The `user` of the report. In several engines, `user` is a function or a reserved word.
pub(super) const USER_NAME: &str = "user_name";
/// The user's ARN, as written.
pub(super) const ARN: &str = "arn";
/// JSON: the cells that differ from the CSV of their typed columns, by the name of the column in the report.
pub(super) const AS_WRITTEN: &str = "as_written";
/// The bytes of the row, if the other columns do not reproduce them.
pub(super) const RECORD: &str = "record";
/// The version of the archive's format. Files of version 1 do not have it, nor those after it.
const FORMAT: &str = "format";
/// The number of the row's report in its file, from 1.
pub(super) const REPORT: &str = "report";
/// The number of the data row in its report, from 1.
pub(super) const REPORT_ROW: &str = "report_row";
/// The partition in the ARN, such as `aws` or `aws-cn`.
pub(super) const AWS_PARTITION: &str = "aws_partition";
/// The IAM path in the ARN.
pub(super) const USER_PATH: &str = "user_path";
/// Whether the row is root's.
const IS_ROOT: &str = "is_root";
/// The columns whose cells are unknown: `,mfa_active,password_last_used,`.
pub(super) const UNKNOWN_CELLS: &str = "unknown_cells";
/// What was wrong with the row, or with what was left out before it.
pub(super) const ISSUES: &str = "issues";

/// The name of a report's column in the archive.
pub(super) fn archived_name(column: Column) -> &'static str {
    match column {
        Column::Text(TextColumn::User) => USER_NAME,
        Column::Time(_) | Column::Flag(_) | Column::Text(_) => column.name(),
    }
}

/// Whether a column of the archive has times.
pub(super) fn is_time(name: &str) -> bool {
    name == AS_OF || matches!(Column::named(name), Some(Column::Time(_)))
}

/// What is known of a row beside its cells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowFacts<'a> {
    /// In seconds.
    pub(super) as_of: i64,
    pub(super) account: Option<&'a str>,
    pub(super) as_written: Option<&'a str>,
    pub(super) record: Option<&'a [u8]>,
    pub(super) report_row: u64,
    pub(super) partition: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) is_root: bool,
    pub(super) unknown_cells: Option<&'a str>,
    pub(super) issues: Option<&'a str>,
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
    report_row: PrimitiveChunkedBuilder<Int64Type>,
    partition: StringChunkedBuilder,
    path: StringChunkedBuilder,
    is_root: BooleanChunkedBuilder,
    unknown_cells: StringChunkedBuilder,
    issues: StringChunkedBuilder,
    count: usize,
}

pub(super) const MICROSECONDS: i64 = 1_000_000;

impl RowBuilder {
    /// No rows.
    pub(super) fn new() -> Self {
        let name = PlSmallStr::from_static;
        let numbers = |_| PrimitiveChunkedBuilder::new(PlSmallStr::EMPTY, 0);
        let text = |of: &'static str| StringChunkedBuilder::new(name(of), 0);
        Self {
            as_of: PrimitiveChunkedBuilder::new(name(AS_OF), 0),
            account: text(ACCOUNT_ID),
            times: std::array::from_fn(numbers),
            flags: std::array::from_fn(|_| BooleanChunkedBuilder::new(PlSmallStr::EMPTY, 0)),
            texts: std::array::from_fn(|_| text("")),
            as_written: text(AS_WRITTEN),
            record: BinaryChunkedBuilder::new(name(RECORD), 0),
            report_row: PrimitiveChunkedBuilder::new(name(REPORT_ROW), 0),
            partition: text(AWS_PARTITION),
            path: text(USER_PATH),
            is_root: BooleanChunkedBuilder::new(name(IS_ROOT), 0),
            unknown_cells: text(UNKNOWN_CELLS),
            issues: text(ISSUES),
            count: 0,
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds a row. Text that is not UTF-8 is stored with replacement characters; its bytes are in `as_written` then.
    pub(super) fn push(&mut self, facts: &RowFacts<'_>, row: &TypedRow<'_>) {
        self.as_of.append_value(facts.as_of * MICROSECONDS);
        self.account.append_option(facts.account);
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
        self.as_written.append_option(facts.as_written);
        self.record.append_option(facts.record);
        self.report_row.append_value(facts.report_row.cast_signed());
        self.partition.append_option(facts.partition);
        self.path.append_option(facts.path);
        self.is_root.append_value(facts.is_root);
        self.unknown_cells.append_option(facts.unknown_cells);
        self.issues.append_option(facts.issues);
        self.count += 1;
    }

    /// The rows as columns, those of the report in its order: rows of the report with this number in the file, from 1.
    pub(super) fn finish(self, report: usize) -> DataFrame {
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
        let report = i32::try_from(report).expect("invariant: files have far fewer reports");
        columns.extend([
            PolarsColumn::from(self.as_written.finish().into_series()),
            PolarsColumn::from(self.record.finish().into_series()),
            constant(FORMAT, VERSION.cast_signed(), self.count),
            constant(REPORT, report, self.count),
            PolarsColumn::from(self.report_row.finish().into_series()),
            PolarsColumn::from(self.partition.finish().into_series()),
            PolarsColumn::from(self.path.finish().into_series()),
            PolarsColumn::from(self.is_root.finish().into_series()),
            PolarsColumn::from(self.unknown_cells.finish().into_series()),
            PolarsColumn::from(self.issues.finish().into_series()),
        ]);
        DataFrame::new(self.count, columns)
            .expect("invariant: columns are equally long, and their names differ")
    }
}

fn named(name: &'static str, column: impl IntoSeries) -> PolarsColumn {
    let mut series = column.into_series();
    series.rename(PlSmallStr::from_static(name));
    PolarsColumn::from(series)
}

fn constant(name: &'static str, value: i32, count: usize) -> PolarsColumn {
    let mut column = PrimitiveChunkedBuilder::<Int32Type>::new(PlSmallStr::from_static(name), count);
    (0..count).for_each(|_| column.append_value(value));
    PolarsColumn::from(column.finish().into_series())
}

/// The names and types of the columns.
pub(super) fn schema() -> Schema {
    Schema::clone(RowBuilder::new().finish(1).schema())
}

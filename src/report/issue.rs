//! Issues with a report's header or rows: facts without words, which become diagnostics.

use super::schema::{Column, ColumnSet};

/// An issue with a header or a row. `Diagnostic::of_issue` in `finding` has its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issue {
    /// The header's delimiter is this one, not a comma.
    Delimiter(u8),
    /// The column appears more than once; the first one is read.
    DuplicateColumn(Column),
    /// Columns that no credential report has, as written; they are ignored.
    UnknownColumns(Vec<String>),
    /// A column that no credential report has, and the missing one that was probably meant.
    MisspelledColumn(String, &'static str),
    /// Exactly the six columns that AWS added in April 2015 are missing.
    Before2015,
    /// Other columns are missing.
    MissingColumns(ColumnSet),
    /// The user name has commas and was not quoted; its fields were joined.
    UnquotedCommas,
    /// The next report's header was cut off the row's last cell.
    GluedHeader,
    /// The line break before or after the row was missing; it was split off.
    GluedRow,
    /// The header is repeated before this row.
    RepeatedHeader,
    /// A quote that opens in the row is never closed; it is read to the end of its line.
    UnclosedQuote,
    /// A quoted cell of the row contains a line break, which reports by AWS never have.
    LineBreak,
    /// Too many rows of the block are ragged: this one, and all ragged rows after it, were left out.
    LeftOut,
    /// The row has this many fields, and they cannot be matched to columns: its cells are unknown.
    Ragged(usize),
}

/// An issue with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowIssue {
    /// Data row of the block, from 0, including rows that were left out; for [`Issue::RepeatedHeader`] the row that
    /// follows.
    pub row: u32,
    /// The issue.
    pub issue: Issue,
}

//! What a reader of a report should know about its header or one of its rows: facts, which become diagnostics.

use super::schema::{Column, ColumnSet};

/// One such fact. [`crate::finding::Diagnostic::of_issue`] has the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issue {
    /// The header's delimiter is this one, not a comma.
    Delimiter(u8),
    /// The column appears more than once; the first one is read.
    DuplicateColumn(Column),
    /// Columns that no credential report has, as written; they are not read.
    UnknownColumns(Vec<String>),
    /// Exactly the six columns are missing that AWS added in April 2015.
    Before2015,
    /// Columns that are missing otherwise.
    MissingColumns(ColumnSet),
    /// Unquoted commas in the user name were put back.
    UnquotedCommas,
    /// The next report's header was cut off the row's last cell.
    GluedHeader,
    /// The row repeats the header, and is not a user.
    RepeatedHeader,
    /// A quote that opens in the row is never closed, and was taken to reach to the end of its line.
    UnclosedQuote,
    /// A quoted cell of the row holds a line break, as no report by AWS does.
    LineBreak,
    /// So many rows of the block were ragged that this one, and all such rows after it, were left out.
    LeftOut,
    /// The row has this many fields, and they cannot be matched to columns: its cells are unknown.
    Ragged(usize),
}

/// A fact about one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowIssue {
    /// Data row of the block, from 0, those that were left out counted; for [`Issue::RepeatedHeader`] the one
    /// that follows.
    pub row: u32,
    /// What it is.
    pub issue: Issue,
}

//! What stands in the way of a comparison, as diagnostics.

use std::collections::BTreeSet;

use super::snapshot::Snapshot;
use crate::engine::Input;
use crate::finding::{AsOfSource, Code, Diagnostic};
use crate::report::schema::Column;

/// A diagnostic about a report.
pub(super) fn note(input: &Input, code: Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, message).in_path(&input.path)
}

/// The newer snapshot is older.
pub(super) fn order(old: &Snapshot, new: &Snapshot) -> Vec<Diagnostic> {
    let [old_as_of, new_as_of] = [old, new].map(|snapshot| snapshot.input.as_of);
    let message = match old_as_of.cmp(&new_as_of) {
        std::cmp::Ordering::Less => return Vec::new(),
        std::cmp::Ordering::Equal => format!("both reports are of the same instant ({new_as_of})"),
        std::cmp::Ordering::Greater => {
            format!("OLD ({old_as_of}) is newer than NEW ({new_as_of}); are they the wrong way round?")
        }
    };
    vec![note(&new.input, Code::Order, message)]
}

/// Nothing dates the report.
pub(super) fn undated(input: &Input) -> Option<Diagnostic> {
    (input.as_of_source == AsOfSource::Now).then(|| {
        let message =
            "nothing says when this report was made, so it is evaluated as of now; put the date into \
                       its file name"
                .to_owned();
        note(input, Code::Undated, message)
    })
}

/// Another report of so many of its accounts is of the same instant, and was read before.
pub(super) fn read_before(input: &Input, accounts: usize) -> Option<Diagnostic> {
    if accounts == 0 {
        return None;
    }
    let message = format!(
        "another report as of the same instant was read before for {accounts} of its accounts; what this one says there is passed over, be it \
         the same or not"
    );
    Some(note(input, Code::DuplicateSnapshot, message))
}

/// Columns that only one of them has.
pub(super) fn columns(old: &Snapshot, new: &Snapshot) -> Vec<Diagnostic> {
    let lacking = |snapshot: &Snapshot, other: &Snapshot| -> Vec<Diagnostic> {
        let lost = snapshot.input.lacks().minus(other.input.lacks());
        let of_column = |column: Column| {
            note(
                &snapshot.input,
                Code::LostColumn,
                "this report lacks a column that the other one has; what depends on it cannot be compared",
            )
            .in_column(column)
        };
        lost.iter().map(of_column).collect()
    };
    [lacking(old, new), lacking(new, old)].concat()
}

/// Accounts that the other report does not hold.
pub(super) fn accounts(snapshot: &Snapshot, accounts: &BTreeSet<Vec<u8>>) -> Option<Diagnostic> {
    let first = String::from_utf8_lossy(accounts.first()?);
    let message = match accounts.len() - 1 {
        0 => format!("the other report does not hold account {first}: it is not compared"),
        more => {
            format!("the other report does not hold account {first} and {more} more: they are not compared")
        }
    };
    Some(note(&snapshot.input, Code::AccountNotCompared, message))
}

/// So many users who stand in the report twice, the first in this row.
pub(super) fn duplicates(input: &Input, first: u64, users: usize) -> Diagnostic {
    let message = match users {
        1 => "1 user stands in the report twice; the row created last counts, else the first".to_owned(),
        _ => format!(
            "{users} users stand in the report twice; of each the row created last counts, else the first"
        ),
    };
    note(input, Code::DuplicateUser, message).in_row(first)
}

/// Keys of so many users that only their other cells tell apart.
pub(super) fn same_second(input: &Input, first: u64, users: usize) -> Diagnostic {
    let who = match users {
        1 => "1 user has".to_owned(),
        _ => format!("{users} users have"),
    };
    let message = format!(
        "{who} two keys or certificates made in the same second; those that changed least are taken for the same"
    );
    note(input, Code::SameSecondKeys, message).in_row(first)
}

/// Keys of so many users of which nothing can be said.
pub(super) fn unclear(input: &Input, first: u64, users: usize) -> Diagnostic {
    let who = match users {
        1 => "1 user".to_owned(),
        _ => format!("{users} users"),
    };
    let message = format!(
        "of {who} it cannot be said which keys or certificates were made or deleted, since cells say nothing"
    );
    note(input, Code::UnclearKeys, message).in_row(first)
}

//! The diagnostics of `diff` and `trend`: what limits a comparison, and what is unusual in a report.

use std::collections::BTreeSet;

use super::snapshot::Snapshot;
use crate::engine::Input;
use crate::finding::{AsOfSource, Code, Diagnostic};

/// Makes a diagnostic of an input, the number of the first row that it is about, and the number of rows.
pub(super) type Note = fn(&Input, u64, usize) -> Diagnostic;

/// A diagnostic about an input.
pub(super) fn note(input: &Input, code: Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, message).in_path(&input.path)
}

/// The older snapshot is not older than the newer one.
pub(super) fn order(old: &Snapshot, new: &Snapshot) -> Vec<Diagnostic> {
    let [old_as_of, new_as_of] = [old, new].map(|snapshot| snapshot.input.as_of);
    let message = match old_as_of.cmp(&new_as_of) {
        std::cmp::Ordering::Less => return Vec::new(),
        std::cmp::Ordering::Equal => format!("both reports have the same as-of ({new_as_of})"),
        std::cmp::Ordering::Greater => {
            format!("OLD ({old_as_of}) is newer than NEW ({new_as_of}); are they swapped?")
        }
    };
    vec![note(&new.input, Code::Order, message)]
}

/// The report has no date.
pub(super) fn undated(input: &Input) -> Option<Diagnostic> {
    (input.as_of_source == AsOfSource::Now).then(|| {
        let message = "nothing says when this report was generated, so its ages are counted to now";
        note(input, Code::Undated, message)
    })
}

/// Accounts of this report were already read from another report with the same as-of.
pub(super) fn read_before(input: &Input, accounts: usize) -> Option<Diagnostic> {
    if accounts == 0 {
        return None;
    }
    let message = format!(
        "{} ignored, because another report with the same as-of was read before this one",
        counted(
            accounts,
            "account of this report is",
            "accounts of this report are"
        )
    );
    Some(note(input, Code::DuplicateSnapshot, message))
}

/// A column that only one of the two reports has.
pub(super) fn columns(old: &Snapshot, new: &Snapshot) -> Vec<Diagnostic> {
    let lacking = |snapshot: &Snapshot, other: &Snapshot| -> Vec<Diagnostic> {
        let lost = snapshot.input.lacks().minus(other.input.lacks());
        let message =
            "this report lacks a column that the other one has; what depends on it cannot be compared";
        let of_column = |column| note(&snapshot.input, Code::LostColumn, message).in_column(column);
        lost.iter().map(of_column).collect()
    };
    [lacking(old, new), lacking(new, old)].concat()
}

/// Accounts that the other report does not have.
pub(super) fn accounts(snapshot: &Snapshot, accounts: &BTreeSet<Vec<u8>>) -> Option<Diagnostic> {
    let first = snapshot.users().account_names().phrase(accounts.first()?);
    let message = match accounts.len() - 1 {
        0 => format!("account {first} is not in the other report, so it is not compared"),
        more => {
            format!("account {first} and {more} more are not in the other report, so they are not compared")
        }
    };
    Some(note(&snapshot.input, Code::AccountNotCompared, message))
}

/// Rows that repeat a user of the report, the first of them this one.
pub(super) fn duplicates(input: &Input, first: u64, rows: usize) -> Diagnostic {
    let message = format!(
        "{} left out; the row created last counts, or the first of equal ones",
        counted(rows, "row of a repeated user is", "rows of repeated users are")
    );
    note(input, Code::DuplicateUser, message).in_row(first)
}

/// Users with keys or certificates that only their other cells distinguish.
pub(super) fn same_second(input: &Input, first: u64, users: usize) -> Diagnostic {
    let message = format!(
        "{} two keys or certificates created in the same second; the pair that changed least is treated as the same",
        counted(users, "user has", "users have")
    );
    note(input, Code::SameSecondKeys, message).in_row(first)
}

/// Users whose keys or certificates cannot be identified.
pub(super) fn unclear(input: &Input, first: u64, users: usize) -> Diagnostic {
    let message = format!(
        "it is undetermined which keys or certificates of {} were created or deleted, because cells are unknown",
        counted(users, "user", "users")
    );
    note(input, Code::UnclearKeys, message).in_row(first)
}

/// A number with the words for one, or for several.
fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

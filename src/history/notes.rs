//! The diagnostics of `diff` and `trend`: what limits a comparison, what is unusual in a report, and accounts without a newer
//! report. What is known about these is old, so their findings are counted by themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::account::id_of;
use super::snapshot::Snapshot;
use crate::engine::Input;
use crate::finding::{AsOfSource, Code, Diagnostic, Status};
use crate::report::time::Timestamp;
use crate::rule::Filters;

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

/// How many accounts a message lists; the others are counted.
const LISTED: usize = 20;

/// An account without a newer report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StaleAccount {
    /// The account; null for reports that do not contain it.
    pub account: Option<String>,
    /// The account's name, if it is known.
    pub account_name: Option<String>,
    /// As-of of its last report, RFC 3339 UTC.
    pub as_of: String,
    /// The findings that fail in that report. They count neither as opened nor as resolved or open.
    pub findings: u64,
}

impl StaleAccount {
    /// An account with this id, or the name if that is all there is; empty if it is not known.
    pub fn new(account: &[u8], name: Option<&str>, as_of: Timestamp, findings: u64) -> Self {
        Self {
            account: id_of(account).map(|id| String::from_utf8_lossy(id).into_owned()),
            account_name: name.map(str::to_owned),
            as_of: as_of.to_string(),
            findings,
        }
    }

    /// The accounts of their last reports, in order, and the findings of users that the filters admit.
    pub fn of_snapshots(snapshots: &[Snapshot], filters: &Filters) -> Vec<Self> {
        let mut all = BTreeMap::new();
        for snapshot in snapshots {
            let users = snapshot.users();
            // An account is listed even if it has no findings.
            let name = |account: &[u8]| users.account_names().get(account);
            let accounts = users.accounts().iter().map(|account| &**account);
            let wanted = accounts
                .filter(|&account| filters.admits_account(id_of(account), name(account).map(str::as_bytes)));
            let mut failing: BTreeMap<&[u8], u64> = wanted.map(|account| (account, 0)).collect();
            for row in (0..users.len()).filter(|&row| filters.admits(&users.to_filter(row))) {
                let account = users.account_or_name(row).unwrap_or_default();
                let found = snapshot.found_of(super::users::index(row)).iter();
                let fails = found.filter(|found| found.status == Status::Fail);
                *failing.entry(account).or_default() += fails.count() as u64;
            }
            all.extend(failing.into_iter().map(|(account, findings)| {
                let stale = Self::new(account, name(account), snapshot.input.as_of, findings);
                (account.to_owned(), stale)
            }));
        }
        all.into_values().collect()
    }

    /// Of these accounts those with a user that the filters admit.
    pub fn with_users(snapshots: &[Snapshot], filters: &Filters) -> Vec<Self> {
        let has_users = |stale: &Self| {
            snapshots.iter().any(|snapshot| {
                let users = snapshot.users();
                let mut admitted = (0..users.len()).filter(|&row| filters.admits(&users.to_filter(row)));
                admitted.any(|row| {
                    let account = users.account_or_name(row).unwrap_or_default();
                    let name = users.account_names().get(account);
                    *stale == Self::new(account, name, snapshot.input.as_of, stale.findings)
                })
            })
        };
        let mut accounts = Self::of_snapshots(snapshots, filters);
        accounts.retain(has_users);
        accounts
    }

    /// `111122223333 (prod), last of 2026-11-23`.
    fn phrase(&self) -> String {
        let who = match (self.account.as_deref(), self.account_name.as_deref()) {
            (Some(id), Some(name)) => format!("{id} ({name})"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "(unknown)".to_owned(),
        };
        let day = self.as_of.get(..10).unwrap_or(&self.as_of);
        format!("{who}, last of {day}")
    }
}

/// The diagnostic that lists them; none if there are none.
pub fn stale_note(accounts: &[StaleAccount]) -> Option<Diagnostic> {
    let findings: u64 = accounts.iter().map(|account| account.findings).sum();
    let counted = match findings {
        0 => "they have no failing finding".to_owned(),
        1 => "their 1 finding is counted by itself".to_owned(),
        _ => format!("their {findings} findings are counted by themselves"),
    };
    let list = stale_phrase(accounts)?;
    let message = format!("accounts without a newer report: {list}; {counted}");
    Some(Diagnostic::new(Code::StaleAccount, message))
}

/// The first of these accounts, each with the day of its last report, and how many more there are; none if there are none.
pub fn stale_phrase(accounts: &[StaleAccount]) -> Option<String> {
    let listed: Vec<String> = accounts.iter().take(LISTED).map(StaleAccount::phrase).collect();
    let more = accounts.len().saturating_sub(LISTED);
    (!listed.is_empty()).then(|| match more {
        0 => listed.join("; "),
        _ => format!("{}; and {more} more", listed.join("; ")),
    })
}

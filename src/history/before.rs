//! Compares a newer report with the older snapshot while the report is read. Most users are unchanged, and are not stored
//! a second time.

use std::sync::{Mutex, PoisonError};

use super::diff::DiffOptions;
use super::index::{Identity, Index, UserIds};
use super::packed::Used;
use super::roster::{BlockRow, index};
use super::snapshot::Snapshot;
use super::verdicts::{UserVerdicts, Verdicts};
use crate::engine::{Input, Workers};
use crate::report::schema::TextColumn;
use crate::report::time::Timestamp;
use crate::rule::Filters;

/// The older snapshot of a diff, indexed for the comparison with a newer report.
#[derive(Debug)]
pub struct Before<'a> {
    pub(super) old: &'a Snapshot,
    pub(super) options: DiffOptions,
    /// Which users are compared: those that one of the snapshots has as the filters ask.
    pub(super) filters: Option<&'a Filters>,
    /// A credential last used after this time is in use at the as-of of every report of the older snapshot.
    idle: Timestamp,
    pub(super) index: Index<'a>,
    unchanged: Mutex<Unchanged>,
}

/// The users who are unchanged, as far as the newer report was read: no cell differs except the last use of a credential
/// that was in use, and their keys and certificates can be identified.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// By row of the older snapshot, the row of the unchanged user in the newer report, or [`NO_ROW`].
    pub(super) rows: Vec<u32>,
    /// Rows of the newer report that repeat an unchanged user.
    pub(super) duplicates: Vec<u32>,
    pub(super) reevaluated: Reevaluated,
    /// For each changed user, in the order of the newer report, the row of the older snapshot with the same name and ARN,
    /// or [`NO_ROW`].
    pub(super) others: Vec<u32>,
}

/// Unchanged users with other findings than before, because time has passed or a credential was used. All vectors have the
/// same indices.
#[derive(Debug, Default)]
pub(super) struct Reevaluated {
    /// In the order of the newer report; a user may be in it more than once.
    pub(super) users: Vec<Pairing>,
    used: Vec<Used>,
    pub(super) verdicts: Verdicts,
}

/// What is expected of the next row of a newer report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The row of the older snapshot to look at first, because most reports have the same order.
    row: u32,
    /// Whether the reports have the same columns.
    has_same_columns: bool,
}

impl Expected {
    /// For the first row of a block.
    pub(super) fn new(before: Option<&Before<'_>>, input: &Input) -> Self {
        let missing = input.header.missing();
        Self {
            row: 0,
            has_same_columns: before.is_none_or(|before| before.old.missing_anywhere() == missing),
        }
    }
}

/// A user's row in the older snapshot, and in the newer report.
pub(super) type Pairing = (u32, u32);

/// No row.
pub(super) const NO_ROW: u32 = u32::MAX;

/// The unchanged users of a block, and the older rows of its changed users.
#[derive(Debug, Default)]
pub(super) struct Taken {
    users: Vec<Pairing>,
    reevaluated: Reevaluated,
    others: Vec<u32>,
}

impl Taken {
    pub(super) fn clear(&mut self) {
        self.users.clear();
        self.others.clear();
        self.reevaluated.clear();
    }
}

impl Reevaluated {
    fn push(&mut self, user: Pairing, used: Used, verdicts: UserVerdicts<'_>) {
        self.verdicts.push(index(self.users.len()), verdicts);
        self.users.push(user);
        self.used.push(used);
    }

    /// Which credentials a user has used since, and its findings now.
    pub(super) fn of(&self, user: u32) -> (Used, UserVerdicts<'_>) {
        (self.used[user as usize], self.verdicts.of(user))
    }

    /// Appends the users of a block; `rows_before` is the number of rows before it.
    fn append(&mut self, block: &mut Self, rows_before: u32) {
        self.verdicts.append(index(self.users.len()), &mut block.verdicts);
        let users = block.users.drain(..);
        self.users
            .extend(users.map(|(old, row)| (old, rows_before + row)));
        self.used.append(&mut block.used);
    }

    fn clear(&mut self) {
        self.users.clear();
        self.used.clear();
        self.verdicts.clear();
    }
}

impl<'a> Before<'a> {
    /// Indexes a complete older snapshot.
    pub fn new(old: &'a Snapshot, options: DiffOptions, workers: &Workers) -> Self {
        let identity = if old.input.lacks().contains(TextColumn::Arn) {
            Identity::Name
        } else {
            Identity::Arn
        };
        let users = old.users();
        let (index, rows) = workers.both(
            || Index::new(UserIds { users, identity }, workers),
            || vec![NO_ROW; users.len()],
        );
        Self {
            old,
            options,
            filters: None,
            idle: options.idle_since(old.input.as_of),
            index,
            unchanged: Mutex::new(Unchanged {
                rows,
                ..Unchanged::default()
            }),
        }
    }

    /// Compares only the users that the filters admit as one of the snapshots has them.
    #[must_use]
    pub fn filtered(self, filters: &'a Filters) -> Self {
        let filters = Some(filters).filter(|filters| !filters.is_empty());
        Self { filters, ..self }
    }

    /// Whether this input identifies users like the older snapshot: both by ARN, or both by name.
    pub(super) fn can_take(&self, input: &Input) -> bool {
        let lacks = [&self.old.input, input].map(|input| input.lacks().contains(TextColumn::Arn));
        lacks[0] == lacks[1]
    }

    /// Takes the user of a row if it is unchanged. If the reports have different columns, so are its findings.
    pub(super) fn take(&self, row: &BlockRow<'_>, expected: &mut Expected, taken: &mut Taken) -> bool {
        let Some(old) = self.row_of(row, expected.row) else {
            taken.others.push(NO_ROW);
            return false;
        };
        expected.row = old + 1;
        let (users, user) = (self.old.users(), old as usize);
        let used = users.used_since(user, row, self.idle);
        let Some(used) = used.filter(|_| users.is_clear(user)) else {
            taken.others.push(old);
            return false;
        };
        let is_like = self.old.roster.verdicts.of(old).is_like(row.verdicts);
        // Findings of a user that is not stored show the times of the older report.
        if !is_like && (!expected.has_same_columns || used != Used::default()) {
            taken.others.push(old);
            return false;
        }
        taken.users.push((old, row.number));
        if !is_like {
            taken.reevaluated.push((old, row.number), used, row.verdicts);
        }
        true
    }

    /// The row of the older snapshot with the same name and ARN.
    fn row_of(&self, row: &BlockRow<'_>, expected: u32) -> Option<u32> {
        let is_named = |old: u32| self.old.users().is_named(old as usize, row);
        if self.index.counts(expected) && is_named(expected) {
            return Some(expected);
        }
        let identifier = self.index.users.identity.of(row.name, row.arn, row.owner);
        self.index.row(identifier).filter(|&old| is_named(old))
    }

    /// Records the users that were taken. Called in the order of the newer report; `rows_before` is the number of rows
    /// before the block.
    pub(super) fn note(&self, taken: &mut Taken, rows_before: u32) {
        let mut unchanged = self.unchanged.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = &mut *unchanged;
        unchanged.others.append(&mut taken.others);
        for &(old, row) in &taken.users {
            match &mut unchanged.rows[old as usize] {
                known if *known == NO_ROW => *known = rows_before + row,
                _ => unchanged.duplicates.push(rows_before + row),
            }
        }
        unchanged.reevaluated.append(&mut taken.reevaluated, rows_before);
    }

    pub(super) fn into_parts(self) -> (&'a Snapshot, Index<'a>, Unchanged) {
        let unchanged = self.unchanged.into_inner();
        (
            self.old,
            self.index,
            unchanged.unwrap_or_else(PoisonError::into_inner),
        )
    }
}

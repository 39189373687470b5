//! The older snapshot of a diff, made ready for the newer report to be held against it while it is read: most users
//! are as they were, and need not be kept twice.

use std::sync::{Mutex, PoisonError};

use super::diff::Options;
use super::index::{Identity, Index, Who};
use super::packed::Used;
use super::roster::{Row, index};
use super::snapshot::Snapshot;
use super::verdicts::{UserVerdicts, Verdicts};
use crate::engine::{Input, Workers};
use crate::report::schema::TextColumn;
use crate::report::time::Timestamp;

/// An older snapshot, for one diff.
#[derive(Debug)]
pub struct Before<'a> {
    pub(super) old: &'a Snapshot,
    pub(super) options: Options,
    /// What was last used until then was idle, by the latest instant of the older snapshot: what was not was in use by all of
    /// them, where reports are joined.
    idle: Timestamp,
    pub(super) index: Index<'a>,
    unchanged: Mutex<Unchanged>,
}

/// Who is as before, as far as the newer report was read: no cell is another but last uses of what was in use, and nothing is
/// odd about them.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// By row of the older snapshot, in which row of the newer report the user stands as before, or [`NOWHERE`].
    pub(super) rows: Vec<u32>,
    /// Rows of the newer report in which a user stands as before once more.
    pub(super) duplicates: Vec<u32>,
    pub(super) rejudged: Rejudged,
    /// Of each of the others, in the order of the newer report, the row of the older snapshot that has the same name and
    /// ARN, or [`NOWHERE`].
    pub(super) others: Vec<u32>,
}

/// Those who are as before, but of whom something else is found by now, as time went by or they used something; each vector
/// by their index.
#[derive(Debug, Default)]
pub(super) struct Rejudged {
    /// In the order of the newer report; some of them may stand there once more.
    pub(super) users: Vec<Pairing>,
    used: Vec<Used>,
    pub(super) verdicts: Verdicts,
}

/// A user's row in the older snapshot, and in the newer report.
pub(super) type Pairing = (u32, u32);

/// No row.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Users of a block who are as before, and the rows of the others.
#[derive(Debug, Default)]
pub(super) struct Taken {
    users: Vec<Pairing>,
    rejudged: Rejudged,
    others: Vec<u32>,
}

impl Taken {
    pub(super) fn clear(&mut self) {
        self.users.clear();
        self.others.clear();
        self.rejudged.clear();
    }
}

impl Rejudged {
    fn push(&mut self, user: Pairing, used: Used, verdicts: UserVerdicts<'_>) {
        self.verdicts.push(index(self.users.len()), verdicts);
        self.users.push(user);
        self.used.push(used);
    }

    /// What a user has used since, and what is found about it by now.
    pub(super) fn of(&self, user: u32) -> (Used, UserVerdicts<'_>) {
        (self.used[user as usize], self.verdicts.of(user))
    }

    /// Moves those of a block, before which so many rows stand, behind these.
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
    /// Of an older snapshot that is whole.
    pub fn new(old: &'a Snapshot, options: Options, workers: &Workers) -> Self {
        let identity = if old.input.lacks().contains(TextColumn::Arn) {
            Identity::Name
        } else {
            Identity::Arn
        };
        let users = old.users();
        let (index, rows) = workers.both(
            || Index::new(Who { users, identity }, workers),
            || vec![NOWHERE; users.len()],
        );
        Self {
            old,
            options,
            idle: options.idle_since(old.input.as_of),
            index,
            unchanged: Mutex::new(Unchanged {
                rows,
                ..Unchanged::default()
            }),
        }
    }

    /// Whether users of this input are told apart as those of the older snapshot are.
    pub(super) fn can_take(&self, input: &Input) -> bool {
        let lacks = [&self.old.input, input].map(|input| input.lacks().contains(TextColumn::Arn));
        lacks[0] == lacks[1]
    }

    /// Takes the user of a row of a block, if it is as before. `expected` is the row of the older snapshot where it is
    /// looked for first, and then where the next one is expected, as the order of reports hardly changes.
    pub(super) fn take(&self, row: &Row<'_>, expected: &mut u32, taken: &mut Taken) -> bool {
        let Some(old) = self.row_of(row, *expected) else {
            taken.others.push(NOWHERE);
            return false;
        };
        *expected = old + 1;
        let (users, user) = (self.old.users(), old as usize);
        let used = users.used_since(user, row, self.idle);
        let Some(used) = used.filter(|_| users.is_clear(user)) else {
            taken.others.push(old);
            return false;
        };
        taken.users.push((old, row.number));
        if !self.old.roster.verdicts.of(old).is_like(row.verdicts) {
            taken.rejudged.push((old, row.number), used, row.verdicts);
        }
        true
    }

    /// The row of the older snapshot that has this name and ARN.
    fn row_of(&self, row: &Row<'_>, expected: u32) -> Option<u32> {
        let is_named = |old: u32| self.old.users().is_named(old as usize, row);
        if self.index.counts(expected) && is_named(expected) {
            return Some(expected);
        }
        let who = self.index.who.identity.of(row.name, row.arn);
        self.index.row(who).filter(|&old| is_named(old))
    }

    /// Notes who was taken. Called in the order of the newer report, with how many rows stand before the block.
    pub(super) fn note(&self, taken: &mut Taken, rows_before: u32) {
        let mut unchanged = self.unchanged.lock().unwrap_or_else(PoisonError::into_inner);
        let Unchanged {
            rows,
            duplicates,
            rejudged,
            others,
        } = &mut *unchanged;
        others.append(&mut taken.others);
        for &(old, row) in &taken.users {
            match &mut rows[old as usize] {
                place if *place == NOWHERE => *place = rows_before + row,
                _ => duplicates.push(rows_before + row),
            }
        }
        rejudged.append(&mut taken.rejudged, rows_before);
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

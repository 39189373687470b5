//! The older snapshot of a diff, made ready for the newer report to be held against it while it is read: most users
//! are as they were, and need not be kept twice.

use std::sync::{Mutex, PoisonError};

use super::index::{Identity, Index, Who};
use super::roster::{Row, index};
use super::snapshot::Snapshot;
use super::verdicts::Verdicts;
use crate::engine::{Input, Workers};
use crate::report::schema::TextColumn;

/// An older snapshot, for one diff.
#[derive(Debug)]
pub struct Before<'a> {
    pub(super) old: &'a Snapshot,
    pub(super) index: Index<'a>,
    unchanged: Mutex<Unchanged>,
}

/// Who is as before, as far as the newer report was read: nothing at all happened to them, and nothing is odd about
/// them.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// By row of the older snapshot, in which row of the newer report the user stands as before, or [`NOWHERE`].
    pub(super) rows: Vec<u32>,
    /// Rows of the newer report in which a user stands as before once more.
    pub(super) duplicates: Vec<u32>,
    pub(super) aged: Aged,
    /// Of each of the others, in the order of the newer report, the row of the older snapshot that has the same name and
    /// ARN, or [`NOWHERE`].
    pub(super) others: Vec<u32>,
}

/// Those who are as before, but of whom something else is found by now.
#[derive(Debug, Default)]
pub(super) struct Aged {
    /// In the order of the newer report; some of them may stand there once more.
    pub(super) users: Vec<AsBefore>,
    /// By their index.
    pub(super) verdicts: Verdicts,
}

/// A user who is as before: its row in the older snapshot, and in the newer report.
pub(super) type AsBefore = (u32, u32);

/// No row.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Users of a block who are as before, and the rows of the others.
#[derive(Debug, Default)]
pub(super) struct Taken {
    users: Vec<AsBefore>,
    aged: Aged,
    others: Vec<u32>,
}

impl Taken {
    pub(super) fn clear(&mut self) {
        self.users.clear();
        self.others.clear();
        self.aged.users.clear();
        self.aged.verdicts.clear();
    }
}

impl<'a> Before<'a> {
    /// Of an older snapshot that is whole.
    pub fn new(old: &'a Snapshot, workers: &Workers) -> Self {
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
        if !users.has_cells_of(user, row) || !users.is_clear(user) {
            taken.others.push(old);
            return false;
        }
        taken.users.push((old, row.number));
        if !self.old.roster.verdicts.of(old).is_like(row.verdicts) {
            let Aged { users, verdicts } = &mut taken.aged;
            verdicts.push(index(users.len()), row.verdicts);
            users.push((old, row.number));
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
            aged,
            others,
        } = &mut *unchanged;
        others.append(&mut taken.others);
        for &(old, row) in &taken.users {
            match &mut rows[old as usize] {
                place if *place == NOWHERE => *place = rows_before + row,
                _ => duplicates.push(rows_before + row),
            }
        }
        let users = index(aged.users.len());
        aged.verdicts.append(users, &mut taken.aged.verdicts);
        let more = taken.aged.users.iter();
        aged.users
            .extend(more.map(|&(old, row)| (old, rows_before + row)));
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

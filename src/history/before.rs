//! The older snapshot of a diff, made ready for the newer report to be held against it while it is read: most users
//! are as they were, and need not be kept twice.

use std::sync::{Mutex, PoisonError};

use super::index::{Identity, Index, Who};
use super::roster::Row;
use super::snapshot::Snapshot;
use crate::engine::Workers;
use crate::report::schema::TextColumn;

/// An older snapshot, for one diff.
#[derive(Debug)]
pub struct Before<'a> {
    pub(super) old: &'a Snapshot,
    pub(super) index: Index<'a>,
    unchanged: Mutex<Unchanged>,
}

/// Who is as before, as far as the newer report was read.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// By row of the older snapshot, in which row of the newer report the user stands as before, or [`NOWHERE`].
    pub(super) rows: Vec<u32>,
    /// Rows of the newer report in which a user stands as before once more.
    pub(super) duplicates: Vec<u32>,
}

/// No row.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A user who is as before: its row in the older snapshot, and in the newer report.
pub(super) type AsBefore = (u32, u32);

impl<'a> Before<'a> {
    /// Of an older snapshot that is whole.
    pub fn new(old: &'a Snapshot, workers: &Workers) -> Self {
        let identity = if old.input.lacks().contains(TextColumn::Arn) {
            Identity::Name
        } else {
            Identity::Arn
        };
        let users = old.users();
        Self {
            old,
            index: Index::new(Who { users, identity }, workers),
            unchanged: Mutex::new(Unchanged {
                rows: vec![NOWHERE; users.len()],
                duplicates: Vec::new(),
            }),
        }
    }

    /// The row of the older snapshot whose user is the same, and as before; `expected` is where it is looked for first,
    /// and then where the next one is expected, as the order of reports hardly changes.
    pub(super) fn unchanged(&self, row: &Row<'_>, expected: &mut u32) -> Option<u32> {
        let old = self.row_of(row, *expected)?;
        *expected = old + 1;
        self.is_as_before(row, old).then_some(old)
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

    /// Whether nothing at all happened to a user, and nothing is odd about it.
    fn is_as_before(&self, row: &Row<'_>, old: u32) -> bool {
        let (users, user) = (self.old.users(), old as usize);
        users.has_cells_of(user, row)
            && self.old.roster.verdicts.of(old).is_like(row.verdicts)
            && users.is_clear(user)
    }

    /// Notes who was as before. Called in the order of the newer report, with how many rows stand before the part.
    pub(super) fn note(&self, taken: &[AsBefore], rows_before: u32) {
        let mut unchanged = self.unchanged.lock().unwrap_or_else(PoisonError::into_inner);
        let Unchanged { rows, duplicates } = &mut *unchanged;
        for &(old, row) in taken {
            match &mut rows[old as usize] {
                place if *place == NOWHERE => *place = rows_before + row,
                _ => duplicates.push(rows_before + row),
            }
        }
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

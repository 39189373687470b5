//! The findings that are still open: mostly those of users who are as before, who need no list of their own.

use std::ops::Range;

use super::before::NOWHERE;
use super::diff::{Moved, Side};
use super::roster::index;
use super::snapshot::Snapshot;
use super::verdicts::{Found, Told};
use crate::engine::Workers;
use crate::finding::Status;

/// How many users a thread takes at a time.
const PART: usize = 65_536;

/// Findings that failed in the older snapshot and still do, or of which that cannot be determined; in the order of
/// the older snapshot.
#[derive(Debug)]
pub struct Open<'a> {
    old: &'a Snapshot,
    /// By row of the older snapshot, in which row of the newer report the user stands as before.
    unchanged: Vec<u32>,
    /// Those of other users, with their row in the older snapshot, ascending.
    others: Vec<(u32, Moved)>,
}

impl<'a> Open<'a> {
    pub(super) fn new(old: &'a Snapshot, unchanged: Vec<u32>, mut others: Vec<(u32, Moved)>) -> Self {
        others.sort_by_key(|&(row, _)| row);
        Self {
            old,
            unchanged,
            others,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Moved> {
        self.of(0..self.unchanged.len())
    }

    /// Those of users in these rows of the older snapshot.
    pub fn of(&self, rows: Range<usize>) -> impl Iterator<Item = Moved> {
        let start = self
            .others
            .partition_point(|&(row, _)| (row as usize) < rows.start);
        let mut others = self.others[start..].iter().peekable();
        let mut of_row = move |row: usize| {
            let mine = std::iter::from_fn(|| others.next_if(|other| other.0 as usize == row));
            mine.map(|(_, moved)| moved.clone()).collect::<Vec<_>>()
        };
        rows.flat_map(move |row| {
            let others = of_row(row);
            let fails = Some(Status::Fail);
            let unchanged = self.unchanged_of(row);
            unchanged
                .map(move |found| Moved::new((index(row), found), Side::Old, fails, fails))
                .chain(others)
        })
    }

    /// How many there are, by position of the rule.
    pub fn by_rule(&self, rules: usize, workers: &Workers) -> Vec<u64> {
        let parts = workers.in_parts(0..self.unchanged.len(), PART, |rows| {
            let mut by_rule = vec![0_u64; rules];
            for row in rows.filter(|&row| self.unchanged[row] != NOWHERE) {
                for found in self.old.roster.verdicts.of(index(row)).failing() {
                    by_rule[usize::from(found.rule)] += 1;
                }
            }
            by_rule
        });
        let sum = |rule: usize| parts.iter().map(|by_rule| by_rule[rule]).sum();
        let mut by_rule: Vec<u64> = (0..rules).map(sum).collect();
        for (_, moved) in &self.others {
            by_rule[usize::from(moved.found.rule)] += 1;
        }
        by_rule
    }

    /// What fails of a user who is as before.
    fn unchanged_of(&self, row: usize) -> impl Iterator<Item = Found> {
        let is_unchanged = self.unchanged[row] != NOWHERE;
        let told = is_unchanged.then(|| self.old.roster.verdicts.of(index(row)));
        told.into_iter().flat_map(Told::failing)
    }
}

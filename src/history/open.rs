//! The findings that are still open: mostly those of users who are as before, who need no list of their own.

use std::ops::Range;

use super::before::NOWHERE;
use super::diff::{Moved, Side};
use super::matching::{Match, Matching};
use super::roster::index;
use super::snapshot::Snapshot;
use super::verdicts::{Still, UserVerdicts, Verdicts};
use crate::engine::Workers;
use crate::finding::Status;

/// How many users a thread takes at a time.
const PART: usize = 65_536;

/// Findings that failed in the older snapshot and still do, or of which that cannot be determined; in the order of
/// the older snapshot.
#[derive(Debug)]
pub struct Open<'a> {
    old: &'a Snapshot,
    /// By row of the older snapshot, in which row of the newer report the user stands as before in all.
    unchanged: Vec<u32>,
    /// Those of whom something else is found by now: row in the older snapshot, ascending, and index.
    aged: Vec<(u32, u32)>,
    /// By that index, what.
    verdicts: Verdicts,
    /// Of other findings, the user's row in the older snapshot, ascending, and the finding.
    others: Vec<(u32, Moved)>,
}

impl<'a> Open<'a> {
    /// `others` are those that do not fail in both snapshots for a user who is as before.
    pub(super) fn new(old: &'a Snapshot, matching: Matching, mut others: Vec<(u32, Moved)>) -> Self {
        others.sort_by_key(|&(row, _)| row);
        let aged = matching.users.iter().filter_map(|user| match *user {
            Match::Aged(old, index) => Some((old, index)),
            Match::Same(..) | Match::Recreated(..) | Match::Created(_) | Match::Deleted(_) => None,
        });
        let mut aged: Vec<_> = aged.collect();
        aged.sort_unstable();
        Self {
            old,
            unchanged: matching.unchanged,
            aged,
            verdicts: matching.aged.verdicts,
            others,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Moved> {
        self.of(0..self.unchanged.len())
    }

    /// Those of users in these rows of the older snapshot.
    pub fn of(&self, rows: Range<usize>) -> impl Iterator<Item = Moved> {
        let start = index(rows.start);
        let mut others = self.others[self.others.partition_point(|other| other.0 < start)..].iter();
        let mut aged = self.aged_from(start);
        (start..index(rows.end)).flat_map(move |row| {
            let fails = Some(Status::Fail);
            let still = self.still(row, self.newer(row, &mut aged));
            let still = still.into_iter().flat_map(Still::all);
            let moved = still.map(move |found| Moved::new((row, found), Side::Old, fails, fails));
            let count = others
                .as_slice()
                .iter()
                .take_while(|other| other.0 == row)
                .count();
            let others = others.by_ref().take(count).map(|(_, moved)| moved.clone());
            moved.chain(others.collect::<Vec<_>>())
        })
    }

    /// How many there are, by position of the rule.
    pub fn by_rule(&self, rules: usize, workers: &Workers) -> Vec<u64> {
        let verdicts = &self.old.roster.verdicts;
        let parts = workers.in_parts(0..self.unchanged.len(), PART, |rows| {
            let mut by_judgement = vec![0; verdicts.judgements()];
            let mut aged = self.aged_from(index(rows.start));
            for row in index(rows.start)..index(rows.end) {
                if let Some(still) = self.still(row, self.newer(row, &mut aged)) {
                    still.count(&mut by_judgement);
                }
            }
            by_judgement
        });
        let mut by_rule = vec![0; rules];
        for by_judgement in parts {
            for (judgement, count) in by_judgement.into_iter().enumerate() {
                by_rule[usize::from(verdicts.rule(judgement))] += count;
            }
        }
        for (_, moved) in &self.others {
            by_rule[usize::from(moved.found.rule)] += 1;
        }
        by_rule
    }

    fn aged_from(&self, row: u32) -> std::slice::Iter<'_, (u32, u32)> {
        self.aged[self.aged.partition_point(|&(old, _)| old < row)..].iter()
    }

    /// What is found by now of the user in this row, if it is the next who aged.
    fn newer<'s>(
        &'s self,
        row: u32,
        aged: &mut std::slice::Iter<'_, (u32, u32)>,
    ) -> Option<UserVerdicts<'s>> {
        let &(_, index) = aged.as_slice().first().filter(|&&(old, _)| old == row)?;
        aged.next();
        Some(self.verdicts.of(index))
    }

    /// What fails in both snapshots, if it is a user who is as before; `newer` is what else is found of it by now.
    fn still<'s>(&'s self, row: u32, newer: Option<UserVerdicts<'s>>) -> Option<Still<'s>> {
        let is_as_before = newer.is_some() || self.unchanged[row as usize] != NOWHERE;
        is_as_before.then(|| {
            let old = self.old.roster.verdicts.of(row);
            old.still(newer.unwrap_or(old))
        })
    }
}

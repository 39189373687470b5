//! The findings of a diff: opened, resolved or still open. Findings of unchanged users are computed from their verdicts;
//! only those of other users are listed.

use std::ops::Range;

use super::as_before::{AsBefore, ThenAndNow};
use super::diff::{Cause, Causes, Diff, Side};
use super::snapshot::Snapshot;
use super::verdicts::CompactFinding;
use crate::engine::Workers;
use crate::finding::{Status, word_enum};

word_enum! {
    /// How a finding changed from one snapshot to the next.
    pub enum Move {
        /// It fails in the newer snapshot and did not fail in the older one.
        Opened = "opened",
        /// It fails in the newer snapshot; the older one cannot say whether it failed, because its report lacks columns that
        /// the newer one has.
        Unveiled = "unveiled",
        /// It failed in the older snapshot and does not fail any more.
        Resolved = "resolved",
        /// It failed in the older snapshot and still fails, or is undetermined now.
        Open = "open",
    }
}

/// A finding and how it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Index of the user in the snapshot named by `side`.
    pub row: u32,
    /// The finding as in the newer snapshot if it fails there, else as in the older one; always as in the older one if the
    /// user is unchanged, because the newer snapshot does not store unchanged users.
    pub found: CompactFinding,
    /// The snapshot that `row` and `found` refer to.
    pub side: Side,
    /// The status in the older snapshot; none if it had no finding.
    pub before: Option<Status>,
    /// The status in the newer snapshot; none if it has no finding.
    pub after: Option<Status>,
    /// What resolved it; empty unless it is resolved.
    pub by: Causes,
    /// Of an open finding of the newer snapshot, the user and the finding in the older one. Its id may be another there, for
    /// example where that report lacks a column.
    pub earlier: Option<(u32, CompactFinding)>,
}

impl Moved {
    pub(super) fn new(
        (row, found): (u32, CompactFinding),
        side: Side,
        before: Option<Status>,
        after: Option<Status>,
    ) -> Self {
        Self {
            row,
            found,
            side,
            before,
            after,
            by: Causes::default(),
            earlier: None,
        }
    }
}

/// Findings of changed users, by [`Move`], each with the user's row in the older snapshot. Users of only the newer snapshot
/// have the rows after those of the older one.
#[derive(Debug, Default)]
pub(super) struct Lists([Vec<(u32, Moved)>; Move::ALL.len()]);

impl Lists {
    pub(super) fn push(&mut self, which: Move, row: u32, moved: Moved) {
        self.0[which as usize].push((row, moved));
    }

    /// Appends the findings of the other lists.
    pub(super) fn append(&mut self, other: &mut Self) {
        for (list, more) in self.0.iter_mut().zip(&mut other.0) {
            list.append(more);
        }
    }

    /// Sorts by user, rule and slot.
    pub(super) fn sort(&mut self) {
        for list in &mut self.0 {
            list.sort_by_key(|&(row, Moved { found, .. })| (row, found.rule, found.slot));
        }
    }

    /// The findings of users in these rows.
    fn of(&self, which: Move, rows: Range<u32>) -> &[(u32, Moved)] {
        let list = &self.0[which as usize];
        let list = &list[list.partition_point(|other| other.0 < rows.start)..];
        &list[..list.partition_point(|other| other.0 < rows.end)]
    }
}

/// The number of findings, by [`Move`] and position of the rule.
#[derive(Debug)]
pub(super) struct Counts([Vec<u64>; Move::ALL.len()]);

/// The number of users that a thread takes at a time.
const PART: usize = 32_768;

impl Counts {
    /// Counts the findings of unchanged users.
    pub(super) fn of(
        (old, new): (&Snapshot, &Snapshot),
        users: &AsBefore,
        rules: usize,
        workers: &Workers,
    ) -> Self {
        let verdicts = &old.roster.verdicts;
        let parts = workers.in_parts(0..old.users().len(), PART, |rows| {
            let mut counts = Move::ALL.map(|_| vec![0; verdicts.instances()]);
            users.count((old, new), rows, &mut counts);
            counts
        });
        let mut all = Self(Move::ALL.map(|_| vec![0; rules]));
        for (by_rule, which) in all.0.iter_mut().zip(Move::ALL) {
            for counts in &parts {
                for (instance, count) in counts[which as usize].iter().enumerate() {
                    by_rule[usize::from(verdicts.rule(instance))] += count;
                }
            }
        }
        all
    }

    /// Adds the findings of changed users.
    pub(super) fn add(&mut self, lists: &Lists) {
        for (by_rule, list) in self.0.iter_mut().zip(&lists.0) {
            for (_, moved) in list {
                by_rule[usize::from(moved.found.rule)] += 1;
            }
        }
    }
}

/// All findings of one [`Move`]: users in the order of the older snapshot, then users of only the newer one; the findings of
/// a user by rule and slot.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    pub(super) diff: &'a Diff<'a>,
    pub(super) which: Move,
}

impl<'a> Findings<'a> {
    /// Their number, by position of the rule.
    pub fn by_rule(self) -> &'a [u64] {
        &self.diff.counts.0[self.which as usize]
    }

    /// Their number.
    pub fn count(self) -> u64 {
        self.by_rule().iter().sum()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Moved> + 'a {
        self.of(0..self.users(), |_| true)
    }

    /// The number of user positions for [`Self::of`]: the rows of the older snapshot, then those of the newer one.
    pub fn users(self) -> usize {
        self.diff.old.users().len() + self.diff.new.users().len()
    }

    /// The findings of some users, of the wanted rules.
    pub fn of(
        self,
        users: Range<usize>,
        is_wanted: impl Fn(u16) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = Moved> + 'a {
        let diff = self.diff;
        let row = |number| u32::try_from(number).expect("invariant: each snapshot has fewer than 2 G rows");
        let rows = row(users.start)..row(users.end);
        let mut others = diff.lists.of(self.which, rows.clone());
        rows.flat_map(move |row| {
            let count = others.iter().take_while(|other| other.0 == row).count();
            let listed = others.split_off(..count).unwrap_or_default();
            let listed = listed.iter().map(|(_, moved)| moved);
            let listed = listed.filter(move |moved| is_wanted(moved.found.rule));
            let as_before = diff.as_before.of(diff.old, row).into_iter();
            let as_before = as_before.flat_map(move |user| self.of_one(row, user, is_wanted));
            as_before.chain(listed.cloned())
        })
    }

    /// The findings of an unchanged user.
    fn of_one(
        self,
        row: u32,
        user: ThenAndNow<'a>,
        is_wanted: impl Fn(u16) -> bool + 'a,
    ) -> impl Iterator<Item = Moved> + 'a {
        let changes = user.changes(self.which, [self.diff.old, self.diff.new]);
        let changes = changes.filter(move |change| is_wanted(user.before.rule(change.instance)));
        changes.map(move |change| {
            let found = user.before.found(change.instance, Status::Fail);
            let mut moved = Moved::new((row, found), Side::Old, change.was, change.now);
            if self.which == Move::Resolved {
                let cause = match change.now {
                    Some(Status::Suppressed) => Cause::Suppressed,
                    _ => user.used.cause(self.diff.rules[usize::from(found.rule)].needs),
                };
                moved.by = Causes::from_iter([cause]);
            }
            moved
        })
    }
}

//! Findings by what became of them. Those of users who are as before are told by their verdicts, and need no list.

use std::ops::Range;

use super::as_before::{AsBefore, ThenAndNow};
use super::diff::{Cause, Causes, Diff, Side};
use super::snapshot::Snapshot;
use super::verdicts::Found;
use crate::engine::Workers;
use crate::finding::Status;

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It fails in the newer snapshot and did not in the older.
    Opened,
    /// It failed in the older snapshot and does not any more.
    Resolved,
    /// It failed in the older snapshot and still does, or that cannot be determined.
    Open,
}

impl Move {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opened, Self::Resolved, Self::Open];

    /// The word in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Resolved => "resolved",
            Self::Open => "open",
        }
    }
}

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Index of the user in the snapshot that the finding is of.
    pub row: u32,
    /// The finding in the snapshot that shows it best: the newer one where it fails there, unless the user is as
    /// before, and so not kept there.
    pub found: Found,
    /// The snapshot that it is of.
    pub side: Side,
    /// What the older snapshot said; none where it did not tell of it.
    pub before: Option<Status>,
    /// What the newer snapshot says; none where it does not tell of it.
    pub after: Option<Status>,
    /// What resolved it; empty for others.
    pub by: Causes,
}

impl Moved {
    pub(super) fn new(
        (row, found): (u32, Found),
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
        }
    }
}

/// Findings of users who are not as before, each with the user's row in the older snapshot; those whom only the newer one
/// has stand behind its rows.
#[derive(Debug, Default)]
pub(super) struct Lists([Vec<(u32, Moved)>; Move::ALL.len()]);

impl Lists {
    pub(super) fn push(&mut self, which: Move, row: u32, moved: Moved) {
        self.0[which as usize].push((row, moved));
    }

    /// Moves those of the other one behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        for (list, more) in self.0.iter_mut().zip(&mut other.0) {
            list.append(more);
        }
    }

    /// By user, and then by rule and slot.
    pub(super) fn sort(&mut self) {
        for list in &mut self.0 {
            list.sort_by_key(|&(row, Moved { found, .. })| (row, found.rule, found.slot));
        }
    }

    /// Those of users in these rows.
    fn of(&self, which: Move, rows: Range<u32>) -> &[(u32, Moved)] {
        let list = &self.0[which as usize];
        let list = &list[list.partition_point(|other| other.0 < rows.start)..];
        &list[..list.partition_point(|other| other.0 < rows.end)]
    }
}

/// How many findings there are, by what became of them and by position of the rule.
#[derive(Debug)]
pub(super) struct Counts([Vec<u64>; Move::ALL.len()]);

/// How many users a thread takes at a time.
const PART: usize = 32_768;

impl Counts {
    /// Those of users who are as before, of so many rules.
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

    /// Counts those of the others, too.
    pub(super) fn add(&mut self, lists: &Lists) {
        for (by_rule, list) in self.0.iter_mut().zip(&lists.0) {
            for (_, moved) in list {
                by_rule[usize::from(moved.found.rule)] += 1;
            }
        }
    }
}

/// All findings of one [`Move`], by user: in the order of the older snapshot, then those whom only the newer one has. Those
/// of a user by rule and slot.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    pub(super) diff: &'a Diff<'a>,
    pub(super) which: Move,
}

impl<'a> Findings<'a> {
    /// How many there are, by position of the rule.
    pub fn by_rule(self) -> &'a [u64] {
        &self.diff.counts.0[self.which as usize]
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        self.by_rule().iter().sum()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Moved> + 'a {
        self.of(0..self.users(), |_| true)
    }

    /// How many users [`Self::of`] can tell apart: the rows of the older snapshot, and then those of the newer one.
    pub fn users(self) -> usize {
        self.diff.old.users().len() + self.diff.new.users().len()
    }

    /// Those of some users, of wanted rules.
    pub fn of(
        self,
        users: Range<usize>,
        is_wanted: impl Fn(u16) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = Moved> + 'a {
        let Diff {
            old,
            lists,
            as_before,
            ..
        } = self.diff;
        let row = |number| u32::try_from(number).expect("invariant: each snapshot has fewer than 2 G rows");
        let rows = row(users.start)..row(users.end);
        let mut others = lists.of(self.which, rows.clone());
        rows.flat_map(move |row| {
            let count = others.iter().take_while(|other| other.0 == row).count();
            let listed = others.split_off(..count).unwrap_or_default();
            let listed = listed.iter().map(|(_, moved)| moved);
            let listed = listed.filter(move |moved| is_wanted(moved.found.rule));
            let as_before = as_before.of(old, row).into_iter();
            let as_before = as_before.flat_map(move |user| self.of_one(row, user, is_wanted));
            as_before.chain(listed.cloned())
        })
    }

    /// Those of a user who is as before.
    fn of_one(
        self,
        row: u32,
        user: ThenAndNow<'a>,
        is_wanted: impl Fn(u16) -> bool + 'a,
    ) -> impl Iterator<Item = Moved> + 'a {
        let turns = user.turns(self.which, [self.diff.old, self.diff.new]);
        let turns = turns.filter(move |turn| is_wanted(user.before.rule(turn.instance)));
        turns.map(move |turn| {
            let found = user.before.found(turn.instance, Status::Fail);
            let mut moved = Moved::new((row, found), Side::Old, turn.was, turn.now);
            if self.which == Move::Resolved {
                let cause = match turn.now {
                    Some(Status::Suppressed) => Cause::Suppressed,
                    _ => user.used.cause(self.diff.rules[usize::from(found.rule)].needs),
                };
                moved.by = Causes::from_iter([cause]);
            }
            moved
        })
    }
}

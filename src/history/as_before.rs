//! Unchanged users: their findings in the older and in the newer snapshot.

use std::ops::Range;

use super::before::{NO_ROW, Reevaluated};
use super::findings::Move;
use super::packed::Used;
use super::roster::{ROW_LIMIT, index};
use super::snapshot::Snapshot;
use super::verdicts::{UserVerdicts, ones};
use crate::finding::Status;

/// The unchanged users, by row of the older snapshot.
#[derive(Debug)]
pub(super) struct AsBefore {
    /// [`NO_ROW`] for changed users; values from [`ROW_LIMIT`] on are indices into `reevaluated`.
    users: Vec<u32>,
    reevaluated: Reevaluated,
}

impl AsBefore {
    /// `rows` has, by row of the older snapshot, the row of the unchanged user in the newer report, or [`NO_ROW`].
    pub(super) fn new(mut rows: Vec<u32>, reevaluated: Reevaluated) -> Self {
        for (user, &(old, row)) in (ROW_LIMIT..).zip(&reevaluated.users) {
            let known = &mut rows[old as usize];
            // Only the first of repeated rows counts.
            if *known == row {
                *known = user;
            }
        }
        Self {
            users: rows,
            reevaluated,
        }
    }

    /// Leaves out the users whose row in the older snapshot is not wanted; the number of the others.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(usize) -> bool) -> u64 {
        let mut count = 0;
        for (row, user) in self.users.iter_mut().enumerate() {
            if *user != NO_ROW && is_wanted(row) {
                count += 1;
            } else {
                *user = NO_ROW;
            }
        }
        count
    }

    /// The user in this row of the older snapshot, if it is unchanged.
    #[inline]
    pub(super) fn of<'a>(&'a self, old: &'a Snapshot, row: u32) -> Option<ThenAndNow<'a>> {
        let user = *self.users.get(row as usize)?;
        if user == NO_ROW {
            return None;
        }
        let before = old.roster.verdicts.of(row);
        let (used, after) = match user.checked_sub(ROW_LIMIT) {
            Some(user) => self.reevaluated.of(user),
            None => (Used::default(), before),
        };
        Some(ThenAndNow { before, after, used })
    }

    /// Counts opened, resolved and open findings of users in these rows, by rule instance.
    pub(super) fn count(
        &self,
        (old, new): (&Snapshot, &Snapshot),
        rows: Range<usize>,
        counts: &mut [Vec<u64>; Move::ALL.len()],
    ) {
        // A user whose findings differ because of columns is not unchanged.
        let [opened, _, resolved, open] = counts;
        let add = |bits: u64, counts: &mut [u64], word: usize| {
            ones(bits).for_each(|bit| counts[word * 64 + bit] += 1);
        };
        let start = index(rows.start);
        for (row, &user) in (start..).zip(&self.users[rows]) {
            if user == NO_ROW {
                continue;
            }
            let before = old.roster.verdicts.fails(row);
            let after = user
                .checked_sub(ROW_LIMIT)
                .map_or(before, |user| self.reevaluated.verdicts.fails(user));
            for (word, (was, now)) in before.iter().zip(after).enumerate() {
                add(now & !was, opened, word);
                add(was & now, open, word);
                if was & !now != 0 {
                    let user = self.of(old, row).expect("invariant: the user is unchanged");
                    let gone = user.moved(Move::Resolved, word, new);
                    add(gone, resolved, word);
                    add(was & !now & !gone, open, word);
                }
            }
        }
    }
}

/// The findings of an unchanged user in both snapshots.
#[derive(Clone, Copy)]
pub(super) struct ThenAndNow<'a> {
    pub(super) before: UserVerdicts<'a>,
    after: UserVerdicts<'a>,
    /// The credentials used since the older snapshot.
    pub(super) used: Used,
}

/// The status of a rule instance before and now; none if it passes.
pub(super) struct StatusChange {
    pub(super) instance: usize,
    pub(super) was: Option<Status>,
    pub(super) now: Option<Status>,
}

impl<'a> ThenAndNow<'a> {
    /// The rule instances whose finding moved like this, ascending, with their status in both snapshots.
    pub(super) fn changes(
        self,
        which: Move,
        [old, new]: [&'a Snapshot; 2],
    ) -> impl Iterator<Item = StatusChange> + 'a {
        let words = 0..self.before.fails().len();
        let instances = words.flat_map(move |word| {
            let bits = self.moved(which, word, new);
            ones(bits).map(move |bit| word * 64 + bit)
        });
        instances.map(move |instance| StatusChange {
            instance,
            was: status(self.before, instance, old),
            now: status(self.after, instance, new),
        })
    }

    /// One word of rule instances: a bit for each whose finding moved like this.
    #[inline]
    fn moved(self, which: Move, word: usize, new: &Snapshot) -> u64 {
        let [was, now] = [self.before, self.after].map(|verdicts| verdicts.fails()[word]);
        let gone = was & !now;
        let undetermined = || {
            let is_undetermined =
                |&bit: &usize| status(self.after, word * 64 + bit, new) == Some(Status::Undetermined);
            let bits = ones(gone).filter(is_undetermined);
            bits.fold(0, |bits, bit| bits | 1 << bit)
        };
        match which {
            Move::Opened => now & !was,
            Move::Unveiled => 0,
            Move::Resolved => gone & !undetermined(),
            Move::Open => was & now | undetermined(),
        }
    }
}

/// The status of a rule instance for a user with these verdicts.
fn status(verdicts: UserVerdicts<'_>, instance: usize, snapshot: &Snapshot) -> Option<Status> {
    let own = verdicts.status(instance);
    own.or_else(|| snapshot.folded(verdicts.rule(instance)))
}

//! Users who are as before, with what is found about them then and now.

use std::ops::Range;

use super::before::{NOWHERE, Rejudged};
use super::findings::Move;
use super::packed::Used;
use super::roster::{MOST, index};
use super::snapshot::Snapshot;
use super::verdicts::{UserVerdicts, ones};
use crate::finding::Status;

/// By row of the older snapshot, who is as before.
#[derive(Debug)]
pub(super) struct AsBefore {
    /// [`NOWHERE`] for others; from [`MOST`] on, an index among those of whom something else is found.
    users: Vec<u32>,
    rejudged: Rejudged,
}

impl AsBefore {
    /// By row of the older snapshot, the row of the newer report in which the user stands as before, or [`NOWHERE`].
    pub(super) fn new(mut rows: Vec<u32>, rejudged: Rejudged) -> Self {
        for (user, &(old, row)) in (MOST..).zip(&rejudged.users) {
            let place = &mut rows[old as usize];
            // A user who stands there once more counts once.
            if *place == row {
                *place = user;
            }
        }
        Self {
            users: rows,
            rejudged,
        }
    }

    /// The user in this row of the older snapshot, if it is as before.
    #[inline]
    pub(super) fn of<'a>(&'a self, old: &'a Snapshot, row: u32) -> Option<ThenAndNow<'a>> {
        let user = *self.users.get(row as usize)?;
        if user == NOWHERE {
            return None;
        }
        let before = old.roster.verdicts.of(row);
        let (used, after) = match user.checked_sub(MOST) {
            Some(user) => self.rejudged.of(user),
            None => (Used::default(), before),
        };
        Some(ThenAndNow { before, after, used })
    }

    /// Counts what became of the findings of users in these rows, by judgement.
    pub(super) fn count(
        &self,
        (old, new): (&Snapshot, &Snapshot),
        rows: Range<usize>,
        counts: &mut [Vec<u64>; 3],
    ) {
        let [opened, resolved, open] = counts;
        let add = |bits: u64, counts: &mut [u64], word: usize| {
            ones(bits).for_each(|bit| counts[word * 64 + bit] += 1);
        };
        let start = index(rows.start);
        for (row, &user) in (start..).zip(&self.users[rows]) {
            if user == NOWHERE {
                continue;
            }
            let before = old.roster.verdicts.fails(row);
            let after = user
                .checked_sub(MOST)
                .map_or(before, |user| self.rejudged.verdicts.fails(user));
            for (word, (was, now)) in before.iter().zip(after).enumerate() {
                add(now & !was, opened, word);
                add(was & now, open, word);
                if was & !now != 0 {
                    let user = self.of(old, row).expect("invariant: it is as before");
                    let gone = user.turned(Move::Resolved, word, new);
                    add(gone, resolved, word);
                    add(was & !now & !gone, open, word);
                }
            }
        }
    }
}

/// What is found about a user who is as before, in both snapshots.
#[derive(Clone, Copy)]
pub(super) struct ThenAndNow<'a> {
    pub(super) before: UserVerdicts<'a>,
    after: UserVerdicts<'a>,
    /// What it has used since.
    pub(super) used: Used,
}

/// What is said of a judgement then and now, if anything but that it passes.
pub(super) struct Turn {
    pub(super) instance: usize,
    pub(super) was: Option<Status>,
    pub(super) now: Option<Status>,
}

impl<'a> ThenAndNow<'a> {
    /// The judgements of which this became, ascending, and what the older and the newer snapshot say of them.
    pub(super) fn turns(self, which: Move, [old, new]: [&'a Snapshot; 2]) -> impl Iterator<Item = Turn> + 'a {
        let words = 0..self.before.fails().len();
        let instances = words.flat_map(move |word| {
            let bits = self.turned(which, word, new);
            ones(bits).map(move |bit| word * 64 + bit)
        });
        instances.map(move |instance| Turn {
            instance,
            was: said(self.before, instance, old),
            now: said(self.after, instance, new),
        })
    }

    /// Of one word of judgements, a bit for each of which this became.
    #[inline]
    fn turned(self, which: Move, word: usize, new: &Snapshot) -> u64 {
        let [was, now] = [self.before, self.after].map(|verdicts| verdicts.fails()[word]);
        let gone = was & !now;
        let undetermined = || {
            let is_undetermined =
                |&bit: &usize| said(self.after, word * 64 + bit, new) == Some(Status::Undetermined);
            let bits = ones(gone).filter(is_undetermined);
            bits.fold(0, |bits, bit| bits | 1 << bit)
        };
        match which {
            Move::Opened => now & !was,
            Move::Resolved => gone & !undetermined(),
            Move::Open => was & now | undetermined(),
        }
    }
}

/// What a snapshot says of a judgement about a user of whom it has these verdicts.
fn said(verdicts: UserVerdicts<'_>, instance: usize, snapshot: &Snapshot) -> Option<Status> {
    let status = verdicts.status(instance);
    status.or_else(|| snapshot.folded(verdicts.rule(instance)))
}

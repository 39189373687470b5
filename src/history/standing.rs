//! Users who are as before, with what is found about them then and now.

use super::before::{Aged, NOWHERE};
use super::findings::Move;
use super::packed::Used;
use super::roster::MOST;
use super::snapshot::Snapshot;
use super::verdicts::{UserVerdicts, ones};
use crate::finding::Status;

/// By row of the older snapshot, who is as before.
#[derive(Debug)]
pub(super) struct Standing {
    /// [`NOWHERE`] for others; from [`MOST`] on, an index among those of whom something else is found.
    users: Vec<u32>,
    aged: Aged,
}

impl Standing {
    /// By row of the older snapshot, the row of the newer report in which the user stands as before, or [`NOWHERE`].
    pub(super) fn new(mut rows: Vec<u32>, aged: Aged) -> Self {
        for (user, &(old, row)) in (MOST..).zip(&aged.users) {
            let place = &mut rows[old as usize];
            // Who stands there once more counts once.
            if *place == row {
                *place = user;
            }
        }
        Self { users: rows, aged }
    }

    /// The user in this row of the older snapshot, if it is as before.
    #[inline]
    pub(super) fn of<'a>(&'a self, old: &'a Snapshot, row: u32) -> Option<Stands<'a>> {
        let user = *self.users.get(row as usize)?;
        if user == NOWHERE {
            return None;
        }
        let before = old.roster.verdicts.of(row);
        let (used, after) = match user.checked_sub(MOST) {
            Some(user) => self.aged.of(user),
            None => (Used::default(), before),
        };
        Some(Stands { before, after, used })
    }
}

/// One user who is as before.
#[derive(Clone, Copy)]
pub(super) struct Stands<'a> {
    pub(super) before: UserVerdicts<'a>,
    after: UserVerdicts<'a>,
    /// What it has used since.
    pub(super) used: Used,
}

/// What is said of a judgement then and now, if anything but that it passes.
pub(super) struct Turn {
    pub(super) judgement: usize,
    pub(super) was: Option<Status>,
    pub(super) now: Option<Status>,
}

impl<'a> Stands<'a> {
    /// The judgements of which this became, ascending. Of rules that are folded, the old and the new snapshot say that they
    /// are undetermined, where they say nothing else.
    #[inline]
    pub(super) fn turns(self, which: Move, folded: [&'a [u16]; 2]) -> impl Iterator<Item = Turn> + 'a {
        let words = self.before.fails().iter().zip(self.after.fails()).enumerate();
        let judgements = words.flat_map(move |(word, (was, now))| {
            let bits = match which {
                Move::Opened => now & !was,
                Move::Resolved => was & !now,
                Move::Open => *was,
            };
            ones(bits).map(move |bit| word * 64 + bit)
        });
        let turns = judgements.map(move |judgement| {
            let said = |verdicts: UserVerdicts<'_>, folded: &[u16]| {
                let folds = || folded.contains(&verdicts.rule(judgement));
                let status = verdicts.status(judgement);
                status.or_else(|| folds().then_some(Status::Undetermined))
            };
            Turn {
                judgement,
                was: said(self.before, folded[0]),
                now: said(self.after, folded[1]),
            }
        });
        turns.filter(move |turn| match (which, turn.now) {
            (Move::Opened, _) | (Move::Open, Some(Status::Fail | Status::Undetermined)) => true,
            (Move::Resolved, now) => now != Some(Status::Undetermined),
            (Move::Open, _) => false,
        })
    }
}

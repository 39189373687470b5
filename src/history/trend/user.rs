//! Follows one user from snapshot to snapshot: its open findings, and keys that are unclear for a while.

use super::digest::RowRef;
use super::document::Rotation;
use super::episodes::{Episodes, LIKENESSES, Open};
use super::row::{Mark, UserState};
use crate::engine::CompiledRule;
use crate::report::time::Timestamp;

/// A user with open findings or lost keys. Its name and ARN are stored, because the snapshots are not.
#[derive(Debug, Default)]
pub(super) struct FollowedUser {
    /// Empty if the report does not have it, like the ARN.
    pub(super) name: Box<[u8]>,
    pub(super) arn: Box<[u8]>,
    pub(super) open: Vec<Open>,
    /// Creation times of keys that were active and are unclear in the last snapshot, each with the as-of of the last
    /// snapshot that shows the key.
    pub(super) lost_keys: Vec<(i64, Timestamp)>,
}

/// The step from the previous snapshot of an account to the next, for all its users.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// As-of of the previous snapshot; none for the first of the account.
    pub(super) before: Option<Timestamp>,
    pub(super) as_of: Timestamp,
    /// Positions of the rules that are folded in the next snapshot.
    pub(super) folded: &'a [u16],
    pub(super) rules: &'a [CompiledRule],
}

/// The counts of all accounts.
pub(super) struct TrendCounts<'a> {
    /// One per rule.
    pub(super) episodes: &'a mut [Episodes],
    pub(super) rotation: &'a mut Rotation,
    /// Findings opened in this snapshot.
    pub(super) opened: u64,
    /// Findings resolved in this snapshot.
    pub(super) resolved: u64,
}

impl<'a> TrendCounts<'a> {
    pub(super) fn new(episodes: &'a mut [Episodes], rotation: &'a mut Rotation) -> Self {
        Self {
            episodes,
            rotation,
            opened: 0,
            resolved: 0,
        }
    }

    fn resolve(&mut self, open: &Open, step: Step<'_>) {
        self.resolved += 1;
        self.episodes[usize::from(open.rule)].end(open, step.as_of);
    }

    fn open(&mut self, mark: Mark, row: &UserState, step: Step<'_>) -> Open {
        let at_start = step.before.is_none();
        let rule = &mut self.episodes[usize::from(mark.rule)];
        if at_start {
            rule.at_start += 1;
        } else {
            rule.opened += 1;
            self.opened += 1;
        }
        Open::new(mark, row, step.rules, step.as_of, at_start)
    }
}

impl FollowedUser {
    /// Whether there is nothing to follow.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.lost_keys.is_empty()
    }

    /// Takes a new user.
    pub(super) fn added(&mut self, at: RowRef<'_>, step: Step<'_>, counts: &mut TrendCounts<'_>) {
        self.name = at.name().into();
        self.arn = at.arn().into();
        let failing = at.marks().iter().filter(|mark| mark.fails);
        let opened = failing.map(|&mark| counts.open(mark, at.row(), step));
        self.open.extend(opened);
    }

    /// Takes a changed user; `old` is its state in the previous snapshot.
    pub(super) fn change(
        &mut self,
        old: &UserState,
        at: RowRef<'_>,
        step: Step<'_>,
        counts: &mut TrendCounts<'_>,
    ) {
        self.follow_keys(old, at.row(), step, counts.rotation);
        let mut failing: Vec<Mark> = at.marks().iter().filter(|mark| mark.fails).copied().collect();
        let mut before = std::mem::take(&mut self.open);
        for likeness in LIKENESSES {
            before.retain_mut(|open| {
                let is_it = |&mark: &Mark| open.likeness(mark, old, at.row(), step.rules) == Some(likeness);
                let Some(position) = failing.iter().position(is_it) else {
                    return true;
                };
                open.see(failing.remove(position), at.row(), step.rules);
                self.open.push(open.clone());
                false
            });
        }
        for open in before {
            let folded = step.folded.contains(&open.rule);
            if open.may_fail(at.row(), at.marks(), folded, step.rules) {
                self.open.push(open);
            } else {
                counts.resolve(&open, step);
            }
        }
        let opened = failing.into_iter().map(|mark| counts.open(mark, at.row(), step));
        self.open.extend(opened);
        if self.name.is_empty() && self.arn.is_empty() && !self.is_idle() {
            self.name = at.name().into();
            self.arn = at.arn().into();
        }
    }

    /// Takes a deleted user: its findings are resolved, even of rules that are folded.
    pub(super) fn removed(self, old: &UserState, step: Step<'_>, counts: &mut TrendCounts<'_>) {
        for open in &self.open {
            counts.resolve(open, step);
        }
        for (created, seen) in self.lost_keys.into_iter().chain(seen_active(old, step)) {
            counts.rotation.retired(created, seen, step.as_of);
        }
    }

    fn follow_keys(&mut self, old: &UserState, new: &UserState, step: Step<'_>, rotation: &mut Rotation) {
        let lost = std::mem::take(&mut self.lost_keys);
        let mut active: [Option<i64>; 2] = [None; 2];
        for (key, created) in active.iter_mut().zip(new.active_keys()) {
            *key = Some(created);
        }
        for (created, seen) in seen_active(old, step).chain(lost) {
            if let Some(same) = active.iter_mut().find(|active| **active == Some(created)) {
                *same = None;
            } else if new.may_be_active(created) {
                self.lost_keys.push((created, seen));
            } else {
                rotation.retired(created, seen, step.as_of);
            }
        }
    }
}

/// The keys that are active in the previous snapshot.
fn seen_active(old: &UserState, step: Step<'_>) -> impl Iterator<Item = (i64, Timestamp)> + use<> {
    let seen = step.before;
    old.active_keys()
        .filter_map(move |created| Some((created, seen?)))
}

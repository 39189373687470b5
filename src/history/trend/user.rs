//! Follows one user from snapshot to snapshot: its open findings, and keys that are unclear for a while.

use super::digest::RowRef;
use super::document::Rotation;
use super::episodes::{Episodes, LIKENESSES, Open};
use super::row::{Mark, UserState};
use crate::engine::CompiledRule;
use crate::gsl::typed::Entity;
use crate::history::instance_bits::has;
use crate::history::moves::later_keys;
use crate::report::schema::{ColumnSet, Slot};
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

/// A user in the previous snapshot.
#[derive(Clone, Copy)]
pub(super) struct RowBefore<'a> {
    pub(super) row: &'a UserState,
    /// The rule instances for which that snapshot cannot say whether they fail, because it lacks columns.
    pub(super) unseen: &'a [u64],
    /// The columns that it lacks.
    pub(super) missing: ColumnSet,
}

impl RowBefore<'_> {
    /// Whether a failing mark only became visible because the next snapshot has more columns: the previous one cannot say
    /// whether it failed, and with its columns the next one could not say so either.
    fn unveils(self, mark: Mark, at: RowRef<'_>, step: Step<'_>) -> bool {
        let compiled = &step.rules[usize::from(mark.rule)];
        let more = self.missing.minus(step.missing);
        let gained = more.intersection(compiled.needs);
        if gained.is_empty() || at.fails_without(more, compiled.instance(mark.slot)) {
            return false;
        }
        let is_unseen = |slot: Slot| has(self.unseen, compiled.instance(slot));
        let entity = compiled.bound.typed.entity;
        let was_unseen = match self.row.slots_of(entity).zip(at.row().slots_of(entity)) {
            None => is_unseen(mark.slot),
            Some((old, new)) => {
                let slots = old.that_may_have(new.created[mark.slot as usize], mark.slot);
                slots.into_iter().any(is_unseen)
            }
        };
        let is_later = || {
            let Some(since) = step.before else { return false };
            let mut later = later_keys(|column| at.row().created(column), since, gained);
            later.any(|slot| entity == Entity::IamUser || slot == mark.slot)
        };
        was_unseen && !is_later()
    }
}

/// The step from the previous snapshot of an account to the next, for all its users.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// As-of of the previous snapshot; none for the first of the account.
    pub(super) before: Option<Timestamp>,
    pub(super) as_of: Timestamp,
    /// Positions of the rules that are folded in the next snapshot.
    pub(super) folded: &'a [u16],
    /// The columns that the next snapshot lacks, optional ones too.
    pub(super) missing: ColumnSet,
    pub(super) rules: &'a [CompiledRule],
}

/// The counts of all accounts.
pub(super) struct TrendCounts<'a> {
    /// One per rule.
    pub(super) episodes: &'a mut [Episodes],
    pub(super) rotation: &'a mut Rotation,
    /// Findings opened in this snapshot.
    pub(super) opened: u64,
    /// Findings that only became visible in this snapshot.
    pub(super) unveiled: u64,
    /// Findings resolved in this snapshot.
    pub(super) resolved: u64,
}

impl<'a> TrendCounts<'a> {
    pub(super) fn new(episodes: &'a mut [Episodes], rotation: &'a mut Rotation) -> Self {
        Self {
            episodes,
            rotation,
            opened: 0,
            unveiled: 0,
            resolved: 0,
        }
    }

    fn resolve(&mut self, open: &Open, step: Step<'_>) {
        self.resolved += 1;
        self.episodes[usize::from(open.rule)].end(open, step.as_of);
    }

    fn open(&mut self, mark: Mark, row: &UserState, step: Step<'_>, unveiled: bool) -> Open {
        let rule = &mut self.episodes[usize::from(mark.rule)];
        if step.before.is_none() {
            rule.at_start += 1;
        } else if unveiled {
            rule.unveiled += 1;
            self.unveiled += 1;
        } else {
            rule.opened += 1;
            self.opened += 1;
        }
        Open::new(mark, row, step, unveiled)
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
        let opened = failing.map(|&mark| counts.open(mark, at.row(), step, false));
        self.open.extend(opened);
    }

    /// Takes a changed user.
    pub(super) fn change(
        &mut self,
        before: RowBefore<'_>,
        at: RowRef<'_>,
        step: Step<'_>,
        counts: &mut TrendCounts<'_>,
    ) {
        let old = before.row;
        self.follow_keys(old, at.row(), step, counts.rotation);
        let mut failing: Vec<Mark> = at.marks().iter().filter(|mark| mark.fails).copied().collect();
        let mut open_before = std::mem::take(&mut self.open);
        for likeness in LIKENESSES {
            open_before.retain_mut(|open| {
                let is_it = |&mark: &Mark| open.likeness(mark, old, at.row(), step.rules) == Some(likeness);
                let Some(position) = failing.iter().position(is_it) else {
                    return true;
                };
                open.see(failing.remove(position), at.row(), step);
                self.open.push(open.clone());
                false
            });
        }
        for open in open_before {
            if open.may_fail(at, step) {
                self.open.push(open);
            } else {
                counts.resolve(&open, step);
            }
        }
        let opened = failing.into_iter().map(|mark| {
            let unveiled = before.unveils(mark, at, step);
            counts.open(mark, at.row(), step, unveiled)
        });
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

//! One user from snapshot to snapshot: its open findings, and its keys of which nothing is said for a while.

use super::digest::At;
use super::document::Rotation;
use super::episodes::{Episodes, LIKENESSES, Open};
use super::row::{Mark, Row};
use crate::engine::CompiledRule;
use crate::report::time::Timestamp;

/// What is kept of a user with an open finding. Whose it is, is kept too, since the snapshot that shows it is not.
#[derive(Debug, Default)]
pub(super) struct User {
    /// Empty where the report does not say, as the ARN.
    pub(super) name: Box<[u8]>,
    pub(super) arn: Box<[u8]>,
    pub(super) open: Vec<Open>,
    /// Creation times of keys that were active and of which the last snapshot says nothing; each with the last
    /// snapshot that shows it.
    pub(super) lost_keys: Vec<(i64, Timestamp)>,
}

/// What the snapshots before and the next one have in common for all users of an account.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// The snapshot before; none where this is the account's first.
    pub(super) before: Option<Timestamp>,
    pub(super) as_of: Timestamp,
    /// Rules, by position, that this one tells nothing of.
    pub(super) folded: &'a [u16],
    pub(super) rules: &'a [CompiledRule],
}

/// What is counted over all accounts.
pub(super) struct Counted<'a> {
    /// One a rule.
    pub(super) episodes: &'a mut [Episodes],
    pub(super) rotation: &'a mut Rotation,
    /// In this snapshot.
    pub(super) opened: u64,
    pub(super) resolved: u64,
}

impl<'a> Counted<'a> {
    /// Nothing opened or resolved yet.
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

    fn open(&mut self, mark: Mark, row: &Row, step: Step<'_>) -> Open {
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

impl User {
    /// Whether there is nothing to be kept of it.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.lost_keys.is_empty()
    }

    /// Of a user who is new.
    pub(super) fn come(&mut self, at: At<'_>, step: Step<'_>, counted: &mut Counted<'_>) {
        self.name = at.name().into();
        self.arn = at.arn().into();
        let failing = at.marks().iter().filter(|mark| mark.fails);
        let opened = failing.map(|&mark| counted.open(mark, at.row(), step));
        self.open.extend(opened);
    }

    /// Of a user who changed; `old` is how it was in the snapshot before.
    pub(super) fn change(&mut self, old: &Row, at: At<'_>, step: Step<'_>, counted: &mut Counted<'_>) {
        self.follow_keys(old, at.row(), step, counted.rotation);
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
                counted.resolve(&open, step);
            }
        }
        let opened = failing.into_iter().map(|mark| counted.open(mark, at.row(), step));
        self.open.extend(opened);
        if self.name.is_empty() && self.arn.is_empty() && !self.is_idle() {
            self.name = at.name().into();
            self.arn = at.arn().into();
        }
    }

    /// Of a user who was deleted: what was open is not, whatever the snapshot can tell of others.
    pub(super) fn go(self, old: &Row, step: Step<'_>, counted: &mut Counted<'_>) {
        for open in &self.open {
            counted.resolve(open, step);
        }
        for (created, seen) in self.lost_keys.into_iter().chain(seen_active(old, step)) {
            counted.rotation.given_up(created, seen, step.as_of);
        }
    }

    fn follow_keys(&mut self, old: &Row, new: &Row, step: Step<'_>, rotation: &mut Rotation) {
        let lost = std::mem::take(&mut self.lost_keys);
        let mut active: [Option<i64>; 2] = [None; 2];
        for (place, created) in active.iter_mut().zip(new.active_keys()) {
            *place = Some(created);
        }
        for (created, seen) in seen_active(old, step).chain(lost) {
            if let Some(same) = active.iter_mut().find(|active| **active == Some(created)) {
                *same = None;
            } else if new.may_be_active(created) {
                self.lost_keys.push((created, seen));
            } else {
                rotation.given_up(created, seen, step.as_of);
            }
        }
    }
}

/// The keys that the snapshot before shows active.
fn seen_active(old: &Row, step: Step<'_>) -> impl Iterator<Item = (i64, Timestamp)> + use<> {
    let seen = step.before;
    old.active_keys()
        .filter_map(move |created| Some((created, seen?)))
}

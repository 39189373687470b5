//! Follows one account from snapshot to snapshot: its open findings and active keys. An unchanged user only costs a
//! comparison.

use super::digest::RowRef;
use super::row::{Mark, UserState};
use super::user::{FollowedUser, RowBefore, Step, TrendCounts};
use crate::history::hashed::{HashedMap, HashedSet};
use crate::history::instance_bits::InstanceBits;
use crate::report::cell;
use crate::report::schema::ColumnSet;
use crate::report::time::Timestamp;

/// How many rows ahead to look for a user that is not in the expected row. Users further ahead are found with a map.
const AHEAD: usize = 16;

/// The state of one account after its last snapshot.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// As-of of the last snapshot.
    pub(super) last: Option<Timestamp>,
    /// Its users, each once.
    rows: Vec<UserState>,
    marks: Vec<Mark>,
    /// Positions of the rules that were folded in it.
    folded: Vec<u16>,
    /// By index of the user, what it cannot say, because it lacks columns.
    unseen: InstanceBits,
    /// The columns that it lacks.
    missing: ColumnSet,
    /// Users with open findings or lost keys, by [`crate::engine::user_key`].
    pub(super) users: HashedMap<u128, FollowedUser>,
}

/// Rows of a snapshot that get a diagnostic.
#[derive(Default)]
pub(super) struct UnusualRows<'a> {
    /// Rows that repeat a user and do not count.
    pub(super) duplicates: Vec<RowRef<'a>>,
    /// Users who have keys created in the same second, and had none before.
    pub(super) same_second: Vec<RowRef<'a>>,
}

/// Rows that differ from the previous snapshot.
#[derive(Default)]
struct RowChanges {
    /// Changed users: their previous row and their row now.
    same: Vec<(usize, usize)>,
    added: Vec<usize>,
    removed: Vec<usize>,
}

impl Followed {
    /// Takes the rows of the next snapshot.
    pub(super) fn next<'a>(
        &mut self,
        mut rows: Vec<RowRef<'a>>,
        step: Step<'_>,
        counts: &mut TrendCounts<'_>,
    ) -> UnusualRows<'a> {
        let mut changes = self.changes(&rows, step);
        let mut unusual = UnusualRows {
            // A user of the previous snapshot matches one row only, so each repeated user has an added row.
            duplicates: take_duplicates(&mut rows, &changes.added),
            ..UnusualRows::default()
        };
        if !unusual.duplicates.is_empty() {
            changes = self.changes(&rows, step);
        }
        for &before in &changes.removed {
            let row = &self.rows[before];
            let user = self.users.remove(&row.user).unwrap_or_default();
            user.removed(row, step, counts);
        }
        let mut renamed = Vec::new();
        for &(before, now) in &changes.same {
            let at = rows[now];
            let key = self.change(before, at, step, counts);
            if key != at.row().user {
                renamed.push((now, key));
            }
            if at.row().is_same_second() && !self.rows[before].is_same_second() {
                unusual.same_second.push(at);
            }
        }
        for &now in &changes.added {
            let at = rows[now];
            if at.row().is_same_second() {
                unusual.same_second.push(at);
            }
            if at.marks().iter().any(|mark| mark.fails) {
                let user = self.users.entry(at.row().user).or_default();
                user.added(at, step, counts);
            }
        }
        self.store(&rows, step, &renamed);
        unusual
    }

    /// Takes a changed user. The result is its key.
    fn change(
        &mut self,
        before: usize,
        at: RowRef<'_>,
        step: Step<'_>,
        counts: &mut TrendCounts<'_>,
    ) -> u128 {
        let old = &self.rows[before];
        // The key of the row that has the creation time, if one of them does.
        let key = if at.row().is_dated {
            at.row().user
        } else {
            old.user
        };
        let mut user = self.users.remove(&old.user).unwrap_or_default();
        let before = RowBefore {
            row: old,
            unseen: self.unseen.of(before),
            missing: self.missing,
        };
        user.change(before, at, step, counts);
        if !user.is_idle() {
            self.users.insert(key, user);
        }
        key
    }

    fn store(&mut self, rows: &[RowRef<'_>], step: Step<'_>, renamed: &[(usize, u128)]) {
        self.last = Some(step.as_of);
        step.folded.clone_into(&mut self.folded);
        self.missing = step.missing;
        self.rows.clear();
        self.marks.clear();
        self.unseen.clear();
        for (user, at) in rows.iter().enumerate() {
            self.unseen.push(user, at.unseen());
            self.rows.push(at.row().with_marks_at(self.marks.len()));
            self.marks.extend_from_slice(at.marks());
        }
        for &(row, user) in renamed {
            self.rows[row].user = user;
            self.rows[row].is_dated = true;
        }
    }

    /// Most reports have the same users in the same order, so that one comparison per user is enough.
    fn changes(&self, rows: &[RowRef<'_>], step: Step<'_>) -> RowChanges {
        let waiting = self.waiting(step);
        let is_unchanged = |at: RowRef<'_>, before: usize| {
            let row = &self.rows[before];
            at.is_like(row, row.marks(&self.marks)) && (waiting.is_empty() || !waiting.contains(&row.user))
        };
        let mut changes = RowChanges::default();
        let mut expected = 0;
        for (now, &at) in rows.iter().enumerate() {
            let ahead = self.rows[expected..].iter().take(AHEAD);
            let Some(skipped) = ahead.map(|row| row.user).position(|user| user == at.row().user) else {
                changes.added.push(now);
                continue;
            };
            changes.removed.extend(expected..expected + skipped);
            expected += skipped;
            if !is_unchanged(at, expected) {
                changes.same.push((expected, now));
            }
            expected += 1;
        }
        changes.removed.extend(expected..self.rows.len());
        self.pair(&mut changes, rows, |row| row.user, |_, _| true, is_unchanged);
        // If a snapshot does not have the creation time of a user, the ARN identifies it.
        let is_undated = |old: &UserState, new: &UserState| !old.is_dated || !new.is_dated;
        self.pair(
            &mut changes,
            rows,
            |row| row.identifier.into(),
            is_undated,
            is_unchanged,
        );
        changes
    }

    /// Finds added users among the removed ones: they only moved to another row.
    fn pair(
        &self,
        changes: &mut RowChanges,
        rows: &[RowRef<'_>],
        key: impl Fn(&UserState) -> u128,
        is_same: impl Fn(&UserState, &UserState) -> bool,
        is_unchanged: impl Fn(RowRef<'_>, usize) -> bool,
    ) {
        let RowChanges { same, added, removed } = changes;
        if added.is_empty() || removed.is_empty() {
            return;
        }
        let keys = removed.iter().map(|&row| (key(&self.rows[row]), row));
        let keys: HashedMap<u128, usize> = keys.collect();
        let mut found = HashedSet::default();
        added.retain(|&now| {
            let at = rows[now];
            let before = keys.get(&key(at.row())).copied();
            let before = before.filter(|&row| is_same(&self.rows[row], at.row()));
            let Some(before) = before.filter(|&row| found.insert(row as u64)) else {
                return true;
            };
            if !is_unchanged(at, before) {
                same.push((before, now));
            }
            false
        });
        removed.retain(|&row| !found.contains(&(row as u64)));
    }

    /// Users with open findings of rules that were folded in the last snapshot and are not in this one, or that read columns
    /// that only this one has. Their findings may be resolved although the user is unchanged.
    fn waiting(&self, step: Step<'_>) -> HashedSet<u128> {
        let gained = self.missing.minus(step.missing);
        if gained.is_empty() && self.folded.iter().all(|rule| step.folded.contains(rule)) {
            return HashedSet::default();
        }
        let is_evaluated_again = |rule: &u16| {
            let needs = step.rules[usize::from(*rule)].needs;
            self.folded.contains(rule) && !step.folded.contains(rule)
                || !gained.intersection(needs).is_empty()
        };
        let users = self.users.iter();
        users
            .filter(|(_, user)| user.open.iter().any(|open| is_evaluated_again(&open.rule)))
            .map(|(&key, _)| key)
            .collect()
    }

    /// Counts what is open and active at the end.
    pub(super) fn finish(&self, counts: &mut TrendCounts<'_>) {
        let Some(last) = self.last else { return };
        let open = self.users.values().flat_map(|user| &user.open);
        for open in open.filter(|open| open.has_known_start()) {
            let lengths = &mut counts.episodes[usize::from(open.rule)].lengths;
            lengths.open(last.0 - open.since.0);
        }
        let active = self.rows.iter().flat_map(UserState::active_keys);
        let lost = self.users.values().flat_map(|user| &user.lost_keys);
        for created in active.chain(lost.map(|&(created, _)| created)) {
            counts.rotation.at_end(created, last);
        }
    }
}

/// Removes the rows of repeated users who have a row among the suspects. Of the rows of one user the one created last
/// counts, or the first of equal ones.
pub(super) fn take_duplicates<'a>(rows: &mut Vec<RowRef<'a>>, suspects: &[usize]) -> Vec<RowRef<'a>> {
    let suspects: HashedSet<u64> = suspects.iter().map(|&row| rows[row].row().identifier).collect();
    let mut duplicates = Vec::new();
    if suspects.is_empty() {
        return duplicates;
    }
    let mut counting: HashedMap<u64, usize> = HashedMap::default();
    let mut left_out = HashedSet::default();
    for (number, at) in rows.iter().enumerate() {
        if !suspects.contains(&at.row().identifier) {
            continue;
        }
        let known = counting.entry(at.row().identifier).or_insert(number);
        let other = rows[*known];
        if *known == number || other.identifier() != at.identifier() {
            continue;
        }
        // An unknown time is before all others.
        let loser = if cell::known(at.created()) > cell::known(other.created()) {
            std::mem::replace(known, number)
        } else {
            number
        };
        left_out.insert(loser as u64);
    }
    if !left_out.is_empty() {
        let mut number = 0;
        rows.retain(|&at| {
            let counts = !left_out.contains(&number);
            if !counts {
                duplicates.push(at);
            }
            number += 1;
            counts
        });
    }
    duplicates
}

//! One account from snapshot to snapshot: which findings are open, and which keys are active. All but a look
//! at every row is work on what changed.

use super::digest::At;
use super::row::{Mark, Row};
use super::user::{Counted, Step, User};
use crate::history::event;
use crate::history::hashed::{HashedMap, HashedSet};
use crate::report::time::Timestamp;

/// How far ahead a row is looked for that is not where it was; what is further off is found more slowly.
const AHEAD: usize = 16;

/// What is followed of one account.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The last snapshot.
    pub(super) last: Option<Timestamp>,
    /// Its users, each once, and what was found about them.
    rows: Vec<Row>,
    marks: Vec<Mark>,
    /// Rules, by position, that it told nothing of.
    folded: Vec<u16>,
    /// Those of whom there is more to be kept, by [`crate::engine::user_key`].
    pub(super) users: HashedMap<u128, User>,
}

/// What is odd about a snapshot.
#[derive(Default)]
pub(super) struct Odd<'a> {
    /// Rows of users who stand in it twice, and that do not count.
    pub(super) duplicates: Vec<At<'a>>,
    /// Users who have keys of the same second, and had not before.
    pub(super) same_second: Vec<At<'a>>,
}

/// Rows that are not as they were.
#[derive(Default)]
struct Changes {
    /// Users in both snapshots: where they stood, and where they stand.
    same: Vec<(usize, usize)>,
    came: Vec<usize>,
    gone: Vec<usize>,
}

impl Followed {
    /// Takes the rows of the next snapshot.
    pub(super) fn next<'a>(
        &mut self,
        mut rows: Vec<At<'a>>,
        step: Step<'_>,
        counted: &mut Counted<'_>,
    ) -> Odd<'a> {
        let mut changes = self.changes(&rows, step.folded);
        let mut odd = Odd {
            // A user of the snapshot before is found in one row, so that of each user who is there twice one came.
            duplicates: take_duplicates(&mut rows, &changes.came),
            ..Odd::default()
        };
        if !odd.duplicates.is_empty() {
            changes = self.changes(&rows, step.folded);
        }
        for &before in &changes.gone {
            let row = &self.rows[before];
            let user = self.users.remove(&row.user).unwrap_or_default();
            user.go(row, step, counted);
        }
        let mut renamed = Vec::new();
        for &(before, now) in &changes.same {
            let at = rows[now];
            let key = self.change(before, at, step, counted);
            if key != at.row().user {
                renamed.push((now, key));
            }
            if at.row().is_same_second() && !self.rows[before].is_same_second() {
                odd.same_second.push(at);
            }
        }
        for &now in &changes.came {
            let at = rows[now];
            if at.row().is_same_second() {
                odd.same_second.push(at);
            }
            if at.marks().iter().any(|mark| mark.fails) {
                let user = self.users.entry(at.row().user).or_default();
                user.come(at, step, counted);
            }
        }
        self.keep(&rows, step, &renamed);
        odd
    }

    /// Takes a user who is not as before, and tells its key.
    fn change(&mut self, before: usize, at: At<'_>, step: Step<'_>, counted: &mut Counted<'_>) -> u128 {
        let old = &self.rows[before];
        // The one that says when the user was made, where one of them does.
        let key = if at.row().is_dated {
            at.row().user
        } else {
            old.user
        };
        let mut user = self.users.remove(&old.user).unwrap_or_default();
        user.change(old, at, step, counted);
        if !user.is_idle() {
            self.users.insert(key, user);
        }
        key
    }

    fn keep(&mut self, rows: &[At<'_>], step: Step<'_>, renamed: &[(usize, u128)]) {
        self.last = Some(step.as_of);
        step.folded.clone_into(&mut self.folded);
        self.rows.clear();
        self.marks.clear();
        for at in rows {
            self.rows.push(at.row().with_marks_at(self.marks.len()));
            self.marks.extend_from_slice(at.marks());
        }
        for &(row, user) in renamed {
            self.rows[row].user = user;
            self.rows[row].is_dated = true;
        }
    }

    /// Reports mostly have the same users in the same order; then it is one look at each.
    fn changes(&self, rows: &[At<'_>], folded: &[u16]) -> Changes {
        let waiting = self.waiting(folded);
        let is_as_before = |at: At<'_>, before: usize| {
            let row = &self.rows[before];
            at.is_like(row, row.marks(&self.marks)) && (waiting.is_empty() || !waiting.contains(&row.user))
        };
        let mut changes = Changes::default();
        let mut place = 0;
        for (now, &at) in rows.iter().enumerate() {
            let ahead = self.rows[place..].iter().take(AHEAD);
            let Some(skipped) = ahead.map(|row| row.user).position(|user| user == at.row().user) else {
                changes.came.push(now);
                continue;
            };
            changes.gone.extend(place..place + skipped);
            place += skipped;
            if !is_as_before(at, place) {
                changes.same.push((place, now));
            }
            place += 1;
        }
        changes.gone.extend(place..self.rows.len());
        self.pair(&mut changes, rows, |row| row.user, |_, _| true, is_as_before);
        // Where one of two snapshots does not say when a user was made, the ARN tells who it is.
        let is_undated = |old: &Row, new: &Row| !old.is_dated || !new.is_dated;
        self.pair(&mut changes, rows, |row| row.who.into(), is_undated, is_as_before);
        changes
    }

    /// Finds users who came among those who are gone: they only stand elsewhere.
    fn pair(
        &self,
        changes: &mut Changes,
        rows: &[At<'_>],
        key: impl Fn(&Row) -> u128,
        is_same: impl Fn(&Row, &Row) -> bool,
        is_as_before: impl Fn(At<'_>, usize) -> bool,
    ) {
        let Changes { same, came, gone } = changes;
        if came.is_empty() || gone.is_empty() {
            return;
        }
        let keys = gone.iter().map(|&row| (key(&self.rows[row]), row));
        let keys: HashedMap<u128, usize> = keys.collect();
        let mut found = HashedSet::default();
        came.retain(|&now| {
            let at = rows[now];
            let before = keys.get(&key(at.row())).copied();
            let before = before.filter(|&row| is_same(&self.rows[row], at.row()));
            let Some(before) = before.filter(|&row| found.insert(row as u64)) else {
                return true;
            };
            if !is_as_before(at, before) {
                same.push((before, now));
            }
            false
        });
        gone.retain(|&row| !found.contains(&(row as u64)));
    }

    /// Users with open findings of which the last snapshot told nothing, since it lacked columns, and this one
    /// does: they may be resolved although nothing else changed.
    fn waiting(&self, folded: &[u16]) -> HashedSet<u128> {
        if self.folded.iter().all(|rule| folded.contains(rule)) {
            return HashedSet::default();
        }
        let is_told = |rule: &u16| self.folded.contains(rule) && !folded.contains(rule);
        let users = self.users.iter();
        users
            .filter(|(_, user)| user.open.iter().any(|open| is_told(&open.rule)))
            .map(|(&key, _)| key)
            .collect()
    }

    /// Counts what is open and active at the end.
    pub(super) fn finish(&self, counted: &mut Counted<'_>) {
        let Some(last) = self.last else { return };
        let open = self.users.values().flat_map(|user| &user.open);
        for open in open.filter(|open| !open.at_start) {
            let lengths = &mut counted.episodes[usize::from(open.rule)].lengths;
            lengths.open(last.0 - open.since.0);
        }
        let active = self.rows.iter().flat_map(Row::active_keys);
        let lost = self.users.values().flat_map(|user| &user.lost_keys);
        for created in active.chain(lost.map(|&(created, _)| created)) {
            counted.rotation.at_end(created, last);
        }
    }
}

/// Takes away the rows of users who are there twice, and one of them among the suspects. Of the rows of one
/// user the one made last counts, of several such the first.
pub(super) fn take_duplicates<'a>(rows: &mut Vec<At<'a>>, suspects: &[usize]) -> Vec<At<'a>> {
    let suspects: HashedSet<u64> = suspects.iter().map(|&row| rows[row].row().who).collect();
    let mut duplicates = Vec::new();
    if suspects.is_empty() {
        return duplicates;
    }
    let mut counting: HashedMap<u64, usize> = HashedMap::default();
    let mut left_out = HashedSet::default();
    for (number, at) in rows.iter().enumerate() {
        if !suspects.contains(&at.row().who) {
            continue;
        }
        let known = counting.entry(at.row().who).or_insert(number);
        let other = rows[*known];
        if *known == number || other.who() != at.who() {
            continue;
        }
        // A time that is not told is not the later one.
        let loser = if event::known(at.created()) > event::known(other.created()) {
            std::mem::replace(known, number)
        } else {
            number
        };
        left_out.insert(loser as u64);
    }
    if !left_out.is_empty() {
        let mut number = 0;
        rows.retain(|&at| {
            let stays = !left_out.contains(&number);
            if !stays {
                duplicates.push(at);
            }
            number += 1;
            stays
        });
    }
    duplicates
}

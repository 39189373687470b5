//! One account from snapshot to snapshot: which findings are open, and which keys are active. All but a look
//! at every row is work on what changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest::{At, Mark, Row, marks_of};
use super::document::Rotation;
use super::episodes::{Episodes, Open, Who};
use crate::engine::Judged;
use crate::history::hashed::{HashedMap, HashedSet};
use crate::report::time::Timestamp;

/// How far ahead a row is looked for that is not where it was; what is further off is found more slowly.
const AHEAD: usize = 16;

/// What is followed of one account.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The last snapshot.
    pub(super) last: Option<Timestamp>,
    /// Its users and what was found about them. All that fails there is open.
    rows: Vec<Row>,
    marks: Vec<Mark>,
    pub(super) open: HashedMap<u128, Open>,
    /// Open findings that it says nothing of, since it lacks columns; each with its user.
    unseen: HashedMap<u128, u128>,
    /// Keys that were active and of which it says nothing, by user and creation time; each with the last
    /// snapshot that shows it.
    unseen_keys: BTreeMap<(u128, i64), Timestamp>,
}

/// The next snapshot of an account.
#[derive(Clone, Copy)]
pub(super) struct Next<'a> {
    pub(super) as_of: Timestamp,
    pub(super) rows: &'a [At<'a>],
    /// Rules, by position, that it tells nothing of.
    pub(super) folded: &'a [u16],
    pub(super) rules: &'a [Judged],
}

/// What is counted over all accounts.
pub(super) struct Counted<'a> {
    /// One a rule.
    pub(super) episodes: &'a mut [Episodes],
    pub(super) rotation: &'a mut Rotation,
}

/// Opened and resolved since the snapshot before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) opened: u64,
    pub(super) resolved: u64,
}

/// Rows that are not as they were.
#[derive(Default)]
struct Changes<'a> {
    came: Vec<At<'a>>,
    /// Indices of rows of the snapshot before.
    gone: Vec<usize>,
}

/// What a snapshot says of some users.
#[derive(Default)]
struct Shown {
    findings: HashedSet<u128>,
    keys: HashedSet<(u128, i64)>,
    unclear: HashedSet<u128>,
}

impl Followed {
    /// Takes the next snapshot.
    pub(super) fn next(&mut self, next: Next<'_>, counted: &mut Counted<'_>) -> Moved {
        let changes = self.changes(next.rows);
        let shown = self.shown(next, &changes.gone);
        self.give_up_keys(&changes.gone, &shown, next.as_of, counted.rotation);
        let moved = Moved {
            resolved: self.resolve(next, &changes.gone, &shown, counted.episodes),
            opened: self.open(next, &changes.came, counted.episodes),
        };
        self.last = Some(next.as_of);
        self.rows.clear();
        self.marks.clear();
        for at in next.rows {
            self.rows.push(at.row().with_marks_at(self.marks.len()));
            self.marks.extend_from_slice(at.marks());
        }
        moved
    }

    /// Reports mostly have the same users in the same order; then it is one look at each.
    fn changes<'a>(&self, rows: &[At<'a>]) -> Changes<'a> {
        let mut changes = Changes::default();
        let mut next = 0;
        for &at in rows {
            let ahead = self.rows[next..].iter().take(AHEAD);
            let Some(skipped) = ahead.map(|row| row.user).position(|user| user == at.row().user) else {
                changes.came.push(at);
                continue;
            };
            changes.gone.extend(next..next + skipped);
            next += skipped;
            if !self.is_as_before(at, next) {
                changes.came.push(at);
                changes.gone.push(next);
            }
            next += 1;
        }
        changes.gone.extend(next..self.rows.len());
        self.drop_moved(&mut changes);
        changes
    }

    fn is_as_before(&self, at: At<'_>, before: usize) -> bool {
        let before = &self.rows[before];
        at.is_like(before, marks_of(&self.marks, before))
    }

    /// Rows that only stand elsewhere did not change.
    fn drop_moved(&self, changes: &mut Changes<'_>) {
        if changes.came.is_empty() || changes.gone.is_empty() {
            return;
        }
        let gone = changes.gone.iter().map(|&row| (self.rows[row].user, row));
        let mut gone: HashedMap<u128, usize> = gone.collect();
        let mut stayed = HashedSet::default();
        changes.came.retain(|at| {
            let user = at.row().user;
            let moved = gone
                .get(&user)
                .copied()
                .filter(|&row| self.is_as_before(*at, row));
            if let Some(row) = moved {
                gone.remove(&user);
                stayed.insert(row as u64);
            }
            moved.is_none()
        });
        changes.gone.retain(|&row| !stayed.contains(&(row as u64)));
    }

    /// What the snapshot says of the users of whom something is gone. A user may stand in it twice: a row
    /// that is gone or changed is not all there is of one.
    fn shown(&self, next: Next<'_>, gone: &[usize]) -> Shown {
        let gone = gone.iter().map(|&row| self.rows[row].user);
        let mut users: HashedSet<u128> = gone.collect();
        users.extend(self.unseen.values());
        users.extend(self.unseen_keys.keys().map(|(user, _)| user));
        let mut shown = Shown::default();
        if users.is_empty() {
            return shown;
        }
        for at in next.rows.iter().filter(|at| users.contains(&at.row().user)) {
            let row = at.row();
            let ids = row.ids(next.rules, at.marks()).map(|(_, id)| id);
            shown.findings.extend(ids);
            shown
                .keys
                .extend(row.active_keys().map(|created| (row.user, created)));
            if row.unclear {
                shown.unclear.insert(row.user);
            }
        }
        shown
    }

    /// Ends what fails no more, and says how many that are.
    fn resolve(&mut self, next: Next<'_>, gone: &[usize], shown: &Shown, episodes: &mut [Episodes]) -> u64 {
        let mut candidates = std::mem::take(&mut self.unseen);
        for row in gone.iter().map(|&row| &self.rows[row]) {
            let ids = row.ids(next.rules, marks_of(&self.marks, row));
            candidates.extend(ids.map(|(_, id)| (id, row.user)));
        }
        candidates.retain(|id, _| !shown.findings.contains(id));
        let mut resolved = 0;
        candidates.retain(|id, _| {
            let Some(open) = self.open.get(id) else {
                return false;
            };
            let is_unseen = next.folded.contains(&open.rule);
            if !is_unseen {
                let rule = &mut episodes[usize::from(open.rule)];
                rule.resolved += 1;
                resolved += 1;
                if !open.at_start {
                    rule.lengths.ended(next.as_of.0 - open.since.0);
                }
                self.open.remove(id);
            }
            is_unseen
        });
        self.unseen = candidates;
        resolved
    }

    /// Begins what fails and did not, and says how many that are, unless it is the first snapshot.
    fn open(&mut self, next: Next<'_>, came: &[At<'_>], episodes: &mut [Episodes]) -> u64 {
        let at_start = self.last.is_none();
        let mut opened = 0;
        for at in came {
            let mut who = None;
            let failing = at
                .row()
                .ids(next.rules, at.marks())
                .filter(|(mark, _)| mark.fails);
            for (mark, id) in failing {
                self.open.entry(id).or_insert_with(|| {
                    let rule = &mut episodes[usize::from(mark.rule)];
                    if at_start {
                        rule.at_start += 1;
                    } else {
                        rule.opened += 1;
                        opened += 1;
                    }
                    Open {
                        rule: mark.rule,
                        since: next.as_of,
                        at_start,
                        who: Arc::clone(who.get_or_insert_with(|| Who::of(*at))),
                    }
                });
            }
        }
        opened
    }

    fn give_up_keys(&mut self, gone: &[usize], shown: &Shown, as_of: Timestamp, rotation: &mut Rotation) {
        let mut candidates = std::mem::take(&mut self.unseen_keys);
        if let Some(seen) = self.last {
            for row in gone.iter().map(|&row| &self.rows[row]) {
                candidates.extend(row.active_keys().map(|created| ((row.user, created), seen)));
            }
        }
        candidates.retain(|key, seen| {
            if shown.keys.contains(key) {
                return false;
            }
            let is_unseen = shown.unclear.contains(&key.0);
            if !is_unseen {
                rotation.given_up(key.1, *seen, as_of);
            }
            is_unseen
        });
        self.unseen_keys = candidates;
    }

    /// Counts what is open and active at the end.
    pub(super) fn finish(&self, counted: &mut Counted<'_>) {
        let Some(last) = self.last else { return };
        for open in self.open.values().filter(|open| !open.at_start) {
            let lengths = &mut counted.episodes[usize::from(open.rule)].lengths;
            lengths.open(last.0 - open.since.0);
        }
        let rows = self.rows.iter();
        let mut keys: Vec<(u128, i64)> = rows
            .flat_map(|row| row.active_keys().map(|created| (row.user, created)))
            .chain(self.unseen_keys.keys().copied())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        for (_, created) in keys {
            counted.rotation.at_end(created, last);
        }
    }
}

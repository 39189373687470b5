//! Follows one account from snapshot to snapshot: its open findings and its keys. Of each account only the last snapshot is
//! stored.

use super::document::Rotation;
use super::episodes::TrendCounts;
use crate::engine::{CompiledRule, finding_id};
use crate::finding::FindingId;
use crate::history::diff::DiffOptions;
use crate::history::findings::Open;
use crate::history::keys::{SlotContent, UserCells, are_of_same_second, is_unclear};
use crate::history::matching::{Identity, Match, Roster, match_users, repeated};
use crate::history::snapshot::Snapshot;
use crate::history::transition::{Before, Comparer, User, is_other};
use crate::history::users::Users;
use crate::report::cell::{self, Flag, known};
use crate::report::schema::TimeColumn;
use crate::report::time::Timestamp;

/// The state of one account after its last snapshot.
#[derive(Debug, Default)]
pub(super) struct Followed(Option<Last>);

#[derive(Debug)]
struct Last {
    snapshot: Snapshot,
    /// Rows of it that repeat a user and do not count, ascending.
    repeated: Vec<u32>,
    /// By row; none of users of whom nothing more is known.
    users: Vec<Option<Box<FollowedUser>>>,
}

/// What is known of a user beside its last snapshot.
#[derive(Clone, Debug)]
struct FollowedUser {
    /// Its creation time, a time cell: an earlier snapshot may have it where the last one does not.
    created: i64,
    open: Vec<Open>,
    /// Creation times of keys that were active and are unclear in the last snapshot, each with the as-of of the last
    /// snapshot that shows the key.
    lost_keys: Vec<(i64, Timestamp)>,
}

/// Rows of a snapshot that get a diagnostic.
#[derive(Debug, Default)]
pub(super) struct UnusualRows {
    /// Rows that repeat a user and do not count.
    pub(super) repeated: Vec<u32>,
    /// Users who have keys created in the same second, and had none before.
    pub(super) same_second: Vec<u32>,
}

impl UnusualRows {
    /// Of a snapshot that is not compared.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            repeated: repeated(roster(snapshot.users(), &[])),
            ..Self::default()
        }
    }

    /// The same by the numbers of the rows in the report, from 0.
    pub(super) fn numbered(self, snapshot: &Snapshot) -> Self {
        let numbers = |rows: Vec<u32>| {
            let rows = rows.into_iter();
            rows.map(|row| snapshot.users().number(row)).collect()
        };
        Self {
            repeated: numbers(self.repeated),
            same_second: numbers(self.same_second),
        }
    }
}

fn roster<'a>(users: &'a Users, left_out: &'a [u32]) -> Roster<'a> {
    Roster {
        users,
        identity: Identity::Arn,
        left_out,
    }
}

impl Followed {
    /// The last snapshot.
    pub(super) fn snapshot(&self) -> Option<&Snapshot> {
        self.0.as_ref().map(|last| &last.snapshot)
    }

    /// Takes the next snapshot; the rows of it that are unusual.
    pub(super) fn next(&mut self, next: Snapshot, counts: &mut TrendCounts<'_>) -> UnusualRows {
        let no_users = Users::default();
        let last = self.0.take();
        let old = match &last {
            Some(last) => roster(last.snapshot.users(), &last.repeated),
            None => roster(&no_users, &[]),
        };
        let matching = match_users(old, roster(next.users(), &[]));
        let before = last.as_ref().map_or(&next, |last| &last.snapshot);
        // A trend does not show events.
        let idle_days = DiffOptions::default().idle_days;
        let mut step = Step {
            comparer: Comparer::new(counts.rules, idle_days, [before, &next]),
            users: vec![None; next.users().len()],
            next: &next,
            last,
            same_second: Vec::new(),
        };
        for user in matching.users {
            step.user(user, counts);
        }
        let Step {
            users, same_second, ..
        } = step;
        self.0 = Some(Last {
            snapshot: next,
            repeated: matching.repeated.clone(),
            users,
        });
        UnusualRows {
            repeated: matching.repeated,
            same_second,
        }
    }

    /// The open findings, each with its user's row.
    fn open_by_row(&self) -> impl Iterator<Item = (&Last, usize, &Open)> {
        let last = self.0.iter();
        last.flat_map(|last| {
            let users = last.users.iter().enumerate();
            users.flat_map(move |(row, user)| {
                let open = user.iter().flat_map(|user| &user.open);
                open.map(move |open| (last, row, open))
            })
        })
    }

    /// The open findings.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.open_by_row().map(|(_, _, open)| open)
    }

    /// The open findings, each with its id and the name and ARN of its user; empty if the report does not have them.
    pub(super) fn identified<'a>(
        &'a self,
        rules: &'a [CompiledRule],
    ) -> impl Iterator<Item = (&'a Open, FindingId, [&'a [u8]; 2])> {
        self.open_by_row().map(move |(last, row, open)| {
            let compiled = &rules[usize::from(open.rule)];
            let about = compiled.bound.typed.entity.existence(open.slot);
            let number = u32::try_from(row).expect("invariant: rows are counted in 32 bits");
            let user = last.snapshot.user_key(number, last.created(row));
            let id = finding_id(compiled, user, open.slot, about.map(|_| open.created));
            let users = last.snapshot.users();
            (open, id, [users.name(row), users.arn(row)])
        })
    }

    /// Counts what is open and active at the end.
    pub(super) fn finish(&self, counts: &mut TrendCounts<'_>) {
        let Some(last) = &self.0 else { return };
        let as_of = last.snapshot.input.as_of;
        for open in self.open().filter(|open| open.since.is_known()) {
            let lengths = &mut counts.episodes[usize::from(open.rule)].lengths;
            lengths.open(as_of.0 - open.since.as_of.0);
        }
        for (row, user) in last.users.iter().enumerate() {
            let repeats = last.repeated.iter().any(|&repeated| repeated as usize == row);
            let active = active_keys(last.snapshot.users().cells(row)).filter(|_| !repeats);
            let lost = user.iter().flat_map(|user| &user.lost_keys);
            for created in active.chain(lost.map(|&(created, _)| created)) {
                counts.rotation.at_end(created, as_of);
            }
        }
    }
}

impl Last {
    /// The creation time of a user, a time cell.
    fn created(&self, row: usize) -> i64 {
        let user = self.users[row].as_ref();
        user.map_or_else(
            || self.snapshot.users().time(row, TimeColumn::UserCreation),
            |user| user.created,
        )
    }
}

/// The step from the last snapshot of an account to the next.
struct Step<'a> {
    comparer: Comparer<'a>,
    /// None before the first snapshot.
    last: Option<Last>,
    next: &'a Snapshot,
    /// What is known of the users of the next snapshot, by row.
    users: Vec<Option<Box<FollowedUser>>>,
    /// Users who have keys created in the same second, and had none before.
    same_second: Vec<u32>,
}

impl Step<'_> {
    fn user(&mut self, user: Match, counts: &mut TrendCounts<'_>) {
        let before = self.last.as_mut().zip(user.old);
        let before = before.and_then(|(last, row)| last.users[row as usize].take());
        let earlier = before.as_ref().map_or(cell::UNKNOWN, |before| before.created);
        let old = self.last.as_ref().zip(user.old);
        let old = old.map(|(last, row)| dated((&last.snapshot, row), earlier));
        let new = user
            .new
            .map(|row| dated((self.next, row), old.map_or(earlier, |old| old.created)));
        let is_same = old
            .zip(new)
            .is_some_and(|(old, new)| self.comparer.is_unchanged(old, new));
        let after = if is_same {
            before
        } else {
            self.changed((old, new), before.as_deref(), counts)
        };
        if let Some(row) = user.new {
            let is_new = !is_same && are_new_of_same_second(old, new);
            self.same_second.extend(is_new.then_some(row));
            self.users[row as usize] = after;
        }
    }

    /// What is known of a user after a step in which something changed.
    fn changed(
        &self,
        (old, new): (Option<User<'_>>, Option<User<'_>>),
        before: Option<&FollowedUser>,
        counts: &mut TrendCounts<'_>,
    ) -> Option<Box<FollowedUser>> {
        let (open, lost) = before.map_or((&[][..], &[][..]), |before| (&before.open, &before.lost_keys));
        let same = old.zip(new).filter(|&(old, new)| !is_other(old, new));
        let lost_keys = old.map_or_else(Vec::new, |old| {
            let keys = KeySteps {
                as_of: [old.as_of(), self.next.input.as_of],
                now: same.map(|(_, new)| new.cells()),
            };
            keys.follow(old.cells(), lost, counts.rotation)
        });
        let before = old.map(|user| Before { user, open });
        let changes = self.comparer.transition(before, new).findings.into_iter();
        let is_first = self.last.is_none();
        let open = changes.filter_map(|change| counts.take(&change, (is_first, self.next)));
        let open = open.collect();
        let after = FollowedUser {
            created: new?.created,
            open,
            lost_keys,
        };
        let is_dated = new?.cells().time(TimeColumn::UserCreation) == after.created;
        let is_needed = !after.open.is_empty() || !after.lost_keys.is_empty() || !is_dated;
        is_needed.then(|| Box::new(after))
    }
}

/// A user in a snapshot, with an earlier creation time if this snapshot does not say it.
fn dated((snapshot, row): (&Snapshot, u32), earlier: i64) -> User<'_> {
    let created = snapshot.users().time(row as usize, TimeColumn::UserCreation);
    let is_known = known(created).is_some();
    User {
        snapshot,
        row,
        created: if is_known { created } else { earlier },
    }
}

/// Whether a user has keys created in the same second, and had none before.
fn are_new_of_same_second(old: Option<User<'_>>, new: Option<User<'_>>) -> bool {
    let are = |user: User<'_>| {
        let slots = [user.cells().keys(), user.cells().certificates()];
        slots.into_iter().any(are_of_same_second)
    };
    let same = old.zip(new).filter(|&(old, new)| !is_other(old, new));
    new.is_some_and(are) && !same.is_some_and(|(old, _)| are(old))
}

/// The keys of a user from one snapshot to the next.
struct KeySteps<'a> {
    /// As-of of both.
    as_of: [Timestamp; 2],
    /// The cells in the next one; none if the user is gone.
    now: Option<&'a UserCells>,
}

impl KeySteps<'_> {
    /// Counts the active keys that are inactive or gone in the next snapshot; those of which it does not say so.
    fn follow(
        &self,
        before: &UserCells,
        lost: &[(i64, Timestamp)],
        rotation: &mut Rotation,
    ) -> Vec<(i64, Timestamp)> {
        let mut active: Vec<i64> = self.now.into_iter().flat_map(active_keys).collect();
        let seen = active_keys(before).map(|created| (created, self.as_of[0]));
        let mut still_lost = Vec::new();
        for (created, seen) in seen.chain(lost.iter().copied()) {
            if let Some(same) = active.iter().position(|&active| active == created) {
                active.remove(same);
            } else if self.now.is_some_and(|now| may_be_active(now, created)) {
                still_lost.push((created, seen));
            } else {
                rotation.retired(created, seen, self.as_of[1]);
            }
        }
        still_lost
    }
}

/// Creation times of the active access keys, as far as they are known.
pub(super) fn active_keys(cells: &UserCells) -> impl Iterator<Item = i64> + use<> {
    let keys = cells.keys().into_iter().filter_map(SlotContent::key);
    keys.filter(|key| key.active == Flag::True).map(|key| key.created)
}

/// Whether a key that was active may still be, although it is not shown as active.
fn may_be_active(cells: &UserCells, created: i64) -> bool {
    let slots = cells.keys();
    let keys = slots.into_iter().filter_map(SlotContent::key);
    let mut seen = keys.filter(|key| key.created == created).peekable();
    if seen.peek().is_none() {
        return is_unclear(slots);
    }
    seen.any(|key| key.active == Flag::Unknown)
}

//! One report at its own as-of: its users, and what the rules found.

use std::collections::BTreeSet;

use super::users::Users;
use crate::engine::{Hit, Id, Input, Judged, user_key};
use crate::finding::Status;
use crate::report::schema::{Credential, Slot, TimeColumn};
use crate::report::time::Timestamp;

/// A report with its findings. Passes are not kept.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where it was read, and at which instant it was judged.
    pub input: Input,
    /// Its users.
    pub users: Users,
    /// What was found, in (row, rule, slot) order.
    pub found: Vec<Found>,
    /// Rules, by position, that are undetermined for many users at once, since the report lacks columns.
    pub folded: Vec<u16>,
    /// Where the findings of each user end, once the report was read to its end.
    ends: Vec<u32>,
    /// Of what it was joined, if it was.
    joined: Vec<Joined>,
}

/// A snapshot that was joined with others.
#[derive(Clone, Debug)]
struct Joined {
    /// Where its users end.
    end: u32,
    as_of: Timestamp,
    accounts: BTreeSet<Vec<u8>>,
}

/// One finding in little memory: the rest of it is the rule's and the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Index of the user.
    pub row: u32,
    /// Position of the rule in its program.
    pub rule: u16,
    /// Fail, undetermined or suppressed.
    pub status: Status,
    /// The slot of the key or certificate that it is about.
    pub slot: Slot,
}

impl Found {
    /// The finding of a hit on a user, by its index in its block; none where it stands for a whole input.
    pub(super) fn of(hit: &Hit<'_>) -> Option<Self> {
        let row = hit.row()?.index();
        Some(Self {
            row: u32::try_from(row).expect("invariant: a snapshot has fewer than 4 G users"),
            rule: rule(hit),
            status: hit.status,
            slot: match hit.credential() {
                Some(Credential::AccessKey(slot) | Credential::Certificate(slot)) => slot,
                Some(Credential::Password) | None => Slot::One,
            },
        })
    }
}

/// Position of the rule that a hit is of.
pub(super) fn rule(hit: &Hit<'_>) -> u16 {
    u16::try_from(hit.judged().position).expect("invariant: fewer than 65,536 rules")
}

impl Snapshot {
    /// An empty one.
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            users: Users::default(),
            found: Vec::new(),
            folded: Vec::new(),
            ends: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Of these accounts alone, and of rows that tell none.
    #[must_use]
    pub fn of_accounts(self, accounts: &BTreeSet<Vec<u8>>) -> Self {
        let wanted = |&row: &usize| {
            self.users
                .account(row)
                .is_none_or(|account| accounts.contains(account))
        };
        let rows: Vec<usize> = (0..self.users.len()).filter(wanted).collect();
        if rows.len() == self.users.len() {
            return self;
        }
        let index = |row: usize| u32::try_from(row).expect("invariant: a snapshot has fewer than 4 G users");
        let mut some = Self::new(self.input.clone());
        some.users.extend(&self.users, &rows);
        for (row, &before) in rows.iter().enumerate() {
            let found = self.found_of(index(before)).iter();
            some.found.extend(found.map(|&found| Found {
                row: index(row),
                ..found
            }));
        }
        some.folded = self.folded;
        some.complete();
        some
    }

    /// Snapshots of several accounts as one, as of the latest of them; each user keeps the instant of its own.
    /// None where there is none, or where their reports lack different columns.
    pub fn join(snapshots: Vec<Self>) -> Option<Self> {
        let count = snapshots.len();
        let mut snapshots = snapshots.into_iter();
        let mut all = snapshots.next()?;
        let users =
            |snapshot: &Self| u32::try_from(snapshot.users.len()).expect("invariant: fewer than 4 G users");
        let part = |snapshot: &Self| Joined {
            end: users(snapshot),
            as_of: snapshot.input.as_of,
            accounts: snapshot.users.accounts().clone(),
        };
        let mut joined = vec![part(&all)];
        for mut next in snapshots {
            if next.input.lacks() != all.input.lacks() {
                return None;
            }
            let (rows, found) = (users(&all), all.found.len());
            let part = part(&next);
            joined.push(Joined {
                end: rows + part.end,
                ..part
            });
            all.users.append(&mut next.users);
            let moved = |found: Found| Found {
                row: found.row + rows,
                ..found
            };
            all.found.extend(next.found.into_iter().map(moved));
            let found = u32::try_from(found).expect("invariant: fewer than 4 G findings");
            all.ends.extend(next.ends.into_iter().map(|end| end + found));
            all.folded.extend(next.folded);
            all.input.as_of = all.input.as_of.max(next.input.as_of);
        }
        if count > 1 {
            all.input.path = format!("{} and {} more", all.input.path, count - 1);
            all.joined = joined;
        }
        Some(all)
    }

    /// The instant at which a user was judged.
    pub fn as_of(&self, row: u32) -> Timestamp {
        let report = self.joined.partition_point(|joined| joined.end <= row);
        self.joined
            .get(report)
            .map_or(self.input.as_of, |joined| joined.as_of)
    }

    /// The instant at which the users of an account were judged, whether or not one of them is left.
    pub fn as_of_account(&self, account: Option<&[u8]>) -> Timestamp {
        let holds = |joined: &&Joined| account.is_some_and(|account| joined.accounts.contains(account));
        let joined = self.joined.iter().find(holds);
        joined.map_or(self.input.as_of, |joined| joined.as_of)
    }

    /// Notes where the findings of each user lie.
    pub(super) fn complete(&mut self) {
        let mut found = self.found.iter().peekable();
        let mut end = 0;
        self.ends.reserve_exact(self.users.len());
        for row in 0..self.users.len() {
            while found.next_if(|found| found.row as usize == row).is_some() {
                end += 1;
            }
            self.ends.push(end);
        }
    }

    /// What was found about a user.
    pub fn found_of(&self, row: u32) -> &[Found] {
        let row = row as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.found[start as usize..self.ends[row] as usize]
    }

    /// The stable name of one of its findings; the rules are those that judged it.
    pub fn id(&self, rules: &[Judged], found: Found) -> Id {
        let row = found.row as usize;
        let judged = &rules[usize::from(found.rule)];
        let entity = judged.bound.typed.entity;
        let created = |slot| {
            entity
                .existence(slot)
                .map(|(_, created)| self.users.time(row, created))
        };
        let created = created(Slot::One).zip(created(Slot::Two));
        Id::of(
            judged,
            self.user_key(row),
            found.slot,
            created.map(<[i64; 2]>::from),
        )
    }

    fn user_key(&self, row: usize) -> u128 {
        let who = match self.users.arn(row) {
            [] => self.users.name(row),
            arn => arn,
        };
        user_key(who, self.users.time(row, TimeColumn::UserCreation))
    }
}

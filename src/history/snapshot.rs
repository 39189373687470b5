//! One report at its own as-of: its users, and what the rules found.

use std::collections::BTreeSet;

use super::roster::{Roster, index};
use super::users::Users;
use super::verdicts::Found;
use crate::engine::{CompiledRule, Input, finding_id, user_key};
use crate::finding::{FindingId, Status};
use crate::report::schema::{Slot, TimeColumn};
use crate::report::time::Timestamp;

/// A report with its findings. Passes are not kept, nor users who are as they were in the older snapshot that it
/// was held against while it was read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where it was read, and at which instant it was judged.
    pub input: Input,
    /// Rules, by position, that are undetermined for many users at once, since the report lacks columns.
    pub folded: Vec<u16>,
    pub(super) roster: Roster,
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

impl Snapshot {
    /// An empty one.
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            folded: Vec::new(),
            roster: Roster::default(),
            joined: Vec::new(),
        }
    }

    /// The users that are kept.
    pub fn users(&self) -> &Users {
        &self.roster.users
    }

    /// How many users it has, whether or not they are kept.
    pub fn count(&self) -> u64 {
        u64::from(self.roster.count())
    }

    /// What was found about a user: what fails in (rule, slot) order, and then what else.
    pub fn found_of(&self, row: u32) -> impl Iterator<Item = Found> {
        self.roster.verdicts.of(row).all()
    }

    /// Snapshots of several accounts as one, as of the latest of them; each user keeps the instant of its own.
    /// None where there is none, or where their reports lack different columns.
    pub fn join(snapshots: Vec<Self>) -> Option<Self> {
        let count = snapshots.len();
        let mut snapshots = snapshots.into_iter();
        let mut all = snapshots.next()?;
        let part = |snapshot: &Self, end: usize| Joined {
            end: index(end),
            as_of: snapshot.input.as_of,
            accounts: snapshot.users().accounts().clone(),
        };
        let mut joined = vec![part(&all, all.users().len())];
        for mut next in snapshots {
            if next.input.lacks() != all.input.lacks() {
                return None;
            }
            joined.push(part(&next, all.users().len() + next.users().len()));
            all.roster.append(&mut next.roster);
            all.folded.extend(next.folded);
            all.input.as_of = all.input.as_of.max(next.input.as_of);
        }
        if count > 1 {
            all.input.path = format!("{} and {} more", all.input.path, count - 1);
            all.joined = joined;
        }
        Some(all)
    }

    /// What it says of a rule where it says nothing else of it: nothing, or that columns are lacking that the rule needs.
    pub(super) fn folded(&self, rule: u16) -> Option<Status> {
        self.folded.contains(&rule).then_some(Status::Undetermined)
    }

    /// Whether it is of several reports.
    pub(super) fn is_joined(&self) -> bool {
        !self.joined.is_empty()
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

    /// The stable name of a finding about a user; the rules are those that judged it.
    pub fn id(&self, rules: &[CompiledRule], row: u32, found: Found) -> FindingId {
        let row = row as usize;
        let compiled = &rules[usize::from(found.rule)];
        let entity = compiled.bound.typed.entity;
        let created = |slot| {
            entity
                .existence(slot)
                .map(|(_, created)| self.users().time(row, created))
        };
        let created = created(Slot::One).zip(created(Slot::Two));
        finding_id(
            compiled,
            self.user_key(row),
            found.slot,
            created.map(<[i64; 2]>::from),
        )
    }

    fn user_key(&self, row: usize) -> u128 {
        let users = self.users();
        let who = match users.arn(row) {
            [] => users.name(row),
            arn => arn,
        };
        user_key(who, users.time(row, TimeColumn::UserCreation))
    }
}

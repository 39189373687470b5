//! A snapshot: the users of one report at its as-of, with their findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::Cells as _;
use super::roster::{Roster, index};
use super::users::Users;
use super::verdicts::CompactFinding;
use crate::engine::{CompiledRule, Input, finding_id, user_key};
use crate::finding::{FindingId, Status};
use crate::report::schema::{ColumnSet, TimeColumn};
use crate::report::time::Timestamp;

/// A report with its findings. Passes are not stored. Neither are users who are unchanged since the older snapshot, if
/// the report was compared with one while it was read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The input and its as-of.
    pub input: Arc<Input>,
    /// Positions of the rules whose undetermined findings fold into one, because the report lacks columns.
    pub folded: Vec<u16>,
    pub(super) roster: Roster,
    /// The snapshots that were joined into this one; empty if it is of one report.
    joined: Vec<Joined>,
}

/// One of several joined snapshots.
#[derive(Clone, Debug)]
struct Joined {
    /// The row after its last user.
    end: u32,
    input: Arc<Input>,
    accounts: BTreeSet<Vec<u8>>,
}

impl Snapshot {
    /// A snapshot without users.
    pub(super) fn new(input: Arc<Input>) -> Self {
        Self {
            input,
            folded: Vec::new(),
            roster: Roster::default(),
            joined: Vec::new(),
        }
    }

    /// The stored users.
    pub fn users(&self) -> &Users {
        &self.roster.users
    }

    /// The number of users, stored or not.
    pub fn count(&self) -> u64 {
        u64::from(self.roster.count())
    }

    /// The findings of a user: first the failing ones by rule and slot, then the others.
    pub fn found_of(&self, row: u32) -> impl Iterator<Item = CompactFinding> {
        self.roster.verdicts.of(row).all()
    }

    /// Joins snapshots of several accounts. The as-of is the latest one; each user is still compared as of its own report.
    /// None if there are no snapshots, or if their reports lack different columns.
    pub fn join(snapshots: Vec<Self>) -> Option<Self> {
        let count = snapshots.len();
        let mut snapshots = snapshots.into_iter();
        let mut all = snapshots.next()?;
        let part = |snapshot: &Self, end: usize| Joined {
            end: index(end),
            input: Arc::clone(&snapshot.input),
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
            let input = Arc::make_mut(&mut all.input);
            input.as_of = input.as_of.max(next.input.as_of);
        }
        if count > 1 {
            let input = Arc::make_mut(&mut all.input);
            input.path = format!("{} and {} more", input.path, count - 1);
            all.joined = joined;
        }
        Some(all)
    }

    /// The status of a rule for users who have no other: undetermined if the report lacks columns that the rule needs.
    pub(super) fn folded(&self, rule: u16) -> Option<Status> {
        self.folded.contains(&rule).then_some(Status::Undetermined)
    }

    /// Whether it was joined from several reports.
    pub(super) fn is_joined(&self) -> bool {
        !self.joined.is_empty()
    }

    /// The reports, each with the accounts that it has of this snapshot.
    pub fn reports(&self) -> Vec<(&Input, &BTreeSet<Vec<u8>>)> {
        if self.joined.is_empty() {
            return vec![(&self.input, self.users().accounts())];
        }
        let reports = self.joined.iter();
        reports.map(|joined| (&*joined.input, &joined.accounts)).collect()
    }

    /// The report that has this user.
    fn report(&self, row: u32) -> &Input {
        let report = self.joined.partition_point(|joined| joined.end <= row);
        self.joined
            .get(report)
            .map_or(&self.input, |joined| &joined.input)
    }

    /// The as-of of the report that has this user.
    pub fn as_of(&self, row: u32) -> Timestamp {
        self.report(row).as_of
    }

    /// The columns that the report of this user lacks, optional ones too.
    pub(super) fn missing(&self, row: u32) -> ColumnSet {
        self.report(row).header.missing()
    }

    /// The columns that any of its reports lacks, optional ones too.
    pub(super) fn missing_anywhere(&self) -> ColumnSet {
        let joined = self.joined.iter().map(|joined| joined.input.header.missing());
        joined.fold(self.input.header.missing(), ColumnSet::union)
    }

    /// The report of an account, even if none of its users are stored.
    pub fn report_of_account(&self, account: Option<&[u8]>) -> &Input {
        let has_it = |joined: &&Joined| account.is_some_and(|account| joined.accounts.contains(account));
        let joined = self.joined.iter().find(has_it);
        joined.map_or(&self.input, |joined| &joined.input)
    }

    /// The as-of of the report of an account.
    pub fn as_of_account(&self, account: Option<&[u8]>) -> Timestamp {
        self.report_of_account(account).as_of
    }

    /// The id of a finding of a user. `rules` are those the snapshot was evaluated with.
    pub fn id(&self, rules: &[CompiledRule], row: u32, found: CompactFinding) -> FindingId {
        let row = row as usize;
        let compiled = &rules[usize::from(found.rule)];
        let columns = compiled.bound.typed.entity.slot_columns();
        let created =
            columns.map(|columns| columns.last_rotated.map(|column| self.users().time(row, column)));
        finding_id(compiled, self.user_key(row), found.slot, created)
    }

    fn user_key(&self, row: usize) -> u128 {
        let users = self.users();
        let created = users.time(row, TimeColumn::UserCreation);
        user_key(users.name(row), users.arn(row), || users.owner(row), created)
    }
}

//! A snapshot: the users of one report at its as-of, with their findings. Snapshots are collected while reports are evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::users::{RowFate, Users, index};
use super::verdicts::{CompactFinding, Verdicts, rule};
use crate::engine::{Block, CompiledRule, FindingRef, Input, Sink, finding_id, user_key};
use crate::finding::FindingId;
use crate::report::schema::{Column, ColumnSet, TimeColumn};
use crate::report::time::Timestamp;

/// The users of a report with their findings. Passes are not stored.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The input and its as-of.
    pub input: Arc<Input>,
    /// Positions of the rules whose undetermined findings fold into one, because the report lacks columns.
    pub folded: Vec<u16>,
    users: Users,
    verdicts: Verdicts,
    /// The columns that the report lacks, optional ones too.
    missing: ColumnSet,
    /// The snapshots that were joined into this one; empty if it is of one report.
    joined: Vec<Joined>,
}

/// One of several joined snapshots.
#[derive(Clone, Debug)]
struct Joined {
    /// The row after its last user.
    end: u32,
    input: Arc<Input>,
    missing: ColumnSet,
    accounts: BTreeSet<Vec<u8>>,
}

impl Snapshot {
    /// A snapshot without users.
    fn new(input: Arc<Input>) -> Self {
        Self {
            missing: input.header.missing(),
            input,
            folded: Vec::new(),
            users: Users::default(),
            verdicts: Verdicts::default(),
            joined: Vec::new(),
        }
    }

    /// The users.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// The findings of a user: first the failing ones by rule and slot, then the others.
    pub fn found_of(&self, row: u32) -> &[CompactFinding] {
        self.verdicts.of(row)
    }

    pub(super) fn verdicts(&self) -> &Verdicts {
        &self.verdicts
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
            missing: snapshot.missing,
            accounts: snapshot.users().accounts().clone(),
        };
        let mut joined = vec![part(&all, all.users().len())];
        for mut next in snapshots {
            if next.input.lacks() != all.input.lacks() {
                return None;
            }
            joined.push(part(&next, all.users().len() + next.users().len()));
            all.append(&mut next.users, &mut next.verdicts);
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

    /// The users of each account by themselves; those whose account is not known are of the account "".
    pub(super) fn by_account(self) -> BTreeMap<Vec<u8>, Self> {
        let accounts = self.users.accounts().iter().cloned();
        let nameless = self.users.has_rows_without_account.then(Vec::new);
        let mut all: BTreeMap<Vec<u8>, Self> = accounts
            .chain(nameless)
            .map(|account| {
                let mut of_account = Self::new(Arc::clone(&self.input));
                of_account.folded.clone_from(&self.folded);
                (account, of_account)
            })
            .collect();
        if all.len() == 1 {
            return all.into_keys().zip([self]).collect();
        }
        for row in 0..index(self.users.len()) {
            let account = self.users.account_or_name(row as usize).unwrap_or_default();
            let of_account = all.get_mut(account).expect("invariant: it is among the accounts");
            of_account.users.push(&self.users, row);
            of_account.verdicts.push(&self.verdicts, row);
        }
        all
    }

    fn append(&mut self, users: &mut Users, verdicts: &mut Verdicts) {
        self.users.append(users);
        self.verdicts.append(verdicts);
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

    /// Of several reports, the one that has this user.
    fn joined(&self, row: u32) -> Option<&Joined> {
        let report = self.joined.partition_point(|joined| joined.end <= row);
        self.joined.get(report)
    }

    /// The as-of of the report that has this user.
    pub fn as_of(&self, row: u32) -> Timestamp {
        self.joined(row).map_or(&self.input, |joined| &joined.input).as_of
    }

    /// The columns that the report of this user lacks, optional ones too.
    pub(super) fn missing(&self, row: u32) -> ColumnSet {
        self.joined(row).map_or(self.missing, |joined| joined.missing)
    }

    /// The columns that any of its reports lacks, optional ones too.
    pub fn missing_anywhere(&self) -> ColumnSet {
        let joined = self.joined.iter().map(|joined| joined.missing);
        joined.fold(self.missing, ColumnSet::union)
    }

    /// The report of an account, even if it has no users.
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
        let compiled = &rules[usize::from(found.rule)];
        let columns = compiled.bound.typed.entity.slot_columns();
        let time = |column| self.users.time(row as usize, column);
        let created = columns.map(|columns| columns.last_rotated.map(time));
        let user = self.user_key(row, time(TimeColumn::UserCreation));
        finding_id(compiled, user, found.slot, created)
    }

    /// The key of a user in the ids of its findings; `created` is its creation time, a time cell.
    pub(super) fn user_key(&self, row: u32, created: i64) -> u128 {
        let [name, arn, owner] = self.users.who(row as usize);
        user_key(name, arn, || owner, created)
    }
}

/// The engine sink that passes each completely read report to a callback as a snapshot, in the order of inputs. A report that
/// was only partly read is dropped, because its missing users would seem deleted.
pub struct Collector<F> {
    /// The accounts to collect, by index of the input; all accounts if an input has no entry.
    accounts: Vec<Option<BTreeSet<Vec<u8>>>>,
    /// The columns that the reports of earlier runs lack.
    lacking_before: ColumnSet,
    state: Mutex<(F, Option<Snapshot>)>,
}

/// The rows of one block that a worker collects.
#[derive(Default)]
pub struct CollectedBlock {
    input: Option<Arc<Input>>,
    users: Users,
    verdicts: Verdicts,
    folded: Vec<u16>,
    last: bool,
}

impl<F: FnMut(Snapshot) + Send> Collector<F> {
    /// Passes snapshots to `take`.
    pub fn new(take: F) -> Self {
        Self {
            accounts: Vec::new(),
            lacking_before: ColumnSet::default(),
            state: Mutex::new((take, None)),
        }
    }

    /// Collects only these accounts of each input, by its index, and rows without an account.
    #[must_use]
    pub fn of_accounts(self, accounts: Vec<Option<BTreeSet<Vec<u8>>>>) -> Self {
        Self { accounts, ..self }
    }

    /// For reports that are compared with older ones, collected before: the columns that these lack.
    #[must_use]
    pub fn after_lacking(self, lacking_before: ColumnSet) -> Self {
        Self {
            lacking_before,
            ..self
        }
    }
}

impl<F: FnMut(Snapshot) + Send> Sink for Collector<F> {
    type Part = CollectedBlock;

    fn part(&self) -> CollectedBlock {
        CollectedBlock::default()
    }

    fn columns(&self) -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn lacking_before(&self) -> Option<ColumnSet> {
        Some(self.lacking_before)
    }

    fn rows(&self, part: &mut CollectedBlock, block: Block<'_>) {
        part.input = Some(Arc::clone(block.input));
        part.last = block.last;
        let wanted = self.accounts.get(block.input.id.input).and_then(Option::as_ref);
        part.users.take(block, |row, account| {
            let is_wanted = |wanted: &BTreeSet<Vec<u8>>| account.is_empty() || wanted.contains(account);
            match block.is_selected(row) {
                _ if !wanted.is_none_or(is_wanted) => RowFate::Ignored,
                false => RowFate::LeftOut,
                true => RowFate::Stored,
            }
        });
        part.verdicts = Verdicts::of_block(block, &part.users.stored());
    }

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, part: &mut CollectedBlock, finding: &FindingRef<'_>) {
        part.folded.push(rule(finding.rule().position));
    }

    fn accept(&self, part: &mut CollectedBlock) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (take, current) = &mut *state;
        // A part without rows has only the folded findings of an input that failed.
        if let Some(input) = part.input.take() {
            let same = |snapshot: &Snapshot| snapshot.input.id == input.id;
            let snapshot = current.take().filter(same);
            let mut snapshot = snapshot.unwrap_or_else(|| Snapshot::new(input));
            if part.last && snapshot.users.rows == 0 {
                // The only block of a report need not be copied.
                snapshot.users = std::mem::take(&mut part.users);
                snapshot.verdicts = std::mem::take(&mut part.verdicts);
            } else {
                snapshot.append(&mut part.users, &mut part.verdicts);
            }
            snapshot.folded.append(&mut part.folded);
            if part.last {
                snapshot.folded.sort_unstable();
                snapshot.folded.dedup();
                take(snapshot);
            } else {
                *current = Some(snapshot);
            }
        }
        part.folded.clear();
        Ok(())
    }
}

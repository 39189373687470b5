//! A sink that counts all verdicts by account, user, rule, path or owner, emitted or not, beside another sink.
//!
//! Memory grows with the number of accounts, users with a finding, rules, paths or owners, and only if they are asked for.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::finding_ref::FindingRef;
use super::program::Program;
use super::sink::{Block, CredentialVerdicts, Sink, StatusBitmaps};
use crate::finding::{AccountVerdicts, RankBy, RankEntry, Ranking, Severity, Status};
use crate::report::schema::{ColumnSet, TextColumn};
use crate::rule::{Owners, UserToFilter};

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountingKeys {
    /// The ranking that is asked for.
    pub by: Option<RankBy>,
    /// Whether accounts are counted, too, for their ranking or the requirements that they pass.
    pub accounts: bool,
}

impl CountingKeys {
    fn has_accounts(self) -> bool {
        self.accounts || self.by == Some(RankBy::Account)
    }
}

/// Counts what `inner` is given.
#[derive(Debug)]
pub struct Counting<S> {
    inner: S,
    keys: CountingKeys,
    /// By the position of the rule.
    severities: Vec<Severity>,
    owners: Arc<Owners>,
    counted: Mutex<Counted>,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Counted {
    /// By account: its id, else its name, none where the report says neither.
    accounts: BTreeMap<Option<Vec<u8>>, OfAccount>,
    /// By account and user, or by path or owner.
    others: BTreeMap<Key, Counts>,
    /// By the position of the rule.
    rules: Vec<Counts>,
}

/// A user of an account, a path, or an owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    account: Option<Vec<u8>>,
    text: Option<Vec<u8>>,
}

/// The verdicts on some users.
#[derive(Clone, Debug, Default)]
struct Counts {
    users: u64,
    failing_users: u64,
    /// By severity.
    failed: [u64; Severity::ALL.len()],
    undetermined: u64,
    suppressed: u64,
    passed: u64,
    due: u64,
    account_name: Option<String>,
}

#[derive(Debug, Default)]
struct OfAccount {
    counts: Counts,
    has_root: bool,
    /// By the position of the rule, which verdicts there are: bits of [`FAILS`] and [`UNDETERMINED`].
    rules: Vec<u8>,
}

impl OfAccount {
    /// Notes which verdicts there are on these rows.
    fn note(&mut self, verdicts: &[[u64; Status::ALL.len()]], rules: &[usize], mask: u64) {
        for (verdict, &rule) in verdicts.iter().zip(rules) {
            for (status, bit) in [(Status::Fail, FAILS), (Status::Undetermined, UNDETERMINED)] {
                if verdict[status as usize] & mask != 0 {
                    self.rules[rule] |= bit;
                }
            }
        }
    }
}

const FAILS: u8 = 1;
const UNDETERMINED: u8 = 2;

impl Counted {
    /// How many accounts have users that were evaluated. Rows without an account count as one.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// The verdicts on each account.
    pub fn by_account(&self) -> Vec<AccountVerdicts> {
        let verdicts = self.accounts.values().map(|of_account| {
            let have = |bit: u8| of_account.rules.iter().map(|bits| bits & bit != 0).collect();
            AccountVerdicts {
                has_root: of_account.has_root,
                fails: have(FAILS),
                undetermined: have(UNDETERMINED),
            }
        });
        verdicts.collect()
    }

    /// The ranking of these, the worst first.
    pub fn ranking(&self, by: RankBy, program: &Program) -> Ranking {
        let mut entries: Vec<RankEntry> = match by {
            RankBy::Account => self.account_entries(),
            RankBy::Rule => {
                let rules = program.rules().zip(&self.rules).map(|(bound, counts)| RankEntry {
                    rule: Some(bound.rule.id.clone()),
                    severity: Some(bound.severity),
                    parameters: Some(bound.parameters.clone()),
                    ..counts.entry()
                });
                rules.collect()
            }
            RankBy::User | RankBy::Path | RankBy::Owner => {
                let entries = self.others.iter().map(|(key, counts)| {
                    let text = key.text.as_deref().map(text_of);
                    let of = |kind: RankBy| text.clone().filter(|_| by == kind);
                    let [user, path, owner] = [RankBy::User, RankBy::Path, RankBy::Owner].map(of);
                    let (account, account_name) = id_and_name(key.account.as_deref(), counts);
                    RankEntry {
                        account,
                        account_name,
                        user,
                        path,
                        owner,
                        ..counts.entry()
                    }
                });
                entries.collect()
            }
        };
        RankEntry::sort(&mut entries);
        Ranking { by, entries }
    }

    fn account_entries(&self) -> Vec<RankEntry> {
        let entries = self.accounts.iter().map(|(account, OfAccount { counts, .. })| {
            let (account, account_name) = id_and_name(account.as_deref(), counts);
            RankEntry {
                account,
                account_name,
                ..counts.entry()
            }
        });
        entries.collect()
    }

    fn append(&mut self, other: &mut Self) {
        for (account, other) in std::mem::take(&mut other.accounts) {
            let known = self.accounts.entry(account).or_default();
            known.counts.append(other.counts);
            known.has_root |= other.has_root;
            known.rules.resize(other.rules.len(), 0);
            for (bits, other) in known.rules.iter_mut().zip(other.rules) {
                *bits |= other;
            }
        }
        for (key, counts) in std::mem::take(&mut other.others) {
            self.others.entry(key).or_default().append(counts);
        }
        let rules = self.rules.len().max(other.rules.len());
        self.rules.resize(rules, Counts::default());
        for (counts, other) in self.rules.iter_mut().zip(other.rules.drain(..)) {
            counts.append(other);
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An account is known by its id, or only by the name in a column.
fn id_and_name(account: Option<&[u8]>, counts: &Counts) -> (Option<String>, Option<String>) {
    let is_id = account.is_some_and(|account| account.iter().all(u8::is_ascii_digit));
    let text = account.map(text_of);
    match counts.account_name.clone() {
        Some(name) if is_id => (text, Some(name)),
        _ if is_id => (text, None),
        name => (None, text.or(name)),
    }
}

impl Counts {
    fn append(&mut self, other: Self) {
        self.users += other.users;
        self.failing_users += other.failing_users;
        for (count, other) in self.failed.iter_mut().zip(other.failed) {
            *count += other;
        }
        self.undetermined += other.undetermined;
        self.suppressed += other.suppressed;
        self.passed += other.passed;
        self.due += other.due;
        if self.account_name.is_none() {
            self.account_name = other.account_name;
        }
    }

    /// Adds the verdicts of one rule instance on 64 rows.
    fn add(&mut self, severity: Severity, verdicts: &[u64; Status::ALL.len()], mask: u64) {
        let count = |status: Status| u64::from((verdicts[status as usize] & mask).count_ones());
        self.failed[severity as usize] += count(Status::Fail);
        self.undetermined += count(Status::Undetermined);
        self.suppressed += count(Status::Suppressed);
        self.passed += count(Status::Pass);
        self.due += count(Status::Due);
    }

    fn add_users(&mut self, users: u64, failing: u64) {
        self.users += u64::from(users.count_ones());
        self.failing_users += u64::from(failing.count_ones());
    }

    fn entry(&self) -> RankEntry {
        let of = |severity: Severity| self.failed[severity as usize];
        RankEntry {
            users: self.users,
            failing_users: self.failing_users,
            failed: self.failed.iter().sum(),
            critical: of(Severity::Critical),
            high: of(Severity::High),
            medium: of(Severity::Medium),
            low: of(Severity::Low),
            informational: of(Severity::Informational),
            undetermined: self.undetermined,
            suppressed: self.suppressed,
            passed: self.passed,
            due: (self.due > 0).then_some(self.due),
            ..RankEntry::default()
        }
    }
}

/// Words of 64 rows that have some of these, with the rows that are evaluated.
fn masks(rows: Range<usize>, selected: &[u64]) -> impl Iterator<Item = (usize, u64)> {
    let words = rows.start / 64..rows.end.div_ceil(64);
    let masks = words.map(move |word| {
        let from = rows.start.saturating_sub(word * 64);
        let to = (rows.end - word * 64).min(64);
        let below = |bit: usize| if bit == 64 { u64::MAX } else { (1 << bit) - 1 };
        (word, selected[word] & below(to) & !below(from))
    });
    masks.filter(|&(_, mask)| mask != 0)
}

fn failing(verdicts: &[[u64; Status::ALL.len()]], mask: u64) -> u64 {
    let all = verdicts
        .iter()
        .fold(0, |bits, verdict| bits | verdict[Status::Fail as usize]);
    all & mask
}

impl<S> Counting<S> {
    /// Counts the verdicts of the program by these keys.
    pub fn new(inner: S, keys: CountingKeys, program: &Program) -> Self {
        Self {
            inner,
            keys,
            severities: program.rules().map(|bound| bound.severity).collect(),
            owners: Arc::clone(&program.owners),
            counted: Mutex::default(),
        }
    }

    /// The other sink, and the counts.
    pub fn finish(self) -> (S, Counted) {
        let counted = self.counted.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.inner, counted)
    }

    fn count(&self, counted: &mut Counted, block: &Block<'_>) {
        let verdicts = block.verdicts;
        let rules: Vec<usize> = verdicts.instances().map(|(rule, _)| rule).collect();
        if self.keys.by == Some(RankBy::Rule) {
            counted.rules.resize(self.severities.len(), Counts::default());
            for (word, mask) in masks(0..block.chunk.rows.len(), block.selected) {
                self.count_rules(&mut counted.rules, (verdicts.word(word), &rules), mask);
            }
        }
        for (rows, account) in block.chunk.account_runs(&block.input.header) {
            let Some((word, mask)) = masks(rows.clone(), block.selected).next() else {
                continue;
            };
            let first = word * 64 + mask.trailing_zeros() as usize;
            let run = AccountRun {
                block,
                rules: &rules,
                name: account_name(block, first),
                account,
                rows,
            };
            if self.keys.has_accounts() {
                self.count_account(&mut counted.accounts, verdicts, &run);
            }
            if let Some(by @ (RankBy::User | RankBy::Path | RankBy::Owner)) = self.keys.by {
                self.count_rows(by, &mut counted.others, &run);
            }
        }
    }

    /// Counts the verdicts on the service-specific credentials of a block's users, whom [`Self::count`] has counted.
    fn count_service_credentials(
        &self,
        counted: &mut Counted,
        block: &Block<'_>,
        of: &CredentialVerdicts<'_>,
    ) {
        let rules: Vec<usize> = of.verdicts.instances().map(|(rule, _)| rule).collect();
        // The user whose failing credential was counted last, of any rule and of each.
        let mut failing_user = None;
        let mut failing_user_of = vec![None; self.severities.len()];
        for (index, &owner) in of.owners.iter().enumerate() {
            let (row, bit) = (owner as usize, 1 << (index % 64));
            let verdicts = of.verdicts.word(index / 64);
            let is_new = failing(verdicts, bit) != 0
                && failing(block.verdicts.word(row / 64), 1 << (row % 64)) == 0
                && failing_user.replace(row) != Some(row);
            let run = AccountRun {
                block,
                rules: &rules,
                name: account_name(block, row),
                account: block.chunk.account(&block.input.header, row),
                rows: row..row + 1,
            };
            let add = |counts: &mut Counts| {
                counts.failing_users += u64::from(is_new);
                for (verdict, &rule) in verdicts.iter().zip(&rules) {
                    counts.add(self.severities[rule], verdict, bit);
                }
            };
            if self.keys.has_accounts() {
                let account = run.account.map(<[u8]>::to_vec);
                let of_account = counted.accounts.entry(account).or_default();
                of_account.rules.resize(self.severities.len(), 0);
                add(&mut of_account.counts);
                of_account.note(verdicts, &rules, bit);
            }
            match self.keys.by {
                Some(by @ (RankBy::User | RankBy::Path | RankBy::Owner)) => {
                    add(counted.others.entry(run.key(by, row, &self.owners)).or_default());
                }
                Some(RankBy::Rule) => {
                    for (verdict, &rule) in verdicts.iter().zip(&rules) {
                        let counts = &mut counted.rules[rule];
                        counts.add(self.severities[rule], verdict, bit);
                        let fails = verdict[Status::Fail as usize] & bit != 0;
                        let is_new = fails && failing_user_of[rule].replace(row) != Some(row);
                        counts.failing_users += u64::from(is_new);
                    }
                }
                Some(RankBy::Account) | None => {}
            }
        }
    }

    fn count_rules(
        &self,
        counts: &mut [Counts],
        (verdicts, rules): (&[[u64; Status::ALL.len()]], &[usize]),
        mask: u64,
    ) {
        for (verdict, &rule) in verdicts.iter().zip(rules) {
            counts[rule].add(self.severities[rule], verdict, mask);
        }
        // The instances of a rule, one for each slot, follow one another.
        let mut start = 0;
        for of_rule in rules.chunk_by(|one, other| one == other) {
            let end = start + of_rule.len();
            counts[of_rule[0]].add_users(mask, failing(&verdicts[start..end], mask));
            start = end;
        }
    }

    fn count_account(
        &self,
        accounts: &mut BTreeMap<Option<Vec<u8>>, OfAccount>,
        verdicts: StatusBitmaps<'_>,
        run: &AccountRun<'_>,
    ) {
        let of_account = accounts.entry(run.account.map(<[u8]>::to_vec)).or_default();
        of_account.rules.resize(self.severities.len(), 0);
        if of_account.counts.account_name.is_none() {
            of_account.counts.account_name.clone_from(&run.name);
        }
        let root = run.block.chunk.root();
        for (word, mask) in masks(run.rows.clone(), run.block.selected) {
            let of_word = verdicts.word(word);
            let counts = &mut of_account.counts;
            counts.add_users(mask, failing(of_word, mask));
            for (verdict, &rule) in of_word.iter().zip(run.rules) {
                counts.add(self.severities[rule], verdict, mask);
            }
            of_account.note(of_word, run.rules, mask);
            let is_root = |row: usize| mask >> (row % 64) & 1 == 1 && root[row];
            of_account.has_root |= (word * 64..root.len().min(word * 64 + 64)).any(is_root);
        }
    }

    /// Counts row by row. Users of whom nothing was found or is due are left out.
    fn count_rows(&self, by: RankBy, counts: &mut BTreeMap<Key, Counts>, run: &AccountRun<'_>) {
        let Block {
            selected, verdicts, ..
        } = run.block;
        for (word, mask) in masks(run.rows.clone(), selected) {
            let of_word = verdicts.word(word);
            let found = of_word.iter().fold(0, |bits, verdict| {
                let of = |status: Status| verdict[status as usize];
                bits | of(Status::Fail) | of(Status::Undetermined) | of(Status::Suppressed) | of(Status::Due)
            });
            let mut rest = if by == RankBy::User { mask & found } else { mask };
            while rest != 0 {
                let bit = rest & rest.wrapping_neg();
                rest ^= bit;
                let row = word * 64 + bit.trailing_zeros() as usize;
                let key = run.key(by, row, &self.owners);
                let counts = counts.entry(key).or_default();
                if by == RankBy::User && counts.account_name.is_none() {
                    counts.account_name.clone_from(&run.name);
                }
                counts.add_users(bit, failing(of_word, bit));
                for (verdict, &rule) in of_word.iter().zip(run.rules) {
                    counts.add(self.severities[rule], verdict, bit);
                }
            }
        }
    }
}

/// Rows of a block that follow one another and are of one account.
struct AccountRun<'a> {
    block: &'a Block<'a>,
    /// The rule of each instance.
    rules: &'a [usize],
    account: Option<&'a [u8]>,
    name: Option<String>,
    rows: Range<usize>,
}

impl AccountRun<'_> {
    /// The user, the path or the owner of a row.
    fn key(&self, by: RankBy, row: usize, owners: &Owners) -> Key {
        let Block { chunk, input, .. } = self.block;
        if by == RankBy::User {
            // A user without a name is known by its ARN.
            let known = |column| {
                let text = chunk.text(&input.header, row, column);
                text.filter(|text| !text.is_empty())
            };
            let who = known(TextColumn::User).or_else(|| known(TextColumn::Arn));
            return Key {
                account: self.account.map(<[u8]>::to_vec),
                text: who.map(<[u8]>::to_vec),
            };
        }
        let text = if by == RankBy::Owner {
            self.owner(row, owners).map(str::as_bytes)
        } else {
            chunk.path(&input.header, row)
        };
        Key {
            account: None,
            text: text.map(<[u8]>::to_vec),
        }
    }

    /// Who owns the user of a row, if that is known.
    fn owner<'o>(&'o self, row: usize, owners: &'o Owners) -> Option<&'o str> {
        let Block { chunk, input, .. } = self.block;
        let name = chunk.text(&input.header, row, TextColumn::User);
        let name = name.filter(|name| !name.is_empty());
        let details = input.account.details.as_ref();
        let user = UserToFilter {
            user: name,
            path: chunk.path(&input.header, row),
            account: self.account,
            account_name: self.name.as_deref().map(str::as_bytes),
        };
        owners.owner_of(&user, name.and_then(|name| details?.user(self.account, name)))
    }
}

/// The name of a row's account, from its input or from a column.
fn account_name(block: &Block<'_>, row: usize) -> Option<String> {
    let of_input = block.input.account.name.clone();
    of_input.or_else(|| Some(text_of(block.chunk.account_name(&block.input.header, row)?)))
}

impl<S: Sink> Sink for Counting<S> {
    type Part = (S::Part, Counted);

    fn part(&self) -> Self::Part {
        (self.inner.part(), Counted::default())
    }

    fn columns(&self) -> ColumnSet {
        self.inner.columns()
    }

    fn lacking_before(&self) -> Option<ColumnSet> {
        self.inner.lacking_before()
    }

    fn sees_left_out(&self) -> bool {
        self.inner.sees_left_out()
    }

    fn counts_verdicts(&self) -> bool {
        self.keys != CountingKeys::default()
    }

    fn rows(&self, (inner, counted): &mut Self::Part, block: Block<'_>) {
        if self.counts_verdicts() {
            self.count(counted, &block);
            if let Some(credentials) = block.credentials {
                self.count_service_credentials(counted, &block, credentials);
            }
        }
        self.inner.rows(inner, block);
    }

    fn shows_lines(&self) -> bool {
        self.inner.shows_lines()
    }

    fn takes_findings(&self) -> bool {
        self.inner.takes_findings()
    }

    fn finding(&self, (inner, _): &mut Self::Part, finding: &FindingRef<'_>) {
        self.inner.finding(inner, finding);
    }

    fn accept(&self, (inner, counted): &mut Self::Part) -> io::Result<()> {
        if self.counts_verdicts() {
            let mut all = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            all.append(counted);
        }
        self.inner.accept(inner)
    }
}

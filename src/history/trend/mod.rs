//! Follows findings and figures over many snapshots, taken in the order of their as-of. Of each account only the last snapshot
//! is stored.

mod document;
mod episodes;
mod figures;
mod follow;
mod rounds;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use document::{AccountGap, OldFinding, Point, Rotation, RuleTrend, TrendDocument};

use self::episodes::{Episodes, TrendCounts};
use self::figures::{Figures, days};
use self::follow::{Followed, UnusualRows};
use self::rounds::Rounds;
use super::account::{AccountNames, id_of};
use super::notes::{self, Note, StaleAccount, stale_note};
use super::snapshot::Snapshot;
use crate::engine::{CompiledRule, Input, Program};
use crate::finding::{Code, Diagnostic};
use crate::report::schema::{ColumnSet, TextColumn, TimeColumn};
use crate::report::time::Timestamp;

/// Settings of a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrendOptions {
    /// One point per account, instead of one for all accounts.
    pub by_account: bool,
    /// Days within which a key should be replaced.
    pub rotation_days: i64,
    /// How many of the oldest open findings are listed.
    pub oldest: usize,
}

impl Default for TrendOptions {
    fn default() -> Self {
        Self {
            by_account: false,
            rotation_days: 90,
            oldest: 20,
        }
    }
}

/// Follows snapshots of reports that were evaluated with one program, in the order of their as-of.
#[derive(Debug)]
pub struct Trend<'a> {
    rules: &'a [CompiledRule],
    options: TrendOptions,
    accounts: BTreeMap<Vec<u8>, Followed>,
    /// As the last reports say.
    account_names: AccountNames,
    /// One per rule.
    episodes: Vec<Episodes>,
    rotation: Rotation,
    /// Of the point that further snapshots may belong to, the figures of the last report of each account.
    current: Option<BTreeMap<Vec<u8>, Figures>>,
    points: Vec<Point>,
    rounds: Rounds,
    /// Which of the columns that identify users the first snapshot lacked.
    identity: Option<[bool; 3]>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Trend<'a> {
    /// For snapshots of reports evaluated with this program; failing, undetermined and suppressed findings must be emitted.
    pub fn new(program: &'a Program, options: TrendOptions) -> Self {
        let rules = program.compiled_rules();
        Self {
            rules,
            options,
            accounts: BTreeMap::new(),
            account_names: AccountNames::default(),
            episodes: vec![Episodes::default(); rules.len()],
            rotation: Rotation {
                max_age: options.rotation_days,
                ..Rotation::default()
            },
            current: None,
            points: Vec::new(),
            rounds: Rounds::default(),
            identity: None,
            diagnostics: Vec::new(),
        }
    }

    /// Takes the next snapshot.
    pub fn add(&mut self, snapshot: Snapshot) {
        let input = &*Arc::clone(&snapshot.input);
        let names = snapshot.users().account_names();
        self.account_names.append(&mut names.clone());
        if snapshot.users().rows == 0 {
            let message = "this report has no users, so its account is unknown; it is skipped";
            return self.note(input, Code::Unreadable, message);
        }
        self.diagnostics.extend(notes::undated(input));
        let comparable = self.is_comparable(input);
        let accounts = self.accounts_of(snapshot);
        let names = accounts.keys().map(|account| &**account);
        if self.rounds.make_room(names, input.as_of) {
            self.flush();
        }
        let mut all_unusual = UnusualRows::default();
        for (account, snapshot) in accounts {
            if self.options.by_account {
                self.flush();
            }
            let (figures, mut unusual) = self.follow(&account, snapshot, comparable);
            all_unusual.repeated.append(&mut unusual.repeated);
            all_unusual.same_second.append(&mut unusual.same_second);
            self.add_figures(&account, figures);
            self.rounds.add(&account, input.as_of);
        }
        self.note_rows(input, &all_unusual.repeated, notes::duplicates);
        self.note_rows(input, &all_unusual.same_second, notes::same_second);
    }

    /// The accounts of a report that no other report with the same as-of had.
    fn accounts_of(&mut self, snapshot: Snapshot) -> BTreeMap<Vec<u8>, Snapshot> {
        let input = Arc::clone(&snapshot.input);
        let mut accounts = snapshot.by_account();
        // An account of which filters leave out all users counts only once it had one that they admit.
        accounts
            .retain(|account, snapshot| !snapshot.users().is_empty() || self.accounts.contains_key(account));
        let all = accounts.len();
        let is_newer = |last: Option<Timestamp>| last.is_none_or(|last| last < input.as_of);
        accounts.retain(|account, _| is_newer(self.rounds.last_of(account)));
        let again = all - accounts.len();
        self.diagnostics.extend(notes::read_before(&input, again));
        accounts
    }

    /// Compares an account with its last snapshot. The result is its figures, and unusual rows, by their number in the report.
    fn follow(&mut self, account: &[u8], snapshot: Snapshot, comparable: bool) -> (Figures, UnusualRows) {
        let followed = self.accounts.entry(account.to_owned()).or_default();
        let rules = self.rules.len();
        if !comparable {
            let unusual = UnusualRows::of(&snapshot);
            return (
                Figures::of(&snapshot, &unusual.repeated, rules),
                unusual.numbered(&snapshot),
            );
        }
        let mut counts = TrendCounts::new(self.rules, &mut self.episodes, &mut self.rotation);
        let unusual = followed.next(snapshot, &mut counts);
        let [opened, unveiled, resolved] = [counts.opened, counts.unveiled, counts.resolved];
        let snapshot = followed.snapshot().expect("invariant: it was just taken");
        let mut figures = Figures::of(snapshot, &unusual.repeated, rules);
        [figures.opened, figures.unveiled, figures.resolved] = [opened, unveiled, resolved];
        (figures, unusual.numbered(snapshot))
    }

    fn add_figures(&mut self, account: &[u8], mut figures: Figures) {
        let point = self.current.get_or_insert_default();
        if let Some(earlier) = point.get(account) {
            figures.add_moves(earlier);
        }
        point.insert(account.to_owned(), figures);
    }

    /// Adds a diagnostic about these rows, if there are any.
    fn note_rows(&mut self, input: &Input, numbers: &[u32], note: Note) {
        let first = numbers.iter().min();
        let note = first.map(|&first| note(input, u64::from(first) + 1, numbers.len()));
        self.diagnostics.extend(note);
    }

    /// The trend of all snapshots so far.
    pub fn finish(mut self) -> TrendDocument {
        self.flush();
        self.rounds.end();
        let stale = rounds::stale(&self.rounds);
        let oldest = self.oldest(&stale);
        let mut counts = TrendCounts::new(self.rules, &mut self.episodes, &mut self.rotation);
        for followed in self.accounts.values() {
            followed.finish(&mut counts);
        }
        let gaps = rounds::gaps(&self.rounds, &stale, &self.account_names);
        self.diagnostics.extend(gaps);
        let stale_accounts = self.stale_accounts(&stale);
        self.diagnostics.extend(stale_note(&stale_accounts));
        TrendDocument {
            schema: TrendDocument::SCHEMA.to_owned(),
            rules: self.rule_trends(&stale),
            gaps: self.account_gaps(&stale),
            snapshots: self.points,
            oldest,
            rotation: self.rotation,
            stale_accounts,
            diagnostics: self.diagnostics,
        }
    }

    /// Whether users and findings are identified by the same columns as in the first report.
    fn is_comparable(&mut self, input: &Input) -> bool {
        let lacks = input.lacks();
        let identity = [
            lacks.contains(TextColumn::Arn),
            lacks.contains(TextColumn::User),
            lacks.contains(TimeColumn::UserCreation),
        ];
        let comparable = *self.identity.get_or_insert(identity) == identity;
        if !comparable {
            let message = "this report and the first one do not both have the columns user, arn and user_creation_time, \
                           so its findings cannot be followed; it is counted on its own";
            self.note(input, Code::LostColumn, message);
        }
        comparable
    }

    fn note(&mut self, input: &Input, code: Code, message: &str) {
        self.diagnostics.push(notes::note(input, code, message));
    }

    fn flush(&mut self) {
        let Some(accounts) = self.current.take() else {
            return;
        };
        let mut figures = Figures::new(self.rules.len(), ColumnSet::default());
        for account in accounts.values() {
            figures.add(account);
        }
        let is_one = self.options.by_account || accounts.len() == 1;
        let only = accounts.keys().next().filter(|_| is_one);
        let only = only.filter(|account| !account.is_empty());
        let point = Point {
            accounts: accounts.len() as u64,
            account: only.and_then(|account| id_of(account)).map(text),
            account_name: only.and_then(|account| Some(self.account_names.get(account)?.to_owned())),
            ..figures.finish(self.rules)
        };
        self.points.push(point);
    }
}

/// The accounts without a newer report, with the as-of of their last one.
type Stale = BTreeMap<Vec<u8>, Timestamp>;

impl Trend<'_> {
    /// The findings open for longest, without those of accounts that have no newer report.
    fn oldest(&self, stale: &Stale) -> Vec<OldFinding> {
        let accounts = self
            .accounts
            .iter()
            .filter(|(account, _)| !stale.contains_key(*account));
        let open = accounts.flat_map(|(account, followed)| {
            let open = followed.identified(self.rules);
            open.map(move |(open, id, user)| (account, followed, user, open, id))
        });
        let mut open: Vec<_> = open.collect();
        let severity = |rule: u16| self.rules[usize::from(rule)].bound.severity;
        open.sort_unstable_by_key(|(.., open, id)| (open.since.as_of, Reverse(severity(open.rule)), id.0));
        let oldest = open.into_iter().take(self.options.oldest);
        let known = |name: &[u8]| (!name.is_empty()).then(|| text(name));
        let oldest = oldest.map(|(account, followed, [name, arn], open, id)| OldFinding {
            id: id.to_string(),
            rule: self.rules[usize::from(open.rule)].bound.rule.id.clone(),
            severity: severity(open.rule),
            account: id_of(account).map(text),
            account_name: self.account_names.get(account).map(str::to_owned),
            user: known(name),
            arn: known(arn),
            since: open.since.as_of.to_string(),
            at_start: open.since.at_start,
            unveiled: open.since.unveiled,
            days: days(
                followed
                    .snapshot()
                    .map_or(0, |last| last.input.as_of.0 - open.since.as_of.0),
            ),
        });
        oldest.collect()
    }

    /// The counts of each rule that has or had a failing finding, the most severe first, then by id.
    fn rule_trends(&self, stale: &Stale) -> Vec<RuleTrend> {
        let mut open = vec![[0; 2]; self.rules.len()];
        for (account, followed) in &self.accounts {
            let is_stale = usize::from(stale.contains_key(account));
            for finding in followed.open() {
                open[usize::from(finding.rule)][is_stale] += 1;
            }
        }
        let all = self.rules.iter().zip(&self.episodes).zip(open);
        let mut rules: Vec<RuleTrend> = all
            .filter(|((_, episodes), _)| episodes.at_start + episodes.opened + episodes.unveiled > 0)
            .map(|((compiled, episodes), [open, of_stale_accounts])| RuleTrend {
                rule: compiled.bound.rule.id.clone(),
                parameters: compiled.bound.parameters.clone(),
                severity: compiled.bound.severity,
                at_start: episodes.at_start,
                opened: episodes.opened,
                unveiled: episodes.unveiled,
                resolved: episodes.resolved,
                open,
                of_stale_accounts,
                median_days_to_resolve: episodes.lengths.days_until(0.5),
                p90_days_to_resolve: episodes.lengths.days_until(0.9),
            })
            .collect();
        rules.sort_by(|one, other| {
            let by_severity = other.severity.cmp(&one.severity);
            by_severity.then_with(|| one.rule.cmp(&other.rule))
        });
        rules
    }

    /// The accounts without a newer report, in order, each with the findings that were open in its last one.
    fn stale_accounts(&self, stale: &Stale) -> Vec<StaleAccount> {
        let open = |account: &Vec<u8>| {
            let followed = self.accounts.get(account);
            followed.map_or(0, |followed| followed.open().count() as u64)
        };
        let stale = stale.iter().map(|(account, &last)| {
            let name = self.account_names.get(account);
            StaleAccount::new(account, name, last, open(account))
        });
        stale.collect()
    }

    /// The snapshots from which accounts are missing that earlier ones have, in the order of their beginning.
    fn account_gaps(&self, stale: &Stale) -> Vec<AccountGap> {
        let gaps = self
            .rounds
            .gaps(stale)
            .into_iter()
            .map(|(account, gap)| AccountGap {
                account: id_of(account).map(text),
                account_name: self.account_names.get(account).map(str::to_owned),
                after: gap.after.to_string(),
                first: gap.first.to_string(),
                last: gap.last.to_string(),
                snapshots: gap.rounds,
            });
        gaps.collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

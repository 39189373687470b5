//! Follows findings and figures over many snapshots, taken in the order of their as-of. Only open findings and active keys
//! are stored, not the snapshots.

mod digest;
mod document;
mod episodes;
mod figures;
mod follow;
mod gaps;
mod rotation;
mod rounds;
mod row;
mod summary;
mod survival;
mod user;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

pub use digest::Digest;
pub use document::{AccountGap, OldFinding, Point, Rotation, RuleTrend, TrendDocument};

use self::digest::{AccountGroup, RowRef};
use self::episodes::Episodes;
use self::figures::Figures;
use self::follow::{Followed, UnusualRows, take_duplicates};
use self::rounds::Rounds;
use self::user::{Step, TrendCounts};
use super::account_names::AccountNames;
use super::notes::{self, Note};
use super::owners::id_of;
use super::stale::stale_note;
use crate::engine::{Block, CompiledRule, FindingRef, Input, Program, Sink};
use crate::finding::{Code, Diagnostic};
use crate::report::schema::{Column, ColumnSet, TextColumn, TimeColumn};
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

/// The engine sink that follows reports in the order of their as-of. A report that was only partly read is dropped, because
/// its missing users would seem deleted.
#[derive(Debug)]
pub struct Trend<'a> {
    rules: &'a [CompiledRule],
    state: Mutex<TrendState<'a>>,
}

#[derive(Debug)]
struct TrendState<'a> {
    rules: &'a [CompiledRule],
    options: TrendOptions,
    /// The blocks of the current report.
    report: Vec<Digest>,
    /// Empty digests to reuse.
    spare: Vec<Digest>,
    accounts: BTreeMap<Vec<u8>, Followed>,
    /// As the last reports say.
    account_names: AccountNames,
    /// One per rule.
    episodes: Vec<Episodes>,
    rotation: Rotation,
    /// The point that further snapshots may belong to.
    current: Option<OpenPoint>,
    points: Vec<Point>,
    rounds: Rounds,
    /// Which of the columns that identify users the first snapshot lacked.
    identity: Option<[bool; 3]>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default)]
struct OpenPoint {
    /// Of each account those of its last report.
    figures: BTreeMap<Vec<u8>, Figures>,
}

/// The accounts of a report, each with its users in each block.
type AccountBlocks<'a> = BTreeMap<&'a [u8], Vec<(&'a Digest, &'a AccountGroup)>>;

impl<'a> Trend<'a> {
    /// For reports evaluated with this program; failing and undetermined findings must be emitted.
    pub fn new(program: &'a Program, options: TrendOptions) -> Self {
        let rules = program.compiled_rules();
        let state = TrendState {
            rules,
            options,
            report: Vec::new(),
            spare: Vec::new(),
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
        };
        Self {
            rules,
            state: Mutex::new(state),
        }
    }

    /// The trend of all reports so far.
    pub fn finish(self) -> TrendDocument {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).finish()
    }
}

impl Sink for Trend<'_> {
    type Part = Digest;

    fn part(&self) -> Digest {
        Digest::default()
    }

    fn columns(&self) -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn lacking_before(&self) -> Option<ColumnSet> {
        Some(ColumnSet::default())
    }

    fn rows(&self, part: &mut Digest, block: Block<'_>) {
        part.take(block, self.rules.len());
    }

    fn finding(&self, part: &mut Digest, finding: &FindingRef<'_>) {
        part.finding(finding);
    }

    fn accept(&self, part: &mut Digest) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A part without rows has only the folded findings of an input that failed.
        match part.input.take() {
            Some(input) => state.block(input, part),
            None => part.clear(),
        }
        Ok(())
    }
}

impl TrendState<'_> {
    /// Takes a block of this input and leaves an empty digest.
    fn block(&mut self, input: Arc<Input>, part: &mut Digest) {
        let last = part.last;
        let (id, mut report) = (input.id, std::mem::take(&mut self.report));
        let of_other = |digest: &Digest| digest.input.as_ref().is_some_and(|input| input.id != id);
        if report.first().is_some_and(of_other) {
            self.spare.append(&mut report);
        }
        part.input = Some(input);
        let mut empty = self.spare.pop().unwrap_or_default();
        empty.clear();
        part.before = report
            .last()
            .map_or(0, |digest| digest.before + digest.rows.len() as u64);
        report.push(std::mem::replace(part, empty));
        if last {
            self.report(&mut report);
            self.spare.append(&mut report);
        }
        self.report = report;
    }

    /// Takes a complete report.
    fn report(&mut self, report: &mut [Digest]) {
        for digest in &mut *report {
            self.account_names.append(&mut digest.account_names);
        }
        let report = &*report;
        let Some(input) = report.first().and_then(|digest| digest.input.as_ref()) else {
            return;
        };
        if report.iter().all(|digest| digest.rows.is_empty()) {
            let message = "this report has no users, so its account is unknown; it is skipped";
            return self.note(input, Code::Unreadable, message);
        }
        self.diagnostics.extend(notes::undated(input));
        let comparable = self.is_comparable(input);
        let as_of = input.as_of;
        let accounts = self.accounts_of(input, report);
        if self.rounds.make_room(accounts.keys().copied(), as_of) {
            self.flush();
        }
        let folded: Vec<u16> = report
            .iter()
            .flat_map(|digest| digest.folded.iter().copied())
            .collect();
        let mut all_unusual = UnusualRows::default();
        for (account, groups) in accounts {
            if self.options.by_account {
                self.flush();
            }
            let mut figures = Figures::new(self.rules.len(), ColumnSet::default());
            for (_, group) in &groups {
                figures.add(&group.figures);
            }
            let report = (&folded[..], input.header.missing());
            let mut unusual = self.follow((account, &groups), report, as_of, comparable, &mut figures);
            for at in &unusual.duplicates {
                figures.take_back(at.row(), at.marks(), as_of);
            }
            all_unusual.duplicates.append(&mut unusual.duplicates);
            all_unusual.same_second.append(&mut unusual.same_second);
            let point = self.current.get_or_insert_default();
            if let Some(earlier) = point.figures.get(account) {
                figures.add_moves(earlier);
            }
            point.figures.insert(account.to_owned(), figures);
            self.rounds.add(account, as_of);
        }
        self.note_rows(input, &all_unusual.duplicates, notes::duplicates);
        self.note_rows(input, &all_unusual.same_second, notes::same_second);
    }

    /// Adds a diagnostic about these rows, if there are any.
    fn note_rows(&mut self, input: &Input, rows: &[RowRef<'_>], note: Note) {
        let first = rows.iter().map(|at| at.number()).min();
        self.diagnostics
            .extend(first.map(|first| note(input, first, rows.len())));
    }

    /// Compares an account with its previous snapshot, and counts opened and resolved findings.
    fn follow<'r>(
        &mut self,
        (account, groups): (&[u8], &[(&'r Digest, &'r AccountGroup)]),
        (folded, missing): (&[u16], ColumnSet),
        as_of: Timestamp,
        comparable: bool,
        figures: &mut Figures,
    ) -> UnusualRows<'r> {
        let followed = self.accounts.entry(account.to_owned()).or_default();
        let mut rows: Vec<RowRef<'r>> = groups
            .iter()
            .flat_map(|&(digest, group)| digest.of_group(group))
            .collect();
        if !comparable {
            let all: Vec<usize> = (0..rows.len()).collect();
            return UnusualRows {
                duplicates: take_duplicates(&mut rows, &all),
                ..UnusualRows::default()
            };
        }
        let step = Step {
            before: followed.last,
            as_of,
            folded,
            missing,
            rules: self.rules,
        };
        let mut counts = TrendCounts::new(&mut self.episodes, &mut self.rotation);
        let unusual = followed.next(rows, step, &mut counts);
        (figures.opened, figures.resolved) = (counts.opened, counts.resolved);
        figures.unveiled = counts.unveiled;
        unusual
    }

    fn finish(mut self) -> TrendDocument {
        self.flush();
        self.rounds.end();
        let stale = gaps::stale(&self.rounds);
        let oldest = self.oldest(&stale);
        let mut counts = TrendCounts::new(&mut self.episodes, &mut self.rotation);
        for followed in self.accounts.values() {
            followed.finish(&mut counts);
        }
        let gaps = gaps::gaps(&self.rounds, &stale, &self.account_names);
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

    /// The accounts of the report that no other report with the same as-of had.
    fn accounts_of<'r>(&mut self, input: &Input, report: &'r [Digest]) -> AccountBlocks<'r> {
        let mut accounts = AccountBlocks::new();
        for digest in report {
            for group in &digest.groups {
                accounts.entry(&group.account).or_default().push((digest, group));
            }
        }
        // An account of which filters leave out all users counts only once it had one that they admit.
        let is_admitted =
            |groups: &[(&Digest, &AccountGroup)]| groups.iter().any(|(_, group)| !group.rows.is_empty());
        accounts.retain(|&account, groups| is_admitted(groups) || self.accounts.contains_key(account));
        let mut again = 0;
        accounts.retain(|&account, _| {
            let last = self.rounds.last_of(account);
            let is_new = last.is_none_or(|last| last < input.as_of);
            again += usize::from(!is_new);
            is_new
        });
        self.diagnostics.extend(notes::read_before(input, again));
        accounts
    }

    fn flush(&mut self) {
        let Some(point) = self.current.take() else { return };
        let accounts = point.figures;
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

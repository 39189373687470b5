//! How findings and hygiene moved over many snapshots, which come one after the other in the order of their
//! as-of and are not kept: only what is open, and which keys are active, is.

mod digest;
mod document;
mod episodes;
mod figures;
mod follow;
mod gaps;
mod rotation;
mod row;
mod summary;
mod survival;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

pub use digest::Digest;
pub use document::{OldFinding, Point, Rotation, RuleTrend, TrendDocument};

use self::digest::{At, Group};
use self::episodes::Episodes;
use self::figures::Figures;
use self::follow::{Followed, Odd, take_duplicates};
use self::gaps::Missing;
use self::user::{Counted, Step};
use super::notes;
use crate::engine::{Block, CompiledRule, FindingRef, Input, Program, Sink};
use crate::finding::{Code, Diagnostic};
use crate::report::schema::{Column, ColumnSet, TextColumn, TimeColumn};
use crate::report::time::{Timestamp, Unit};

/// Reports of several accounts that are no further apart are one point.
const TOGETHER: i64 = 12;

/// What is wanted of a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrendOptions {
    /// A point for each account, not one for all.
    pub by_account: bool,
    /// Days within which a key should be replaced.
    pub rotation_days: i64,
    /// How many of the oldest open findings are told.
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

/// Takes reports, in the order of their as-of. A report of which only a part could be read is none: what is
/// missing from it would seem deleted.
#[derive(Debug)]
pub struct Trend<'a> {
    rules: &'a [CompiledRule],
    state: Mutex<State<'a>>,
}

#[derive(Debug)]
struct State<'a> {
    rules: &'a [CompiledRule],
    options: TrendOptions,
    /// The blocks of the present report.
    report: Vec<Digest>,
    /// Empty ones, to be filled again.
    spare: Vec<Digest>,
    accounts: BTreeMap<Vec<u8>, Account>,
    /// One a rule.
    episodes: Vec<Episodes>,
    rotation: Rotation,
    /// The point that further snapshots may belong to.
    current: Option<Together>,
    points: Vec<Point>,
    /// Accounts of the last point.
    present: BTreeSet<Vec<u8>>,
    missing: Vec<Missing>,
    /// Which columns that tell users apart the first snapshot had.
    identity: Option<[bool; 3]>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default)]
struct Account {
    followed: Followed,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Together {
    figures: Figures,
    first: Timestamp,
    accounts: BTreeSet<Vec<u8>>,
}

/// The accounts of a report, each with the blocks in which it has users.
type Accounts<'a> = BTreeMap<&'a [u8], Vec<(&'a Digest, &'a Group)>>;

impl<'a> Trend<'a> {
    /// Of reports that this program judges, telling what fails and what is undetermined.
    pub fn new(program: &'a Program, options: TrendOptions) -> Self {
        let rules = program.compiled_rules();
        let state = State {
            rules,
            options,
            report: Vec::new(),
            spare: Vec::new(),
            accounts: BTreeMap::new(),
            episodes: vec![Episodes::default(); rules.len()],
            rotation: Rotation {
                max_age: options.rotation_days,
                ..Rotation::default()
            },
            current: None,
            points: Vec::new(),
            present: BTreeSet::new(),
            missing: Vec::new(),
            identity: None,
            diagnostics: Vec::new(),
        };
        Self {
            rules,
            state: Mutex::new(state),
        }
    }

    /// The trend, once all reports were taken.
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

    fn rows(&self, part: &mut Digest, block: Block<'_>) {
        part.take(block, self.rules.len());
    }

    fn finding(&self, part: &mut Digest, finding: &FindingRef<'_>) {
        part.finding(finding);
    }

    fn accept(&self, part: &mut Digest) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Without rows it is what folded in an input that ended in an error.
        match part.input.take() {
            Some(input) => state.block(input, part),
            None => part.clear(),
        }
        Ok(())
    }
}

impl State<'_> {
    /// Takes a block of this input, and leaves an empty one.
    fn block(&mut self, input: Input, part: &mut Digest) {
        let last = part.last;
        let (index, mut report) = (input.index, std::mem::take(&mut self.report));
        let of_other = |digest: &Digest| digest.input.as_ref().is_some_and(|input| input.index != index);
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
            self.report(&report);
            self.spare.append(&mut report);
        }
        self.report = report;
    }

    /// Takes a whole report.
    fn report(&mut self, report: &[Digest]) {
        let Some(input) = report.first().and_then(|digest| digest.input.as_ref()) else {
            return;
        };
        if report.iter().all(|digest| digest.rows.is_empty()) {
            let message = "this report has no users, and so tells no account: it was passed over";
            return self.note(input, Code::EmptyReport, message);
        }
        self.diagnostics.extend(notes::undated(input));
        let comparable = self.is_comparable(input);
        let as_of = input.as_of;
        let accounts = self.accounts_of(input, report);
        self.make_room(&accounts, as_of);
        let folded: Vec<u16> = report
            .iter()
            .flat_map(|digest| digest.folded.iter().copied())
            .collect();
        let mut all = Odd::default();
        for (account, groups) in accounts {
            if self.options.by_account {
                self.flush();
            }
            let mut figures = Figures::new(self.rules.len(), ColumnSet::default());
            for (_, group) in &groups {
                figures.add(&group.figures);
            }
            let mut odd = self.follow(account, (&groups, &folded), as_of, comparable, &mut figures);
            for at in &odd.duplicates {
                figures.take_back(at.row(), at.marks(), as_of);
            }
            all.duplicates.append(&mut odd.duplicates);
            all.same_second.append(&mut odd.same_second);
            let together = self.current.get_or_insert_with(|| Together {
                figures: Figures::new(self.rules.len(), ColumnSet::default()),
                first: as_of,
                accounts: BTreeSet::new(),
            });
            together.figures.add(&figures);
            together.accounts.insert(account.to_owned());
        }
        self.tell(input, &all.duplicates, notes::duplicates);
        self.tell(input, &all.same_second, notes::same_second);
    }

    /// Tells what is odd about the users in these rows, if there are any.
    fn tell(&mut self, input: &Input, odd: &[At<'_>], note: fn(&Input, u64, usize) -> Diagnostic) {
        let first = odd.iter().map(|at| at.number()).min();
        self.diagnostics
            .extend(first.map(|first| note(input, first, odd.len())));
    }

    /// Holds an account against its snapshot before, and counts what was opened and resolved.
    fn follow<'r>(
        &mut self,
        account: &[u8],
        (groups, folded): (&[(&'r Digest, &'r Group)], &[u16]),
        as_of: Timestamp,
        comparable: bool,
        figures: &mut Figures,
    ) -> Odd<'r> {
        if !self.accounts.contains_key(account) {
            self.accounts.insert(account.to_owned(), Account::default());
        }
        let known = self
            .accounts
            .get_mut(account)
            .expect("invariant: it was put there");
        known.last = Some(as_of);
        let mut rows: Vec<At<'r>> = groups
            .iter()
            .flat_map(|&(digest, group)| digest.of_group(group))
            .collect();
        if !comparable {
            let all: Vec<usize> = (0..rows.len()).collect();
            return Odd {
                duplicates: take_duplicates(&mut rows, &all),
                ..Odd::default()
            };
        }
        let step = Step {
            before: known.followed.last,
            as_of,
            folded,
            rules: self.rules,
        };
        let mut counted = Counted::new(&mut self.episodes, &mut self.rotation);
        let odd = known.followed.next(rows, step, &mut counted);
        (figures.opened, figures.resolved) = (counted.opened, counted.resolved);
        odd
    }

    fn finish(mut self) -> TrendDocument {
        self.flush();
        let oldest = self.oldest();
        let mut counted = Counted::new(&mut self.episodes, &mut self.rotation);
        for account in self.accounts.values() {
            account.followed.finish(&mut counted);
        }
        self.diagnostics.extend(gaps::gaps(&self.points, &self.missing));
        TrendDocument {
            schema: TrendDocument::SCHEMA.to_owned(),
            rules: self.rule_trends(),
            snapshots: self.points,
            oldest,
            rotation: self.rotation,
            diagnostics: self.diagnostics,
        }
    }

    /// Whether its findings and users have the names that they had before.
    fn is_comparable(&mut self, input: &Input) -> bool {
        let lacks = input.lacks();
        let identity = [
            lacks.contains(TextColumn::Arn),
            lacks.contains(TextColumn::User),
            lacks.contains(TimeColumn::UserCreation),
        ];
        let comparable = *self.identity.get_or_insert(identity) == identity;
        if !comparable {
            let message = "this report has not the same of the columns user, arn and user_creation_time as \
                           the first one, so that its findings cannot be followed; it is counted alone";
            self.note(input, Code::LostColumn, message);
        }
        comparable
    }

    fn note(&mut self, input: &Input, code: Code, message: &str) {
        self.diagnostics.push(notes::note(input, code, message));
    }

    /// The accounts that the report tells anything new of.
    fn accounts_of<'r>(&mut self, input: &Input, report: &'r [Digest]) -> Accounts<'r> {
        let mut accounts = Accounts::new();
        for digest in report {
            for group in &digest.groups {
                accounts.entry(&group.account).or_default().push((digest, group));
            }
        }
        let mut again = 0;
        accounts.retain(|&account, _| {
            let last = self.accounts.get(account).and_then(|known| known.last);
            let is_new = last.is_none_or(|last| last < input.as_of);
            again += usize::from(!is_new);
            is_new
        });
        self.diagnostics.extend(notes::read_before(input, again));
        accounts
    }

    /// Ends the present point where these accounts do not belong to it.
    fn make_room(&mut self, accounts: &Accounts<'_>, as_of: Timestamp) {
        let apart = |together: &Together| {
            accounts
                .keys()
                .any(|&account| together.accounts.contains(account))
                || as_of > together.first.plus(TOGETHER, Unit::Hours)
        };
        if self.current.as_ref().is_some_and(apart) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Some(Together {
            figures, accounts, ..
        }) = self.current.take()
        else {
            return;
        };
        let only = accounts
            .first()
            .filter(|_| self.options.by_account || accounts.len() == 1);
        let only = only.filter(|account| !account.is_empty());
        let point = Point {
            accounts: accounts.len() as u64,
            account: only.map(|account| text(account)),
            ..figures.finish(self.rules)
        };
        let mut missing = self.present.difference(&accounts);
        if let Some(account) = missing.next() {
            self.missing.push(Missing {
                as_of: point.as_of.clone(),
                account: text(account),
                more: missing.count(),
            });
        }
        self.present = accounts;
        self.points.push(point);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! How findings and hygiene moved over many snapshots, which come one after the other in the order of their
//! as-of and are not kept: only what is open, and which keys are active, is.

mod document;
mod episodes;
mod figures;
mod gaps;
mod rotation;
mod survival;

use std::collections::{BTreeMap, BTreeSet};

pub use document::{OldFinding, Point, Rotation, RuleTrend, TrendDocument};

use self::episodes::{Episodes, Followed, Open};
use self::figures::Figures;
use self::rotation::ActiveKeys;
use self::survival::days;
use super::notes;
use super::snapshot::Snapshot;
use crate::engine::{Id, Program};
use crate::finding::{Diagnostic, Level, Status};
use crate::report::schema::{TextColumn, TimeColumn};
use crate::report::time::{Timestamp, Unit};
use crate::rule::BoundRule;

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

/// Takes snapshots, in the order of their as-of.
#[derive(Debug)]
pub struct Trend<'a> {
    rules: Vec<&'a BoundRule>,
    options: TrendOptions,
    accounts: BTreeMap<Vec<u8>, Account>,
    /// One a rule.
    episodes: Vec<Episodes>,
    rotation: Rotation,
    /// The point that further snapshots may belong to.
    current: Option<Together>,
    points: Vec<Point>,
    /// Which columns that tell users apart the first snapshot had.
    identity: Option<[bool; 3]>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Debug, Default)]
struct Account {
    findings: Followed,
    keys: ActiveKeys,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Together {
    figures: Figures,
    first: Timestamp,
    accounts: BTreeSet<Vec<u8>>,
}

impl<'a> Trend<'a> {
    /// Of snapshots that this program has judged.
    pub fn new(program: &'a Program, options: TrendOptions) -> Self {
        let rules: Vec<_> = program.rules().collect();
        Self {
            episodes: vec![Episodes::default(); rules.len()],
            rules,
            options,
            accounts: BTreeMap::new(),
            rotation: Rotation {
                max_age: options.rotation_days,
                ..Rotation::default()
            },
            current: None,
            points: Vec::new(),
            identity: None,
            diagnostics: Vec::new(),
        }
    }

    /// Takes the next snapshot.
    pub fn add(&mut self, snapshot: &Snapshot) {
        self.diagnostics.extend(notes::undated(snapshot));
        let comparable = self.is_comparable(snapshot);
        let as_of = snapshot.input.as_of;
        let accounts = self.accounts_of(snapshot);
        self.make_room(&accounts, as_of);
        for (account, rows) in accounts {
            if self.options.by_account {
                self.flush();
            }
            let known = self.accounts.entry(account.clone()).or_default();
            known.last = Some(as_of);
            let moved = if comparable {
                known.keys.next(snapshot, &rows, &mut self.rotation);
                known.findings.next(snapshot, &rows, &mut self.episodes)
            } else {
                episodes::Moved::default()
            };
            let together = self.current.get_or_insert_with(|| Together {
                figures: Figures::default(),
                first: as_of,
                accounts: BTreeSet::new(),
            });
            count(&mut together.figures, &self.rules, snapshot, &rows);
            together.figures.point.opened += moved.opened;
            together.figures.point.resolved += moved.resolved;
            together.accounts.insert(account);
        }
    }

    /// The trend, once all snapshots were taken.
    pub fn finish(mut self) -> TrendDocument {
        self.flush();
        let oldest = self.oldest();
        for account in self.accounts.values() {
            account.findings.finish(&mut self.episodes);
            if let Some(last) = account.findings.last {
                account.keys.finish(last, &mut self.rotation);
            }
        }
        self.diagnostics.extend(gaps::gaps(&self.points));
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
    fn is_comparable(&mut self, snapshot: &Snapshot) -> bool {
        let lacks = snapshot.input.lacks();
        let identity = [
            lacks.contains(TextColumn::Arn),
            lacks.contains(TextColumn::User),
            lacks.contains(TimeColumn::UserCreation),
        ];
        let comparable = *self.identity.get_or_insert(identity) == identity;
        if !comparable {
            let message = "this report has not the same of the columns user, arn and user_creation_time as \
                           the first one, so that its findings cannot be followed; it is counted alone";
            self.note(snapshot, "lost-column", message.to_owned());
        }
        comparable
    }

    fn note(&mut self, snapshot: &Snapshot, code: &str, message: String) {
        self.diagnostics
            .push(notes::note(snapshot, Level::Warning, code, message));
    }

    /// The rows of each account that the snapshot tells anything new of.
    fn accounts_of(&mut self, snapshot: &Snapshot) -> BTreeMap<Vec<u8>, Vec<u32>> {
        let mut accounts: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for (number, row) in (0..).zip(0..snapshot.users.len()) {
            let account = snapshot.users.account(row).unwrap_or_default();
            match accounts.get_mut(account) {
                Some(rows) => rows.push(number),
                None => drop(accounts.insert(account.to_vec(), vec![number])),
            }
        }
        let as_of = snapshot.input.as_of;
        let before = accounts.len();
        accounts.retain(|account, _| {
            let known = self.accounts.get(account);
            known.is_none_or(|known| known.last.is_none_or(|last| last < as_of))
        });
        let again = before - accounts.len();
        if again > 0 {
            let message =
                format!("{again} of its accounts were read as of the same instant before; passed over");
            self.note(snapshot, "duplicate-snapshot", message);
        }
        accounts
    }

    /// Ends the present point where these accounts do not belong to it.
    fn make_room(&mut self, accounts: &BTreeMap<Vec<u8>, Vec<u32>>, as_of: Timestamp) {
        let apart = |together: &Together| {
            accounts.keys().any(|account| together.accounts.contains(account))
                || as_of > together.first.plus(TOGETHER, Unit::Hours)
        };
        if self.current.as_ref().is_some_and(apart) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Some(Together {
            mut figures,
            accounts,
            ..
        }) = self.current.take()
        else {
            return;
        };
        figures.point.accounts = accounts.len() as u64;
        let only = accounts
            .first()
            .filter(|_| self.options.by_account || accounts.len() == 1);
        figures.point.account = only
            .filter(|account| !account.is_empty())
            .map(|account| text(account));
        self.points.push(figures.finish());
    }

    fn oldest(&self) -> Vec<OldFinding> {
        let open = self.accounts.iter().flat_map(|(account, known)| {
            let last = known.findings.last;
            known
                .findings
                .open
                .iter()
                .map(move |(id, open)| (account, last, Id(*id), open))
        });
        let mut open: Vec<_> = open.collect();
        let severity = |open: &Open| self.rules[usize::from(open.rule)].severity;
        open.sort_unstable_by_key(|(_, _, id, open)| (open.since, std::cmp::Reverse(severity(open)), id.0));
        let oldest = open.into_iter().take(self.options.oldest);
        let oldest = oldest.map(|(account, last, id, open)| OldFinding {
            id: id.to_string(),
            rule: self.rules[usize::from(open.rule)].rule.id.clone(),
            severity: severity(open),
            account: (!account.is_empty()).then(|| text(account)),
            user: (!open.user.is_empty()).then(|| text(&open.user)),
            arn: (!open.arn.is_empty()).then(|| text(&open.arn)),
            since: open.since.to_string(),
            at_start: open.at_start,
            days: days(last.map_or(0, |last| last.0 - open.since.0)),
        });
        oldest.collect()
    }

    fn rule_trends(&self) -> Vec<RuleTrend> {
        let mut open = vec![0; self.rules.len()];
        for finding in self
            .accounts
            .values()
            .flat_map(|account| account.findings.open.values())
        {
            open[usize::from(finding.rule)] += 1;
        }
        let all = self.rules.iter().zip(&self.episodes).zip(open);
        let mut rules: Vec<RuleTrend> = all
            .filter(|((_, episodes), _)| episodes.at_start + episodes.opened > 0)
            .map(|((bound, episodes), open)| RuleTrend {
                rule: bound.rule.id.clone(),
                parameters: bound.parameters.clone(),
                severity: bound.severity,
                at_start: episodes.at_start,
                opened: episodes.opened,
                resolved: episodes.resolved,
                open,
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
}

fn count(figures: &mut Figures, rules: &[&BoundRule], snapshot: &Snapshot, rows: &[u32]) {
    let as_of = snapshot.input.as_of;
    figures.as_of = figures.as_of.max(Some(as_of));
    for bound in rules {
        figures.point.by_severity.entry(bound.severity).or_default();
    }
    for &row in rows {
        figures.user(&snapshot.users, row as usize, as_of);
        let found = snapshot.found_of(row).iter();
        for found in found.filter(|found| found.status == Status::Fail) {
            let bound = rules[usize::from(found.rule)];
            figures.failing(&bound.rule.id, bound.severity);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

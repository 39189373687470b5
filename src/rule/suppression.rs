//! Suppressions: entries that accept findings, with a reason and until a date.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::catalogue::Catalogue;
use super::error::Error;
use super::glob::Glob;
use super::toml_reader::{Date, File, Located, Table};
use crate::finding::{Code, Diagnostic, Suppression};
use crate::report::schema::Credential;
use crate::report::time::{Timestamp, Unit};

/// The entries of one or several files, with counts of what they matched so far.
#[derive(Debug, Default)]
pub struct Suppressions {
    entries: Vec<Entry>,
}

/// One entry: what it accepts, why, and until when.
#[derive(Debug)]
struct Entry {
    origin: String,
    line: usize,
    /// Ids of the rules that it applies to.
    rules: BTreeSet<String>,
    account: Option<Glob>,
    user: Option<Glob>,
    path: Option<Glob>,
    credential: Option<Credential>,
    created: Option<Timestamp>,
    expires: Option<Date>,
    /// What findings say about it.
    suppression: Suppression,
    /// Whether one of its rules ran.
    ran: AtomicBool,
    matched: AtomicU64,
    /// Findings that it matched after it expired.
    matched_expired: AtomicU64,
}

/// The parts of a finding that suppressions match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The account id, if the report contains it.
    pub account: Option<&'a str>,
    /// The user; root is `<root_account>`.
    pub user: Option<&'a str>,
    /// The user's IAM path, such as `/team-a/`; none for root.
    pub path: Option<&'a str>,
    /// The credential, if it is about one.
    pub credential: Option<Credential>,
    /// When the key or certificate was created: its identity, since slots change.
    pub created: Option<Timestamp>,
}

/// The entries that apply to one rule.
#[derive(Clone, Debug, Default)]
pub struct RuleSuppressions<'a> {
    /// The entries for one user, by its name.
    exact: BTreeMap<&'a str, Vec<&'a Entry>>,
    others: Vec<&'a Entry>,
}

impl Suppressions {
    /// Reads a file of `[[suppress]]` entries.
    pub fn parse(origin: &str, text: &str, catalogue: &Catalogue) -> Result<Self, Error> {
        File::read(origin, text, |mut table| {
            let suppressions = Self::read(&mut table, catalogue);
            table.finish();
            suppressions
        })
    }

    /// Reads the `[[suppress]]` entries of a table.
    pub(super) fn read(table: &mut Table<'_, '_>, catalogue: &Catalogue) -> Self {
        let tables = table.tables("suppress").into_iter();
        Self {
            entries: tables.map(|table| Entry::read(table, catalogue)).collect(),
        }
    }

    /// Adds the entries of another file. If several entries match a finding, it carries the first.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries for one rule, which is going to run. Entries whose rules never run are not reported as unused.
    pub fn for_rule(&self, id: &str) -> RuleSuppressions<'_> {
        let mut chosen = RuleSuppressions::default();
        for entry in self.entries.iter().filter(|entry| entry.rules.contains(id)) {
            entry.ran.store(true, Ordering::Relaxed);
            match entry.user.as_ref().and_then(Glob::exact) {
                Some(name) => chosen.exact.entry(name).or_default().push(entry),
                None => chosen.others.push(entry),
            }
        }
        chosen
    }

    /// The diagnostics after a run: entries that had expired by its latest as-of, and entries that matched nothing.
    pub fn diagnostics(&self, latest: Option<Timestamp>) -> Vec<Diagnostic> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| entry.diagnostic(latest)).collect()
    }
}

impl<'a> RuleSuppressions<'a> {
    /// The first entry that accepts a finding about this subject, and counts the match. An entry is valid until the end
    /// of the day on which it expires, UTC, at the as-of of the report: an old report gives the same result as then.
    pub fn find(&self, subject: &Subject<'_>, as_of: Timestamp) -> Option<&'a Suppression> {
        self.candidates(subject).find_map(|entry| {
            if !entry.accepts(subject) {
                return None;
            }
            let valid = entry.is_valid(as_of);
            let counter = if valid {
                &entry.matched
            } else {
                &entry.matched_expired
            };
            counter.fetch_add(1, Ordering::Relaxed);
            valid.then_some(&entry.suppression)
        })
    }

    /// The entries that may be for this user, those for this user alone first.
    fn candidates<'s>(&'s self, subject: &Subject<'_>) -> impl Iterator<Item = &'a Entry> + use<'s, 'a> {
        let exact = subject.user.and_then(|user| self.exact.get(user));
        exact.into_iter().flatten().chain(&self.others).copied()
    }
}

impl RuleSuppressions<'_> {
    /// Whether an entry accepts what this subject will fail at `due_at`: counted if so. An entry that expires before then
    /// accepts nothing, and has not expired yet.
    pub fn accept_later(&self, subject: &Subject<'_>, due_at: Timestamp) -> bool {
        let accepting = self
            .candidates(subject)
            .find(|entry| entry.accepts(subject) && entry.is_valid(due_at));
        if let Some(entry) = accepting {
            entry.matched.fetch_add(1, Ordering::Relaxed);
        }
        accepting.is_some()
    }
}

impl Entry {
    fn read(mut table: Table<'_, '_>, catalogue: &Catalogue) -> Self {
        let expires = table.optional::<Date>("expires");
        let suppression = Suppression {
            reason: read_reason(&mut table),
            expires: expires.map(|date| date.to_string()),
            ticket: table.optional("ticket"),
        };
        let entry = Self {
            origin: table.file.origin.to_owned(),
            line: table.file.line(table.span.start),
            rules: read_rules(&mut table, catalogue),
            account: read_glob(&mut table, "account"),
            user: read_glob(&mut table, "user"),
            path: read_glob(&mut table, "path"),
            credential: table.word("credential"),
            created: table.word("created"),
            expires,
            suppression,
            ran: AtomicBool::new(false),
            matched: AtomicU64::new(0),
            matched_expired: AtomicU64::new(0),
        };
        table.finish();
        entry
    }

    fn accepts(&self, subject: &Subject<'_>) -> bool {
        let admits = |glob: &Option<Glob>, text: Option<&str>| {
            let matches = |glob: &Glob| text.is_some_and(|text| glob.matches(text.as_bytes()));
            glob.as_ref().is_none_or(matches)
        };
        let credential = self.credential.is_none() || self.credential == subject.credential;
        let created = self.created.is_none() || self.created == subject.created;
        admits(&self.account, subject.account)
            && admits(&self.user, subject.user)
            && admits(&self.path, subject.path)
            && credential
            && created
    }

    fn is_valid(&self, as_of: Timestamp) -> bool {
        self.expires
            .is_none_or(|Date(day)| as_of < day.plus(1, Unit::Days))
    }

    fn diagnostic(&self, latest: Option<Timestamp>) -> Option<Diagnostic> {
        let matched = self.matched.load(Ordering::Relaxed);
        let matched_expired = self.matched_expired.load(Ordering::Relaxed);
        let expired = matched_expired > 0 || latest.is_some_and(|latest| !self.is_valid(latest));
        let unused = matched == 0 && self.ran.load(Ordering::Relaxed);
        let (code, message) = if expired {
            let day = self.suppression.expires.as_deref().unwrap_or_default();
            (
                Code::SuppressionExpired,
                format!("the suppression expired on {day}; findings reported again: {matched_expired}"),
            )
        } else if unused {
            (
                Code::SuppressionUnused,
                "the suppression matched no finding".to_owned(),
            )
        } else {
            return None;
        };
        let message = format!("line {}: {message}", self.line);
        let diagnostic = Diagnostic::new(code, message).in_path(&self.origin);
        Some(diagnostic.with_value(&self.suppression.reason))
    }
}

fn read_reason(table: &mut Table<'_, '_>) -> String {
    let missing = Located {
        value: String::new(),
        span: table.span.clone(),
    };
    let Located { value, span } = table.located("reason").unwrap_or(missing);
    if value.trim().is_empty() {
        table.file.error(span, "a suppression needs a 'reason'", None);
    }
    value
}

fn read_rules(table: &mut Table<'_, '_>, catalogue: &Catalogue) -> BTreeSet<String> {
    let Some(Located { value, span }) = table.located::<String>("rule") else {
        let message = "'rule' is missing; it must be an id, an alias or a glob";
        table.file.error(table.span.clone(), message, None);
        return BTreeSet::new();
    };
    match catalogue.find_ids(&value) {
        Ok(ids) => ids.into_iter().map(str::to_owned).collect(),
        Err(error) => {
            table.file.error(span, error.to_string(), None);
            BTreeSet::new()
        }
    }
}

fn read_glob(table: &mut Table<'_, '_>, key: &'static str) -> Option<Glob> {
    let Located { value, span } = table.located::<String>(key)?;
    let report = |error: String| {
        let message = format!("'{key}' is not a valid glob: {error}");
        table.file.error(span, message, None);
    };
    Glob::new(&value).map_err(report).ok()
}

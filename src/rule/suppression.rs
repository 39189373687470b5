//! Findings that somebody has accepted, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use globset::{GlobBuilder, GlobMatcher};

use super::catalogue::Catalogue;
use super::error::Error;
use super::read::{Date, File, Placed, Table};
use crate::finding::{Code, Diagnostic, Suppression};
use crate::report::time::{Timestamp, Unit};

/// All entries of a file, with what they have matched so far.
#[derive(Debug, Default)]
pub struct Suppressions {
    entries: Vec<Entry>,
}

/// One entry: what it accepts, why, and until when.
#[derive(Debug)]
struct Entry {
    origin: String,
    line: usize,
    /// Ids of the rules that it names.
    rules: BTreeSet<String>,
    account: Option<GlobMatcher>,
    user: Option<User>,
    credential: Option<String>,
    created: Option<Timestamp>,
    expires: Option<Date>,
    told: Suppression,
    asked: AtomicBool,
    matched: AtomicU64,
    lapsed: AtomicU64,
}

/// A user name without wildcards is looked up, not matched.
#[derive(Debug)]
enum User {
    Exactly(String),
    Like(GlobMatcher),
}

/// What a finding is about, as far as suppressions ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// Twelve digits, where the report tells.
    pub account: Option<&'a str>,
    /// The user; root is `<root_account>`.
    pub user: Option<&'a str>,
    /// `password`, `access_key_1`, …
    pub credential: Option<&'a str>,
    /// When the key or certificate was made: its identity, which slots are not.
    pub created: Option<Timestamp>,
}

/// The entries that can match findings of one rule.
#[derive(Clone, Debug, Default)]
pub struct RuleSuppressions<'a> {
    /// By user, those that name one.
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

    /// Adds the entries of another file; where two match, the earlier one is told.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries for one rule, to be asked for each of its findings. A rule that is asked for is known to
    /// have run: entries of other rules are not called unused.
    pub fn for_rule(&self, id: &str) -> RuleSuppressions<'_> {
        let mut chosen = RuleSuppressions::default();
        for entry in self.entries.iter().filter(|entry| entry.rules.contains(id)) {
            entry.asked.store(true, Ordering::Relaxed);
            match &entry.user {
                Some(User::Exactly(name)) => chosen.exact.entry(name).or_default().push(entry),
                Some(User::Like(_)) | None => chosen.others.push(entry),
            }
        }
        chosen
    }

    /// What is odd after a run: entries that had expired by its latest as-of, and entries that matched nothing.
    pub fn diagnostics(&self, latest: Option<Timestamp>) -> Vec<Diagnostic> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| entry.diagnostic(latest)).collect()
    }
}

impl<'a> RuleSuppressions<'a> {
    /// The first entry that accepts a finding about this at this as-of, and counts it. An entry holds until
    /// the end of the day on which it expires, UTC, seen from the as-of: an old report is judged as it
    /// would have been then.
    pub fn find(&self, subject: &Subject<'_>, as_of: Timestamp) -> Option<&'a Suppression> {
        let exact = subject.user.and_then(|user| self.exact.get(user));
        let mut entries = exact.into_iter().flatten().chain(&self.others).copied();
        entries.find_map(|entry| {
            if !entry.accepts(subject) {
                return None;
            }
            let holds = entry.holds(as_of);
            let counter = if holds { &entry.matched } else { &entry.lapsed };
            counter.fetch_add(1, Ordering::Relaxed);
            holds.then_some(&entry.told)
        })
    }
}

impl Entry {
    fn read(mut table: Table<'_, '_>, catalogue: &Catalogue) -> Self {
        let expires = table.optional::<Date>("expires");
        let told = Suppression {
            reason: read_reason(&mut table),
            expires: expires.map(|date| date.to_string()),
            ticket: table.optional("ticket"),
        };
        let entry = Self {
            origin: table.file.origin.to_owned(),
            line: table.file.line(table.span.start),
            rules: read_rules(&mut table, catalogue),
            account: read_glob(&mut table, "account").map(|glob| glob.value),
            user: read_user(&mut table),
            credential: read_credential(&mut table),
            created: table.word("created"),
            expires,
            told,
            asked: AtomicBool::new(false),
            matched: AtomicU64::new(0),
            lapsed: AtomicU64::new(0),
        };
        table.finish();
        entry
    }

    fn accepts(&self, subject: &Subject<'_>) -> bool {
        let glob = |glob: &GlobMatcher, text: Option<&str>| text.is_some_and(|text| glob.is_match(text));
        let account = self
            .account
            .as_ref()
            .is_none_or(|account| glob(account, subject.account));
        let user = match &self.user {
            None => true,
            Some(User::Exactly(name)) => subject.user == Some(name),
            Some(User::Like(pattern)) => glob(pattern, subject.user),
        };
        let credential = self.credential.is_none() || self.credential.as_deref() == subject.credential;
        let created = self.created.is_none() || self.created == subject.created;
        account && user && credential && created
    }

    fn holds(&self, as_of: Timestamp) -> bool {
        self.expires
            .is_none_or(|Date(day)| as_of < day.plus(1, Unit::Days))
    }

    fn diagnostic(&self, latest: Option<Timestamp>) -> Option<Diagnostic> {
        let matched = self.matched.load(Ordering::Relaxed);
        let lapsed = self.lapsed.load(Ordering::Relaxed);
        let expired = lapsed > 0 || latest.is_some_and(|latest| !self.holds(latest));
        let unused = matched == 0 && self.asked.load(Ordering::Relaxed);
        let (code, message) = if expired {
            let day = self.told.expires.as_deref().unwrap_or_default();
            (
                Code::SuppressionExpired,
                format!("the suppression expired on {day}; findings told again: {lapsed}"),
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
        Some(diagnostic.with_value(&self.told.reason))
    }
}

fn read_reason(table: &mut Table<'_, '_>) -> String {
    let reason: Option<Placed<String>> = table.placed("reason");
    let span = reason
        .as_ref()
        .map_or(table.span.clone(), |reason| reason.span.clone());
    let reason = reason.map(|reason| reason.value).unwrap_or_default();
    if reason.trim().is_empty() {
        table.file.error(span, "a suppression needs a 'reason'", None);
    }
    reason
}

fn read_rules(table: &mut Table<'_, '_>, catalogue: &Catalogue) -> BTreeSet<String> {
    let Some(Placed { value, span }) = table.placed::<String>("rule") else {
        let message = "'rule' is missing: an id, an alias or a glob";
        table.file.error(table.span.clone(), message, None);
        return BTreeSet::new();
    };
    match catalogue.find(&value) {
        Ok(rules) => rules.into_iter().map(|rule| rule.id.clone()).collect(),
        Err(error) => {
            table.file.error(span, error.to_string(), None);
            BTreeSet::new()
        }
    }
}

fn read_glob(table: &mut Table<'_, '_>, key: &'static str) -> Option<Placed<GlobMatcher>> {
    let Placed { value, span } = table.placed::<String>(key)?;
    match GlobBuilder::new(&value).backslash_escape(true).build() {
        Ok(glob) => Some(Placed {
            value: glob.compile_matcher(),
            span,
        }),
        Err(error) => {
            table
                .file
                .error(span, format!("'{key}' is no glob: {}", error.kind()), None);
            None
        }
    }
}

fn read_user(table: &mut Table<'_, '_>) -> Option<User> {
    let glob = read_glob(table, "user")?.value;
    let pattern = glob.glob().glob();
    let plain = !pattern.contains(['*', '?', '[', '{', '\\']);
    Some(if plain {
        User::Exactly(pattern.to_owned())
    } else {
        User::Like(glob)
    })
}

fn read_credential(table: &mut Table<'_, '_>) -> Option<String> {
    const KNOWN: [&str; 5] = ["password", "access_key_1", "access_key_2", "cert_1", "cert_2"];
    let Placed { value, span } = table.placed::<String>("credential")?;
    if !KNOWN.contains(&value.as_str()) {
        let help = format!("one of {}", KNOWN.join(", "));
        table
            .file
            .error(span, format!("there is no credential '{value}'"), Some(help));
    }
    Some(value)
}

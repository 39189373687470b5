//! A diff -> bytes: table, markdown, json (`credlens.diff/v1`), ndjson (one event a line).

mod document;
mod items;
mod markdown;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use document::{DiffDocument, DiffEvent, DiffFinding, DiffFindings, EventLine};

use super::{Settings, escape};
use crate::engine::Workers;
use crate::finding::{Diagnostic, InputTally, Severity};
use crate::history::{Diff, Event, Findings, Moved, Side, Snapshot};
use crate::report::cell;
use crate::report::time::Timestamp;
use crate::rule::BoundRule;

/// A form in which a diff is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffFormat {
    /// Events, then findings, for people at a terminal.
    Table,
    /// The same for pull requests and wikis.
    Markdown,
    /// One object, `credlens.diff/v1`.
    Json,
    /// One event a line, `credlens.event/v1`.
    Ndjson,
}

impl DiffFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Table, Self::Markdown, Self::Json, Self::Ndjson];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }
}

impl fmt::Display for DiffFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word names no format of a diff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{}'; one of {}", escape(.0), DiffFormat::ALL.map(DiffFormat::name).join(", "))]
pub struct UnknownDiffFormat(String);

impl FromStr for DiffFormat {
    type Err = UnknownDiffFormat;

    fn from_str(word: &str) -> Result<Self, UnknownDiffFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == word);
        found.ok_or_else(|| UnknownDiffFormat(word.to_owned()))
    }
}

/// What is told, and how.
#[derive(Debug)]
pub struct DiffView<'a> {
    /// What changed.
    pub diff: &'a Diff<'a>,
    /// What was odd, when reading the reports too.
    pub diagnostics: &'a [Diagnostic],
    /// Layout of the formats for people.
    pub settings: Settings,
    /// Who formats what is long.
    pub workers: &'a Workers,
}

/// Writes a diff in one format.
pub fn write_diff(format: DiffFormat, view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        DiffFormat::Table => out.write_all(table::render(view).as_bytes())?,
        DiffFormat::Markdown => out.write_all(markdown::render(view).as_bytes())?,
        DiffFormat::Json => document::write_json(view, out)?,
        DiffFormat::Ndjson => document::write_lines(view, out)?,
    }
    out.flush()
}

impl<'a> DiffView<'a> {
    fn rules(&self) -> Vec<&'a BoundRule> {
        self.diff.rules.iter().map(|compiled| &compiled.bound).collect()
    }

    /// The snapshot that tells whose event it is, and the row there.
    fn row(&self, event: &Event) -> (&'a Snapshot, u32) {
        match (event.new_row, event.old_row) {
            (Some(row), _) => (self.diff.new, row),
            (None, row) => (self.diff.old, row.unwrap_or_default()),
        }
    }

    /// Between which instants it happened.
    fn instants(&self, event: &Event) -> [Timestamp; 2] {
        let of_account = |snapshot: &Snapshot| {
            let (other, row) = self.row(event);
            snapshot.as_of_account(other.users().account(row as usize))
        };
        let sides = [(self.diff.old, event.old_row), (self.diff.new, event.new_row)];
        sides.map(|(snapshot, row)| row.map_or_else(|| of_account(snapshot), |row| snapshot.as_of(row)))
    }

    fn event(&self, event: &Event) -> DiffEvent {
        let (snapshot, row) = self.row(event);
        let [account, user, arn] = who(snapshot, row);
        DiffEvent {
            kind: event.kind,
            account,
            user,
            arn,
            key_created: event.key_created.map(|time| time.to_string()),
            old: event.old.text(),
            new: event.new.text(),
        }
    }

    fn finding(&self, rules: &[&BoundRule], moved: &Moved) -> DiffFinding {
        let snapshot = match moved.side {
            Side::Old => self.diff.old,
            Side::New => self.diff.new,
        };
        let found = moved.found;
        let bound = rules[usize::from(found.rule)];
        let [account, user, arn] = who(snapshot, moved.row);
        let entity = bound.typed.entity;
        let created = entity
            .existence(found.slot)
            .map(|(_, created)| snapshot.users().time(moved.row as usize, created))
            .filter(|&time| time != cell::ABSENT && time != cell::UNKNOWN);
        DiffFinding {
            id: snapshot.id(self.diff.rules, moved.row, found).to_string(),
            rule: bound.rule.id.clone(),
            parameters: bound.parameters.clone(),
            title: bound.rule.title.clone(),
            severity: bound.severity,
            account,
            user,
            arn,
            credential: bound
                .typed
                .credential(found.slot)
                .map(|credential| credential.name().to_owned()),
            key_created: created.map(|time| Timestamp(time).to_string()),
            before: moved.before,
            after: moved.after,
            resolved_by: moved.by.iter().map(|cause| cause.name().to_owned()).collect(),
            message: bound.message.clone(),
        }
    }

    /// The worst of these findings, worst first.
    fn worst(&self, findings: Findings<'_>) -> Vec<DiffFinding> {
        let rules = self.rules();
        let worst_first = Severity::ALL.into_iter().rev();
        let by_severity = worst_first.flat_map(|severity| {
            let rules = &rules;
            let is_of = move |rule: u16| rules[usize::from(rule)].severity == severity;
            let counts = (0..).zip(findings.by_rule());
            let count: u64 = counts
                .filter(|&(rule, _)| is_of(rule))
                .map(|(_, count)| count)
                .sum();
            let all = findings.of(0..findings.users(), is_of);
            // What comes after the last one is not asked for.
            all.take(usize::try_from(count).unwrap_or(usize::MAX))
        });
        let shown = by_severity.take(self.settings.limit);
        shown.map(|moved| self.finding(&rules, &moved)).collect()
    }

    /// `3 opened (1 critical, 2 high)`.
    fn counts(&self, what: &str, findings: Findings<'_>) -> String {
        let (rules, by_rule) = (self.rules(), findings.by_rule());
        let severities = Severity::ALL.into_iter().rev().filter_map(|severity| {
            let of_severity = rules
                .iter()
                .zip(by_rule)
                .filter(|(bound, _)| bound.severity == severity);
            let count: u64 = of_severity.map(|(_, count)| count).sum();
            (count > 0).then(|| format!("{} {severity}", super::words::number(count)))
        });
        let severities: Vec<String> = severities.collect();
        let all = super::words::number(by_rule.iter().sum());
        match severities.as_slice() {
            [] => format!("{all} {what}"),
            _ => format!("{all} {what} ({})", severities.join(", ")),
        }
    }
}

/// Account, name and ARN of a user.
fn who(snapshot: &Snapshot, row: u32) -> [Option<String>; 3] {
    let row = row as usize;
    let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
    let users = snapshot.users();
    [
        users.account(row).and_then(text),
        text(users.name(row)),
        text(users.arn(row)),
    ]
}

/// The snapshot as an input.
fn input(snapshot: &Snapshot) -> InputTally {
    let input = &snapshot.input;
    InputTally {
        path: input.path.clone(),
        account_name: input.account.name.clone(),
        kind: input.kind.clone(),
        users: snapshot.count(),
        as_of: input.as_of.to_string(),
        as_of_source: input.as_of_source,
        generated: input.generated.map(|time| time.to_string()),
    }
}

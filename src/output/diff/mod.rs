//! A diff of two snapshots, in the formats of `credlens diff`.

mod csv;
mod document;
mod finding_items;
mod groups;
mod in_order;
mod json;
mod markdown;
mod ndjson;
mod ocsf;
mod phrases;
mod sarif;
mod snapshots;
mod table;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use document::{DiffDocument, DiffEvent, DiffFinding, DiffFindings, EventLine};
pub use groups::Grouping;
pub use snapshots::{DiffAccount, DiffSnapshot};

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use super::phrases::more;
use crate::engine::{Input, Workers};
use crate::finding::{Diagnostic, FindingId, Severity, Status};
use crate::history::{Diff, Event, Findings, Moved, Side, Snapshot, StaleAccount};
use crate::report::cell::known;
use crate::report::schema::Column;
use crate::report::time::Timestamp;
use crate::rule::BoundRule;

/// A format of a diff.
pub type DiffFormat = &'static FormatSpec<DiffWriter>;

/// Writes a diff in one format.
pub type DiffWriter = fn(&DiffView<'_>, &mut dyn Write) -> io::Result<()>;

impl Formats for DiffWriter {
    const ALL: &'static [FormatSpec<Self>] = &[
        table::FORMAT,
        markdown::FORMAT,
        json::FORMAT,
        ndjson::FORMAT,
        csv::FORMAT,
        ocsf::FORMAT,
        sarif::FORMAT,
    ];
}

/// What is written, and how.
#[derive(Debug)]
pub struct DiffView<'a> {
    /// What changed.
    pub diff: &'a Diff<'a>,
    /// Accounts that are not compared, because they have no newer report.
    pub stale: &'a [StaleAccount],
    /// Diagnostics of the comparison, and of reading the reports.
    pub diagnostics: &'a [Diagnostic],
    /// By what the formats for people group findings, if that is asked for.
    pub by: Option<Grouping<'a>>,
    /// Layout of the formats for people.
    pub options: DisplayOptions,
    /// Threads that format long lists.
    pub workers: &'a Workers,
}

/// Writes a diff in one format.
pub fn write_diff(format: DiffFormat, view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    (format.writer)(view, out)?;
    out.flush()
}

impl<'a> DiffView<'a> {
    /// The rule of a finding.
    fn rule(&self, position: u16) -> &'a BoundRule {
        &self.diff.rules[usize::from(position)].bound
    }

    /// The snapshot that a finding refers to, and the creation time of its key or certificate.
    fn subject(&self, moved: &Moved) -> (&'a Snapshot, Option<Timestamp>) {
        let snapshot = match moved.side {
            Side::Old => self.diff.old,
            Side::New => self.diff.new,
        };
        let entity = self.rule(moved.found.rule).typed.entity;
        let created = entity
            .existence(moved.found.slot)
            .map(|(_, created)| snapshot.users().time(moved.row as usize, created));
        (snapshot, created.and_then(known))
    }

    /// The times that made an opened or unveiled finding fail, as far as they are known.
    fn dates(&self, moved: &Moved) -> impl Iterator<Item = (Column, Timestamp)> + use<'a> {
        let (snapshot, _) = self.subject(moved);
        let is_new = moved.after == Some(Status::Fail) && moved.before != Some(Status::Fail);
        let columns = self.diff.rules[usize::from(moved.found.rule)].evidence(moved.found.slot);
        let row = moved.row as usize;
        columns
            .iter()
            .filter(move |_| is_new)
            .filter_map(move |&column| match column {
                Column::Time(time) => Some((column, known(snapshot.users().time(row, time))?)),
                Column::Text(_) | Column::Flag(_) => None,
            })
    }

    /// The snapshot that has the user of an event, and the row there: the newer one, if both have it.
    fn row(&self, event: &Event) -> (&'a Snapshot, u32) {
        match (event.new_row, event.old_row) {
            (Some(row), _) => (self.diff.new, row),
            (None, row) => (self.diff.old, row.unwrap_or_default()),
        }
    }

    /// The instants between which an event happened.
    fn instants(&self, event: &Event) -> [Timestamp; 2] {
        let of_account = |snapshot: &Snapshot| {
            let (other, row) = self.row(event);
            snapshot.as_of_account(other.users().account(row as usize))
        };
        let sides = [(self.diff.old, event.old_row), (self.diff.new, event.new_row)];
        sides.map(|(snapshot, row)| row.map_or_else(|| of_account(snapshot), |row| snapshot.as_of(row)))
    }

    /// Both reports of a finding's account, the older one first.
    fn reports_of_account(&self, moved: &Moved) -> [&'a Input; 2] {
        let (snapshot, _) = self.subject(moved);
        let account = snapshot.users().account_or_name(moved.row as usize);
        [self.diff.old, self.diff.new].map(|snapshot| snapshot.report_of_account(account))
    }

    fn event(&self, event: &Event) -> DiffEvent {
        let (snapshot, row) = self.row(event);
        let [account, user, arn] = who(snapshot, row);
        DiffEvent {
            kind: event.kind,
            severity: event.kind.severity(),
            account_name: self.account_name(snapshot, row),
            account,
            user,
            arn,
            key_created: event.key_created.map(|time| time.to_string()),
            old: event.old.text(),
            new: event.new.text(),
        }
    }

    fn id(&self, moved: &Moved) -> FindingId {
        self.subject(moved).0.id(self.diff.rules, moved.row, moved.found)
    }

    /// The id that an open finding had in the older snapshot, if it is another one there.
    fn earlier_id(&self, moved: &Moved) -> Option<FindingId> {
        let (row, found) = moved.earlier?;
        let earlier = self.diff.old.id(self.diff.rules, row, found);
        (earlier != self.id(moved)).then_some(earlier)
    }

    fn finding(&self, moved: &Moved) -> DiffFinding {
        let (snapshot, created) = self.subject(moved);
        let (found, bound) = (moved.found, self.rule(moved.found.rule));
        let [account, user, arn] = who(snapshot, moved.row);
        let credential = bound.typed.credential(found.slot);
        DiffFinding {
            id: self.id(moved).to_string(),
            rule: bound.rule.id.clone(),
            parameters: bound.parameters.clone(),
            title: bound.rule.title.clone(),
            severity: bound.severity,
            account_name: self.account_name(snapshot, moved.row),
            account,
            user,
            arn,
            credential: credential.map(|credential| credential.name().to_owned()),
            key_created: created.map(|time| time.to_string()),
            before: moved.before,
            after: moved.after,
            dates: self
                .dates(moved)
                .map(|(column, time)| (column.name().to_owned(), time.to_string()))
                .collect(),
            resolved_by: moved.by.iter().map(|cause| cause.name().to_owned()).collect(),
            message: bound.message.clone(),
        }
    }

    /// The name of a user's account: as the newer snapshot says, else the older one.
    fn account_name(&self, snapshot: &Snapshot, row: u32) -> Option<String> {
        let account = snapshot.users().account_or_name(row as usize)?;
        self.name_of(account).map(str::to_owned)
    }

    fn name_of(&self, account: &[u8]) -> Option<&'a str> {
        let [new, old] = [self.diff.new, self.diff.old].map(|snapshot| snapshot.users().account_names());
        new.get(account).or_else(|| old.get(account))
    }

    /// Whether users of several accounts are compared.
    fn has_several_accounts(&self) -> bool {
        self.diff.new.users().accounts().len() > 1
    }

    /// These findings, worst first.
    fn worst_moved(&self, findings: Findings<'a>) -> impl Iterator<Item = Moved> {
        let worst_first = Severity::ALL.into_iter().rev();
        worst_first.flat_map(move |severity| {
            let is_of = move |rule: u16| self.rule(rule).severity == severity;
            let counts = (0..).zip(findings.by_rule());
            let count: u64 = counts
                .filter(|&(rule, _)| is_of(rule))
                .map(|(_, count)| count)
                .sum();
            let all = findings.of(0..findings.users(), is_of);
            // Behind the last one there is nothing to search for.
            all.take(usize::try_from(count).unwrap_or(usize::MAX))
        })
    }

    /// The worst of these findings that are shown, worst first.
    fn worst(&self, findings: Findings<'a>) -> Vec<DiffFinding> {
        let shown = self.worst_moved(findings).take(self.options.limit);
        shown.map(|moved| self.finding(&moved)).collect()
    }

    /// How many of all events or findings the formats for people do not show.
    fn more(&self, what: &str, all: u64) -> Option<String> {
        more(all.saturating_sub(self.options.limit as u64), what, all)
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

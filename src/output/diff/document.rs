//! One object, `credlens.diff/v1`, and lines of events, `credlens.event/v1`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::items::Items;
use super::{DiffView, input};
use crate::finding::{Diagnostic, InputTally, Severity, Status};
use crate::history::{Event, Kind, Move};
use crate::output::json_text;

/// What changed between two snapshots: `credlens.diff/v1`.
///
/// Runs do not build it, they write it item by item; it is for reading one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffDocument {
    /// Always `credlens.diff/v1`.
    pub schema: String,
    /// The older snapshot. Where it is of several reports, of the accounts of an archive, `users` counts those of
    /// all, `as_of` is that of the latest report, and the rest is that of the first; each account is compared as of
    /// its own report.
    pub old: InputTally,
    /// The newer snapshot; of several reports as the older one.
    pub new: InputTally,
    /// What happened: users in the order of the newer snapshot, then the deleted ones.
    pub events: Vec<DiffEvent>,
    /// What became of findings.
    pub findings: DiffFindings,
    /// What stands in the way of the comparison, or is odd in a report.
    pub diagnostics: Vec<Diagnostic>,
}

/// One event of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffEvent {
    /// What happened.
    pub kind: Kind,
    /// Account of the user; null where the report lacks the arn column.
    pub account: Option<String>,
    /// The user's name; `<root_account>` for root.
    pub user: Option<String>,
    /// The user's ARN.
    pub arn: Option<String>,
    /// When the key or certificate was made, RFC 3339 UTC; of a rotation, the new key.
    pub key_created: Option<String>,
    /// What the cell that tells it said before: a time, `true`, `false`, or null.
    pub old: Option<String>,
    /// What it says now.
    pub new: Option<String>,
}

/// Failing findings of both snapshots: users in the order of the older one, then those whom only the newer one has; those of
/// a user by rule and slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffFindings {
    /// Those of the newer snapshot that were not failing in the older.
    pub opened: Vec<DiffFinding>,
    /// Those of the older snapshot that are not failing any more.
    pub resolved: Vec<DiffFinding>,
    /// Those of the older snapshot that fail still, or of which that cannot be determined.
    pub open: Vec<DiffFinding>,
}

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffFinding {
    /// Stable name of the finding, as `credlens scan` tells it.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// The values that the rule's parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// The rule's title.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Account of the user.
    pub account: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's ARN.
    pub arn: Option<String>,
    /// The credential that it is about, by its slot in the newer snapshot, or in the older where it is
    /// resolved.
    pub credential: Option<String>,
    /// When that key or certificate was made, RFC 3339 UTC.
    pub key_created: Option<String>,
    /// What the older snapshot said; null where it said nothing, or that the rule holds.
    pub before: Option<Status>,
    /// What the newer snapshot says; null where it says nothing, or that the rule holds.
    pub after: Option<Status>,
    /// What resolved it: kinds of events, `suppressed`, `used` (the credential was), or `other`. Empty
    /// where it is not resolved.
    pub resolved_by: Vec<String>,
    /// One sentence for people.
    pub message: String,
}

impl DiffDocument {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.diff/v1";
}

/// One event, by itself: `credlens.event/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventLine {
    /// Always `credlens.event/v1`.
    pub schema: String,
    /// As-of of the older snapshot of the account: it happened later.
    pub old_as_of: String,
    /// As-of of the newer snapshot of the account: it had happened by then.
    pub new_as_of: String,
    /// What happened.
    #[serde(flatten)]
    pub event: DiffEvent,
}

impl EventLine {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.event/v1";
}

pub(super) fn write_json(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diff = view.diff;
    write!(out, "{{\"schema\":\"{}\",\"old\":", DiffDocument::SCHEMA)?;
    write_value(&input(diff.old), out)?;
    out.write_all(b",\"new\":")?;
    write_value(&input(diff.new), out)?;
    out.write_all(b",\n\"events\":[")?;
    let events = |range: Range<usize>, out: &mut Vec<u8>| {
        for event in &diff.events[range] {
            out.extend_from_slice(SEPARATOR);
            json_text::write(&view.event(event), out);
        }
    };
    write_items(view, diff.events.len(), events, out)?;
    let items = Items::new(view);
    out.write_all(b"],\n\"findings\":{")?;
    let mut separator = "";
    for which in Move::ALL {
        write!(out, "{separator}\"{}\":[", which.name())?;
        separator = "],\n";
        let findings = diff.findings(which);
        let write = |users, out: &mut Vec<u8>| items.findings(findings.of(users, |_| true), out);
        write_items(view, findings.users(), write, out)?;
    }
    out.write_all(b"]},\n\"diagnostics\":")?;
    write_value(&view.diagnostics, out)?;
    out.write_all(b"}\n")
}

pub(super) fn write_lines(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let write = |event: &Event, out: &mut Vec<u8>| {
        let [old_as_of, new_as_of] = view.instants(event).map(|as_of| as_of.to_string());
        let line = EventLine {
            schema: EventLine::SCHEMA.to_owned(),
            old_as_of,
            new_as_of,
            event: view.event(event),
        };
        json_text::write(&line, out);
        out.push(b'\n');
    };
    let events = |range: Range<usize>, out: &mut Vec<u8>| {
        view.diff.events[range].iter().for_each(|event| write(event, out));
    };
    let all = view.diff.events.len();
    in_order(view, all, events, |text| out.write_all(text))
}

/// What stands before each element of an array but the first, before which it loses the comma.
pub(super) const SEPARATOR: &[u8] = b",\n";

/// Writes the elements of an array, each on a line of its own.
fn write_items(
    view: &DiffView<'_>,
    all: usize,
    write: impl Fn(Range<usize>, &mut Vec<u8>) + Sync,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut is_first = true;
    in_order(view, all, write, |text| {
        let text = if is_first {
            text.get(1..).unwrap_or_default()
        } else {
            text
        };
        is_first &= text.is_empty();
        out.write_all(text)
    })
}

/// Of how many users a thread formats findings at a time, or how many events; and how many such parts are held at most,
/// by thread.
const PART: usize = 256;
const PARTS: usize = 16;

/// Has parts of so many things formatted in parallel, and writes them in their order.
fn in_order(
    view: &DiffView<'_>,
    all: usize,
    format: impl Fn(Range<usize>, &mut Vec<u8>) + Sync,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let at_once = PART * PARTS * view.workers.count();
    let spare = Mutex::new(Vec::<Vec<u8>>::new());
    let spare = || spare.lock().unwrap_or_else(PoisonError::into_inner);
    for start in (0..all).step_by(at_once) {
        let some = start..all.min(start + at_once);
        let texts = view.workers.in_parts(some, PART, |part| {
            let mut text = spare().pop().unwrap_or_default();
            format(part, &mut text);
            text
        });
        for mut text in texts {
            write(&text)?;
            text.clear();
            spare().push(text);
        }
    }
    Ok(())
}

fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    json_text::write(value, &mut text);
    out.write_all(&text)
}

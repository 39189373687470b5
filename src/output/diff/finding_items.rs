//! Findings of a diff as JSON. What the findings of a rule or of a user have in common is formatted once and copied.
//!
//! They are written by hand. With a borrowed struct, serde and raw values, a diff of a million users takes 1.9 times the
//! CPU time. A test compares every finding with that of serde.

use std::io::Write as _;

use super::DiffView;
use super::json::SEPARATOR;
use crate::engine::CompiledRule;
use crate::finding::Status;
use crate::history::{Moved, Side, Snapshot};
use crate::output::json_text::{write_hex, write_member, write_option};
use crate::output::scan::rule_members;
use crate::output::shared_part::SharedPart;
use crate::report::schema::Slot;
use crate::report::time::Timestamp;

/// Formats the findings of one diff.
pub(super) struct FindingItems<'a> {
    view: &'a DiffView<'a>,
    /// By the rule's position.
    rules: Vec<DiffRuleParts>,
}

/// What all findings of a rule have in common.
struct DiffRuleParts {
    /// From the id's end to the account.
    head: Vec<u8>,
    /// From the ARN's end to the key's creation, by slot.
    credentials: [Vec<u8>; 2],
    /// From the causes' end to the end.
    tail: Vec<u8>,
}

impl<'a> FindingItems<'a> {
    pub(super) fn new(view: &'a DiffView<'a>) -> Self {
        let rules = view.diff.rules.iter().map(DiffRuleParts::new).collect();
        Self { view, rules }
    }

    /// Appends findings as JSON objects, a separator before each.
    pub(super) fn append(&self, all: impl Iterator<Item = Moved>, out: &mut Vec<u8>) {
        let mut user = SharedPart::default();
        // Internal iteration: the iterators are nested, and `for` is slower.
        all.for_each(|moved| {
            out.extend_from_slice(SEPARATOR);
            self.finding(&moved, &mut user, out);
        });
    }

    fn finding(&self, moved: &Moved, user: &mut SharedPart<(Side, u32)>, out: &mut Vec<u8>) {
        let found = moved.found;
        let (snapshot, created) = self.view.subject(moved);
        let rule = &self.rules[usize::from(found.rule)];
        out.extend_from_slice(br#"{"id":""#);
        write_hex(snapshot.id(self.view.diff.rules, moved.row, found).0, out);
        out.extend_from_slice(&rule.head);
        let row = moved.row as usize;
        let write_user = |part: &mut Vec<u8>| write_user(self.view, snapshot, row, part);
        out.extend_from_slice(user.get(Some((moved.side, moved.row)), write_user));
        out.extend_from_slice(&rule.credentials[found.slot as usize]);
        write_time(created, out);
        out.extend_from_slice(br#","before":"#);
        write_status(moved.before, out);
        out.extend_from_slice(br#","after":"#);
        write_status(moved.after, out);
        out.extend_from_slice(br#","dates":{"#);
        for (position, (column, time)) in self.view.dates(moved).enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(out, r#"{comma}"{}":"{time}""#, column.name())
                .expect("invariant: memory takes every byte");
        }
        out.extend_from_slice(br#"},"resolved_by":["#);
        for (position, cause) in moved.by.iter().enumerate() {
            out.extend_from_slice(if position == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(cause.name().as_bytes());
            out.push(b'"');
        }
        out.extend_from_slice(&rule.tail);
    }
}

impl DiffRuleParts {
    fn new(compiled: &CompiledRule) -> Self {
        let bound = &compiled.bound;
        let mut head = rule_members(bound);
        write_member("severity", &bound.severity, &mut head);
        let mut tail = vec![b']'];
        write_member("message", &bound.message, &mut tail);
        tail.push(b'}');
        let credentials = Slot::ALL.map(|slot| {
            let mut text = Vec::new();
            write_member("credential", &bound.typed.credential(slot), &mut text);
            text.extend_from_slice(br#","key_created":"#);
            text
        });
        Self {
            head,
            credentials,
            tail,
        }
    }
}

/// `account` to `arn` of a user.
fn write_user(view: &DiffView<'_>, snapshot: &Snapshot, row: usize, out: &mut Vec<u8>) {
    let users = snapshot.users();
    let text = |text| Some(text).filter(|text: &&[u8]| !text.is_empty());
    out.extend_from_slice(br#","account":"#);
    let account = users.account(row);
    write_option(account, out);
    out.extend_from_slice(br#","account_name":"#);
    let name = users
        .account_or_name(row)
        .and_then(|account| view.name_of(account));
    write_option(name.map(str::as_bytes), out);
    out.extend_from_slice(br#","user":"#);
    write_option(text(users.name(row)), out);
    out.extend_from_slice(br#","arn":"#);
    write_option(text(users.arn(row)), out);
}

fn write_status(status: Option<Status>, out: &mut Vec<u8>) {
    write_option(status.map(|status| status.name().as_bytes()), out);
}

fn write_time(time: Option<Timestamp>, out: &mut Vec<u8>) {
    match time {
        Some(time) => write!(out, "\"{time}\"").expect("invariant: memory takes every byte"),
        None => out.extend_from_slice(b"null"),
    }
}

//! `json`: one object, `credlens.diff/v1`.

use std::io::{self, Write};
use std::ops::Range;

use super::finding_items::FindingItems;
use super::in_order::write_in_order;
use super::{DiffDocument, DiffSnapshot, DiffView, DiffWriter};
use crate::history::Move;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text;

pub(super) const FORMAT: FormatSpec<DiffWriter> =
    FormatSpec::new("json", "one document", Readers::Program, write);

/// What comes before each element of an array. The first element is written without the comma.
pub(super) const SEPARATOR: &[u8] = b",\n";

fn write(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diff = view.diff;
    write!(out, "{{\"schema\":\"{}\",\"old\":", DiffDocument::SCHEMA)?;
    out.write_all(&json_text::to_vec(&DiffSnapshot::of(diff.old, diff.users[0])))?;
    out.write_all(b",\"new\":")?;
    out.write_all(&json_text::to_vec(&DiffSnapshot::of(diff.new, diff.users[1])))?;
    out.write_all(b",\n\"events\":[")?;
    let events = |range: Range<usize>, out: &mut Vec<u8>| {
        for event in &diff.events[range] {
            out.extend_from_slice(SEPARATOR);
            json_text::write(&view.event(event), out);
        }
    };
    write_items(view, diff.events.len(), events, out)?;
    let finding_items = FindingItems::new(view);
    out.write_all(b"],\n\"findings\":{")?;
    let mut separator = "";
    for which in Move::ALL {
        write!(out, "{separator}\"{}\":[", which.name())?;
        separator = "],\n";
        let findings = diff.findings(which);
        let write = |users, out: &mut Vec<u8>| finding_items.append(findings.of(users, |_| true), out);
        write_items(view, findings.users(), write, out)?;
    }
    out.write_all(b"]},\n\"stale_accounts\":")?;
    out.write_all(&json_text::to_vec(&view.stale))?;
    out.write_all(b",\n\"diagnostics\":")?;
    out.write_all(&json_text::to_vec(&view.diagnostics))?;
    out.write_all(b"}\n")
}

/// Writes the elements of an array, each on a line of its own.
fn write_items(
    view: &DiffView<'_>,
    all: usize,
    format: impl Fn(Range<usize>, &mut Vec<u8>) + Sync,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut is_first = true;
    write_in_order(view, all, format, |text| {
        let comma = usize::from(is_first);
        is_first &= text.is_empty();
        out.write_all(text.get(comma..).unwrap_or_default())
    })
}

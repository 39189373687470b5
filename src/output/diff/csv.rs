//! `csv`: events and findings, a row each, for spreadsheets.

use std::io::{self, Write};
use std::ops::Range;

use super::in_order::write_in_order;
use super::{DiffView, DiffWriter};
use crate::history::Move;
use crate::output::csv_text::write_record;
use crate::output::format::{FormatSpec, Readers};

pub(super) const FORMAT: FormatSpec<DiffWriter> =
    FormatSpec::new("csv", "events and findings, a row each", Readers::Program, write);

const COLUMNS: [&str; 18] = [
    "type",
    "change",
    "severity",
    "account",
    "account_name",
    "user",
    "arn",
    "rule",
    "credential",
    "key_created",
    "dates",
    "old",
    "new",
    "resolved_by",
    "message",
    "id",
    "old_as_of",
    "new_as_of",
];

fn write(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut head = Vec::new();
    write_record(COLUMNS.into_iter().map(str::to_owned), &mut head);
    out.write_all(&head)?;
    let events = |range: Range<usize>, out: &mut Vec<u8>| {
        for event in &view.diff.events[range] {
            let [old_as_of, new_as_of] = view.instants(event).map(|time| time.to_string());
            let event = view.event(event);
            let text = Option::unwrap_or_default;
            let cells = [
                "event".to_owned(),
                event.kind.name().to_owned(),
                event.severity.name().to_owned(),
                text(event.account),
                text(event.account_name),
                text(event.user),
                text(event.arn),
                String::new(),
                String::new(),
                text(event.key_created),
                String::new(),
                text(event.old),
                text(event.new),
                String::new(),
                String::new(),
                String::new(),
                old_as_of,
                new_as_of,
            ];
            write_record(cells.into_iter(), out);
        }
    };
    write_in_order(view, view.diff.events.len(), events, |text| out.write_all(text))?;
    for which in Move::ALL {
        let findings = view.diff.findings(which);
        let rows = |users: Range<usize>, out: &mut Vec<u8>| {
            for moved in findings.of(users, |_| true) {
                let instants = view
                    .reports_of_account(&moved)
                    .map(|report| report.as_of.to_string());
                let cells = finding_cells(view.finding(&moved), which)
                    .into_iter()
                    .chain(instants);
                write_record(cells, out);
            }
        };
        write_in_order(view, findings.users(), rows, |text| out.write_all(text))?;
    }
    Ok(())
}

/// The cells of a finding, up to its id.
fn finding_cells(finding: super::DiffFinding, which: Move) -> [String; 16] {
    let text = Option::unwrap_or_default;
    let dates = finding
        .dates
        .iter()
        .map(|(column, time)| format!("{column}={time}"));
    let status =
        |status: Option<crate::finding::Status>| status.map_or("", |status| status.name()).to_owned();
    [
        "finding".to_owned(),
        which.name().to_owned(),
        finding.severity.name().to_owned(),
        text(finding.account),
        text(finding.account_name),
        text(finding.user),
        text(finding.arn),
        finding.rule,
        text(finding.credential),
        text(finding.key_created),
        dates.collect::<Vec<_>>().join("; "),
        status(finding.before),
        status(finding.after),
        finding.resolved_by.join("; "),
        finding.message,
        finding.id,
    ]
}

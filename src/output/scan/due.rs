//! What is due: sections of table and markdown, soonest first.

use anstyle::Style;

use super::table::head;
use super::{ScanView, fixes};
use crate::finding::Finding;
use crate::output::markdown_text::{Markdown, account, code, optional_code, plain};
use crate::output::phrases::{self, counted, due_within, more};
use crate::output::terminal::{DIM, TextCell, TextTable, severity_style};
use crate::report::escape::escape;

/// The section of a terminal; empty if nothing is due.
pub(super) fn text(view: &ScanView<'_>) -> String {
    let (Some(seconds), options) = (view.tally.due_within_seconds, view.options) else {
        return String::new();
    };
    let mut out = String::new();
    if !view.due.is_empty() {
        let mut table = TextTable::of_findings(options);
        let title = format!("{}, soonest first; times are UTC", due_within(seconds));
        table.line(options.paint(DIM, title));
        let same_user = |one: &Finding, other: &Finding| one.source == other.source;
        for group in view.due.chunk_by(same_user) {
            if !options.is_wide() {
                table.line("");
            }
            table.line(head(view, &group[0]));
            for finding in group {
                table.finding(cells(finding), &sentences(finding), options);
                for line in fixes::lines(finding, options) {
                    table.line(line);
                }
            }
        }
        out = table.render(options);
    }
    let hidden = view.due_emitted - view.due.len() as u64;
    if hidden > 0 {
        let (blank, before, what) = match view.due {
            [] => ("", "", "finding"),
            _ => ("\n", "… and ", "more finding"),
        };
        let line = format!(
            "{before}{} {}; see all with --limit {} or --format ndjson",
            counted(hidden, what),
            due_within(seconds),
            view.due_emitted
        );
        out.push_str(blank);
        out.push_str(&options.paragraph(Style::new(), &line));
    }
    out
}

fn cells(finding: &Finding) -> [TextCell; 4] {
    [
        TextCell::new(due_at(finding)),
        TextCell::styled(finding.severity.name(), severity_style(finding.severity)),
        TextCell::new(escape(&finding.rule)),
        TextCell::new(phrases::credential(finding)),
    ]
}

/// `2026-12-01 03:04:06`.
fn due_at(finding: &Finding) -> String {
    let due_at = finding.due_at.map(|due_at| due_at.to_string());
    due_at.unwrap_or_default().replace('T', " ").replace('Z', "")
}

/// The cells that make it concrete.
fn sentences(finding: &Finding) -> Vec<String> {
    let evidence = phrases::evidence(finding);
    if evidence.is_empty() {
        Vec::new()
    } else {
        vec![evidence]
    }
}

/// `Active access key not rotated; last rotated 2026-02-01 (89 days)`; when it fails is said already.
fn what(finding: &Finding) -> String {
    let title = escape(&finding.title).into_owned();
    let sentences: Vec<String> = std::iter::once(title).chain(sentences(finding)).collect();
    sentences.join("; ")
}

/// The section of a Markdown document, if anything is due.
pub(super) fn markdown(view: &ScanView<'_>, out: &mut Markdown) {
    let Some(seconds) = view.tally.due_within_seconds.filter(|_| view.due_emitted > 0) else {
        return;
    };
    out.heading(&due_within(seconds));
    out.paragraph("Soonest first; times are UTC.");
    let is_several = view.tally.evaluated_inputs().len() > 1;
    let report: &[&str] = if is_several { &["Report"] } else { &[] };
    let has_owners = view.due.iter().any(|finding| finding.owner.is_some());
    let owner: &[&str] = if has_owners { &["Owner"] } else { &[] };
    let heads = [
        &["Due", "Severity", "User", "Account"],
        owner,
        report,
        &["Rule", "Credential", "What"],
    ]
    .concat();
    let rows = view.due.iter().map(|finding| {
        let user = finding.user.as_deref().unwrap_or("all users");
        let credential = Some(phrases::credential(finding)).filter(|text| !text.is_empty());
        let mut cells = vec![
            due_at(finding),
            finding.severity.to_string(),
            code(user),
            account(finding.account.as_deref(), finding.account_name.as_deref()),
        ];
        cells.extend(has_owners.then(|| plain(finding.owner.as_deref().unwrap_or_default())));
        cells.extend(is_several.then(|| code(&finding.source.path)));
        cells.extend([
            code(&finding.rule),
            optional_code(credential.as_deref()),
            plain(&what(finding)),
        ]);
        cells
    });
    if !view.due.is_empty() {
        out.table(&heads, &[], rows);
    }
    let hidden = view.due_emitted - view.due.len() as u64;
    out.more(more(hidden, "finding", view.due_emitted));
}

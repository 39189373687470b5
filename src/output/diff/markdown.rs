//! Events, then findings, for pull requests and wikis.

use std::fmt::Write as _;

use super::table::{about, saying, summary};
use super::{DiffView, input};
use crate::history::Move;
use crate::output::markdown::{code, plain};
use crate::output::words::{self, diagnostic_line};

/// How many diagnostics are listed.
const DIAGNOSTICS: usize = 20;

pub(super) fn render(view: &DiffView<'_>) -> String {
    let mut out = String::from("# IAM credential reports: what changed\n\n");
    for (name, snapshot) in [("Old", view.diff.old), ("New", view.diff.new)] {
        let input = input(snapshot);
        let as_of = words::as_of(
            &input.as_of,
            input.as_of_source,
            input.generated.as_deref(),
            view.settings.now,
        );
        let users = words::counted(input.users, "user");
        line(
            &mut out,
            format_args!("- {name}: {}, {users}, as of {as_of}", code(&input.path)),
        );
    }
    line(&mut out, format_args!("\n{}", summary(view)));
    events(view, &mut out);
    findings(view, "Opened", Move::Opened, &mut out);
    findings(view, "Resolved", Move::Resolved, &mut out);
    diagnostics(view, &mut out);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("invariant: a string takes all");
}

fn events(view: &DiffView<'_>, out: &mut String) {
    let all = &view.diff.events;
    if all.is_empty() {
        return;
    }
    out.push_str("\n## Events\n\n| Event | User | Account | What |\n|---|---|---|---|\n");
    for event in all.iter().take(view.settings.limit) {
        let told = view.event(event);
        let [user, account] = [&told.user, &told.account].map(|text| cell(text.as_ref()));
        line(
            out,
            format_args!(
                "| {} | {user} | {account} | {} |",
                event.kind.name(),
                plain(&saying(&told))
            ),
        );
    }
    more(view, all.len() as u64, out);
}

fn findings(view: &DiffView<'_>, what: &str, which: Move, out: &mut String) {
    let findings = view.diff.findings(which);
    let count = findings.count();
    if count == 0 {
        return;
    }
    line(out, format_args!("\n## {what}\n"));
    out.push_str("| Severity | User | Account | Rule | Credential | What |\n|---|---|---|---|---|---|\n");
    for finding in view.worst(findings) {
        let [user, account, credential] =
            [&finding.user, &finding.account, &finding.credential].map(|text| cell(text.as_ref()));
        line(
            out,
            format_args!(
                "| {} | {user} | {account} | {} | {credential} | {} |",
                finding.severity,
                code(&finding.rule),
                plain(&about(&finding))
            ),
        );
    }
    more(view, count, out);
}

fn cell(text: Option<&String>) -> String {
    text.map_or(String::new(), |text| code(text))
}

fn more(view: &DiffView<'_>, all: u64, out: &mut String) {
    let more = all.saturating_sub(view.settings.limit as u64);
    if more > 0 {
        let more = words::number(more);
        line(
            out,
            format_args!("\nand {more} more (`--limit {all}` shows them)"),
        );
    }
}

fn diagnostics(view: &DiffView<'_>, out: &mut String) {
    if view.diagnostics.is_empty() {
        return;
    }
    out.push_str("\n## Diagnostics\n\n");
    for diagnostic in view.diagnostics.iter().take(DIAGNOSTICS) {
        line(out, format_args!("- {}", plain(&diagnostic_line(diagnostic))));
    }
    let more = view.diagnostics.len().saturating_sub(DIAGNOSTICS);
    if more > 0 {
        line(out, format_args!("- and {} more", words::number(more as u64)));
    }
}

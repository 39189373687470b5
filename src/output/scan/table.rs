//! `table`: counts, then the worst findings by user, for people at a terminal.

use std::collections::HashMap;

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::summary::{inputs, rules_with_findings, verdict};
use super::{ScanView, ScanWriter, compliance, due, fixes, ranking};
use crate::finding::{Finding, Status};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{self, counted};
use crate::output::terminal::{
    self, BOLD, DIM, GREEN, MAGENTA, TextCell, TextTable, YELLOW, cut, cut_start, join_sections,
    severity_style,
};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "table",
    "counts and the worst findings by user",
    Readers::Terminal,
    ScanWriter::RenderWorst(render),
);

/// How many inputs are listed by name.
pub(super) const INPUTS: usize = 5;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 5;
/// Parts of a user's line that would get fewer columns are left out.
const LEAST: usize = 12;

fn render(view: &ScanView<'_>) -> String {
    join_sections(vec![
        inputs(view, view.options.most(INPUTS)),
        ranking::text(view),
        rules_with_findings(view),
        compliance::text(view),
        findings(view),
        due::text(view),
        fixes::next_step(view),
        terminal::diagnostics(
            &view.tally.diagnostics,
            view.options.most(DIAGNOSTICS),
            view.options,
        ),
        verdict(view),
    ])
}

fn findings(view: &ScanView<'_>) -> String {
    let mut out = String::new();
    if !view.worst.is_empty() {
        let mut table = TextTable::of_findings(view.options);
        let ages = phrases::ages_counted_to(view.tally);
        table.line(view.options.paint(DIM, format!("worst first; {ages}")));
        for group in by_user(view.worst) {
            table.line("");
            table.line(head(view, group[0]));
            for finding in group {
                table.finding(cells(finding), &phrases::sentences(finding), view.options);
                for line in fixes::lines(finding, view.options) {
                    table.line(line);
                }
            }
        }
        out = table.render(view.options);
    }
    if view.hidden() > 0 {
        out.push_str(&hidden(view));
    }
    out
}

/// The findings of each user, users in the order of their worst finding.
fn by_user(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut positions = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let position = *positions
            .entry((&finding.source.path, finding.source.row))
            .or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// The user, and where: `alice  account 123456789012, row 17 of report.csv`.
pub(super) fn head(view: &ScanView<'_>, finding: &Finding) -> String {
    let user = match (&finding.user, finding.source.row) {
        (Some(user), _) => escape(user),
        (None, Some(_)) => "a user without a name".into(),
        (None, None) => "all users".into(),
    };
    let user = cut(&user, view.options.width);
    let mut about = Vec::new();
    if let Some(account) = &finding.account {
        let account = phrases::with_name(account, finding.account_name.as_deref());
        about.push(format!("account {account}"));
    }
    about.extend(
        finding
            .owner
            .as_deref()
            .map(|owner| format!("owner {}", escape(owner))),
    );
    let line = finding.source.line.map(|line| format!("line {line}"));
    about.extend(line.or_else(|| finding.source.row.map(|row| format!("row {row}"))));
    let about = about.join(", ");
    let options = view.options;
    let mut room = options.width.saturating_sub(user.width() + 2);
    let mut out = options.paint(BOLD, &user);
    if !about.is_empty() && room > LEAST {
        out.push_str("  ");
        out.push_str(&options.paint(DIM, cut(&about, room)));
        room = room.saturating_sub(about.width());
    }
    if view.tally.evaluated_inputs().len() > 1 && room > LEAST {
        let path = escape(&finding.source.path);
        out.push_str(&options.paint(DIM, format!(" in {}", cut_start(&path, room - " in ".len()))));
    }
    out
}

fn cells(finding: &Finding) -> [TextCell; 4] {
    [
        TextCell::styled(finding.severity.name(), severity_style(finding.severity)),
        TextCell::styled(finding.status.name(), status_style(finding.status)),
        TextCell::new(escape(&finding.rule)),
        TextCell::new(phrases::credential(finding)),
    ]
}

const fn status_style(status: Status) -> Style {
    match status {
        Status::Fail => Style::new(),
        Status::Undetermined => MAGENTA,
        Status::Suppressed => DIM,
        Status::Pass => GREEN,
        Status::Due => YELLOW,
    }
}

/// How many findings are not shown, and how to see them.
fn hidden(view: &ScanView<'_>) -> String {
    let (blank, before, what) = match view.worst {
        [] => ("", "", "finding"),
        _ => ("\n", "… and ", "more finding"),
    };
    let line = format!(
        "{before}{}; see all with --limit {} or --format ndjson",
        counted(view.hidden(), what),
        view.emitted
    );
    blank.to_owned() + &view.options.paragraph(Style::new(), &line)
}

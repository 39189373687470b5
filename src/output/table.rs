//! Counts, then the worst findings by user: what people see first.

use anstyle::Style;

use super::View;
use super::harmless::harmless;
use super::layout::{Align, Cell, Grid, Paint, cut, wrap};
use super::overview::{self, BOLD, DIM};
use super::words;
use crate::finding::{Finding, Level, RuleTally};

/// How many inputs are listed by name.
const INPUTS: usize = 5;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 5;
/// From this width on, a finding's message stands beside its rule, not below it.
const WIDE: usize = 120;

pub(super) fn render(view: &View<'_>) -> String {
    let sections = [
        overview::inputs(view, INPUTS),
        rules(view),
        findings(view),
        diagnostics(view),
        overview::verdict(view),
    ];
    let told: Vec<String> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    told.join("\n")
}

/// The rules that have something to say; the others are counted.
fn rules(view: &View<'_>) -> String {
    let speaks = |rule: &&RuleTally| rule.failed + rule.undetermined + rule.suppressed > 0;
    let rules = &view.tally.rules;
    let silent = rules.iter().filter(|rule| !speaks(rule)).count();
    let mut out = String::new();
    if silent < rules.len() {
        out = overview::rules(view, rules.iter().filter(speaks));
    }
    if silent > 0 {
        let silent = words::counted(silent as u64, "rule");
        let line = format!("{silent} found nothing");
        out.push_str(&Paint(view.settings.color).text(DIM, line));
        out.push('\n');
    }
    out
}

fn findings(view: &View<'_>) -> String {
    let paint = Paint(view.settings.color);
    let mut out = String::new();
    if !view.worst.is_empty() {
        let wide = view.settings.width >= WIDE;
        let columns: &[Align] = if wide {
            &[Align::Left, Align::Left, Align::Left, Align::Left, Align::Wrapped]
        } else {
            &[Align::Left, Align::Left, Align::Left, Align::Left]
        };
        let mut grid = Grid::new(2, columns);
        grid.free(paint.text(DIM, "worst first; ages are at the as-of"));
        for group in by_user(view.worst) {
            if !wide {
                grid.free("");
            }
            grid.free(head(view, group[0]));
            for finding in group {
                line(finding, wide, view.settings, &mut grid);
            }
        }
        out = grid.render(view.settings.width, paint);
    }
    if view.hidden() > 0 {
        out.push_str(&hidden(view));
    }
    out
}

/// The findings of each user, users in the order of their worst finding.
fn by_user(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut positions = std::collections::HashMap::new();
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

fn head(view: &View<'_>, finding: &Finding) -> String {
    let mut about = Vec::new();
    if let Some(account) = &finding.account {
        about.push(format!("account {}", harmless(account)));
    }
    about.extend(finding.source.row.map(|row| format!("row {row}")));
    if view.tally.inputs.len() > 1 {
        about.push(harmless(&finding.source.path).into_owned());
    }
    let user = match (&finding.user, finding.source.row) {
        (Some(user), _) => harmless(user),
        (None, Some(_)) => "a user without a name".into(),
        (None, None) => "all users".into(),
    };
    let paint = Paint(view.settings.color);
    let user = cut(&user, view.settings.width);
    let used = unicode_width::UnicodeWidthStr::width(&*user) + 2;
    let about = about.join(", ");
    let mut out = paint.text(BOLD, &user);
    if used + 12 <= view.settings.width {
        out.push_str("  ");
        out.push_str(&paint.text(DIM, cut(&about, view.settings.width - used)));
    }
    out
}

fn line(finding: &Finding, wide: bool, settings: super::Settings, grid: &mut Grid) {
    let mut cells = vec![
        Cell::styled(
            finding.severity.name(),
            overview::severity_style(finding.severity),
        ),
        Cell::styled(finding.status.name(), overview::status_style(finding.status)),
        Cell::new(harmless(&finding.rule)),
        Cell::new(finding.credential.as_deref().map_or("".into(), harmless)),
    ];
    let sayings = words::sayings(finding);
    if wide {
        cells.push(Cell::new(sayings.join("; ")));
        return grid.cells(cells);
    }
    grid.cells(cells);
    for saying in sayings {
        for line in wrap(&saying, settings.width.saturating_sub(4)) {
            grid.free(format!("    {line}"));
        }
    }
}

fn hidden(view: &View<'_>) -> String {
    let shown = if view.worst.is_empty() { "" } else { "\n… and " };
    let all = view.told;
    let line = format!(
        "{shown}{} not shown; --limit {all} shows them here, --format ndjson gives them to programs",
        words::counted(view.hidden(), "more finding"),
    );
    wrap(&line, view.settings.width).join("\n") + "\n"
}

fn diagnostics(view: &View<'_>) -> String {
    let paint = Paint(view.settings.color);
    let diagnostics = &view.tally.diagnostics;
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(DIAGNOSTICS) {
        let style = match diagnostic.level {
            Level::Note => DIM,
            Level::Warning => Style::new(),
            Level::Error => overview::severity_style(crate::finding::Severity::High),
        };
        let line = words::diagnostic_line(diagnostic);
        for (number, line) in wrap(&line, view.settings.width.saturating_sub(2))
            .iter()
            .enumerate()
        {
            out.push_str(if number == 0 { "" } else { "  " });
            out.push_str(&paint.text(style, line));
            out.push('\n');
        }
    }
    if diagnostics.len() > DIAGNOSTICS {
        let more = words::counted((diagnostics.len() - DIAGNOSTICS) as u64, "more diagnostic");
        out.push_str(&more);
        out.push_str("; --format json tells all\n");
    }
    out
}

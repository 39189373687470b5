//! Counts, then the worst findings by user: what people see first.

use std::collections::HashMap;

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::compliance;
use super::escape::escape;
use super::layout::{Align, Cell, Grid, Paint, cut, cut_start, wrap};
use super::overview::{self, BOLD, DIM};
use super::words;
use super::{Settings, View};
use crate::finding::{Finding, Level, Severity};

/// How many inputs are listed by name.
const INPUTS: usize = 5;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 5;
/// From this width on, a finding's message stands beside its rule, not below it.
const WIDE: usize = 120;
/// What does not get this many columns is left out of a user's line.
const LEAST: usize = 12;

pub(super) fn render(view: &View<'_>) -> String {
    let sections = [
        overview::inputs(view, INPUTS),
        rules(view),
        compliance::text(view),
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
    if view.tally.inputs.is_empty() {
        return String::new();
    }
    let rules = &view.tally.rules;
    let mut out = String::new();
    if rules.iter().any(overview::speaks) {
        out = overview::rules(view, rules.iter().filter(|rule| overview::speaks(rule)));
    }
    if let Some(silent) = overview::silent(rules) {
        out.push_str(&Paint(view.settings.color).text(DIM, silent));
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
fn head(view: &View<'_>, finding: &Finding) -> String {
    let user = match (&finding.user, finding.source.row) {
        (Some(user), _) => escape(user),
        (None, Some(_)) => "a user without a name".into(),
        (None, None) => "all users".into(),
    };
    let user = cut(&user, view.settings.width);
    let mut about = Vec::new();
    if let Some(account) = &finding.account {
        let name = finding
            .account_name
            .as_deref()
            .map(|name| format!(" ({})", escape(name)));
        about.push(format!("account {}{}", escape(account), name.unwrap_or_default()));
    }
    about.extend(finding.source.row.map(|row| format!("row {row}")));
    let about = about.join(", ");
    let mut room = view.settings.width.saturating_sub(user.width() + 2);
    let paint = Paint(view.settings.color);
    let mut out = paint.text(BOLD, &user);
    if !about.is_empty() && room > LEAST {
        out.push_str("  ");
        out.push_str(&paint.text(DIM, cut(&about, room)));
        room = room.saturating_sub(about.width());
    }
    if view.tally.inputs.len() > 1 && room > LEAST {
        let path = escape(&finding.source.path);
        out.push_str(&paint.text(DIM, format!(" in {}", cut_start(&path, room - " in ".len()))));
    }
    out
}

fn line(finding: &Finding, wide: bool, settings: Settings, grid: &mut Grid) {
    let mut cells = vec![
        Cell::styled(
            finding.severity.name(),
            overview::severity_style(finding.severity),
        ),
        Cell::styled(finding.status.name(), overview::status_style(finding.status)),
        Cell::new(escape(&finding.rule)),
        Cell::new(words::credential(finding)),
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

/// How many findings there are besides, and how to see them.
fn hidden(view: &View<'_>) -> String {
    let (before, what) = match view.worst {
        [] => ("", "finding"),
        _ => ("… and ", "more finding"),
    };
    let hidden = words::counted(view.hidden(), what);
    let line = format!(
        "{before}{hidden}; see all with --limit {} or --format ndjson",
        view.told
    );
    let blank = if view.worst.is_empty() { "" } else { "\n" };
    format!("{blank}{}\n", wrap(&line, view.settings.width).join("\n"))
}

fn diagnostics(view: &View<'_>) -> String {
    let paint = Paint(view.settings.color);
    let diagnostics = words::weightiest_first(&view.tally.diagnostics);
    let mut out = String::new();
    for diagnostic in diagnostics.iter().copied().take(DIAGNOSTICS) {
        let style = match diagnostic.level {
            Level::Note => DIM,
            Level::Warning => Style::new(),
            Level::Error => overview::severity_style(Severity::High),
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

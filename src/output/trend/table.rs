//! First and last figures with sparklines, rules and the oldest findings, for people at a terminal.

use super::lines;
use super::series::{Figure, Series, series};
use crate::history::trend::TrendDocument;
use crate::output::layout::{Align, Cell, Grid, Paint, wrap};
use crate::output::overview::{BOLD, DIM, severity_style};
use crate::output::words::{self, diagnostic_line};
use crate::output::{Settings, escape};

/// Columns of a sparkline at most.
const SPARKS: usize = 32;
const DIAGNOSTICS: usize = 10;

pub(super) fn render(document: &TrendDocument, settings: Settings) -> String {
    let all = series(document);
    let mut sections = vec![lines::span(document) + "\n"];
    for one in all.iter().take(settings.limit) {
        sections.push(figures(one, settings));
    }
    if all.len() > settings.limit {
        let more = words::number((all.len() - settings.limit) as u64);
        sections.push(format!(
            "… and {more} more accounts (--limit {} shows them)\n",
            all.len()
        ));
    }
    sections.push(rules(document, settings));
    sections.push(oldest(document, settings));
    sections.push(wrap(&lines::rotation(&document.rotation), settings.width).join("\n") + "\n");
    sections.push(diagnostics(document, settings));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn figures(series: &Series<'_>, settings: Settings) -> String {
    let paint = Paint(settings.color);
    let mut grid = Grid::new(0, [Align::Left, Align::Right, Align::Right, Align::Left]);
    if let Some(account) = series.account {
        grid.free(paint.text(BOLD, format!("account {}", escape(account))));
    }
    grid.cells(
        ["", "first", "last", ""]
            .map(|head| Cell::styled(head, DIM))
            .to_vec(),
    );
    for figure in series.figures() {
        let [first, last] = figure.ends().map(|value| figure.text(value));
        grid.cells(vec![
            Cell::new(figure.name.clone()),
            Cell::styled(first, DIM),
            Cell::styled(last, BOLD),
            Cell::new(sparkline(&figure)),
        ]);
    }
    grid.render(settings.width, paint)
}

/// The figure from nothing to its highest; where there are more points than room, the last of each stretch.
fn sparkline(figure: &Figure) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values = &figure.values;
    let columns = values.len().min(SPARKS);
    let top = values
        .iter()
        .flatten()
        .fold(0.0_f64, |top, value| top.max(*value));
    let shown = (1..=columns).map(|column| values[column * values.len() / columns - 1]);
    let level = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 7, rounded"
        )]
        let level = if top > 0.0 {
            (value / top * 7.0).round() as usize
        } else {
            0
        };
        LEVELS[level.min(7)]
    };
    shown.map(|value| value.map_or(' ', level)).collect()
}

fn rules(document: &TrendDocument, settings: Settings) -> String {
    if document.rules.is_empty() {
        return String::new();
    }
    let mut columns = vec![Align::Left, Align::Wrapped];
    columns.resize(2 + lines::RULE_HEADS.len(), Align::Right);
    let mut grid = Grid::new(0, columns);
    let heads = ["severity", "rule"].into_iter().chain(lines::RULE_HEADS);
    grid.cells(heads.map(|head| Cell::styled(head, DIM)).collect());
    for rule in &document.rules {
        let mut cells = vec![
            Cell::styled(rule.severity.name(), severity_style(rule.severity)),
            Cell::new(words::rule(&rule.rule, &rule.parameters)),
        ];
        cells.extend(lines::rule_cells(rule).map(Cell::new));
        grid.cells(cells);
    }
    grid.render(settings.width, Paint(settings.color))
}

fn oldest(document: &TrendDocument, settings: Settings) -> String {
    if document.oldest.is_empty() {
        return String::new();
    }
    let paint = Paint(settings.color);
    let mut grid = Grid::new(
        2,
        [Align::Left, Align::Left, Align::Left, Align::Left, Align::Left],
    );
    grid.free(paint.text(BOLD, "open for longest"));
    for finding in document.oldest.iter().take(settings.limit) {
        grid.cells(vec![
            Cell::styled(finding.severity.name(), severity_style(finding.severity)),
            Cell::new(lines::since(&finding.since, finding.at_start)),
            Cell::new(escape(finding.user.as_deref().unwrap_or(""))),
            Cell::new(escape(&finding.rule)),
            Cell::styled(escape(finding.account.as_deref().unwrap_or("")), DIM),
        ]);
    }
    if let Some(more) = lines::more_open(document, settings.limit) {
        grid.free(format!("  {more}"));
    }
    grid.render(settings.width, paint)
}

fn diagnostics(document: &TrendDocument, settings: Settings) -> String {
    let mut out = String::new();
    for diagnostic in document.diagnostics.iter().take(DIAGNOSTICS) {
        let lines = wrap(&diagnostic_line(diagnostic), settings.width.saturating_sub(2));
        out.push_str(&lines.join("\n  "));
        out.push('\n');
    }
    let more = document.diagnostics.len().saturating_sub(DIAGNOSTICS);
    if more > 0 {
        out.push_str(&words::counted(more as u64, "more diagnostic"));
        out.push_str("; --format json tells all\n");
    }
    out
}

//! `table`: first and last figures with sparklines, rules and the oldest findings, for people at a terminal.

use anstyle::Style;

use super::series::{Figure, Series, series};
use super::{TrendWriter, phrases};
use crate::history::trend::TrendDocument;
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{account, more, rule, with_name};
use crate::output::terminal::{
    self, Align, BOLD, DIM, TextCell, TextTable, cut, join_sections, severity_style,
};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<TrendWriter> = FormatSpec::new(
    "table",
    "first and last figures, rules and the oldest findings",
    Readers::Terminal,
    |document, options| render(document, options).into_bytes(),
);

/// Columns of a sparkline at most.
const SPARKS: usize = 32;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 10;

fn render(document: &TrendDocument, options: DisplayOptions) -> String {
    let all = series(document);
    let mut sections = vec![phrases::span(document) + "\n"];
    sections.extend(all.iter().take(options.limit).map(|one| figures(one, options)));
    let hidden = all.len().saturating_sub(options.limit) as u64;
    sections.extend(more(hidden, "account", all.len() as u64).map(|more| more + "\n"));
    sections.extend([
        rules(document, options),
        phrases::unveiled(document).map_or(String::new(), |text| options.paragraph(DIM, text)),
        oldest(document, options),
        options.paragraph(Style::new(), &phrases::rotation(&document.rotation)),
        terminal::diagnostics(&document.diagnostics, options.most(DIAGNOSTICS), options),
    ]);
    join_sections(sections)
}

fn figures(series: &Series<'_>, options: DisplayOptions) -> String {
    let mut table = TextTable::new(0, [Align::Left, Align::Right, Align::Right, Align::Left]);
    if let Some(account) = series.account {
        table.line(options.paint(BOLD, format!("account {}", with_name(account, series.name))));
        table.line(options.paint(DIM, phrases::reports(series)));
    }
    let [first, last] = series.ends();
    table.row(["", &first, &last, ""].map(|head| TextCell::styled(head, DIM)));
    let missing = series.missing();
    for figure in series.figures() {
        let [first, last] = figure.ends().map(|value| figure.text(value));
        let sparkline = TextCell::new(sparkline(&figure, &missing));
        table.row([
            TextCell::new(figure.name),
            TextCell::styled(first, DIM),
            TextCell::styled(last, BOLD),
            sparkline,
        ]);
    }
    table.render(options)
}

/// The figure as bars from 0 to its highest value, blank where snapshots are missing. Where there are more points than
/// columns, a column has the last point of its stretch.
fn sparkline(figure: &Figure, missing: &[u64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut values = Vec::new();
    for (value, &missing) in figure.values.iter().map(Some).chain([None]).zip(missing) {
        values.extend((0..missing).map(|_| None));
        values.extend(value);
    }
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

fn rules(document: &TrendDocument, options: DisplayOptions) -> String {
    if document.rules.is_empty() {
        return String::new();
    }
    let mut columns = vec![("severity", Align::Left), ("rule", Align::Wrapped)];
    columns.extend(
        phrases::rule_heads(document)
            .into_iter()
            .map(|head| (head, Align::Right)),
    );
    let mut table = TextTable::with_heads(&columns);
    for trend in &document.rules {
        let mut cells = vec![
            TextCell::styled(trend.severity.name(), severity_style(trend.severity)),
            TextCell::new(rule(&trend.rule, &trend.parameters)),
        ];
        cells.extend(
            phrases::rule_cells(document, trend)
                .into_iter()
                .map(TextCell::new),
        );
        table.row(cells);
    }
    table.render(options)
}

fn oldest(document: &TrendDocument, options: DisplayOptions) -> String {
    if document.oldest.is_empty() {
        return String::new();
    }
    // Dates and account ids stay whole.
    let columns = [Align::Left, Align::Name, Align::Left, Align::Wrapped, Align::Name];
    let mut table = TextTable::new(2, columns);
    table.line(options.paint(BOLD, "open for longest"));
    for finding in document.oldest.iter().take(options.limit) {
        table.row([
            TextCell::styled(finding.severity.name(), severity_style(finding.severity)),
            TextCell::new(phrases::since(finding)),
            TextCell::new(cut(
                &escape(finding.user.as_deref().unwrap_or("")),
                options.width / 4,
            )),
            TextCell::new(escape(&finding.rule)),
            TextCell::styled(
                account(finding.account.as_deref(), finding.account_name.as_deref()),
                DIM,
            ),
        ]);
    }
    table.more(phrases::more_open(document, options.limit));
    table.render(options)
}

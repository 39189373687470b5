//! `markdown`: first and last figures, rules and the oldest findings, for pull requests and wikis.

use super::series::{Series, series};
use super::{TrendWriter, phrases};
use crate::history::trend::TrendDocument;
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, account, code, optional_code, plain};
use crate::output::phrases::{more, rule};

pub(super) const FORMAT: FormatSpec<TrendWriter> = FormatSpec::new(
    "markdown",
    "for pull requests and wikis",
    Readers::Document,
    |document, options| render(document, options).into_bytes(),
);

fn render(document: &TrendDocument, options: DisplayOptions) -> String {
    let mut out = Markdown::new("IAM credential reports: trend", options);
    out.paragraph(&phrases::span(document));
    let all = series(document);
    for one in all.iter().take(options.limit) {
        figures(one, &mut out);
    }
    let hidden = all.len().saturating_sub(options.limit) as u64;
    out.more(more(hidden, "account", all.len() as u64));
    rules(document, &mut out);
    oldest(document, options.limit, &mut out);
    out.paragraph(&plain(&phrases::rotation(&document.rotation)));
    out.diagnostics(&document.diagnostics);
    out.into_text()
}

fn figures(series: &Series<'_>, out: &mut Markdown) {
    match series.account {
        Some(id) => {
            out.heading(&format!("Account {}", account(Some(id), series.name)));
            out.paragraph(&phrases::reports(series));
        }
        None => out.heading("Figures"),
    }
    let rows = series.figures().into_iter().map(|figure| {
        let [first, last] = figure.ends().map(|value| figure.text(value));
        vec![figure.name, first, last]
    });
    let [first, last] = series.ends();
    out.table(&[""], &[&first, &last], rows);
}

fn rules(document: &TrendDocument, out: &mut Markdown) {
    if document.rules.is_empty() {
        return;
    }
    out.heading("Rules");
    let rows = document.rules.iter().map(|trend| {
        let name = code(&rule(&trend.rule, &trend.parameters));
        [
            vec![trend.severity.to_string(), name],
            phrases::rule_cells(document, trend),
        ]
        .concat()
    });
    out.table(&["severity", "rule"], &phrases::rule_heads(document), rows);
    if let Some(text) = phrases::unveiled(document) {
        out.paragraph(text);
    }
}

fn oldest(document: &TrendDocument, limit: usize, out: &mut Markdown) {
    if document.oldest.is_empty() {
        return;
    }
    out.heading("Open for longest");
    let rows = document.oldest.iter().take(limit).map(|finding| {
        vec![
            finding.severity.to_string(),
            phrases::since(finding),
            optional_code(finding.user.as_deref()),
            account(finding.account.as_deref(), finding.account_name.as_deref()),
            code(&finding.rule),
        ]
    });
    out.table(&["Severity", "Since", "User", "Account", "Rule"], &[], rows);
    out.more(phrases::more_open(document, limit));
}

//! First and last figures, rules and the oldest findings, for pull requests and wikis.

use std::fmt::Write as _;

use super::lines;
use super::series::{Series, series};
use crate::history::trend::TrendDocument;
use crate::output::Settings;
use crate::output::markdown::{code, plain};
use crate::output::words::{self, diagnostic_line};

const DIAGNOSTICS: usize = 20;

pub(super) fn render(document: &TrendDocument, settings: Settings) -> String {
    let mut out = format!("# IAM credential reports: trend\n\n{}\n", lines::span(document));
    let all = series(document);
    for one in all.iter().take(settings.limit) {
        figures(one, &mut out);
    }
    if all.len() > settings.limit {
        let more = words::number((all.len() - settings.limit) as u64);
        line(
            &mut out,
            format_args!("\nand {more} more accounts (`--limit {}` shows them)", all.len()),
        );
    }
    rules(document, &mut out);
    oldest(document, settings.limit, &mut out);
    line(
        &mut out,
        format_args!("\n{}", plain(&lines::rotation(&document.rotation))),
    );
    diagnostics(document, &mut out);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("invariant: a string takes all");
}

fn figures(series: &Series<'_>, out: &mut String) {
    match series.account {
        Some(account) => line(out, format_args!("\n## Account {}\n", code(account))),
        None => out.push_str("\n## Figures\n\n"),
    }
    out.push_str("| | First | Last |\n|---|--:|--:|\n");
    for figure in series.figures() {
        let [first, last] = figure.ends().map(|value| figure.text(value));
        line(out, format_args!("| {} | {first} | {last} |", figure.name));
    }
}

fn rules(document: &TrendDocument, out: &mut String) {
    if document.rules.is_empty() {
        return;
    }
    let heads = lines::RULE_HEADS.join(" | ");
    line(out, format_args!("\n## Rules\n\n| severity | rule | {heads} |"));
    out.push_str("|---|---|--:|--:|--:|--:|--:|--:|\n");
    for rule in &document.rules {
        let name = code(&words::rule(&rule.rule, &rule.parameters));
        let cells = lines::rule_cells(rule).join(" | ");
        line(out, format_args!("| {} | {name} | {cells} |", rule.severity));
    }
}

fn oldest(document: &TrendDocument, limit: usize, out: &mut String) {
    if document.oldest.is_empty() {
        return;
    }
    out.push_str(
        "\n## Open for longest\n\n| Severity | Since | User | Account | Rule |\n|---|---|---|---|---|\n",
    );
    for finding in document.oldest.iter().take(limit) {
        let cell = |text: Option<&String>| text.map_or(String::new(), |text| code(text));
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} | {} |",
                finding.severity,
                lines::since(&finding.since, finding.at_start),
                cell(finding.user.as_ref()),
                cell(finding.account.as_ref()),
                code(&finding.rule)
            ),
        );
    }
    if let Some(more) = lines::more_open(document, limit) {
        line(out, format_args!("\n{}", plain(&more)));
    }
}

fn diagnostics(document: &TrendDocument, out: &mut String) {
    if document.diagnostics.is_empty() {
        return;
    }
    out.push_str("\n## Diagnostics\n\n");
    for diagnostic in document.diagnostics.iter().take(DIAGNOSTICS) {
        line(out, format_args!("- {}", plain(&diagnostic_line(diagnostic))));
    }
    let more = document.diagnostics.len().saturating_sub(DIAGNOSTICS);
    if more > 0 {
        line(out, format_args!("- and {} more", words::number(more as u64)));
    }
}

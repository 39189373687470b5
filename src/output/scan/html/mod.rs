//! `html`: one page with the counts and the worst findings, to be searched, filtered and printed. It fetches nothing, all of
//! it can be read where scripts do not run, and no text of a report is markup.

mod findings;
mod scope;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use super::summary::{common_as_of, found_something, in_words, span};
use super::{ScanView, ScanWriter, compliance, ranking};
use crate::finding::{Diagnostic, RuleTally, Severity, gravest};
use crate::output::format::{FormatSpec, Readers};
use crate::output::html_text::{self, Html};
use crate::output::phrases::{self, counted, diagnostic_line, number};
use crate::output::prose::paragraphs_for_html;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "html",
    "one page to search, filter and print",
    Readers::Program,
    ScanWriter::RenderMost(FINDINGS, render),
);

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How many findings are shown, unless the user gives a limit: about 8 MB.
const FINDINGS: usize = 2_000;
/// How many accounts, or other entries of a ranking, are shown.
const RANKED: usize = 100;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 200;

fn render(view: &ScanView<'_>) -> Vec<u8> {
    let style = [html_text::STYLE, STYLE].concat();
    let counts = phrases::verdict_counts(view.tally);
    let mut page = Html::page(&format!("IAM credential report: {counts}"), &style, SCRIPT);
    header(view, &mut page);
    page.markup("<main>\n");
    cards(view, &mut page);
    scope::section(view, &mut page);
    ranking::html(view.options.most(RANKED), view, &mut page);
    rules(view, &mut page);
    if !view.tally.compliance.is_empty() {
        page.section("compliance", "Compliance");
        compliance::html(view, &mut page);
        page.markup("</section>\n");
    }
    findings::worst(view, &mut page);
    findings::due(view, &mut page);
    diagnostics(&view.tally.diagnostics, view.options.most(DIAGNOSTICS), &mut page);
    page.markup("</main>\n<footer>");
    page.text(&format!("Written by credlens {}", view.tally.evidence.version));
    page.markup("</footer>\n").end_page(SCRIPT);
    page.into_bytes()
}

/// The title, what was evaluated in one line, and links to the sections.
fn header(view: &ScanView<'_>, out: &mut Html) {
    out.markup("<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<header>\n");
    out.markup("<h1>IAM credential report</h1>\n");
    let as_of = common_as_of(view).map(|as_of| format!("evaluated as of {as_of}"));
    let as_of = as_of.or_else(|| span(view)).map(|as_of| format!(", {as_of}"));
    let line = format!("{}{}", in_words(view), as_of.unwrap_or_default());
    out.classed("p", "lead", &line).markup("\n");
    out.note(&phrases::verdict_counts(view.tally));
    out.markup("<nav aria-label=\"Sections\">");
    let tally = view.tally;
    let is_ranked = tally.ranking.is_some() || !tally.accounts.is_empty();
    let has_due = view.due_emitted > 0;
    let links = [
        (true, "#scope", "Scope"),
        (is_ranked, "#ranking", "Ranking"),
        (!tally.rules.is_empty(), "#rules", "Rules"),
        (!tally.compliance.is_empty(), "#compliance", "Compliance"),
        (true, "#findings", "Findings"),
        (has_due, "#due", "Due"),
        (!tally.diagnostics.is_empty(), "#diagnostics", "Diagnostics"),
    ];
    for (_, address, name) in links.into_iter().filter(|(is_there, ..)| *is_there) {
        out.open("a", &[("href", address)])
            .text(name)
            .close("a")
            .markup("\n");
    }
    out.markup("</nav>\n</header>\n");
}

/// How many verdicts fail, by severity, and how many there are of the other kinds that need a look.
fn cards(view: &ScanView<'_>, out: &mut Html) {
    let rules = &view.tally.rules;
    let sum = |count: fn(&RuleTally) -> u64| rules.iter().map(count).sum::<u64>();
    out.markup("<section aria-labelledby=\"counts\">\n<h2 id=\"counts\" class=\"unseen\">Counts</h2>\n");
    out.markup("<ul class=\"cards\">\n");
    for severity in Severity::ALL.into_iter().rev() {
        let of_severity = rules.iter().filter(|rule| rule.severity == severity);
        let failed = of_severity.map(|rule| rule.failed).sum::<u64>();
        if failed > 0 || severity != Severity::Informational {
            card(severity.name(), failed, out);
        }
    }
    card("undetermined", sum(|rule| rule.undetermined), out);
    for (name, count) in [
        ("suppressed", sum(|rule| rule.suppressed)),
        ("due", sum(|rule| rule.due.unwrap_or(0))),
    ] {
        if count > 0 {
            card(name, count, out);
        }
    }
    out.markup("</ul>\n</section>\n");
}

fn card(name: &str, count: u64, out: &mut Html) {
    let class = if count == 0 { "none" } else { name };
    out.open("li", &[("class", class)]);
    out.element("b", &number(count)).markup(" ");
    out.element("span", name).markup("</li>\n");
}

/// The rules, those that fail first. Those that found nothing are folded.
fn rules(view: &ScanView<'_>, out: &mut Html) {
    let mut rules: Vec<&RuleTally> = view.tally.rules.iter().collect();
    if rules.is_empty() {
        return;
    }
    rules.sort_by_key(|rule| (rule.failed == 0, Reverse(rule.severity)));
    let (found, others): (Vec<&RuleTally>, _) = rules.into_iter().partition(|rule| found_something(rule));
    out.section("rules", "Rules");
    if !found.is_empty() {
        rules_table("Rules with findings", &found, out);
    }
    if !others.is_empty() {
        let count = counted(others.len() as u64, "rule");
        out.markup("<details class=\"fold\"><summary>");
        out.text(&format!("{count} without a finding"))
            .markup("</summary>\n");
        rules_table("Rules without a finding", &others, out);
        out.markup("</details>\n");
    }
    out.markup("</section>\n");
}

fn rules_table(label: &str, rules: &[&RuleTally], out: &mut Html) {
    let is_due = rules.iter().any(|rule| rule.due.is_some());
    let mut counts = vec!["Failed", "Undetermined", "Suppressed", "Passed"];
    counts.extend(is_due.then_some("Due"));
    out.table(label, &["Severity", "Rule"], &counts);
    for rule in rules {
        out.markup("<tr>")
            .marked(rule.severity.name())
            .markup("<td><details><summary>");
        out.text(&rule.texts.title).markup(" ");
        out.classed("span", "below", &phrases::rule(&rule.id, &rule.parameters));
        out.markup("</summary>");
        paragraphs_for_html(&rule.texts.why, out);
        let file = rule.file.as_deref().map(|file| format!("Defined in {file}"));
        let not_run = rule.not_run.map(|count| {
            format!(
                "Not run on {}, which lack details (--details)",
                counted(count, "report")
            )
        });
        for note in file.iter().chain(&not_run) {
            out.note(note);
        }
        out.markup("</details></td>");
        let counts = [rule.failed, rule.undetermined, rule.suppressed, rule.passed];
        for count in counts.into_iter().chain(is_due.then(|| rule.due.unwrap_or(0))) {
            out.number(count);
        }
        out.markup("</tr>\n");
    }
    out.end_table();
}

/// What is worth knowing about the inputs, the gravest first, with what to do about it.
fn diagnostics(diagnostics: &[Diagnostic], most: usize, out: &mut Html) {
    if diagnostics.is_empty() {
        return;
    }
    out.section("diagnostics", "Diagnostics").markup("<ul>\n");
    let (shown, hidden) = gravest(diagnostics, most);
    for diagnostic in shown {
        out.open("li", &[("class", diagnostic.level.name())]);
        out.text(&diagnostic_line(diagnostic));
        out.classed("span", "below", diagnostic.help()).markup("</li>\n");
    }
    if hidden.count > 0 {
        let more = counted(hidden.count, "more diagnostic");
        out.element("li", &format!("and {more}; --format json lists them"))
            .markup("\n");
    }
    out.markup("</ul>\n</section>\n");
}

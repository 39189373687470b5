//! The findings of a page: the worst by user, and those that are due. Each opens to its evidence, why it matters and its fix.

use std::collections::BTreeSet;

use super::ScanView;
use crate::finding::{Finding, Fix, RuleTally, Severity};
use crate::output::html_text::Html;
use crate::output::phrases::{self, counted, due_within, number};
use crate::output::prose::paragraphs_for_html;
use crate::output::scan::table::by_user;
use crate::output::steps;

/// The worst findings, by user.
pub(super) fn worst(view: &ScanView<'_>, out: &mut Html) {
    out.section("findings", "Findings");
    if view.emitted == 0 {
        out.note("There are no findings to show.");
    } else {
        out.note(&shown(view));
    }
    if !view.worst.is_empty() {
        controls(view, out);
        out.markup("<table id=\"list\" class=\"findings grouped\">\n<thead><tr>");
        for head in [
            "Severity",
            "Status",
            "User",
            "Account",
            "Rule",
            "Credential",
            "Finding",
        ] {
            let class = head.to_lowercase();
            out.open("th", &[("scope", "col"), ("class", &class)])
                .text(head)
                .close("th");
        }
        out.markup("</tr></thead>\n");
        let several = view.tally.evaluated_inputs().len() > 1;
        for group in by_user(view.worst) {
            out.markup("<tbody>\n<tr class=\"user\"><th scope=\"rowgroup\" colspan=\"7\">");
            user(group[0], several, out);
            out.markup("</th></tr>\n");
            for finding in group {
                row(view, finding, out);
            }
            out.markup("</tbody>\n");
        }
        out.markup("</table>\n");
        if view.hidden() > 0 {
            out.note(&not_shown(view.hidden(), view.emitted));
        }
    }
    out.markup("</section>\n");
}

/// `The worst 2,000 of 5,000 findings, by user; …`
fn shown(view: &ScanView<'_>) -> String {
    let (all, ages) = (
        counted(view.emitted, "finding"),
        phrases::ages_counted_to(view.tally),
    );
    match (view.worst.len(), view.hidden()) {
        (_, 0) => format!("{all}, worst first, by user; {ages}."),
        (shown, hidden) => format!(
            "The worst {} of {all}, by user; {ages}. {}",
            number(shown as u64),
            not_shown(hidden, view.emitted)
        ),
    }
}

/// How many findings are not shown, and where they are.
fn not_shown(hidden: u64, all: u64) -> String {
    let findings = counted(hidden, "finding");
    let verb = if hidden == 1 { "is" } else { "are" };
    format!(
        "{findings} {verb} not on this page: --format csv or ndjson writes all, --limit {all} shows all here."
    )
}

/// The search and the filters, which the script shows: without it they would do nothing.
fn controls(view: &ScanView<'_>, out: &mut Html) {
    let options =
        |text: fn(&Finding) -> String| -> BTreeSet<String> { view.worst.iter().map(text).collect() };
    out.markup("<div id=\"controls\" role=\"search\" aria-label=\"Filter findings\" hidden>\n<label class=\"query\">Search ");
    out.markup("<input id=\"query\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n");
    let severities: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| view.worst.iter().any(|finding| finding.severity == *severity))
        .map(|severity| severity.to_string())
        .collect();
    select("severity", "Severity", severities, out);
    select(
        "status",
        "Status",
        options(|finding| finding.status.to_string()),
        out,
    );
    select("rule", "Rule", options(|finding| finding.rule.clone()), out);
    let accounts = options(account);
    if accounts.len() > 1 {
        select("account", "Account", accounts, out);
    }
    out.markup(
        "<div class=\"buttons\"><button type=\"button\" id=\"group\" aria-pressed=\"true\">Group by user</button>\n\
         <button type=\"button\" id=\"open\">Open all</button>\n<button type=\"button\" id=\"reset\">Reset</button></div>\n\
         <p id=\"count\" role=\"status\"></p>\n</div>\n",
    );
}

fn select(key: &'static str, label: &str, values: impl IntoIterator<Item = String>, out: &mut Html) {
    out.markup("<label>").text(label).markup(" ");
    out.open("select", &[("data-filter", key)]);
    out.markup("<option value=\"\">all</option>");
    for value in values {
        out.open("option", &[("value", &value)])
            .text(&value)
            .close("option");
    }
    out.markup("</select></label>\n");
}

/// The account of a finding with its name.
fn account(finding: &Finding) -> String {
    let name = finding.account_name.as_deref();
    let account = phrases::account(finding.account.as_deref(), name);
    if account.is_empty() {
        "unknown".to_owned()
    } else {
        account
    }
}

fn user_name(finding: &Finding) -> &str {
    let user = finding.user.as_deref();
    user.unwrap_or(match finding.source.row {
        Some(_) => "a user without a name",
        None => "all users",
    })
}

/// The user of a group, and where it is: `alice  account 123456789012, line 17`.
fn user(finding: &Finding, several: bool, out: &mut Html) {
    out.element("b", user_name(finding)).markup(" ");
    let mut about = vec![format!("account {}", account(finding))];
    about.extend(finding.owner.as_ref().map(|owner| format!("owner {owner}")));
    about.extend(line(finding));
    if several {
        about.push(finding.source.path.clone());
    }
    out.element("span", &about.join(", "));
}

/// `line 17`, or the row where it is not a line of a file.
fn line(finding: &Finding) -> Option<String> {
    let line = finding.source.line.map(|line| format!("line {line}"));
    line.or_else(|| finding.source.row.map(|row| format!("row {row}")))
}

fn row(view: &ScanView<'_>, finding: &Finding, out: &mut Html) {
    let (severity, status) = (finding.severity.name(), finding.status.name());
    let account = account(finding);
    let attributes = [
        ("class", status),
        ("data-severity", severity),
        ("data-status", status),
        ("data-rule", &finding.rule),
        ("data-account", &account),
    ];
    out.open("tr", &attributes).markup("<td class=\"severity\">");
    out.classed("i", severity, severity)
        .markup("</td><td class=\"status\">");
    out.classed("span", &format!("mark {status}"), status).close("td");
    out.classed("td", "user", user_name(finding));
    out.classed("td", "account", &account);
    out.classed("td", "rule", &finding.rule);
    out.classed("td", "credential", &phrases::credential(finding));
    details(view, finding, &phrases::sentences(finding), out);
    out.markup("</tr>\n");
}

/// The cell that says what was found, and opens to the rest.
fn details(view: &ScanView<'_>, finding: &Finding, sentences: &[String], out: &mut Html) {
    out.markup("<td class=\"finding\"><details><summary>");
    for (position, sentence) in sentences.iter().enumerate() {
        out.classed("span", if position == 0 { "what" } else { "soft" }, sentence)
            .markup(" ");
    }
    out.markup("</summary>\n<dl class=\"panel\">");
    let rule = view.tally.rules.iter().find(|rule| is_of(rule, finding));
    term("Rule", out);
    out.element("p", &finding.title)
        .classed("p", "soft", &phrases::rule(&finding.rule, &finding.parameters));
    if let Some(rule) = rule.filter(|rule| !rule.texts.why.is_empty()) {
        term_after("Why it matters", out);
        paragraphs_for_html(&rule.texts.why, out);
    }
    evidence(finding, out);
    suppression(finding, out);
    requirements(finding, out);
    if let Some(fix) = &finding.fix {
        how_to_fix(fix, out);
    }
    out.markup("</dd></dl></details></td>");
}

fn is_of(rule: &RuleTally, finding: &Finding) -> bool {
    rule.id == finding.rule && rule.parameters == finding.parameters
}

/// The first term of a list.
fn term(name: &str, out: &mut Html) {
    out.element("dt", name).markup("<dd>");
}

/// A later term.
fn term_after(name: &str, out: &mut Html) {
    out.markup("</dd>\n");
    term(name, out);
}

/// The cells that the rule read, as they are written, and where they are.
fn evidence(finding: &Finding, out: &mut Html) {
    term_after("Evidence", out);
    out.markup("<table class=\"cells\"><tbody>");
    for (column, cell) in &finding.evidence {
        out.markup("<tr>")
            .open("th", &[("scope", "row")])
            .text(column)
            .close("th");
        out.classed("td", "name", cell).close("tr");
    }
    let place = std::iter::once(finding.source.path.clone()).chain(line(finding));
    let facts = [
        ("ARN", finding.arn.clone()),
        ("access key", finding.access_key_id.clone()),
        ("as of", Some(finding.as_of.to_string())),
        ("source", Some(place.collect::<Vec<_>>().join(", "))),
        ("finding", Some(finding.id.to_string())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            out.markup("<tr>")
                .open("th", &[("scope", "row"), ("class", "soft")])
                .text(name)
                .close("th");
            out.classed("td", "name", &value).close("tr");
        }
    }
    out.markup("</tbody></table>");
}

fn suppression(finding: &Finding, out: &mut Html) {
    let Some(suppression) = &finding.suppression else {
        return;
    };
    term_after("Accepted", out);
    out.element("p", &suppression.reason);
    let until = suppression.expires.as_ref().map(|day| format!("until {day}"));
    let ticket = suppression
        .ticket
        .as_ref()
        .map(|ticket| format!("ticket {ticket}"));
    let rest: Vec<String> = until.into_iter().chain(ticket).collect();
    if !rest.is_empty() {
        out.note(&rest.join(", "));
    }
}

fn requirements(finding: &Finding, out: &mut Html) {
    let of_kind = [
        ("Requirements", &finding.requirements),
        ("Related", &finding.related_requirements),
    ];
    for (name, requirements) in of_kind.into_iter().filter(|(_, all)| !all.is_empty()) {
        term_after(name, out);
        out.element("p", &requirements.join(", "));
    }
}

fn how_to_fix(fix: &Fix, out: &mut Html) {
    term_after("How to fix it", out);
    if fix.steps.is_empty() {
        out.note("The rule has no instructions for a fix.");
    }
    steps::html(&fix.steps, out);
    if let Some(entry) = &fix.suppression {
        out.markup("<details><summary>To accept it instead, in credlens.toml</summary>");
        steps::html_block(entry, out);
        out.markup("</details>");
    }
}

/// What will fail by time alone, soonest first.
pub(super) fn due(view: &ScanView<'_>, out: &mut Html) {
    let Some(seconds) = view.tally.due_within_seconds.filter(|_| view.due_emitted > 0) else {
        return;
    };
    let within = due_within(seconds);
    let title = format!("D{}", &within[1..]);
    out.section("due", &title);
    out.note("These pass now and will fail by time alone; soonest first, times are UTC.");
    if !view.due.is_empty() {
        out.markup("<table class=\"findings\">\n<thead><tr>");
        for head in [
            "Due",
            "Severity",
            "User",
            "Account",
            "Rule",
            "Credential",
            "Finding",
        ] {
            out.open("th", &[("scope", "col")]).text(head).close("th");
        }
        out.markup("</tr></thead>\n<tbody>\n");
        for finding in view.due {
            due_row(view, finding, out);
        }
        out.markup("</tbody></table>\n");
    }
    let more = view.due_emitted - view.due.len() as u64;
    if more > 0 {
        out.note(&not_shown(more, view.due_emitted));
    }
    out.markup("</section>\n");
}

fn due_row(view: &ScanView<'_>, finding: &Finding, out: &mut Html) {
    let due_at = finding
        .due_at
        .map(|due_at| due_at.to_string())
        .unwrap_or_default();
    out.markup("<tr>")
        .classed("td", "when", &phrases::to_the_minute(&due_at));
    out.markup("<td class=\"severity\">")
        .classed("i", finding.severity.name(), finding.severity.name());
    out.markup("</td>").classed("td", "user", user_name(finding));
    out.classed("td", "account", &account(finding));
    out.classed("td", "rule", &finding.rule);
    out.classed("td", "credential", &phrases::credential(finding));
    details(view, finding, &due_sentences(finding), out);
    out.markup("</tr>\n");
}

/// What will fail, and the cells that make it concrete; when is said already.
fn due_sentences(finding: &Finding) -> Vec<String> {
    let evidence = Some(phrases::evidence(finding)).filter(|text| !text.is_empty());
    std::iter::once(finding.title.clone()).chain(evidence).collect()
}

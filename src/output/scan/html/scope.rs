//! What was evaluated, as of when, from which inputs, by which rules: the part of a page that makes it evidence.

use super::ScanView;
use crate::finding::{Code, GivenFilters, InputTally};
use crate::output::html_text::Html;
use crate::output::phrases::{self, counted, due_within, number};

/// Up to so many inputs are shown without being opened.
const INPUTS: usize = 10;
/// How many inputs are shown at most.
const MOST: usize = 1_000;

/// The section.
pub(super) fn section(view: &ScanView<'_>, out: &mut Html) {
    out.section("scope", "Scope and evidence")
        .markup("<dl class=\"facts\">\n");
    let tally = view.tally;
    let fact = |name: &str, value: &str, out: &mut Html| {
        out.markup("<div>")
            .element("dt", name)
            .element("dd", value)
            .markup("</div>\n");
    };
    if !tally.evaluated_inputs().is_empty() {
        let ages = phrases::ages_counted_to(tally);
        fact("Ages", ages.strip_prefix("ages are ").unwrap_or(&ages), out);
    }
    if let Some(now) = view.options.now {
        // A day, as elsewhere: two runs on one day give the same page.
        fact("Evaluated on", &now.to_string()[..10], out);
    }
    fact("Rules", &counted(tally.rules.len() as u64, "rule"), out);
    if !tally.evidence.rules_sha256.is_empty() {
        fact("SHA-256 of the rules", &tally.evidence.rules_sha256, out);
        fact("Program", &format!("credlens {}", tally.evidence.version), out);
    }
    for framework in &tally.compliance {
        let name = format!(
            "{} ({}), from {}",
            framework.title, framework.framework, framework.source
        );
        fact("Framework", &name, out);
    }
    fact("Users", &filters(&tally.filters), out);
    if let Some(seconds) = tally.due_within_seconds {
        fact("Window", &due_within(seconds), out);
    }
    for diagnostic in &tally.diagnostics {
        if let (Code::Settings, Some(path)) = (diagnostic.code, &diagnostic.path) {
            fact("Settings", path, out);
        }
    }
    out.markup("</dl>\n");
    inputs(view, out);
    out.markup("</section>\n");
}

/// `all`, or the filters as they were given.
fn filters(filters: &GivenFilters) -> String {
    let options = [
        ("--user", &filters.user),
        ("--exclude-user", &filters.exclude_user),
        ("--path", &filters.path),
        ("--exclude-path", &filters.exclude_path),
        ("--account", &filters.account),
        ("--exclude-account", &filters.exclude_account),
    ];
    let given = options
        .into_iter()
        .flat_map(|(option, patterns)| patterns.iter().map(move |pattern| format!("{option} {pattern}")));
    let given: Vec<String> = given.collect();
    if given.is_empty() {
        "all users of the inputs".to_owned()
    } else {
        format!("chosen by {}", given.join(" "))
    }
}

/// The inputs with their digests; many are folded.
fn inputs(view: &ScanView<'_>, out: &mut Html) {
    let inputs = &view.tally.inputs;
    if inputs.is_empty() {
        out.note("No report could be evaluated.");
        return;
    }
    let are_open: &[_] = if inputs.len() <= INPUTS {
        &[("open", "")]
    } else {
        &[]
    };
    let attributes = [&[("class", "fold")], are_open].concat();
    out.open("details", &attributes).markup("<summary>");
    out.text(&counted(inputs.len() as u64, "input"))
        .markup("</summary>\n");
    out.table("Inputs", &["Input", "As of", "SHA-256"], &["Users"]);
    for input in inputs.iter().take(MOST) {
        row(view, input, out);
    }
    out.end_table();
    if inputs.len() > MOST {
        let more = counted((inputs.len() - MOST) as u64, "more input");
        out.note(&format!("and {more}; --format json lists them"));
    }
    out.markup("</details>\n");
}

fn row(view: &ScanView<'_>, input: &InputTally, out: &mut Html) {
    out.markup("<tr><td class=\"name\">")
        .text(&phrases::input_name(input));
    out.classed("span", "below", &input.kind).markup("</td><td>");
    out.text(&phrases::as_of(input, view.options.now));
    if let Some(generated) = &input.generated {
        out.classed("span", "below", &format!("generated {generated}"));
    }
    out.markup("</td>");
    out.classed("td", "digest", input.sha256.as_deref().unwrap_or("–"));
    let users = match (input.users, input.left_out) {
        (Some(users), None) => number(users),
        (Some(users), Some(reason)) => format!("{}; others left out: {reason}", number(users)),
        (None, Some(reason)) => format!("left out: {reason}"),
        (None, None) => "left out".to_owned(),
    };
    out.classed("td", "number", &users).markup("</tr>\n");
}

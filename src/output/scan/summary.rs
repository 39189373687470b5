//! `summary`: the inputs and the counts of each rule, without findings. `table` begins with the same sections.

use std::cmp::Reverse;

use anstyle::Style;

use super::{ScanView, ScanWriter, compliance, ranking};
use crate::finding::{Code, RuleTally, Tally};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{self, counted, number};
use crate::output::terminal::{
    self, Align, BOLD, DIM, GREEN, TextCell, TextTable, YELLOW, cut_start, join_sections, severity_style,
};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "summary",
    "counts alone",
    Readers::Terminal,
    ScanWriter::RenderCounts(render),
);

/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 20;

fn render(view: &ScanView<'_>) -> String {
    let mut out = join_sections(vec![
        about_inputs(view),
        ranking::text(view),
        rules_with_findings(view),
        compliance::text(view),
    ]);
    out.push('\n');
    let most = view.options.most(DIAGNOSTICS);
    let diagnostics = terminal::diagnostics(&view.tally.diagnostics, most, view.options);
    if !diagnostics.is_empty() {
        out.push_str(&diagnostics);
        out.push('\n');
    }
    out + &verdict(view)
}

/// The rules that found something; the others are counted.
pub(super) fn rules_with_findings(view: &ScanView<'_>) -> String {
    let mut out = String::new();
    if view.tally.evaluated_inputs().is_empty() {
        return out;
    }
    let all = &view.tally.rules;
    if !ranking::is_of_rules(view) && all.iter().any(found_something) {
        out = rules(view, all.iter().filter(|rule| found_something(rule)));
    }
    if let Some(others) = found_nothing(view.tally) {
        out.push_str(&view.options.paint(DIM, others));
        out.push('\n');
    }
    out
}

/// Lines about the inputs, at most `limit` of them by name. Where several accounts are shown, they are not named.
pub(super) fn inputs(view: &ScanView<'_>, limit: usize) -> String {
    let inputs = view.tally.evaluated_inputs();
    if inputs.len() < 2 || !view.tally.accounts.is_empty() {
        return about_inputs(view);
    }
    let (head, settings) = (in_one_line(view), settings(view));
    format!("{head}{}{settings}", list(view, limit))
}

/// How many users in how many reports, and as of when.
fn about_inputs(view: &ScanView<'_>) -> String {
    let mut line = in_one_line(view);
    if common_as_of(view).is_none()
        && let Some(span) = span(view)
    {
        line.truncate(line.trim_end().len());
        line = view
            .options
            .paragraph(Style::new(), &format!("{}, {span}", line.replace('\n', " ")));
    }
    line + &settings(view)
}

fn in_one_line(view: &ScanView<'_>) -> String {
    if view.tally.evaluated_inputs().is_empty() {
        return format!("{}\n", in_words(view));
    }
    let as_of = common_as_of(view).map(|as_of| format!(", evaluated as of {as_of}"));
    let line = format!("{}{}", in_words(view), as_of.unwrap_or_default());
    view.options.paragraph(Style::new(), &line)
}

/// `40 users of 3 accounts in 4 reports`
pub(super) fn in_words(view: &ScanView<'_>) -> String {
    let inputs = view.tally.evaluated_inputs();
    let name = match inputs.as_slice() {
        [] => return "no report could be evaluated".to_owned(),
        [input] => phrases::input_name(input),
        _ => counted(inputs.len() as u64, "report"),
    };
    let accounts = match view.tally.accounts.len() {
        0 => String::new(),
        accounts => format!(" of {}", counted(accounts as u64, "account")),
    };
    let users = counted(inputs.iter().filter_map(|input| input.users).sum(), "user");
    format!("{users}{accounts} in {name}")
}

fn settings(view: &ScanView<'_>) -> String {
    let mut out = String::new();
    for diagnostic in &view.tally.diagnostics {
        if let (Code::Settings, Some(path)) = (diagnostic.code, &diagnostic.path) {
            let line = format!("settings of {} were used", escape(path));
            out.push_str(&view.options.paragraph(Style::new(), &line));
        }
    }
    out
}

/// The as-ofs of inputs that have several.
pub(super) fn span(view: &ScanView<'_>) -> Option<String> {
    let inputs = view.tally.evaluated_inputs().into_iter();
    let mut times: Vec<&str> = inputs.map(|input| &*input.as_of).collect();
    times.sort_unstable();
    match (*times.first()?, *times.last()?) {
        (first, last) if first == last => Some(format!("evaluated as of {first}")),
        (first, last) => Some(format!("each evaluated as of its own time, {first} to {last}")),
    }
}

/// The as-of of the inputs, where it is the same for all.
pub(super) fn common_as_of(view: &ScanView<'_>) -> Option<String> {
    let inputs = view.tally.evaluated_inputs().into_iter();
    let mut all = inputs.map(|input| phrases::as_of(input, view.options.now));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

fn list(view: &ScanView<'_>, limit: usize) -> String {
    let (inputs, width) = (view.tally.evaluated_inputs(), view.options.width);
    let is_common = common_as_of(view).is_some();
    let longest_path = if is_common { width / 3 * 2 } else { width / 3 };
    let mut table = TextTable::new(2, [Align::Left, Align::Right, Align::Wrapped]);
    for input in inputs.iter().take(limit) {
        let as_of = (!is_common).then(|| phrases::as_of(input, view.options.now));
        table.row([
            TextCell::new(cut_start(&phrases::input_name(input), longest_path)),
            TextCell::new(counted(input.users.unwrap_or(0), "user")),
            TextCell::styled(as_of.unwrap_or_default(), DIM),
        ]);
    }
    if inputs.len() > limit {
        table.line(format!("  and {} more", number((inputs.len() - limit) as u64)));
    }
    table.render(view.options)
}

/// Whether a rule failed, was undetermined, suppressed or is due at least once.
pub(super) fn found_something(rule: &RuleTally) -> bool {
    rule.failed + rule.undetermined + rule.suppressed + rule.due.unwrap_or(0) > 0
}

/// Whether a rule had nothing to evaluate because no report has the details that it needs.
fn was_not_run(rule: &RuleTally) -> bool {
    rule.not_run.is_some() && rule.tested == 0
}

/// `10 rules found nothing`, where there are such. Without a verdict no rule found nothing.
pub(super) fn found_nothing(tally: &Tally) -> Option<String> {
    let rules = tally.rules.iter();
    let count = rules
        .filter(|rule| !found_something(rule) && !was_not_run(rule))
        .count();
    (count > 0 && tally.evaluated > 0).then(|| format!("{} found nothing", counted(count as u64, "rule")))
}

/// A column of counts: its head, and what it counts.
type Count = (&'static str, fn(&RuleTally) -> u64);

const COUNTS: [Count; 5] = [
    ("failed", |rule| rule.failed),
    ("undetermined", |rule| rule.undetermined),
    ("suppressed", |rule| rule.suppressed),
    ("passed", |rule| rule.passed),
    ("due", |rule| rule.due.unwrap_or(0)),
];

/// The counts of these rules, the most severe first. Columns that are all zero are left out.
pub(super) fn rules<'a>(view: &ScanView<'_>, rules: impl Iterator<Item = &'a RuleTally>) -> String {
    let mut rules: Vec<&RuleTally> = rules.collect();
    rules.sort_by_key(|rule| Reverse(rule.severity));
    let counts: Vec<Count> = COUNTS
        .into_iter()
        .filter(|(name, count)| *name == "failed" || rules.iter().any(|rule| count(rule) > 0))
        .collect();
    let mut columns = vec![("severity", Align::Left), ("rule", Align::Wrapped)];
    columns.extend(counts.iter().map(|(name, _)| (*name, Align::Right)));
    let mut table = TextTable::with_heads(&columns);
    for rule in rules {
        let mut cells = vec![
            TextCell::styled(rule.severity.name(), severity_style(rule.severity)),
            TextCell::new(phrases::rule(&rule.id, &rule.parameters)),
        ];
        cells.extend(counts.iter().map(|(name, count)| {
            let style = match (count(rule), *name) {
                (0, _) => DIM,
                (_, "failed") => BOLD,
                _ => Style::new(),
            };
            TextCell::styled(number(count(rule)), style)
        }));
        table.row(cells);
    }
    table.render(view.options)
}

/// The verdict counts of all rules, in the colour of the worst that failed.
pub(super) fn verdict(view: &ScanView<'_>) -> String {
    let failed = view.tally.rules.iter().filter(|rule| rule.failed > 0);
    let style = match failed.map(|rule| rule.severity).max() {
        Some(severity) => severity_style(severity),
        None if view.tally.evaluated_inputs().is_empty() => Style::new(),
        None if view.tally.rules.iter().any(|rule| rule.undetermined > 0) => YELLOW,
        None => GREEN,
    };
    view.options
        .paragraph(style, &phrases::verdict_counts(view.tally))
}

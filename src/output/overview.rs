//! What table and summary begin with: the inputs, and how each rule came out.

use anstyle::{AnsiColor, Effects, Style};

use super::View;
use super::escape::escape;
use super::layout::{Align, Cell, Grid, Paint, cut_start, wrap};
use super::words;
use crate::finding::{Code, InputTally, RuleTally, Severity, Status};

/// How a severity looks.
pub(super) const fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().effects(Effects::BOLD),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Informational => DIM,
    }
}

/// How a status looks.
pub(super) const fn status_style(status: Status) -> Style {
    match status {
        Status::Fail => Style::new(),
        Status::Undetermined => AnsiColor::Magenta.on_default(),
        Status::Suppressed => DIM,
        Status::Pass => AnsiColor::Green.on_default(),
    }
}

/// What matters most.
pub(super) const BOLD: Style = Style::new().effects(Effects::BOLD);
/// What matters least.
pub(super) const DIM: Style = Style::new().effects(Effects::DIMMED);

/// Lines about the inputs, at most `limit` of them by name.
pub(super) fn inputs(view: &View<'_>, limit: usize) -> String {
    let inputs = &view.tally.inputs;
    let users = words::counted(inputs.iter().map(|input| input.users).sum(), "user");
    let place = match inputs.as_slice() {
        [] => return "no report could be judged\n".to_owned(),
        [input] => words::place(input),
        _ => words::counted(inputs.len() as u64, "report"),
    };
    let common = as_of(view, &inputs[0]);
    let is_common = inputs.iter().all(|input| as_of(view, input) == common);
    let evaluated = if is_common {
        format!(", judged as of {common}")
    } else {
        String::new()
    };
    let mut out = wrap(&format!("{users} in {place}{evaluated}"), view.settings.width).join("\n") + "\n";
    if inputs.len() > 1 {
        out.push_str(&list(view, limit, is_common));
    }
    let settings = view
        .tally
        .diagnostics
        .iter()
        .filter(|told| told.code == Code::Settings);
    for path in settings.filter_map(|told| told.path.as_deref()) {
        out.push_str(
            &wrap(
                &format!("settings of {} were used", escape(path)),
                view.settings.width,
            )
            .join("\n"),
        );
        out.push('\n');
    }
    out
}

fn as_of(view: &View<'_>, input: &InputTally) -> String {
    words::as_of(
        &input.as_of,
        input.as_of_source,
        input.generated.as_deref(),
        view.settings.now,
    )
}

fn list(view: &View<'_>, limit: usize, common_as_of: bool) -> String {
    let (inputs, width) = (&view.tally.inputs, view.settings.width);
    let longest_path = if common_as_of { width / 3 * 2 } else { width / 3 };
    let mut grid = Grid::new(2, [Align::Left, Align::Right, Align::Wrapped]);
    for input in inputs.iter().take(limit) {
        let as_of = if common_as_of {
            String::new()
        } else {
            as_of(view, input)
        };
        grid.cells(vec![
            Cell::new(cut_start(&words::place(input), longest_path)),
            Cell::new(words::counted(input.users, "user")),
            Cell::styled(as_of, DIM),
        ]);
    }
    if inputs.len() > limit {
        grid.free(format!(
            "  and {} more",
            words::number((inputs.len() - limit) as u64)
        ));
    }
    grid.render(width, Paint(view.settings.color))
}

/// Whether a rule has something to say.
pub(super) fn speaks(rule: &RuleTally) -> bool {
    rule.failed + rule.undetermined + rule.suppressed > 0
}

/// `10 rules found nothing`, where there are such.
pub(super) fn silent(rules: &[RuleTally]) -> Option<String> {
    let count = rules.iter().filter(|rule| !speaks(rule)).count();
    (count > 0).then(|| format!("{} found nothing", words::counted(count as u64, "rule")))
}

/// How these rules came out, the most severe first. Columns that are all zero are left out.
pub(super) fn rules<'a>(view: &View<'_>, rules: impl Iterator<Item = &'a RuleTally>) -> String {
    let mut rules: Vec<&RuleTally> = rules.collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
    let counts: Vec<Count> = COUNTS
        .into_iter()
        .filter(|(name, count)| *name == "failed" || rules.iter().any(|rule| count(rule) > 0))
        .collect();
    let mut columns = vec![Align::Left, Align::Wrapped];
    columns.resize(2 + counts.len(), Align::Right);
    let mut grid = Grid::new(0, columns);
    let heads = ["severity", "rule"]
        .into_iter()
        .chain(counts.iter().map(|(name, _)| *name));
    grid.cells(heads.map(|head| Cell::styled(head, DIM)).collect());
    for rule in rules {
        let mut cells = vec![
            Cell::styled(rule.severity.name(), severity_style(rule.severity)),
            Cell::new(words::rule(&rule.id, &rule.parameters)),
        ];
        cells.extend(counts.iter().map(|(name, count)| match (count(rule), *name) {
            (0, _) => Cell::styled("0", DIM),
            (count, "failed") => Cell::styled(words::number(count), BOLD),
            (count, _) => Cell::new(words::number(count)),
        }));
        grid.cells(cells);
    }
    grid.render(view.settings.width, Paint(view.settings.color))
}

/// A column of counts: its head, and what it counts.
type Count = (&'static str, fn(&RuleTally) -> u64);

const COUNTS: [Count; 4] = [
    ("failed", |rule| rule.failed),
    ("undetermined", |rule| rule.undetermined),
    ("suppressed", |rule| rule.suppressed),
    ("passed", |rule| rule.passed),
];

/// The verdict on everything.
pub(super) fn verdict(view: &View<'_>) -> String {
    let worst = view.tally.rules.iter().filter(|rule| rule.failed > 0);
    let style = match worst.map(|rule| rule.severity).max() {
        Some(severity) => severity_style(severity),
        None if view.tally.inputs.is_empty() => Style::new(),
        None => AnsiColor::Green.on_default(),
    };
    let paint = Paint(view.settings.color);
    let lines = wrap(&words::verdict(view.tally), view.settings.width);
    lines.iter().map(|line| paint.text(style, line) + "\n").collect()
}

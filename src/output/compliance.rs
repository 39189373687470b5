//! How the selected frameworks came out, requirement by requirement.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::View;
use super::escape::escape;
use super::layout::{Align, Cell, Grid, Paint};
use super::markdown::plain as escape_markdown;
use super::overview::{BOLD, DIM};
use super::words;
use crate::finding::{FrameworkTally, Outcome, RequirementTally};

/// A section a framework, for a terminal.
pub(super) fn text(view: &View<'_>) -> String {
    let sections: Vec<String> = view
        .tally
        .compliance
        .iter()
        .map(|framework| section(view, framework))
        .collect();
    sections.join("\n")
}

fn section(view: &View<'_>, framework: &FrameworkTally) -> String {
    let paint = Paint(view.settings.color);
    let name = paint.text(BOLD, escape(&framework.framework));
    let mut grid = Grid::new(0, [Align::Left, Align::Left, Align::Wrapped, Align::Left]);
    for requirement in &framework.requirements {
        grid.cells(vec![
            Cell::styled(requirement.outcome.name(), style(requirement.outcome)),
            Cell::new(escape(&requirement.id)),
            Cell::new(escape(&requirement.title)),
            Cell::styled(counts(requirement), DIM),
        ]);
        for warning in &requirement.warnings {
            grid.cells(vec![
                Cell::new(""),
                Cell::new(""),
                Cell::styled(
                    format!("warning: {}", escape(warning)),
                    AnsiColor::Yellow.on_default(),
                ),
                Cell::new(""),
            ]);
        }
    }
    let summary = summary(framework);
    format!("{name}: {summary}\n{}", grid.render(view.settings.width, paint))
}

/// A section a framework, as Markdown.
pub(super) fn markdown(view: &View<'_>) -> String {
    let mut out = String::new();
    for framework in &view.tally.compliance {
        let (title, summary) = (escape_markdown(&framework.title), summary(framework));
        let head = "| Outcome | Requirement | Demands | Verdicts |\n|---|---|---|---|";
        push(&mut out, format_args!("\n## {title}\n\n{summary}\n\n{head}"));
        for requirement in &framework.requirements {
            let (id, demands) = (
                escape_markdown(&requirement.id),
                escape_markdown(&requirement.title),
            );
            let warnings = requirement
                .warnings
                .iter()
                .map(|warning| format!("; warning: {}", escape_markdown(warning)));
            let warnings: String = warnings.collect();
            let (outcome, counts) = (requirement.outcome.name(), counts(requirement));
            push(
                &mut out,
                format_args!("| {outcome} | {id} | {demands} | {counts}{warnings} |"),
            );
        }
    }
    out
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("invariant: a string takes all");
}

const fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Fail => AnsiColor::Red.on_default(),
        Outcome::Undetermined => AnsiColor::Magenta.on_default(),
        Outcome::Partial => AnsiColor::Yellow.on_default(),
        Outcome::Manual => DIM,
        Outcome::Pass => AnsiColor::Green.on_default(),
    }
}

/// `12 requirements: 3 fail, 2 manual, 7 pass`
fn summary(framework: &FrameworkTally) -> String {
    let outcomes = Outcome::ALL.into_iter().filter_map(|outcome| {
        let count = framework
            .requirements
            .iter()
            .filter(|requirement| requirement.outcome == outcome)
            .count();
        (count > 0).then(|| format!("{count} {}", outcome.name()))
    });
    let outcomes: Vec<_> = outcomes.collect();
    let count = words::counted(framework.requirements.len() as u64, "requirement");
    format!("{count}: {}", outcomes.join(", "))
}

/// `3 failed, 40 passed`; why nobody can tell, where that is so.
fn counts(requirement: &RequirementTally) -> String {
    if requirement.outcome == Outcome::Manual {
        return "not in a report".to_owned();
    }
    let counts = [
        (requirement.failed, "failed"),
        (requirement.undetermined, "undetermined"),
        (requirement.suppressed, "suppressed"),
        (requirement.passed, "passed"),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = told
        .map(|(count, name)| format!("{} {name}", words::number(count)))
        .collect();
    if told.is_empty() {
        "nothing to judge".to_owned()
    } else {
        told.join(", ")
    }
}

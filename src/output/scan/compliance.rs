//! The outcomes of the selected frameworks, requirement by requirement: sections of table, summary and markdown.

use anstyle::Style;

use super::ScanView;
use crate::finding::{FrameworkTally, Outcome, RequirementTally};
use crate::output::DisplayOptions;
use crate::output::markdown_text::{Markdown, plain};
use crate::output::phrases::{counted, counts};
use crate::output::terminal::{Align, BOLD, DIM, GREEN, MAGENTA, RED, TextCell, TextTable, YELLOW};
use crate::report::escape::escape;

/// A section per framework, for a terminal.
pub(super) fn text(view: &ScanView<'_>) -> String {
    let frameworks = view.tally.compliance.iter();
    let sections: Vec<String> = frameworks
        .map(|framework| section(framework, view.options))
        .collect();
    sections.join("\n")
}

fn section(framework: &FrameworkTally, options: DisplayOptions) -> String {
    let mut table = TextTable::new(0, [Align::Left, Align::Left, Align::Wrapped, Align::Left]);
    let name = options.paint(BOLD, escape(&framework.framework));
    table.line(format!("{name}: {}", outcomes(framework)));
    for requirement in &framework.requirements {
        table.row([
            TextCell::styled(requirement.outcome.name(), style(requirement.outcome)),
            TextCell::new(escape(&requirement.id)),
            TextCell::new(escape(&requirement.title)),
            TextCell::styled(verdicts(requirement), DIM),
        ]);
        for warning in &requirement.warnings {
            let warning = format!("warning: {}", escape(warning));
            let warning = TextCell::styled(warning, YELLOW);
            table.row([TextCell::new(""), TextCell::new(""), warning, TextCell::new("")]);
        }
    }
    table.render(options)
}

/// A section per framework, as Markdown.
pub(super) fn markdown(view: &ScanView<'_>, out: &mut Markdown) {
    for framework in &view.tally.compliance {
        out.heading(&plain(&framework.title));
        out.paragraph(&outcomes(framework));
        let rows = framework.requirements.iter().map(|requirement| {
            let warnings = requirement.warnings.iter();
            let warnings: Vec<String> = warnings
                .map(|warning| format!("; warning: {}", plain(warning)))
                .collect();
            let warnings = warnings.concat();
            vec![
                requirement.outcome.to_string(),
                plain(&requirement.id),
                plain(&requirement.title),
                verdicts(requirement) + &warnings,
            ]
        });
        out.table(&["Outcome", "Requirement", "Title", "Verdicts"], &[], rows);
    }
}

const fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Fail => RED,
        Outcome::Undetermined => MAGENTA,
        Outcome::Partial => YELLOW,
        Outcome::Manual => DIM,
        Outcome::Pass => GREEN,
    }
}

/// `12 requirements: 3 fail, 2 manual, 7 pass`
fn outcomes(framework: &FrameworkTally) -> String {
    let requirements = &framework.requirements;
    let outcomes = counts(Outcome::ALL.map(|outcome| {
        let count = requirements
            .iter()
            .filter(|requirement| requirement.outcome == outcome);
        (count.count() as u64, outcome.name())
    }));
    format!(
        "{}: {outcomes}",
        counted(requirements.len() as u64, "requirement")
    )
}

/// `3 failed, 40 passed`, or why there are none.
fn verdicts(requirement: &RequirementTally) -> String {
    if requirement.outcome == Outcome::Manual {
        return "not in a report".to_owned();
    }
    let counts = counts([
        (requirement.failed, "failed"),
        (requirement.undetermined, "undetermined"),
        (requirement.suppressed, "suppressed"),
        (requirement.passed, "passed"),
    ]);
    let is_decided = requirement.outcome != Outcome::Undetermined || requirement.undetermined > 0;
    match (counts.is_empty(), is_decided) {
        (true, _) => "nothing to evaluate".to_owned(),
        (false, true) => counts,
        // What passed is not all: a rule about root had no row of it.
        (false, false) => format!("{counts}, a row of root is missing"),
    }
}

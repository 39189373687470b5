//! The outcomes of the selected frameworks, requirement by requirement: sections of table, summary and markdown.

use anstyle::Style;

use super::ScanView;
use crate::finding::{Decided, FrameworkStatus, FrameworkTally, Outcome, RelatedTally, RequirementTally};
use crate::output::html_text::Html;
use crate::output::markdown_text::{Markdown, plain};
use crate::output::phrases::{counted, counts};
use crate::output::prose::for_html;
use crate::output::terminal::{Align, BOLD, DIM, GREEN, MAGENTA, RED, TextCell, TextTable, YELLOW};
use crate::report::escape::escape;

/// A section per framework, for a terminal.
pub(super) fn text(view: &ScanView<'_>) -> String {
    let frameworks = view.tally.compliance.iter();
    let sections: Vec<String> = frameworks.map(|framework| section(framework, view)).collect();
    sections.join("\n")
}

fn section(framework: &FrameworkTally, view: &ScanView<'_>) -> String {
    let options = view.options;
    let assessed = framework.requirements.iter().any(|it| !assessment(it).is_empty());
    let mut aligns = vec![Align::Left, Align::Left, Align::Wrapped, Align::Left];
    if assessed {
        aligns.insert(2, Align::Left);
    }
    let by_account = view.tally.accounts.len() > 1;
    if by_account {
        aligns.pop();
        aligns.push(Align::Wrapped);
    }
    let mut table = TextTable::new(0, aligns);
    let name = options.paint(BOLD, escape(&framework.framework));
    table.line(format!("{name}{}: {}", standing(framework), outcomes(framework)));
    for requirement in &framework.requirements {
        let mut verdicts = verdicts(requirement);
        if by_account && requirement.accounts.is_some() {
            verdicts = format!("{verdicts}; accounts: {}", accounts(requirement));
        }
        let mut cells = vec![
            TextCell::styled(requirement.outcome.name(), style(requirement.outcome)),
            TextCell::new(escape(&requirement.id)),
            TextCell::new(escape(&requirement.title)),
            TextCell::styled(verdicts, DIM),
        ];
        if assessed {
            cells.insert(2, TextCell::styled(assessment(requirement), DIM));
        }
        let columns = cells.len();
        table.row(cells);
        for warning in &requirement.warnings {
            let warning = format!("warning: {}", escape(warning));
            let mut cells: Vec<_> = (1..columns).map(|_| TextCell::new("")).collect();
            cells.insert(columns - 2, TextCell::styled(warning, YELLOW));
            table.row(cells);
        }
    }
    let undecided = undecided(framework).map(|text| options.paragraph(DIM, &text));
    table.render(options) + &undecided.unwrap_or_default()
}

/// `1 fail, 3 pass`
fn accounts(requirement: &RequirementTally) -> String {
    let Some(accounts) = requirement.accounts else {
        return String::new();
    };
    counts([
        (accounts.failing, "fail"),
        (accounts.undetermined, "undetermined"),
        (accounts.passing, "pass"),
    ])
}

/// The requirements that a report does not decide, by id.
fn undecided(framework: &FrameworkTally) -> Option<String> {
    let requirements = framework.requirements.iter();
    let undecided = requirements.filter(|it| it.decided == Decided::No);
    let ids: Vec<String> = undecided.map(|it| escape(&it.id).into_owned()).collect();
    let requirements = counted(ids.len() as u64, "requirement");
    let text = format!("a report does not decide {requirements}: {}", ids.join(", "));
    (!ids.is_empty()).then_some(text)
}

/// A section per framework, as Markdown.
pub(super) fn markdown(view: &ScanView<'_>, out: &mut Markdown) {
    let by_account = view.tally.accounts.len() > 1;
    for framework in &view.tally.compliance {
        out.heading(&plain(&format!("{}{}", framework.title, standing(framework))));
        out.paragraph(&outcomes(framework));
        let assessed = framework.requirements.iter().any(|it| !assessment(it).is_empty());
        let rows = framework.requirements.iter().map(|requirement| {
            let warnings = requirement.warnings.iter();
            let warnings: Vec<String> = warnings
                .map(|warning| format!("; warning: {}", plain(warning)))
                .collect();
            let warnings = warnings.concat();
            let mut cells = vec![
                requirement.outcome.to_string(),
                plain(&requirement.id),
                plain(&requirement.title),
                verdicts(requirement) + &warnings,
            ];
            if assessed {
                cells.insert(2, assessment(requirement));
            }
            if by_account {
                cells.push(accounts(requirement));
            }
            cells
        });
        let mut heads = vec!["Outcome", "Requirement", "Title", "Verdicts"];
        if assessed {
            heads.insert(2, "Assessment");
        }
        if by_account {
            heads.push("Accounts");
        }
        out.table(&heads, &[], rows);
        if let Some(undecided) = undecided(framework) {
            out.paragraph(&plain(&undecided));
        }
    }
}

/// A section per framework, as HTML.
pub(super) fn html(view: &ScanView<'_>, out: &mut Html) {
    let by_account = view.tally.accounts.len() > 1;
    for framework in &view.tally.compliance {
        let title = format!("{}{}", framework.title, standing(framework));
        out.element("h3", &title).markup("\n").note(&outcomes(framework));
        let assessed = framework.requirements.iter().any(|it| !assessment(it).is_empty());
        let mut heads = vec!["Outcome", "Requirement", "Title"];
        heads.extend(assessed.then_some("Assessment"));
        heads.push("Verdicts");
        heads.extend(by_account.then_some("Accounts"));
        out.table(&title, &heads, &[]);
        for requirement in &framework.requirements {
            out.markup("<tr>").marked(requirement.outcome.name());
            out.classed("td", "id", &requirement.id);
            html_title(requirement, out);
            if assessed {
                out.cell(&assessment(requirement));
            }
            out.cell(&verdicts(requirement));
            if by_account {
                out.cell(&accounts(requirement));
            }
            out.markup("</tr>\n");
        }
        out.end_table();
    }
}

/// The title of a requirement, the rules behind its outcome, and what limits it.
fn html_title(requirement: &RequirementTally, out: &mut Html) {
    out.markup("<td>").text(&requirement.title);
    let rules = [
        ("rules: ", &requirement.rules),
        ("related: ", &requirement.related.rules),
    ];
    for (label, rules) in rules.into_iter().filter(|(_, rules)| !rules.is_empty()) {
        out.classed("span", "below", &format!("{label}{}", rules.join(", ")));
    }
    if let Some(why) = requirement.why.as_deref() {
        out.markup("<span class=\"below\">");
        for_html(why.trim(), out);
        out.markup("</span>");
    }
    for warning in &requirement.warnings {
        out.classed("span", "below warning", &format!("warning: {warning}"));
    }
    out.markup("</td>");
}

/// ` (retired on 2024-12-31)`, nothing if it is in force.
fn standing(framework: &FrameworkTally) -> String {
    let status = framework.status;
    match &framework.retired {
        Some(day) => format!(" ({status} on {day})"),
        None if status == FrameworkStatus::Current => String::new(),
        None => format!(" ({status})"),
    }
}

/// `level 1, automated`, as far as the source says it.
fn assessment(requirement: &RequirementTally) -> String {
    let level = requirement.level.map(|level| format!("level {level}"));
    let assessment = requirement.assessment.map(|assessment| assessment.to_string());
    let parts: Vec<String> = level.into_iter().chain(assessment).collect();
    parts.join(", ")
}

const fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Fail => RED,
        Outcome::Undetermined | Outcome::NotEvaluated => MAGENTA,
        Outcome::Partial => YELLOW,
        Outcome::Related | Outcome::Manual => DIM,
        Outcome::Pass => GREEN,
    }
}

/// `12 requirements of level 1: 3 fail, 2 manual, 7 pass`
fn outcomes(framework: &FrameworkTally) -> String {
    let requirements = &framework.requirements;
    let outcomes = counts(Outcome::ALL.map(|outcome| {
        let count = requirements
            .iter()
            .filter(|requirement| requirement.outcome == outcome);
        (count.count() as u64, outcome.name())
    }));
    let level = match framework.level {
        Some(1) => " of level 1".to_owned(),
        Some(level) => format!(" of levels 1 to {level}"),
        None => String::new(),
    };
    let requirements = counted(requirements.len() as u64, "requirement");
    format!("{requirements}{level}: {outcomes}")
}

/// `3 failed, 40 passed; related: 2 failed`, or why there are none.
fn verdicts(requirement: &RequirementTally) -> String {
    let related = related(&requirement.related);
    let decided = match requirement.outcome {
        Outcome::Manual => Some("not in a report".to_owned()),
        Outcome::Related => None,
        Outcome::NotEvaluated => note(requirement),
        Outcome::Fail | Outcome::Undetermined | Outcome::Partial | Outcome::Pass => {
            Some(decided(requirement))
        }
    };
    let parts: Vec<String> = decided.into_iter().chain(related).collect();
    parts.join("; ")
}

/// `related: 2 failed`; what passed only where nothing else is.
fn related(tally: &RelatedTally) -> Option<String> {
    let found = verdict_counts([tally.failed, tally.undetermined, tally.suppressed, 0]);
    let passed = verdict_counts([0, 0, 0, tally.passed]);
    let counts = [found, passed].into_iter().find(|counts| !counts.is_empty());
    let counts = counts.unwrap_or_else(|| "nothing to evaluate".to_owned());
    (!tally.rules.is_empty()).then(|| format!("related: {counts}"))
}

fn decided(requirement: &RequirementTally) -> String {
    let counts = counts_of(requirement);
    match note(requirement) {
        Some(note) if counts.is_empty() || requirement.nothing.is_some() => note,
        Some(note) => format!("{counts}, {note}"),
        None => counts,
    }
}

fn counts_of(requirement: &RequirementTally) -> String {
    verdict_counts([
        requirement.failed,
        requirement.undetermined,
        requirement.suppressed,
        requirement.passed,
    ])
}

/// What the counts of a requirement do not say: why there are none, or that they are not all.
pub(super) fn note(requirement: &RequirementTally) -> Option<String> {
    if let Some(nothing) = &requirement.nothing {
        return Some(nothing.clone());
    }
    let is_decided = requirement.outcome != Outcome::Undetermined || requirement.undetermined > 0;
    match requirement.outcome {
        Outcome::Manual | Outcome::Related => None,
        Outcome::NotEvaluated => Some("filters leave out root".to_owned()),
        Outcome::Fail | Outcome::Undetermined | Outcome::Partial | Outcome::Pass => {
            if counts_of(requirement).is_empty() {
                return Some("nothing to evaluate".to_owned());
            }
            // What passed is not all: a rule about root had no row of it.
            (!is_decided).then(|| "a row of root is missing".to_owned())
        }
    }
}

fn verdict_counts([failed, undetermined, suppressed, passed]: [u64; 4]) -> String {
    counts([
        (failed, "failed"),
        (undetermined, "undetermined"),
        (suppressed, "suppressed"),
        (passed, "passed"),
    ])
}

//! `markdown`: the plan as a page with the commands of each step, how to test them, and how to undo them.

use super::{PlanView, PlanWriter, credential, groups};
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, code, plain};
use crate::output::phrases::more;
use crate::output::steps;
use crate::remedy::{Excluded, Step, Target};

pub(super) const FORMAT: FormatSpec<PlanWriter> = FormatSpec::new(
    "markdown",
    "a page with the commands of each step, their undo and how to test them",
    Readers::Document,
    PlanWriter(write),
);

fn write(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let mut out = Markdown::new("Remediation plan", view.options);
    let as_of = plan
        .as_of
        .map_or_else(String::new, |as_of| format!(", from reports as of {as_of}"));
    out.paragraph(&plain(&format!(
        "Plan {}, made {}{as_of}.",
        plan.id, plan.created
    )));
    accounts(view, &mut out);
    if view.evaluated == 0 {
        out.paragraph("Nothing was evaluated.");
    } else if plan.steps.is_empty() {
        out.paragraph("Nothing to do.");
    }
    let limit = view.options.limit;
    let shown = (1_u64..).zip(&plan.steps).take(limit);
    for (heading, steps) in groups(shown, |(_, step)| &step.target, view.by) {
        out.heading(&heading.map_or_else(|| "Steps".to_owned(), |heading| plain(&heading)));
        for (number, step) in steps {
            section(number, step, &mut out);
        }
    }
    let hidden = plan.steps.len().saturating_sub(limit) as u64;
    out.more(more(hidden, "step", plan.steps.len() as u64));
    left_alone(view, &mut out);
    out.diagnostics(&plan.diagnostics);
    out.into_text()
}

fn accounts(view: &PlanView<'_>, out: &mut Markdown) {
    let rows = view.plan.accounts.iter().map(|account| {
        let text = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let generated = account.generated.map(|time| time.to_string()).unwrap_or_default();
        vec![
            text(&account.id),
            text(&account.name),
            generated,
            code(&account.source),
            account
                .active_keys
                .map_or_else(|| "unknown".to_owned(), |keys| keys.to_string()),
        ]
    });
    out.table(&["Account", "Name", "Report of", "Input"], &["Active keys"], rows);
}

fn section(number: u64, step: &Step, out: &mut Markdown) {
    let target = &step.target;
    out.paragraph(&format!("### {number}. {}: {}", step.action.name(), who(target)));
    let mut facts = vec![format!("Why: {}", plain(&step.why))];
    facts.push(match &step.breaks {
        Some(breaks) => format!("What may break: {}", plain(breaks)),
        None => "What may break: nothing that is known".to_owned(),
    });
    facts.extend(target.key_created.map(|time| format!("Created: {time}")));
    facts.extend(
        target
            .description
            .as_deref()
            .map(|text| format!("Description: {}", plain(text))),
    );
    facts.extend(
        target
            .owner
            .as_deref()
            .map(|owner| format!("Owner: {}", plain(owner))),
    );
    let rules: Vec<String> = target.rules.iter().map(|rule| code(rule)).collect();
    facts.push(format!("Rules: {}", rules.join(", ")));
    if !target.requirements.is_empty() {
        facts.push(format!(
            "Requirements: {}",
            plain(&target.requirements.join(", "))
        ));
    }
    facts.push(format!("First planned: {}", step.first_planned));
    let facts: Vec<String> = facts.iter().map(|fact| format!("- {fact}")).collect();
    out.paragraph(&facts.join("\n"));
    steps::markdown(&step.instructions, out);
    if !step.check.is_empty() {
        out.paragraph("Test:");
        steps::markdown(&step.check, out);
    }
    if !step.undo.is_empty() {
        out.paragraph("Undo:");
        steps::markdown(&step.undo, out);
    }
}

/// `alice in 111122223333, access_key_1 AKIA…`.
fn who(target: &Target) -> String {
    let account = target
        .account
        .as_deref()
        .map(|account| format!(" in {}", code(account)));
    let credential = credential(target);
    let credential = (!credential.is_empty()).then(|| format!(", {}", code(&credential)));
    format!(
        "{}{}{}",
        code(&target.user),
        account.unwrap_or_default(),
        credential.unwrap_or_default()
    )
}

fn left_alone(view: &PlanView<'_>, out: &mut Markdown) {
    if view.plan.excluded.is_empty() {
        return;
    }
    out.heading("Left alone");
    let shown = view.plan.excluded.iter().take(view.options.limit);
    let rows = shown.map(|excluded: &Excluded| {
        vec![
            who(&excluded.target),
            excluded.reason.name().to_owned(),
            plain(&excluded.why),
            plain(&excluded.instead),
        ]
    });
    out.table(&["Credential", "Reason", "Why", "What to do"], &[], rows);
    let hidden = view.plan.excluded.len().saturating_sub(view.options.limit) as u64;
    out.more(more(hidden, "credential", view.plan.excluded.len() as u64));
}

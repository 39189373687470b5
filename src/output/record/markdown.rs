//! `markdown`: the record as a page: who did what, when and why, what was left alone, and how each key is now.

use super::RecordWriter;
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, code, plain};
use crate::output::phrases::{counted, counts};
use crate::remedy::{AuditRecord, AuditStep, KeyCheck, Recorded, span};
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<RecordWriter> = FormatSpec::new(
    "markdown",
    "a page: who changed what, when and why, and how each key is now",
    Readers::Document,
    RecordWriter(write),
);

fn write(record: &AuditRecord, options: DisplayOptions) -> String {
    let mut out = Markdown::new("Record of changes to access keys", options);
    out.paragraph(&plain(&summary(record)));
    about(record, &mut out);
    runs(record, &mut out);
    accounts(record, &mut out);
    attention(record, &mut out);
    changed(record, &mut out);
    left_alone(record, &mut out);
    out.into_text()
}

fn summary(record: &AuditRecord) -> String {
    let states = Recorded::ALL.map(|state| {
        let count = record.steps.iter().filter(|step| step.state == state).count();
        (count as u64, state.name())
    });
    format!(
        "Journal {} of plan {}, with {}: {}. The keys were looked at {}.",
        record.journal,
        record.plan.id,
        counted(record.steps.len() as u64, "step"),
        counts(states),
        record.created
    )
}

fn about(record: &AuditRecord, out: &mut Markdown) {
    out.heading("What was applied");
    let limits = &record.limits;
    let mut facts = vec![
        format!(
            "Plan: {} made {}, SHA-256 {}",
            code(&record.plan.id),
            record.plan.created,
            code(&record.plan.sha256)
        ),
        format!("Journal: SHA-256 {}", code(&record.journal_sha256)),
        format!("credlens {}", plain(&record.version)),
        format!(
            "Limits: {} changes, {} percent of an account's active keys, {} errors, a plan of at most {}, reports of at most {}",
            limits.max_changes,
            limits.max_share,
            limits.max_errors,
            span(limits.max_plan_age),
            span(limits.max_report_age)
        ),
        format!("Exempt by the tag {}", code(&tag(record))),
    ];
    if let Some(announced) = &record.announced {
        facts.push(format!(
            "Announced by plan {}, made {}",
            code(&announced.id),
            announced.created
        ));
    }
    if !record.guards.exempt_groups.is_empty() {
        let groups: Vec<String> = record
            .guards
            .exempt_groups
            .iter()
            .map(|group| code(group))
            .collect();
        facts.push(format!("Exempt by the groups {}", groups.join(", ")));
    }
    if !record.chosen_by.is_empty() {
        facts.push(format!("Chosen by {}", code(&record.chosen_by.join(" "))));
    }
    if let Some(evidence) = &record.evidence {
        facts.push(format!(
            "Rules as bound: SHA-256 {}",
            code(&evidence.rules_sha256)
        ));
    }
    out.list(facts.into_iter());
}

fn tag(record: &AuditRecord) -> String {
    let tag = &record.guards.exempt_tag;
    match &tag.value {
        Some(value) => format!("{}={value}", tag.key),
        None => tag.key.clone(),
    }
}

fn runs(record: &AuditRecord, out: &mut Markdown) {
    out.heading("Who did it");
    let rows = record.runs.iter().map(|run| {
        let caller = run.caller.as_ref();
        vec![
            run.at.to_string(),
            run.run.name().to_owned(),
            caller.map_or_else(|| "unknown".to_owned(), |caller| code(&caller.arn)),
        ]
    });
    out.table(&["When", "Run", "By"], &[], rows);
    if let Some(role) = &record.role_name {
        out.paragraph(&format!(
            "In other accounts than the caller's, the role {} was assumed.",
            code(role)
        ));
    }
    out.paragraph(&format!(
        "CloudTrail shows the calls under the user agent {}, and those of roles under the session of the same name.",
        code(&format!("credlens-{}", record.journal))
    ));
}

fn accounts(record: &AuditRecord, out: &mut Markdown) {
    out.heading("From which reports");
    let rows = record.accounts.iter().map(|account| {
        let text = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        vec![
            text(&account.id),
            text(&account.name),
            time(account.generated),
            code(&account.source),
            account.sha256.as_deref().map(code).unwrap_or_default(),
        ]
    });
    out.table(&["Account", "Name", "Report of", "Input", "SHA-256"], &[], rows);
}

fn attention(record: &AuditRecord, out: &mut Markdown) {
    let steps: Vec<&AuditStep> = record
        .steps
        .iter()
        .filter(|step| step.check.needs_attention())
        .collect();
    out.heading("What a person must look at");
    if steps.is_empty() {
        out.paragraph("Nothing: every key is as it was left.");
        return;
    }
    let rows = steps.into_iter().map(|step| {
        let meaning = match &step.look_error {
            Some(error) if step.check == KeyCheck::Unknown => {
                format!("{} {error}", step.check.meaning())
            }
            Some(_) | None => step.check.meaning().to_owned(),
        };
        vec![
            who(step),
            step.check.name().to_owned(),
            time(step.last_used),
            plain(&meaning),
        ]
    });
    out.table(&["Key", "Now", "Last used", "What it means"], &[], rows);
}

fn is_changed(step: &AuditStep) -> bool {
    !matches!(step.state, Recorded::NotDone | Recorded::Skipped)
}

fn changed(record: &AuditRecord, out: &mut Markdown) {
    out.heading("What was changed");
    let steps: Vec<&AuditStep> = record.steps.iter().filter(|step| is_changed(step)).collect();
    if steps.is_empty() {
        out.paragraph("Nothing.");
        return;
    }
    let rows = steps.iter().map(|step| {
        vec![
            who(step),
            step.state.name().to_owned(),
            time(step.deactivated),
            time(step.activated),
            status(step),
            time(step.last_used),
        ]
    });
    let heads = [
        "Key",
        "Done",
        "Deactivated",
        "Activated again",
        "Status now",
        "Last used",
    ];
    out.table(&heads, &[], rows);
    let rows = steps.iter().map(|step| {
        let rules: Vec<String> = step.rules.iter().map(|rule| code(rule)).collect();
        let findings: Vec<String> = step.findings.iter().map(|id| code(&id.to_string())).collect();
        vec![
            who(step),
            plain(&step.why),
            rules.join(", "),
            plain(&step.requirements.join(", ")),
            findings.join(", "),
            step.owner.as_deref().map(plain).unwrap_or_default(),
            step.first_planned.to_string(),
        ]
    });
    let heads = [
        "Key",
        "Why",
        "Rules",
        "Requirements",
        "Findings",
        "Owner",
        "First planned",
    ];
    out.table(&heads, &[], rows);
}

fn left_alone(record: &AuditRecord, out: &mut Markdown) {
    let steps: Vec<&AuditStep> = record.steps.iter().filter(|step| !is_changed(step)).collect();
    if steps.is_empty() {
        return;
    }
    out.heading("What was not changed");
    let rows = steps.into_iter().map(|step| {
        let (reason, why) = match step.skipped {
            Some(reason) => (reason.name(), reason.why()),
            None if step.error.is_some() => ("failed", "AWS did not make the change"),
            None => ("not-begun", "the run ended before it"),
        };
        let why = match &step.error {
            Some(error) => format!("{why}: {error}"),
            None => why.to_owned(),
        };
        vec![who(step), reason.to_owned(), plain(&why), status(step)]
    });
    out.table(&["Key", "Reason", "Why", "Status now"], &[], rows);
}

/// `alice in 111122223333, AKIA…`.
fn who(step: &AuditStep) -> String {
    let key = &step.key;
    let id = key.access_key_id.as_deref().map_or_else(
        || format!("created {}", key.key_created),
        |id| format!("{}, created {}", code(id), key.key_created),
    );
    format!("{} in {}, {id}", code(&key.user), code(&key.account))
}

fn status(step: &AuditStep) -> String {
    match (step.status, step.check) {
        (Some(status), _) => status.name().to_owned(),
        (None, KeyCheck::Gone) => "does not exist".to_owned(),
        (
            None,
            KeyCheck::AsIntended
            | KeyCheck::NotChanged
            | KeyCheck::Reactivated
            | KeyCheck::UsedSince
            | KeyCheck::InactiveAgain
            | KeyCheck::InDoubt
            | KeyCheck::Unknown,
        ) => "unknown".to_owned(),
    }
}

fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

//! `csv`: a worklist, one step or excluded credential per record, for spreadsheets.

use super::{PlanView, PlanWriter, groups};
use crate::output::csv_text::write_record;
use crate::output::format::{FormatSpec, Readers};
use crate::remedy::Target;
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<PlanWriter> = FormatSpec::new(
    "csv",
    "a worklist for spreadsheets",
    Readers::Program,
    PlanWriter(write),
);

const HEADER: [&str; 19] = [
    "step",
    "action",
    "reason",
    "account",
    "account_name",
    "owner",
    "user",
    "arn",
    "credential",
    "access_key_id",
    "description",
    "key_created",
    "last_used",
    "last_service",
    "rules",
    "requirements",
    "why",
    "breaks",
    "first_planned",
];

/// What a record says besides its credential.
struct Record<'a> {
    step: String,
    action: &'a str,
    reason: &'a str,
    target: &'a Target,
    why: &'a str,
    breaks: &'a str,
    first_planned: Option<Timestamp>,
}

fn write(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let steps = (1_u64..).zip(&plan.steps).map(|(number, step)| Record {
        step: number.to_string(),
        action: step.action.name(),
        reason: "",
        target: &step.target,
        why: &step.why,
        breaks: step.breaks.as_deref().unwrap_or_default(),
        first_planned: Some(step.first_planned),
    });
    let excluded = plan.excluded.iter().map(|excluded| Record {
        step: String::new(),
        action: "",
        reason: excluded.reason.name(),
        target: &excluded.target,
        why: &excluded.why,
        breaks: "",
        first_planned: None,
    });
    let mut out = Vec::new();
    write_record(HEADER.iter().map(|&head| head.to_owned()), &mut out);
    for (_, records) in groups(steps.chain(excluded), |record| record.target, view.by) {
        for record in records {
            write_record(cells(&record).into_iter(), &mut out);
        }
    }
    String::from_utf8(out).expect("invariant: cells are text")
}

fn cells(record: &Record<'_>) -> [String; HEADER.len()] {
    let Record { target, .. } = record;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    [
        record.step.clone(),
        record.action.to_owned(),
        record.reason.to_owned(),
        text(&target.account),
        text(&target.account_name),
        text(&target.owner),
        target.user.clone(),
        text(&target.arn),
        target
            .credential
            .map(|credential| credential.to_string())
            .unwrap_or_default(),
        text(&target.access_key_id),
        text(&target.description),
        time(target.key_created),
        time(target.last_used),
        text(&target.last_service),
        target.rules.join("; "),
        target.requirements.join("; "),
        record.why.to_owned(),
        record.breaks.to_owned(),
        time(record.first_planned),
    ]
}

//! The lines that say what becomes of each step while a plan is applied or taken back, and how it ends.

use super::phrases::counted;
use super::terminal::cut;
use crate::remedy::{Ending, KeyChanges, Recorded, Step, StepKey, StepReport};
use crate::report::escape::escape;

/// The columns of what happened, before the key.
const WORD: usize = 18;
/// The most columns of an error of AWS.
const ERROR: usize = 400;

/// `alice AKIA… in 111122223333, created 2025-01-01T00:00:00Z`.
fn key(key: &StepKey) -> String {
    let id = key
        .access_key_id
        .as_deref()
        .map_or_else(String::new, |id| format!(" {id}"));
    let text = format!("{}{id} in {}, created {}", key.user, key.account, key.key_created);
    escape(&text).into_owned()
}

fn line(word: &str, of: &StepKey, why: Option<String>) -> String {
    let why = why.map_or_else(String::new, |why| format!(": {}", cut(&escape(&why), ERROR)));
    format!("{word:WORD$}{}{why}\n", key(of))
}

/// A step that is going to be applied, with its number.
pub fn step_line(number: usize, step: &Step) -> String {
    let target = &step.target;
    let created = target
        .key_created
        .map_or_else(String::new, |time| format!(", created {time}"));
    let used = target
        .last_used
        .map_or_else(|| ", never used".to_owned(), |time| format!(", last used {time}"));
    let account = target.account.as_deref().unwrap_or_default();
    escape(&format!(
        "{number:>3}  {} in {account}{created}{used}: {}",
        target.user, step.why
    ))
    .into_owned()
        + "\n"
}

/// What became of a step of a plan, or would.
pub fn applied_line(report: &StepReport) -> String {
    let (word, why) = match report.ending {
        None => ("would deactivate", None),
        Some(Ending::Done) => ("deactivated", None),
        Some(Ending::FoundDone) => ("deactivated", Some("an earlier run asked for it".to_owned())),
        Some(Ending::Skipped(reason)) => {
            let word = if reason.is_settled() {
                "skipped"
            } else {
                "not decided"
            };
            let why = match &report.error {
                Some(error) => format!("{}: {error}", reason.why()),
                None => reason.why().to_owned(),
            };
            (word, Some(why))
        }
        Some(Ending::Failed) => ("failed", report.error.clone()),
        Some(Ending::Unknown) => {
            let error = report.error.as_deref().unwrap_or_default();
            ("unknown", Some(format!("AWS may have deactivated it: {error}")))
        }
        Some(Ending::Interrupted) => ("interrupted", None),
    };
    line(word, &report.key, why)
}

/// What became of a key that was to be activated again.
pub fn undone_line(report: &StepReport) -> String {
    let (word, why) = match report.ending {
        Some(Ending::Done | Ending::FoundDone) | None => ("active again", None),
        Some(Ending::Unknown) => {
            let error = report.error.as_deref().unwrap_or_default();
            ("unknown", Some(format!("AWS may have activated it: {error}")))
        }
        Some(Ending::Skipped(reason)) => ("NOT active", Some(reason.why().to_owned())),
        Some(Ending::Failed | Ending::Interrupted) => ("NOT active", report.error.clone()),
    };
    line(word, &report.key, why)
}

/// A key that an undo would activate.
pub fn would_undo_line(changes: &KeyChanges) -> String {
    let why = match changes.state {
        Recorded::MaybeDone => Some("AWS may have deactivated it".to_owned()),
        Recorded::MaybeUndone => Some("AWS may have activated it already".to_owned()),
        Recorded::NotDone | Recorded::Skipped | Recorded::Done | Recorded::Undone => None,
    };
    line("would activate", &changes.key, why)
}

/// The last line of an undo: which keys are active again, and which are not.
pub fn undo_ending(active: &[String], not_active: &[String]) -> String {
    let list = |ids: &[String]| {
        if ids.is_empty() {
            "none".to_owned()
        } else {
            escape(&ids.join(", ")).into_owned()
        }
    };
    format!(
        "{} active again ({}); {} not ({})\n",
        counted(active.len() as u64, "key"),
        list(active),
        not_active.len(),
        list(not_active)
    )
}

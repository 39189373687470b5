//! The lines that say what becomes of each step while a plan is applied or taken back, and how it ends.

use super::phrases::counted;
use super::terminal::{cut, wrap};
use crate::remedy::{Ending, KeyChanges, Recorded, Step, StepKey, StepReport};
use crate::report::escape::escape;
use crate::report::time::Timestamp;

/// The columns of what happened, before the key.
const WORD: usize = 17;
/// The most columns of an error of AWS.
const ERROR: usize = 400;
/// The blanks before why, below a line that has no room for it.
const INDENT: usize = 4;

fn day(time: Timestamp) -> String {
    time.to_string().get(..10).unwrap_or_default().to_owned()
}

/// `alice AKIA… in 111122223333, created 2025-01-01`.
fn key(key: &StepKey) -> String {
    let id = key
        .access_key_id
        .as_deref()
        .map_or_else(String::new, |id| format!(" {id}"));
    format!(
        "{}{id} in {}, created {}",
        key.user,
        key.account,
        day(key.key_created)
    )
}

/// A line of what and why: why is below it where the terminal is too narrow.
fn line(what: &str, why: Option<String>, width: usize) -> String {
    let what = escape(what).into_owned();
    let Some(why) = why else { return what + "\n" };
    let why = cut(&escape(&why), ERROR).into_owned();
    let whole = format!("{what}: {why}");
    if whole.chars().count() <= width {
        return whole + "\n";
    }
    let below = wrap(&why, width.saturating_sub(INDENT));
    let below: Vec<String> = below
        .iter()
        .map(|line| format!("{}{line}\n", " ".repeat(INDENT)))
        .collect();
    format!("{what}\n{}", below.concat())
}

/// A step that is going to be applied, with its number in the plan.
pub fn step_line(number: u64, step: &Step, width: usize) -> String {
    let target = &step.target;
    let created = target
        .key_created
        .map_or_else(String::new, |time| format!(", created {}", day(time)));
    let account = target.account.as_deref().unwrap_or_default();
    let what = format!("step {number:<3} {} in {account}{created}", target.user);
    line(&what, Some(step.why.clone()), width)
}

/// What became of the step with this number in the plan, or would.
pub fn applied_line(number: Option<u64>, report: &StepReport, width: usize) -> String {
    let with = |why: &str| match &report.error {
        Some(error) => format!("{why}: {error}"),
        None => why.to_owned(),
    };
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
            (word, Some(with(reason.why())))
        }
        Some(Ending::Doubtful(reason)) => {
            let why = format!(
                "AWS may have deactivated it when an earlier run asked, and is not asked again: {}; `credlens remedy undo` takes it \
                 back",
                reason.why()
            );
            ("in doubt", Some(why))
        }
        Some(Ending::Failed) => ("failed", report.error.clone()),
        Some(Ending::Unknown) => ("in doubt", Some(with("AWS may have deactivated it"))),
        Some(Ending::Interrupted) => ("interrupted", None),
    };
    let number = number.map_or_else(String::new, |number| format!("step {number:<3} "));
    line(&format!("{word:WORD$}{number}{}", key(&report.key)), why, width)
}

/// What became of a key that was to be activated again.
pub fn undone_line(report: &StepReport, width: usize) -> String {
    let error = report.error.clone().unwrap_or_default();
    let (word, why) = match report.ending {
        Some(Ending::Done | Ending::FoundDone) | None => ("active again", None),
        Some(Ending::Unknown) => ("in doubt", Some(format!("AWS may have activated it: {error}"))),
        Some(Ending::Skipped(reason) | Ending::Doubtful(reason)) => {
            ("NOT active", Some(reason.why().to_owned()))
        }
        Some(Ending::Failed | Ending::Interrupted) => ("NOT active", report.error.clone()),
    };
    line(&format!("{word:WORD$}{}", key(&report.key)), why, width)
}

/// A key that an undo would activate.
pub fn would_undo_line(changes: &KeyChanges, width: usize) -> String {
    let why = match changes.state {
        Recorded::MaybeDone => Some("AWS may have deactivated it".to_owned()),
        Recorded::MaybeUndone => Some("AWS may have activated it already".to_owned()),
        Recorded::NotDone | Recorded::Skipped | Recorded::Done | Recorded::Undone => None,
    };
    line(
        &format!("{:WORD$}{}", "would activate", key(&changes.key)),
        why,
        width,
    )
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

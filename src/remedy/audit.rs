//! The record of a run for auditors: what was to be done and by whom, what was done, and how each key is now.

use serde::{Deserialize, Serialize};

use super::journal::{
    CallerRef, Guards, JournalError, KeyAction, KeyChanges, Limits, PlanRef, Recorded, Replay, StepKey,
};
use super::live::{Answer, KeyStatus, LiveIam, LiveKey, LiveUse, NoAnswer};
use super::skip::SkipReason;
use super::step::{PlanAccount, Step};
use crate::finding::{Evidence, FindingId};
use crate::report::time::Timestamp;
use crate::report::word::word_enum;

/// The record of a run: `credlens.record/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// Always `credlens.record/v1`.
    pub schema: String,
    /// When the keys were looked at for this record.
    #[cfg_attr(test, schemars(with = "String"))]
    pub created: Timestamp,
    /// Identifies the journal, also in `CloudTrail`: it is in the names of role sessions and in the user agent.
    pub journal: String,
    /// SHA-256 of the journal's file, in hexadecimal.
    pub journal_sha256: String,
    /// The version of credlens that applied the plan.
    pub version: String,
    /// The plan.
    pub plan: PlanRef,
    /// The older plan that announced the steps, if one was named.
    pub announced: Option<PlanRef>,
    /// The options that chose among the steps of the plan.
    pub chosen_by: Vec<String>,
    /// What limited the run.
    pub limits: Limits,
    /// What exempted users.
    pub guards: Guards,
    /// The role that was assumed in each account but the caller's.
    pub role_name: Option<String>,
    /// The runs, in order.
    pub runs: Vec<AuditRun>,
    /// The rules, parameters and filters of the plan.
    pub evidence: Option<Evidence>,
    /// The accounts, and the reports that the plan was made from.
    pub accounts: Vec<PlanAccount>,
    /// The steps.
    pub steps: Vec<AuditStep>,
}

impl AuditRecord {
    /// The schema of this version.
    pub const SCHEMA: &str = "credlens.record/v1";
}

word_enum! {
    /// What a run did.
    pub enum RunKind as "run" {
        /// It applied the plan.
        Apply = "apply",
        /// It went on with that.
        Resume = "resume",
        /// It took changes back.
        Undo = "undo",
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditRun {
    /// When it began.
    #[cfg_attr(test, schemars(with = "String"))]
    pub at: Timestamp,
    /// What it did.
    pub run: RunKind,
    /// Whose credentials it used; null if AWS did not say.
    pub caller: Option<CallerRef>,
}

word_enum! {
    /// How a key is, compared with what was done to it.
    pub enum KeyCheck as "check" {
        /// As it was left: inactive and not used since, or active again after an undo.
        AsIntended = "as-intended",
        /// Nothing was changed.
        NotChanged = "not-changed",
        /// It was deactivated, and is active although it was not undone: someone needed it.
        Reactivated = "reactivated",
        /// It was used after it was deactivated.
        UsedSince = "used-since",
        /// It was activated again, and is inactive.
        InactiveAgain = "inactive-again",
        /// AWS may have been asked to deactivate it, and the answer is not known.
        InDoubt = "in-doubt",
        /// It does not exist any more.
        Gone = "gone",
        /// AWS did not say.
        Unknown = "unknown",
    }
}

impl KeyCheck {
    /// Whether a person must look at it.
    pub fn needs_attention(self) -> bool {
        match self {
            Self::AsIntended | Self::NotChanged => false,
            Self::Reactivated
            | Self::UsedSince
            | Self::InactiveAgain
            | Self::InDoubt
            | Self::Gone
            | Self::Unknown => true,
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AsIntended => "The key is as it was left.",
            Self::NotChanged => "Nothing was changed.",
            Self::Reactivated => {
                "The key was deactivated and is active again: someone needed it. Ask the owner; credlens never switches it off by itself."
            }
            Self::UsedSince => {
                "The key was used after it was deactivated: the change takes some seconds to reach all services, or the key was active in between."
            }
            Self::InactiveAgain => {
                "The key was activated again and is inactive: someone else deactivated it."
            }
            Self::InDoubt => {
                "A run ended before AWS answered, so it is not certain that the run made the key what it is. `credlens remedy apply \
                 --resume` settles it, and `credlens remedy undo` takes it back."
            }
            Self::Gone => "The user or the key does not exist any more.",
            Self::Unknown => "AWS did not say how the key is now.",
        }
    }
}

/// A step, what was done, and how its key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditStep {
    /// The key.
    #[serde(flatten)]
    pub key: StepKey,
    /// Who owns the user, if that is known.
    pub owner: Option<String>,
    /// Why it was to be deactivated.
    pub why: String,
    /// The rules that it broke.
    pub rules: Vec<String>,
    /// The ids of the findings.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub findings: Vec<FindingId>,
    /// The requirements that these decide.
    pub requirements: Vec<String>,
    /// When the step was first in a plan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub first_planned: Timestamp,
    /// What was done.
    pub state: Recorded,
    /// When AWS was asked to deactivate the key.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub deactivated: Option<Timestamp>,
    /// When AWS was asked to activate it again.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub activated: Option<Timestamp>,
    /// Why nothing was done, if nothing was.
    pub skipped: Option<SkipReason>,
    /// What AWS answered where something failed.
    pub error: Option<String>,
    /// The key's status now; null if it does not exist, or AWS did not say.
    pub status: Option<KeyStatus>,
    /// Its last use, as AWS knows it now.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub last_used: Option<Timestamp>,
    /// How that compares with what was done.
    pub check: KeyCheck,
    /// What AWS answered where it did not say how the key is.
    pub look_error: Option<String>,
}

/// What is known of a key now.
struct Look {
    exists: Option<bool>,
    status: Option<KeyStatus>,
    last_used: Option<Timestamp>,
    is_use_known: bool,
    error: Option<String>,
}

/// Looks at every key of a journal and makes its record.
///
/// # Errors
/// If the journal does not begin with the record of a plan; none if the run was interrupted.
pub fn audit(
    replay: &Replay,
    journal_sha256: String,
    iam: &mut dyn LiveIam,
    now: Timestamp,
) -> Result<Option<AuditRecord>, JournalError> {
    let (began, begin) = replay.first()?;
    let mut runs = vec![AuditRun {
        at: *began,
        run: RunKind::Apply,
        caller: Some(begin.caller.clone()),
    }];
    runs.extend(replay.sessions.iter().map(|(at, action, session)| AuditRun {
        at: *at,
        run: match action {
            KeyAction::Deactivate => RunKind::Resume,
            KeyAction::Activate => RunKind::Undo,
        },
        caller: session.caller.clone(),
    }));
    let mut steps = Vec::new();
    for changes in &replay.keys {
        let Some(step) = begin.steps.iter().find(|step| step.id == changes.key.step) else {
            continue;
        };
        let Ok(look) = look(iam, &changes.key) else {
            return Ok(None);
        };
        steps.push(audit_step(step, changes, look));
    }
    Ok(Some(AuditRecord {
        schema: AuditRecord::SCHEMA.to_owned(),
        created: now,
        journal: begin.journal.clone(),
        journal_sha256,
        version: begin.version.clone(),
        plan: begin.plan.clone(),
        announced: begin.announced.clone(),
        chosen_by: begin.chosen_by.clone(),
        limits: begin.limits,
        guards: begin.guards.clone(),
        role_name: begin.role_name.clone(),
        runs,
        evidence: begin.evidence.clone(),
        accounts: begin.accounts.clone(),
        steps,
    }))
}

/// The run was interrupted.
struct Interrupted;

/// An answer, or why there is none.
fn known<T>(answer: Answer<T>) -> Result<Result<T, String>, Interrupted> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(NoAnswer::Unreadable(error)) => Ok(Err(error)),
        Err(NoAnswer::Interrupted) => Err(Interrupted),
    }
}

fn look(iam: &mut dyn LiveIam, key: &StepKey) -> Result<Look, Interrupted> {
    let unknown = |error: Option<String>| Look {
        exists: None,
        status: None,
        last_used: None,
        is_use_known: false,
        error,
    };
    match known(iam.account_for(&key.account))? {
        Ok(found) if found == key.account => {}
        Ok(found) => {
            let error = format!("{}: {found}", SkipReason::WrongAccount.why());
            return Ok(unknown(Some(error)));
        }
        Err(error) => return Ok(unknown(Some(error))),
    }
    let listed = match known(iam.keys(&key.account, &key.user))? {
        Ok(listed) => listed.unwrap_or_default(),
        Err(error) => return Ok(unknown(Some(error))),
    };
    let of_id = |id: &String| listed.iter().find(|it| it.id == *id);
    let by_time: Vec<&LiveKey> = listed
        .iter()
        .filter(|it| it.created == Some(key.key_created))
        .collect();
    let found = match (&key.access_key_id, by_time.as_slice()) {
        (Some(id), _) => of_id(id),
        (None, [found]) => Some(*found),
        (None, []) => None,
        (None, _) => {
            let error = SkipReason::Ambiguous.why().to_owned();
            return Ok(unknown(Some(error)));
        }
    };
    let Some(found) = found else {
        return Ok(Look {
            exists: Some(false),
            ..unknown(None)
        });
    };
    let (live, error) = match known(iam.last_use(&key.account, &found.id))? {
        Ok(live) => (Some(live), None),
        Err(error) => (None, Some(error)),
    };
    Ok(Look {
        exists: Some(true),
        status: found.status,
        is_use_known: live.is_some(),
        last_used: live.and_then(|LiveUse { time, .. }| time),
        error,
    })
}

fn check(changes: &KeyChanges, look: &Look) -> KeyCheck {
    let is_changed = match changes.state {
        Recorded::NotDone | Recorded::Skipped => false,
        Recorded::MaybeDone | Recorded::Done | Recorded::MaybeUndone | Recorded::Undone => true,
    };
    match look.exists {
        _ if !is_changed => return KeyCheck::NotChanged,
        None => return KeyCheck::Unknown,
        Some(false) => return KeyCheck::Gone,
        Some(true) => {}
    }
    let is_active = match look.status {
        Some(KeyStatus::Active) => true,
        Some(KeyStatus::Inactive | KeyStatus::Expired) => false,
        None => return KeyCheck::Unknown,
    };
    let was_used = look.last_used > changes.deactivated;
    match (changes.state, is_active) {
        (Recorded::Done, true) => KeyCheck::Reactivated,
        (Recorded::Done, false) if was_used => KeyCheck::UsedSince,
        (Recorded::Done, false) if !look.is_use_known => KeyCheck::Unknown,
        (Recorded::Undone, false) => KeyCheck::InactiveAgain,
        (Recorded::MaybeDone, _) | (Recorded::MaybeUndone, false) => KeyCheck::InDoubt,
        (Recorded::Done, false)
        | (Recorded::Undone | Recorded::MaybeUndone, true)
        | (Recorded::NotDone | Recorded::Skipped, _) => KeyCheck::AsIntended,
    }
}

fn audit_step(step: &Step, changes: &KeyChanges, look: Look) -> AuditStep {
    let check = check(changes, &look);
    let target = &step.target;
    let skip = changes.skip.clone().filter(|_| !changes.state.needs_undo());
    AuditStep {
        key: changes.key.clone(),
        owner: target.owner.clone(),
        why: step.why.clone(),
        rules: target.rules.clone(),
        findings: target.findings.clone(),
        requirements: target.requirements.clone(),
        first_planned: step.first_planned,
        state: changes.state,
        deactivated: changes.deactivated,
        activated: changes.activated,
        error: changes
            .error
            .clone()
            .or_else(|| skip.as_ref().and_then(|(_, error)| error.clone())),
        skipped: skip.map(|(reason, _)| reason),
        status: look.status,
        last_used: look.last_used,
        check,
        look_error: look.error,
    }
}

//! The record of what was done to keys: `credlens.journal/v1`, one record a line, in the order in which it happened.
//!
//! A record of what is to be done is on the disk before AWS is asked, and one of what came of it after the answer. What stands
//! between them at a crash may have been done; everything else is known.

mod read;
mod replay;

use serde::{Deserialize, Serialize};

use super::exemption::ExemptTag;
use super::live::KeyStatus;
use super::skip::SkipReason;
use super::step::{PlanAccount, Step};
use crate::finding::Evidence;
use crate::report::time::Timestamp;
use crate::report::word::word_enum;

pub use read::{JournalError, JournalText};
pub use replay::{KeyChanges, Recorded, Replay};

/// The schema of this version.
pub(super) const SCHEMA: &str = "credlens.journal/v1";

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Always `credlens.journal/v1`.
    pub schema: String,
    /// When it was written.
    #[cfg_attr(test, schemars(with = "String"))]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Record {
    /// A record of this version.
    pub fn new(at: Timestamp, entry: Entry) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            at,
            entry,
        }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Entry {
    /// What is to be applied, within which limits, and by whom. The first record.
    Begin(Box<Begin>),
    /// The run goes on.
    Resume(Session),
    /// What was done is undone.
    Undo(Session),
    /// AWS is going to be asked to change a key.
    Intent(Intent),
    /// What came of it.
    Result(KeyResult),
    /// A step was not done, and why.
    Skip(Skip),
    /// The run came to its end.
    End(End),
}

/// The first record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Begin {
    /// Identifies the journal: in the names of role sessions and in the user agent, so that `CloudTrail` shows it.
    pub journal: String,
    /// The version of credlens.
    pub version: String,
    /// The plan.
    pub plan: PlanRef,
    /// The older plan that the steps had to be in, if one was named.
    pub announced: Option<PlanRef>,
    /// What limits the run.
    pub limits: Limits,
    /// What exempts users.
    pub guards: Guards,
    /// Whose credentials are used.
    pub caller: CallerRef,
    /// The role that is assumed in each account but the caller's.
    pub role_name: Option<String>,
    /// The options that chose among the steps of the plan, such as `--user alice`.
    pub chosen_by: Vec<String>,
    /// What the plan was made with.
    pub evidence: Option<Evidence>,
    /// The accounts of the steps.
    pub accounts: Vec<PlanAccount>,
    /// The numbers that the steps have in the plan.
    pub numbers: Vec<u64>,
    /// The steps that are to be applied, in order.
    pub steps: Vec<Step>,
}

/// Identifies a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanRef {
    /// Its id.
    pub id: String,
    /// When it was made.
    #[cfg_attr(test, schemars(with = "String"))]
    pub created: Timestamp,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
}

/// What limits a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// The greatest number of changes.
    pub max_changes: u64,
    /// The greatest share of an account's active keys, in percent; three keys are always allowed.
    pub max_share: u64,
    /// The number of errors after which the run stops.
    pub max_errors: u64,
    /// The greatest age of the plan, in seconds.
    pub max_plan_age: i64,
    /// The greatest age of the reports that it was made from, in seconds.
    pub max_report_age: i64,
    /// How long ago the steps must have been announced, in seconds, if they must.
    pub min_notice: Option<i64>,
}

/// What exempts users, as AWS knows it when a step is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Guards {
    /// The tag.
    pub exempt_tag: ExemptTag,
    /// The groups.
    pub exempt_groups: Vec<String>,
}

/// Whose credentials are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallerRef {
    /// The account's id.
    pub account: String,
    /// The ARN of the user or role session.
    pub arn: String,
}

/// A later run with the same journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Session {
    /// The version of credlens.
    pub version: String,
    /// Whose credentials are used; null if AWS did not say.
    pub caller: Option<CallerRef>,
}

word_enum! {
    /// How a key is changed.
    pub enum KeyAction as "action" {
        /// It is made inactive.
        Deactivate = "deactivate",
        /// It is made active again.
        Activate = "activate",
    }
}

word_enum! {
    /// What came of a change.
    pub enum ChangeOutcome as "outcome" {
        /// AWS made it.
        Done = "done",
        /// AWS did not make it.
        Failed = "failed",
        /// AWS may have made it.
        Unknown = "unknown",
    }
}

/// The key of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepKey {
    /// The id of the step.
    pub step: String,
    /// The account's id.
    pub account: String,
    /// The user.
    pub user: String,
    /// When the key was created.
    #[cfg_attr(test, schemars(with = "String"))]
    pub key_created: Timestamp,
    /// The key's id; null as long as AWS did not say.
    pub access_key_id: Option<String>,
}

impl StepKey {
    /// The key of a step that deactivates one; none if the step does not say all of it.
    pub fn of(step: &Step) -> Option<Self> {
        let target = &step.target;
        Some(Self {
            step: step.id.clone(),
            account: target.account.clone()?,
            user: target.user.clone(),
            key_created: target.key_created?,
            access_key_id: target.access_key_id.clone(),
        })
    }
}

/// What is going to be done to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Intent {
    /// What is done.
    pub action: KeyAction,
    /// The key.
    #[serde(flatten)]
    pub key: StepKey,
    /// The status that it had, if it was looked at.
    pub prior_status: Option<KeyStatus>,
}

/// What came of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyResult {
    /// What was done.
    pub action: KeyAction,
    /// The key.
    #[serde(flatten)]
    pub key: StepKey,
    /// What came of it.
    pub outcome: ChangeOutcome,
    /// Whether this was found later, from the key's status, and not from the answer to the change.
    #[serde(default)]
    pub found_later: bool,
    /// Why it was not done, or may not have been.
    pub error: Option<String>,
}

/// A step that was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Skip {
    /// The key.
    #[serde(flatten)]
    pub key: StepKey,
    /// Why.
    pub reason: SkipReason,
    /// What AWS answered, where its answer is the reason.
    pub error: Option<String>,
}

/// How many steps of a run came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// Changes that AWS made.
    pub done: u64,
    /// Steps that needed no change, or must not be changed.
    pub skipped: u64,
    /// Steps that could not be decided, and changes that failed or may have.
    pub failed: u64,
    /// Steps that were not begun.
    pub left: u64,
    /// Whether a signal ended the run.
    pub interrupted: bool,
}

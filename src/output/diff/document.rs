//! The shapes of a diff for programs: `credlens.diff/v1` and `credlens.event/v1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::snapshots::DiffSnapshot;
use crate::finding::{Diagnostic, Severity, Status};
use crate::history::{Kind, StaleAccount};

/// What changed between two snapshots: `credlens.diff/v1`.
///
/// A run does not build it but writes it item by item; the type is for reading one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffDocument {
    /// Always `credlens.diff/v1`.
    pub schema: String,
    /// The older snapshot. Where it has several reports, of the accounts of an archive, each account is compared as of its
    /// own report.
    pub old: DiffSnapshot,
    /// The newer snapshot; several reports as in the older one.
    pub new: DiffSnapshot,
    /// What happened: users in the order of the newer snapshot, then the deleted ones.
    pub events: Vec<DiffEvent>,
    /// What became of findings.
    pub findings: DiffFindings,
    /// Accounts without a newer report, in order. They are not compared: nothing of them is in `events` and `findings`.
    #[serde(default)]
    pub stale_accounts: Vec<StaleAccount>,
    /// What limits the comparison, or is wrong in a report.
    pub diagnostics: Vec<Diagnostic>,
}

/// One event of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffEvent {
    /// What happened.
    pub kind: Kind,
    /// How much that matters.
    #[serde(default = "informational")]
    pub severity: Severity,
    /// Account of the user, as the ARN or else a column says; null if it is not known.
    pub account: Option<String>,
    /// The account's name, if it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The user's name; `<root_account>` for root.
    pub user: Option<String>,
    /// The user's ARN.
    pub arn: Option<String>,
    /// When the key or certificate was created, RFC 3339 UTC; of a rotation, the new key.
    pub key_created: Option<String>,
    /// Value of the deciding cell before: a time, `true`, `false`, or null.
    pub old: Option<String>,
    /// Its value now.
    pub new: Option<String>,
}

/// Failing findings of both snapshots: users in the order of the older one, then those whom only the newer one has; those of
/// a user by rule and slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffFindings {
    /// Those of the newer snapshot that were not failing in the older.
    pub opened: Vec<DiffFinding>,
    /// Those of the newer snapshot that only became visible because its report has more columns: the older report cannot
    /// say whether they failed. They are not among those opened, and do not count for `--fail-on-new`.
    #[serde(default)]
    pub unveiled: Vec<DiffFinding>,
    /// Those of the older snapshot that are not failing any more.
    pub resolved: Vec<DiffFinding>,
    /// Those of the older snapshot that still fail, or for which that cannot be determined.
    pub open: Vec<DiffFinding>,
}

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffFinding {
    /// Stable name of the finding, the same as in `credlens scan`.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// The values that the rule's parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// The rule's title.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Account of the user.
    pub account: Option<String>,
    /// The account's name, if it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's ARN.
    pub arn: Option<String>,
    /// The credential that it is about, by its slot in the newer snapshot, or in the older where it is
    /// resolved.
    pub credential: Option<String>,
    /// When that key or certificate was created, RFC 3339 UTC.
    pub key_created: Option<String>,
    /// Status in the older snapshot; null where there was no finding, or the rule passed.
    pub before: Option<Status>,
    /// Status in the newer snapshot; null where there is no finding, or the rule passes.
    pub after: Option<Status>,
    /// Of an opened or unveiled finding, the times that the rule read, by column, RFC 3339 UTC.
    #[serde(default)]
    pub dates: BTreeMap<String, String>,
    /// What resolved it: kinds of events, `suppressed`, `used` (the credential was), or `other`. Empty
    /// where it is not resolved.
    pub resolved_by: Vec<String>,
    /// One sentence for people.
    pub message: String,
}

const fn informational() -> Severity {
    Severity::Informational
}

impl DiffDocument {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.diff/v1";
}

/// One event, by itself: `credlens.event/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventLine {
    /// Always `credlens.event/v1`.
    pub schema: String,
    /// As-of of the older snapshot of the account: it happened later.
    pub old_as_of: String,
    /// As-of of the newer snapshot of the account: it had happened by then.
    pub new_as_of: String,
    /// What happened.
    #[serde(flatten)]
    pub event: DiffEvent,
}

impl EventLine {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.event/v1";
}

//! How findings and hygiene moved, as a document: `credlens.trend/v1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Diagnostic, Severity};

/// How findings and hygiene moved over many snapshots: `credlens.trend/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrendDocument {
    /// Always `credlens.trend/v1`.
    pub schema: String,
    /// In the order of their as-of.
    pub snapshots: Vec<Point>,
    /// The rules that found something, worst severity first, then by id.
    pub rules: Vec<RuleTrend>,
    /// The findings that have been open for longest: 100 of them, or as many as `--limit` says where that is more.
    pub oldest: Vec<OldFinding>,
    /// How access keys were rotated.
    pub rotation: Rotation,
    /// Gaps, and what could not be used.
    pub diagnostics: Vec<Diagnostic>,
}

impl TrendDocument {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.trend/v1";
}

/// How things stood at one instant: of one account, or of all whose reports are of about that instant.
/// A figure is null where a report lacks a column without which it cannot be known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Point {
    /// RFC 3339 UTC; where it stands for several reports, that of the latest.
    pub as_of: String,
    /// The account; null where it stands for all, or the report does not tell.
    pub account: Option<String>,
    /// Accounts that it stands for.
    pub accounts: u64,
    /// Users, root included.
    pub users: u64,
    /// Users with a console password; root counts where AWS does not say whether it has one.
    pub console_users: Option<u64>,
    /// Those of them who have an MFA device.
    pub console_users_with_mfa: Option<u64>,
    /// Their share, 0 to 1; null without console users, too.
    pub mfa_coverage: Option<f64>,
    /// Access keys that are switched on.
    pub active_keys: Option<u64>,
    /// Active keys older than 90 days.
    pub keys_over_90_days: Option<u64>,
    /// Active keys older than 180 days.
    pub keys_over_180_days: Option<u64>,
    /// Active keys older than 365 days.
    pub keys_over_365_days: Option<u64>,
    /// Age of active keys in whole days: the median.
    pub key_age_median: Option<i64>,
    /// The 90th percentile.
    pub key_age_p90: Option<i64>,
    /// The oldest.
    pub key_age_max: Option<i64>,
    /// Active keys by age: up to 30, 90, 180, 365 and 730 days, and older.
    pub key_ages: Option<[u64; 6]>,
    /// Passwords and active keys of users other than root that were not used for 90 days.
    pub unused_credentials: Option<u64>,
    /// Users other than root of whom neither password nor key was used for 90 days.
    pub dormant_users: Option<u64>,
    /// Accounts whose root user was used within the last 90 days.
    pub root_used: Option<u64>,
    /// When a root user was last used, RFC 3339 UTC.
    pub root_last_used: Option<String>,
    /// Failing findings by severity. What is undetermined, for want of a column too, is not among them.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Failing findings by rule; rules without any are left out.
    pub by_rule: BTreeMap<String, u64>,
    /// Findings that fail here and were not open before. None of an account's first snapshot.
    pub opened: u64,
    /// Findings that were open before and surely do not fail here.
    pub resolved: u64,
}

/// How the findings of one rule moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleTrend {
    /// Id of the rule.
    pub rule: String,
    /// The values that its parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// How bad its findings are.
    pub severity: Severity,
    /// How many of its findings were there in an account's first snapshot.
    pub at_start: u64,
    /// How many were opened later; a finding that comes back counts again.
    pub opened: u64,
    /// How many were resolved.
    pub resolved: u64,
    /// How many are open at the end.
    pub open: u64,
    /// Days within which half of those opened are resolved, estimated by Kaplan and Meier; null where that
    /// is not reached. Those there at the start are left out.
    pub median_days_to_resolve: Option<f64>,
    /// Days within which nine in ten are.
    pub p90_days_to_resolve: Option<f64>,
}

/// A finding that is open at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OldFinding {
    /// Stable name of the finding, as `credlens scan` tells it.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Account of the user.
    pub account: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's ARN.
    pub arn: Option<String>,
    /// The first snapshot that shows it, RFC 3339 UTC.
    pub since: String,
    /// Whether that is the account's first snapshot: then it is older, nobody knows by how much.
    pub at_start: bool,
    /// Days from then to the account's last snapshot.
    pub days: f64,
}

/// What became of access keys while they were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rotation {
    /// Days within which a key should be replaced.
    pub max_age: i64,
    /// Switched off or deleted no later than that.
    pub in_time: u64,
    /// Switched off or deleted later.
    pub late: u64,
    /// Given up about then: the snapshots are too far apart to tell.
    pub unclear: u64,
    /// Still active at the end, and older.
    pub never: u64,
    /// Still active at the end, and not that old yet.
    pub not_due: u64,
}

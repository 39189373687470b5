//! The document of a trend: `credlens.trend/v1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Diagnostic, Severity};
use crate::history::notes::StaleAccount;

/// How findings and figures changed over many snapshots: `credlens.trend/v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TrendDocument {
    /// Always `credlens.trend/v1`.
    pub schema: String,
    /// The points of the trend, in the order of their as-of.
    pub snapshots: Vec<Point>,
    /// The rules that had findings, highest severity first, then by id.
    pub rules: Vec<RuleTrend>,
    /// The findings that have been open the longest: 100, or the number given by `--limit` if that is greater.
    pub oldest: Vec<OldFinding>,
    /// How access keys were rotated.
    pub rotation: Rotation,
    /// Where accounts are missing from snapshots although earlier ones have them, in the order of their beginning.
    #[serde(default)]
    pub gaps: Vec<AccountGap>,
    /// Accounts without a newer report at the end, in order. Their open findings are neither in `open` of the rules nor in
    /// `oldest`.
    #[serde(default)]
    pub stale_accounts: Vec<StaleAccount>,
    /// Gaps between snapshots, and what could not be used.
    pub diagnostics: Vec<Diagnostic>,
}

impl TrendDocument {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.trend/v1";
}

/// Figures at one instant: of one account, or of all accounts with a report of about that instant.
/// A figure is null if a report lacks a column that it depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Point {
    /// The as-of, RFC 3339 UTC; of several reports, the latest one.
    pub as_of: String,
    /// The account; null if there are several, or if the report does not contain it.
    pub account: Option<String>,
    /// The name of `account`, if it is known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// Number of accounts.
    pub accounts: u64,
    /// Users, root included.
    pub users: u64,
    /// Users with a console password; root is counted if AWS does not say whether it has one.
    pub console_users: Option<u64>,
    /// Console users with an MFA device.
    pub console_users_with_mfa: Option<u64>,
    /// Share of console users with an MFA device, 0 to 1; also null if there are no console users.
    pub mfa_coverage: Option<f64>,
    /// Active access keys.
    pub active_keys: Option<u64>,
    /// Active keys older than 90 days.
    pub keys_over_90_days: Option<u64>,
    /// Active keys older than 180 days.
    pub keys_over_180_days: Option<u64>,
    /// Active keys older than 365 days.
    pub keys_over_365_days: Option<u64>,
    /// Median age of active keys, in whole days.
    pub key_age_median: Option<i64>,
    /// 90th percentile of the age of active keys, in whole days.
    pub key_age_p90: Option<i64>,
    /// Age of the oldest active key, in whole days.
    pub key_age_max: Option<i64>,
    /// Active keys by age: up to 30, 90, 180, 365 and 730 days, and older.
    pub key_ages: Option<[u64; 6]>,
    /// Passwords and active keys of users other than root that have not been used for 90 days.
    pub unused_credentials: Option<u64>,
    /// Users other than root of whom no credential was used, created or changed for 90 days.
    pub dormant_users: Option<u64>,
    /// Accounts whose root user was used within the last 90 days.
    pub root_used: Option<u64>,
    /// When a root user was last used, RFC 3339 UTC.
    pub root_last_used: Option<String>,
    /// Failing findings by severity, without undetermined ones.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Failing findings by rule; rules without findings are left out.
    pub by_rule: BTreeMap<String, u64>,
    /// Findings that fail here and were not open before; 0 for the first snapshot of an account.
    pub opened: u64,
    /// Findings that fail here and only became visible because this report has columns that the previous one of the account
    /// lacks. They are not among those opened.
    #[serde(default)]
    pub unveiled: u64,
    /// Findings that were open before and do not fail here; undetermined ones stay open.
    pub resolved: u64,
}

/// How the findings of one rule changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RuleTrend {
    /// Id of the rule.
    pub rule: String,
    /// The values that its parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// How bad its findings are.
    pub severity: Severity,
    /// Findings in the first snapshot of each account.
    pub at_start: u64,
    /// Findings opened later; a finding that is opened again counts again.
    pub opened: u64,
    /// Findings that later only became visible because a report has more columns; they are not among those opened.
    #[serde(default)]
    pub unveiled: u64,
    /// Findings resolved.
    pub resolved: u64,
    /// Findings open at the end, without those of `stale_accounts`.
    pub open: u64,
    /// Findings that were open in the last report of an account without a newer one.
    #[serde(default)]
    pub of_stale_accounts: u64,
    /// Median number of days until an opened finding is resolved (Kaplan–Meier estimate, without findings of the first
    /// snapshot and unveiled ones); null if the estimate does not reach one half.
    pub median_days_to_resolve: Option<f64>,
    /// 90th percentile of the days until an opened finding is resolved; null if the estimate does not reach nine tenths.
    pub p90_days_to_resolve: Option<f64>,
}

/// Consecutive snapshots without an account that an earlier one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AccountGap {
    /// The account; null for reports that do not contain it.
    pub account: Option<String>,
    /// The account's name, if it is known.
    pub account_name: Option<String>,
    /// As-of of the last report of the account before, RFC 3339 UTC.
    pub after: String,
    /// As-of of the first snapshot without it, RFC 3339 UTC.
    pub first: String,
    /// As-of of the last snapshot without it, RFC 3339 UTC.
    pub last: String,
    /// The number of these snapshots.
    pub snapshots: u64,
}

/// A finding that is open at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OldFinding {
    /// Id of the finding, the same as in `credlens scan`.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
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
    /// As-of of the first snapshot with the finding, RFC 3339 UTC.
    pub since: String,
    /// Whether that is the first snapshot of the account: then the finding is older by an unknown time.
    pub at_start: bool,
    /// Whether the report before that snapshot lacked the columns that show it: then, too, it is older by an unknown time.
    #[serde(default)]
    pub unveiled: bool,
    /// Days from `since` to the last snapshot of the account.
    pub days: f64,
}

/// Whether access keys were replaced in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Rotation {
    /// Number of days after which a key should be replaced.
    pub max_age: i64,
    /// Keys deactivated or deleted within that time.
    pub in_time: u64,
    /// Keys deactivated or deleted later.
    pub late: u64,
    /// Keys deactivated or deleted about then: the snapshots are too far apart to say which.
    pub unclear: u64,
    /// Keys that are active at the end and older.
    pub never: u64,
    /// Keys that are active at the end and not yet that old.
    pub not_due: u64,
}

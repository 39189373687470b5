//! The two snapshots of a diff: of one report, or of one for each account of an archive.

use serde::{Deserialize, Serialize};

use crate::engine::Input;
use crate::finding::{AsOfSource, InputTally};
use crate::history::Snapshot;
use crate::output::phrases::{self, counted};
use crate::report::time::Timestamp;

/// A snapshot of one or several reports. What may differ between several reports is null there, and in `accounts` for each
/// account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffSnapshot {
    /// The report as named on the command line; null if there are several.
    pub path: Option<String>,
    /// The account's name, if it is known from the organization; null if there are several reports.
    #[serde(default)]
    pub account_name: Option<String>,
    /// Its envelope, as in `credlens.assessment/v1`; null if there are several reports.
    pub kind: Option<String>,
    /// The number of users of all reports, including root.
    pub users: Option<u64>,
    /// The instant to which ages are counted, RFC 3339 UTC; of several reports, the latest one.
    pub as_of: String,
    /// Where that instant comes from; null if there are several reports.
    pub as_of_source: Option<AsOfSource>,
    /// When AWS generated the report, RFC 3339 UTC, if it says so; null if there are several.
    pub generated: Option<String>,
    /// The as-of of the earliest report; of one report, the same as `as_of`.
    #[serde(default)]
    pub first_as_of: Option<String>,
    /// The number of reports.
    #[serde(default)]
    pub reports: u64,
    /// The accounts with their reports, in order.
    #[serde(default)]
    pub accounts: Vec<DiffAccount>,
}

/// An account of a snapshot, and its report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DiffAccount {
    /// The account.
    pub account: String,
    /// Its name, if it is known.
    pub account_name: Option<String>,
    /// The report, as an INPUT names it.
    pub path: String,
    /// The instant to which its ages are counted, RFC 3339 UTC.
    pub as_of: String,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS generated the report, RFC 3339 UTC, if it says so.
    pub generated: Option<String>,
}

impl DiffSnapshot {
    pub(super) fn of(snapshot: &Snapshot, users: u64) -> Self {
        let reports = snapshot.reports();
        let [first, last] = range(&reports);
        let of_one = match *reports {
            [(input, _)] => Some(input),
            _ => None,
        };
        let mut accounts: Vec<_> = reports
            .iter()
            .flat_map(|&(input, accounts)| accounts.iter().map(move |account| (account, input)))
            .map(|(account, input)| DiffAccount::of(snapshot, account, input))
            .collect();
        accounts.sort_by(|one, other| one.account.cmp(&other.account));
        Self {
            path: of_one.map(|input| input.path.clone()),
            account_name: of_one.and_then(|input| input.account.name.clone()),
            kind: of_one.map(|input| input.kind.clone()),
            users: Some(users),
            as_of: last.to_string(),
            as_of_source: of_one.map(|input| input.as_of_source),
            generated: of_one.and_then(|input| Some(input.generated?.to_string())),
            first_as_of: Some(first.to_string()),
            reports: reports.len() as u64,
            accounts,
        }
    }
}

impl DiffAccount {
    fn of(snapshot: &Snapshot, account: &[u8], input: &Input) -> Self {
        let name = snapshot.users().account_names().get(account);
        Self {
            account: String::from_utf8_lossy(account).into_owned(),
            account_name: name.map(str::to_owned),
            path: input.path.clone(),
            as_of: input.as_of.to_string(),
            as_of_source: input.as_of_source,
            generated: input.generated.map(|time| time.to_string()),
        }
    }
}

/// The earliest and the latest as-of.
fn range<T>(reports: &[(&Input, T)]) -> [Timestamp; 2] {
    let times = || reports.iter().map(|(input, _)| input.as_of);
    let ends = times().min().zip(times().max());
    let (first, last) = ends.expect("invariant: a snapshot has a report");
    [first, last]
}

/// The path of the one report, or the number of reports.
pub(super) fn reports(snapshot: &Snapshot) -> String {
    match &*snapshot.reports() {
        [(input, _)] => input.path.clone(),
        several => counted(several.len() as u64, "report"),
    }
}

/// The as-of of the one report, or those of the earliest and the latest.
pub(super) fn as_of(snapshot: &Snapshot, now: Option<Timestamp>) -> String {
    let reports = snapshot.reports();
    if let [(input, _)] = *reports {
        return phrases::as_of(&tally(snapshot, input), now);
    }
    let [first, last] = range(&reports);
    if first == last {
        return last.to_string();
    }
    format!("{first} to {last}")
}

fn tally(snapshot: &Snapshot, input: &Input) -> InputTally {
    InputTally {
        path: input.path.clone(),
        account_name: input.account.name.clone(),
        kind: input.kind.clone(),
        users: Some(snapshot.users().len() as u64),
        left_out: None,
        as_of: input.as_of.to_string(),
        as_of_source: input.as_of_source,
        generated: input.generated.map(|time| time.to_string()),
        sha256: None,
    }
}

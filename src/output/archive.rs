//! The lists of `credlens archive list` and `credlens archive verify`, for people and for programs.

use serde::{Deserialize, Serialize};

use super::DisplayOptions;
use super::json_text::pretty;
use super::phrases::{counted, number};
use super::terminal::{Align, TextCell, TextTable};
use crate::finding::AsOfSource;
use crate::report::escape::escape;
use crate::report::time::Timestamp;

/// The reports of an archive: `credlens.archive-list/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contents {
    /// Always `credlens.archive-list/v1`.
    schema: String,
    /// In the order of their as-of; with `--stale`, the last reports of the stale accounts.
    pub reports: Vec<ArchivedReport>,
    /// With `--stale`, the accounts whose last report is older, in order; null without.
    #[serde(default)]
    pub stale_accounts: Option<Vec<StaleInArchive>>,
}

/// An account whose last report is older than `--stale` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StaleInArchive {
    /// The account; null for reports that do not contain it.
    pub account: Option<String>,
    /// Its name in the organization, if the report has it.
    pub account_name: Option<String>,
    /// As-of of its last report, RFC 3339 UTC; null if it has none.
    pub as_of: Option<String>,
    /// The file of that report below the archive, as an INPUT names it.
    pub file: Option<String>,
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    report: Option<ArchivedReport>,
}

impl StaleInArchive {
    /// An account, empty for reports that do not contain it, its name if that is known besides, and its last report.
    pub fn new(account: String, name: Option<String>, report: Option<ArchivedReport>) -> Self {
        let of =
            |member: fn(&ArchivedReport) -> &String| report.as_ref().map(|report| member(report).clone());
        Self {
            account: Some(account).filter(|account| !account.is_empty()),
            account_name: name.or_else(|| report.as_ref()?.account_name.clone()),
            as_of: of(|report| &report.as_of),
            file: of(|report| &report.file),
            report,
        }
    }
}

/// An archived report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArchivedReport {
    /// The instant to which its ages are counted, RFC 3339 UTC.
    pub as_of: String,
    /// Where that instant came from when it was added.
    pub as_of_source: AsOfSource,
    /// When AWS generated it, RFC 3339 UTC, where that is known.
    pub generated: Option<String>,
    /// The accounts that its ARNs name, in order, each once.
    pub accounts: Vec<String>,
    /// The name of its one account in the organization.
    pub account_name: Option<String>,
    /// Number of its users.
    pub users: u64,
    /// Its path when it was added.
    pub path: String,
    /// Bytes of its CSV.
    pub bytes: u64,
    /// SHA-256 of its CSV, in hexadecimal.
    pub sha256: String,
    /// Its file below the archive, as an INPUT names it.
    pub file: String,
    /// Whether the archive has details of it: key ids, tags and service-specific credentials.
    #[serde(default)]
    pub details: bool,
}

impl Contents {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.archive-list/v1";

    /// Of these reports.
    pub fn new(reports: Vec<ArchivedReport>) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            reports,
            stale_accounts: None,
        }
    }

    /// Of these accounts.
    pub fn of_stale(accounts: Vec<StaleInArchive>) -> Self {
        let mut reports: Vec<_> = accounts.iter().filter_map(|stale| stale.report.clone()).collect();
        reports.sort_by(|one, other| (&one.as_of, &one.file).cmp(&(&other.as_of, &other.file)));
        reports.dedup();
        Self {
            stale_accounts: Some(accounts),
            ..Self::new(reports)
        }
    }

    /// For programs.
    pub fn json(&self) -> String {
        pretty(self)
    }

    /// The stale accounts, for people: those without a report of the last `span`, such as `36 hours`, before an instant.
    pub fn stale_table(&self, span: &str, at: Timestamp, options: DisplayOptions) -> String {
        let stale = self.stale_accounts.as_deref().unwrap_or_default();
        let last = format!("of the {span} before {at}");
        if stale.is_empty() {
            return format!("every account has a report {last}\n");
        }
        let mut table = TextTable::with_heads(&[
            ("account", Align::Name),
            ("name", Align::Left),
            ("last report", Align::Name),
            ("age", Align::Right),
            ("file", Align::Path),
        ]);
        for account in stale {
            let as_of = account.as_of.as_deref();
            let time = as_of.and_then(|time| Timestamp::parse(time.as_bytes()));
            table.row([
                TextCell::new(escape(account.account.as_deref().unwrap_or("-"))),
                TextCell::new(escape(account.account_name.as_deref().unwrap_or_default())),
                TextCell::new(as_of.unwrap_or("never").to_owned()),
                TextCell::new(time.map_or_else(String::new, |time| age(at.0 - time.0))),
                TextCell::new(escape(account.file.as_deref().unwrap_or_default())),
            ]);
        }
        let accounts = counted(stale.len() as u64, "account");
        format!("{}\n{accounts} without a report {last}\n", table.render(options))
    }

    /// For people.
    pub fn table(&self, options: DisplayOptions) -> String {
        let mut table = TextTable::with_heads(&[
            ("as of", Align::Name),
            ("account", Align::Name),
            ("name", Align::Left),
            ("users", Align::Right),
            ("added from", Align::Path),
        ]);
        for report in &self.reports {
            table.row([
                TextCell::new(escape(&report.as_of)),
                TextCell::new(accounts(&report.accounts)),
                TextCell::new(escape(report.account_name.as_deref().unwrap_or_default())),
                TextCell::new(number(report.users)),
                TextCell::new(escape(&report.path)),
            ]);
        }
        let table = table.render(options);
        let reports = counted(self.reports.len() as u64, "report");
        let rows = counted(self.reports.iter().map(|report| report.users).sum(), "row");
        format!("{table}\n{reports}, {rows}\n")
    }
}

/// Whole hours, or days from two on.
fn age(seconds: i64) -> String {
    match seconds / 3_600 {
        hours if hours < 48 => counted(hours.unsigned_abs(), "hour"),
        hours => counted(hours.unsigned_abs() / 24, "day"),
    }
}

/// One account by its id, several by their number.
fn accounts(accounts: &[String]) -> String {
    match accounts {
        [] => "-".to_owned(),
        [account] => escape(account).into_owned(),
        accounts => format!("{} accounts", accounts.len()),
    }
}

/// Whether an archive is whole: `credlens.archive-verify/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verified {
    /// Always `credlens.archive-verify/v1`.
    schema: String,
    /// Files of the archive that were read.
    pub files: usize,
    /// Reports in them that are what was added.
    pub reports: usize,
    /// Files with the details of reports that can be used.
    #[serde(default)]
    pub details: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is unusual, but no problem.
    pub notes: Vec<Problem>,
}

/// Something about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// Its path below the archive.
    pub path: String,
    /// What is wrong or unusual.
    pub message: String,
}

impl Default for Verified {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            files: 0,
            reports: 0,
            details: 0,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Verified {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.archive-verify/v1";

    /// For programs.
    pub fn json(&self) -> String {
        pretty(self)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (word, found) in [("problem", &self.problems), ("note", &self.notes)] {
            for Problem { path, message } in found {
                text.push_str(&escape(&format!("{word}: {path}: {message}")));
                text.push('\n');
            }
        }
        let files = counted(self.files as u64, "file");
        let reports = |what| {
            let reports = counted(self.reports as u64, what);
            match self.details {
                0 => reports,
                details => format!("{reports}, details of {}", number(details as u64)),
            }
        };
        match self.problems.len() {
            0 => text + &format!("{files} with {}: all intact\n", reports("report")),
            problems => {
                let problems = counted(problems as u64, "problem");
                text + &format!("{files}, {}, {problems}\n", reports("intact report"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::check_committed;
    use super::*;

    #[test]
    fn committed_schemas_are_those_of_the_types() {
        check_committed::<Contents>("archive-list.v1", Contents::SCHEMA);
        check_committed::<Verified>("archive-verify.v1", Verified::SCHEMA);
    }
}

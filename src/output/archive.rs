//! What an archive holds and whether it is whole, for people and for programs.

use serde::{Deserialize, Serialize};

use super::catalogue::plain_table;
use super::escape::escape;
use super::words::counted;
use crate::finding::AsOfSource;

/// What an archive holds: `credlens.archive-list/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contents {
    /// Always `credlens.archive-list/v1`.
    schema: String,
    /// In the order of their as-of.
    pub reports: Vec<ArchivedReport>,
}

/// An archived report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArchivedReport {
    /// The instant at which it is judged, RFC 3339 UTC.
    pub as_of: String,
    /// Where that instant came from when it was added.
    pub as_of_source: AsOfSource,
    /// When AWS made it, RFC 3339 UTC, where that was told.
    pub generated: Option<String>,
    /// The accounts that its ARNs name, in order, each once.
    pub accounts: Vec<String>,
    /// As the organization calls its one account.
    pub account_name: Option<String>,
    /// Number of its users.
    pub users: u64,
    /// As it was named when it was added.
    pub path: String,
    /// Bytes of its CSV.
    pub bytes: u64,
    /// SHA-256 of its CSV, in hexadecimal.
    pub sha256: String,
    /// Where it lies below the archive, as an INPUT names it.
    pub file: String,
}

impl Contents {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.archive-list/v1";

    /// Of these reports.
    pub fn new(reports: Vec<ArchivedReport>) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            reports,
        }
    }

    /// For programs.
    pub fn json(&self) -> String {
        pretty(self)
    }

    /// For people, at most this many columns of the terminal wide.
    pub fn table(&self, width: usize, color: bool) -> String {
        let rows = self.reports.iter().map(|report| {
            vec![
                report.as_of.clone(),
                accounts(&report.accounts),
                escape(report.account_name.as_deref().unwrap_or_default()).into_owned(),
                report.users.to_string(),
                escape(&report.path).into_owned(),
            ]
        });
        let headings = ["As of", "Account", "Name", "Users", "Added from"];
        let table = plain_table(&headings, rows, width, color);
        let users: u64 = self.reports.iter().map(|report| report.users).sum();
        let (reports, rows) = (
            counted(self.reports.len() as u64, "report"),
            counted(users, "row"),
        );
        format!("{table}\n{reports}, {rows}\n")
    }
}

/// One account by its id, several by their number.
fn accounts(accounts: &[String]) -> String {
    match accounts {
        [] => "-".to_owned(),
        [account] => account.clone(),
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
    /// Reports in them that give back what was added.
    pub reports: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is odd and does no harm.
    pub notes: Vec<Problem>,
}

/// Something about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// Its path below the archive.
    pub path: String,
    /// What it is.
    pub message: String,
}

impl Default for Verified {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            files: 0,
            reports: 0,
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
        let reports = |what| counted(self.reports as u64, what);
        match self.problems.len() {
            0 => text + &format!("{files} with {}: all whole\n", reports("report")),
            problems => {
                let problems = counted(problems as u64, "problem");
                text + &format!("{files}, {}, {problems}\n", reports("whole report"))
            }
        }
    }
}

fn pretty(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).expect("invariant: plain data is JSON") + "\n"
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

//! Severities, verdicts and findings: the words in which every part tells what it found.

mod tally;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use tally::{
    AsOfSource, Diagnostic, FrameworkTally, InputTally, Level, Outcome, RequirementTally, RuleTally, Tally,
};

/// How bad a failing verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to mend.
    Informational,
    /// Mend when convenient.
    Low,
    /// Mend soon.
    Medium,
    /// Mend now.
    High,
    /// Drop everything.
    Critical,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word in rule files and outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a finding says of its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The rule is broken.
    Fail,
    /// A cell that decides is unknown.
    Undetermined,
    /// Broken, and a suppression says why that is accepted.
    Suppressed,
    /// The rule holds.
    Pass,
}

impl Status {
    /// All statuses, worst first.
    pub const ALL: [Self; 4] = [Self::Fail, Self::Undetermined, Self::Suppressed, Self::Pass];

    /// The word on the command line and in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Undetermined => "undetermined",
            Self::Suppressed => "suppressed",
            Self::Pass => "pass",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no member of its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word '{}'; one of {known}", word.escape_debug())]
pub struct UnknownWord {
    word: String,
    known: String,
}

/// The member of a list that has this name.
pub(crate) fn from_word<T: Copy>(
    word: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownWord> {
    let found = all.iter().copied().find(|&item| name(item) == word);
    found.ok_or_else(|| UnknownWord {
        word: word.to_owned(),
        known: all.iter().map(|&item| name(item)).collect::<Vec<_>>().join(", "),
    })
}

impl FromStr for Severity {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        from_word(word, &Self::ALL, Self::name)
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        from_word(word, &Self::ALL, Self::name)
    }
}

/// One verdict worth telling, with its evidence: `credlens.finding/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Always `credlens.finding/v1`.
    pub schema: String,
    /// Stable name of this finding, 32 hexadecimal digits: the same for the same rule, parameters and
    /// credential in every report, whatever the slot.
    pub id: String,
    /// Id of the rule.
    pub rule: String,
    /// The values that the rule's parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// The rule's title.
    pub title: String,
    /// What is said.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// Twelve-digit account id; null where the report lacks the arn column.
    pub account: Option<String>,
    /// The account's name, where the organization told it.
    pub account_name: Option<String>,
    /// The user; null where the finding stands for a whole input.
    pub user: Option<String>,
    /// The user's ARN; null where the report lacks the arn column.
    pub arn: Option<String>,
    /// `password`, `access_key_1`, `access_key_2`, `cert_1`, `cert_2`, or null where it is about none or several.
    pub credential: Option<String>,
    /// Access key id, where it was resolved.
    pub access_key_id: Option<String>,
    /// The instant at which ages were judged, RFC 3339 UTC.
    pub as_of: String,
    /// Where it was read.
    pub source: Source,
    /// One sentence for people.
    pub message: String,
    /// The cells that the rule read, as written, by column.
    pub evidence: BTreeMap<String, String>,
    /// `framework/requirement`, of the selected frameworks.
    pub requirements: Vec<String>,
    /// The suppression that accepts it, if one does.
    pub suppression: Option<Suppression>,
}

impl Finding {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.finding/v1";
}

/// Where a finding was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The input, as named on the command line.
    pub path: String,
    /// Data row, from 1; null where the finding stands for a whole input.
    pub row: Option<u64>,
}

/// Why a failing verdict is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Suppression {
    /// Why.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`, if it ends.
    pub expires: Option<String>,
    /// Where it was agreed.
    pub ticket: Option<String>,
}

//! Severities, verdicts and findings: the words in which every part tells what it found.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
#[error("unknown word '{word}'; one of {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

fn from_word<T: Copy>(word: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, UnknownWord> {
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

/// What a run found besides its findings: what was read, how every rule came out, and what was odd.
/// Everything here is counted before `--status` and `--min-severity` choose what is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// The instant at which everything was judged; null where the inputs differ.
    pub as_of: Option<String>,
    /// The inputs that were judged, in order.
    pub inputs: Vec<InputTally>,
    /// The rules, in the order in which their findings come within a row.
    pub rules: Vec<RuleTally>,
    /// What was odd, in order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One input that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputTally {
    /// As named on the command line.
    pub path: String,
    /// What it was: `csv`, `json`, `text`, `base64` or `yaml`, with `+gzip` or `+zstd` for every layer of
    /// compression, the inner one first.
    pub kind: String,
    /// Data rows, root's included.
    pub users: u64,
    /// The instant at which its ages were judged, RFC 3339 UTC.
    pub as_of: String,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS made the report, RFC 3339 UTC, where the input says so.
    pub generated: Option<String>,
}

/// Where an as-of comes from; the first that exists is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AsOfSource {
    /// `--as-of`.
    Argument,
    /// The report's own `GeneratedTime`.
    Generated,
    /// A date or time in the file name.
    FileName,
    /// The clock.
    Now,
}

/// How one rule with its parameters came out. `tested` entities exist, `relevant` of them are in the
/// rule's scope: `relevant` = `passed` + `failed` + `undetermined` + `suppressed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleTally {
    /// Id of the rule.
    pub id: String,
    /// The values that its parameters had.
    pub parameters: BTreeMap<String, i64>,
    /// How bad its findings are.
    pub severity: Severity,
    /// Entities that exist.
    pub tested: u64,
    /// Of these, those in the rule's scope, or of which that is unknown.
    pub relevant: u64,
    /// Relevant ones on which the rule holds.
    pub passed: u64,
    /// Relevant ones that break the rule and are not suppressed.
    pub failed: u64,
    /// Relevant ones of which a deciding cell is unknown.
    pub undetermined: u64,
    /// Relevant ones that break the rule with a suppression.
    pub suppressed: u64,
}

/// Something odd about an input, a rule or a setting. Never changes the exit status, but for errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnostic {
    /// How much it matters.
    pub level: Level,
    /// What kind of oddity, in kebab-case, such as `bad-cell`.
    pub code: String,
    /// The input or file that it is about.
    pub path: Option<String>,
    /// Data row, from 1.
    pub row: Option<u64>,
    /// Column, as AWS spells it.
    pub column: Option<String>,
    /// The cell or word, as written.
    pub value: Option<String>,
    /// One sentence for people.
    pub message: String,
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    Note,
    /// Something may not be as it seems.
    Warning,
    /// An input was not judged, or not to its end.
    Error,
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

//! What a run says besides its findings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Diagnostic, Severity, word_enum};

/// What a run found besides its findings: what was read, how every rule came out, and what was odd.
/// Everything here is counted before `--status` and `--min-severity` choose what is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// The instant at which everything was judged; null where the inputs differ.
    pub as_of: Option<String>,
    /// The inputs that were judged, in order.
    pub inputs: Vec<InputTally>,
    /// Rows of root, in all inputs.
    #[serde(skip)]
    pub roots: u64,
    /// The rules, in the order in which their findings come within a row.
    pub rules: Vec<RuleTally>,
    /// How the selected frameworks came out; empty where none was selected.
    pub compliance: Vec<FrameworkTally>,
    /// What else is worth knowing, in order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One input that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputTally {
    /// As named on the command line.
    pub path: String,
    /// The account's name, where the organization told it.
    #[serde(default)]
    pub account_name: Option<String>,
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

/// How one framework came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FrameworkTally {
    /// Its name, such as `cis-aws-5.0`.
    pub framework: String,
    /// Its title.
    pub title: String,
    /// Its requirements, in its own order.
    pub requirements: Vec<RequirementTally>,
}

/// How one requirement came out, over all inputs. The counts are of verdicts, of all rules that decide it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequirementTally {
    /// As the framework numbers it.
    pub id: String,
    /// What it demands.
    pub title: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Ids of the rules that decide it; none where people have to.
    pub rules: Vec<String>,
    /// Verdicts that hold.
    pub passed: u64,
    /// Verdicts that break it and are not suppressed.
    pub failed: u64,
    /// Verdicts of which a deciding cell is unknown.
    pub undetermined: u64,
    /// Verdicts that break it with a suppression.
    pub suppressed: u64,
    /// Why a report does not decide it, or not all of it.
    pub why: Option<String>,
    /// Where a parameter was set so that less is found than the requirement demands.
    pub warnings: Vec<String>,
}

word_enum! {
    /// How a requirement came out.
    pub enum Outcome {
        /// At least one verdict fails.
        Fail = "fail",
        /// None fails, and at least one is undetermined, or there was nobody to judge: no report, or no root.
        Undetermined = "undetermined",
        /// Nothing fails, but a report shows only a part of what is demanded.
        Partial = "partial",
        /// A report shows nothing of what is demanded: people have to look.
        Manual = "manual",
        /// All of it holds.
        Pass = "pass",
    }
}

//! The tally of a run: the inputs, the counts of each rule and requirement, and the diagnostics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Diagnostic, GivenFilters, PassedOver, RankEntry, Ranking, Severity, word_enum};

/// The tally of a run. All verdicts are counted, including those that `--status` and `--min-severity` do not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Tally {
    /// The as-of of all inputs; null where they differ.
    pub as_of: Option<String>,
    /// The inputs that could be read, in order.
    pub inputs: Vec<InputTally>,
    /// The filters that chose the users; empty if all are evaluated.
    #[serde(default)]
    pub filters: GivenFilters,
    /// The window in seconds after the as-of in which verdicts are due, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_within_seconds: Option<u64>,
    /// Whether filters may leave out users of an account that is evaluated, root among them.
    #[serde(skip)]
    pub is_partial: bool,
    /// Whether an input has details.
    #[serde(skip)]
    pub has_details: bool,
    /// The number of root rows in all inputs.
    #[serde(skip)]
    pub roots: u64,
    /// Whether an account has no root row in any input. Known where a rule is about root.
    #[serde(skip)]
    pub lacks_root: bool,
    /// The number of inputs that have a verdict that is determined.
    #[serde(skip)]
    pub evaluated: u64,
    /// What ran.
    #[serde(default)]
    pub evidence: Evidence,
    /// The rules, in the order of their findings within a row.
    pub rules: Vec<RuleTally>,
    /// The ranking that `--by` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranking: Option<Ranking>,
    /// The accounts, worst first, where formats for people show them; empty if there is only one.
    #[serde(skip)]
    pub accounts: Vec<RankEntry>,
    /// The outcomes of the selected frameworks; empty if none was selected.
    pub compliance: Vec<FrameworkTally>,
    /// The diagnostics, in order.
    pub diagnostics: Vec<Diagnostic>,
    /// The files in directories that are not reports; a diagnostic counts them.
    #[serde(skip)]
    pub passed_over: Vec<PassedOver>,
}

impl Tally {
    /// The inputs of which rows were evaluated.
    pub fn evaluated_inputs(&self) -> Vec<&InputTally> {
        self.inputs.iter().filter(|input| input.users.is_some()).collect()
    }
}

/// What ran, so that a result can be traced to the program and the rules behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// The version of credlens.
    pub version: String,
    /// The SHA-256 of the rules as they ran: of each its id, logic, parameters and severity. The same in every run and on
    /// every machine.
    pub rules_sha256: String,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct InputTally {
    /// As named on the command line.
    pub path: String,
    /// The account's name, if it is known from the organization.
    #[serde(default)]
    pub account_name: Option<String>,
    /// Its envelope: `csv`, `json`, `text`, `base64` or `yaml`, with `+gzip` or `+zstd` for every layer of compression,
    /// the inner one first.
    pub kind: String,
    /// The number of data rows that were evaluated, including root's; null if the input was left out.
    pub users: Option<u64>,
    /// Why rows of the input were left out: all of them if `users` is null, else those of some accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOutReason>,
    /// The instant to which ages are counted, RFC 3339 UTC.
    pub as_of: String,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS generated the report, RFC 3339 UTC, if the input says so.
    pub generated: Option<String>,
    /// The SHA-256 of the file as it is, or of the report that AWS gave; null if it was not asked for, or the file is too
    /// large (see `--hash-inputs`) or could not be read to its end.
    #[serde(default)]
    pub sha256: Option<String>,
}

word_enum! {
    /// Why a report is left out: of each account the newest one is evaluated, and of that the users that filters admit.
    pub enum LeftOutReason {
        /// A newer one is evaluated.
        Older = "older",
        /// It is later than `--as-of`.
        AfterAsOf = "after-as-of",
        /// Another one has the same rows at the same time.
        Identical = "identical",
        /// Another one has other rows at the same time, and comes first.
        SameTime = "same-time",
        /// Nothing says when it was generated, and another one is dated.
        Undated = "undated",
        /// It has no user that the filters admit.
        Filtered = "filtered",
    }
}

word_enum! {
    /// Where an as-of comes from; the first that exists is used.
    pub enum AsOfSource {
        /// `--as-of`.
        Argument = "argument",
        /// The report's own `GeneratedTime`.
        Generated = "generated",
        /// A date or time in the file name.
        FileName = "file-name",
        /// The clock.
        Now = "now",
    }
}

/// The verdicts of one rule with its parameters. `tested` entities exist, `relevant` of them are in the rule's scope:
/// `relevant` = `passed` + `failed` + `undetermined` + `suppressed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RuleTally {
    /// Id of the rule.
    pub id: String,
    /// The values of its parameters.
    pub parameters: BTreeMap<String, i64>,
    /// The severity of its findings.
    pub severity: Severity,
    /// How many entities exist, or may exist.
    pub tested: u64,
    /// How many of these are in the rule's scope, or may be.
    pub relevant: u64,
    /// How many relevant ones comply with the rule.
    pub passed: u64,
    /// How many relevant ones violate the rule and are not suppressed.
    pub failed: u64,
    /// How many relevant ones are undetermined: a cell that decides is unknown.
    pub undetermined: u64,
    /// How many relevant ones violate the rule and are suppressed.
    pub suppressed: u64,
    /// How many of those that passed, or are not in the rule's scope, fail by time alone within the window, if one was asked
    /// for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// On how many reports the rule was not run, because it needs details (`--details`) that they do not have; left out if
    /// it was run on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_run: Option<u64>,
    /// The file of the rule or of its override, if it is not as built in.
    #[serde(skip)]
    pub file: Option<String>,
    /// What the rule says about itself.
    #[serde(skip)]
    pub texts: RuleTexts,
}

/// What a rule says about itself, for documents that explain their rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleTexts {
    /// The bad state in a few words.
    pub title: String,
    /// One sentence for a fail.
    pub message: String,
    /// Why it matters, in Markdown.
    pub why: String,
    /// How a fail is fixed, in Markdown; empty if the rule has no instructions.
    pub fix: String,
    /// The first address of further reading.
    pub reference: Option<String>,
}

/// The outcome of one framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FrameworkTally {
    /// Its name, such as `cis-aws-5.0`.
    pub framework: String,
    /// Its title.
    pub title: String,
    /// Its version, or `unversioned`.
    pub version: String,
    /// When this version was published, or an unversioned one was read: a year, a month or a day.
    pub date: String,
    /// Whether it is in force.
    pub status: FrameworkStatus,
    /// The day on which its publisher withdrew it, `YYYY-MM-DD`; null if it did not.
    pub retired: Option<String>,
    /// Where it is published.
    pub source: String,
    /// The highest level that was evaluated; null if all were.
    pub level: Option<u8>,
    /// Its requirements of these levels, in its own order.
    pub requirements: Vec<RequirementTally>,
}

/// The outcome of one requirement over all inputs. The counts are of the verdicts of all rules that decide it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequirementTally {
    /// Its number in the framework.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How it is assessed, if the framework says so.
    pub assessment: Option<Assessment>,
    /// Its level or profile, if the framework has levels.
    pub level: Option<u8>,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether a report decides it.
    pub decided: Decided,
    /// Ids of the rules that decide it; none if it must be checked by hand.
    pub rules: Vec<String>,
    /// How many verdicts pass.
    pub passed: u64,
    /// How many verdicts fail and are not suppressed.
    pub failed: u64,
    /// How many verdicts are undetermined.
    pub undetermined: u64,
    /// How many verdicts are suppressed.
    pub suppressed: u64,
    /// What does not exist, if nothing was there to evaluate: `no access key exists`.
    pub nothing: Option<String>,
    /// How many accounts pass and fail it; null where a report does not decide it.
    pub accounts: Option<AccountsOfRequirement>,
    /// The rules on related matters, which decide nothing of it.
    pub related: RelatedTally,
    /// Why a report does not decide it, or not all of it.
    pub why: Option<String>,
    /// The parameters that were weakened: the rule finds less than the requirement demands.
    pub warnings: Vec<String>,
}

/// How many accounts pass and fail a requirement, as far as a report decides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccountsOfRequirement {
    /// Those without a fail that have every verdict.
    pub passing: u64,
    /// Those with a fail that is not suppressed.
    pub failing: u64,
    /// The others: a verdict is undetermined, or root's row is missing.
    pub undetermined: u64,
}

/// The verdicts on one account, as far as requirements need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountVerdicts {
    /// Whether root's row is among those that were evaluated.
    pub has_root: bool,
    /// Whether a verdict fails, by the position of the rule.
    pub fails: Vec<bool>,
    /// Whether a verdict is undetermined, by the position of the rule.
    pub undetermined: Vec<bool>,
}

word_enum! {
    /// Whether a credential report decides a requirement.
    pub enum Decided {
        /// All of it.
        Yes = "yes",
        /// A part of it: a pass is not sufficient.
        Partly = "partly",
        /// Nothing of it: people have to check.
        No = "no",
    }
}

/// The verdicts of the rules that are related to a requirement without deciding it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RelatedTally {
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// How many verdicts pass.
    pub passed: u64,
    /// How many verdicts fail and are not suppressed.
    pub failed: u64,
    /// How many verdicts are undetermined.
    pub undetermined: u64,
    /// How many verdicts are suppressed.
    pub suppressed: u64,
}

word_enum! {
    /// How a requirement is assessed, as its source has it.
    pub enum Assessment {
        /// A program can assess it.
        Automated = "automated",
        /// People have to assess it.
        Manual = "manual",
    }
}

word_enum! {
    /// Whether a framework is in force.
    pub enum FrameworkStatus {
        /// It is the one in force, or one of those that are.
        Current = "current",
        /// A later version took its place, and its publisher did not withdraw it.
        Superseded = "superseded",
        /// Its publisher withdrew it.
        Retired = "retired",
    }
}

word_enum! {
    /// The outcome of a requirement.
    pub enum Outcome {
        /// At least one verdict fails.
        Fail = "fail",
        /// No verdict fails, but at least one is undetermined, or something was not evaluated: no report, or an account without root's row.
        Undetermined = "undetermined",
        /// A rule about root decides it, and filters leave out root.
        NotEvaluated = "not-evaluated",
        /// No verdict fails, but a report shows only a part of the requirement.
        Partial = "partial",
        /// No rule decides it: only verdicts on related matters are listed and counted.
        Related = "related",
        /// A report shows nothing of the requirement: it must be checked by hand.
        Manual = "manual",
        /// All verdicts pass.
        Pass = "pass",
    }
}

//! Severities, verdicts, findings, diagnostics and the tally of a run: the vocabulary that all layers share.

mod command;
mod diagnostic;
pub mod digest;
mod filters;
mod fix;
mod id;
mod issues;
mod list_item;
mod log;
mod passed_over;
mod ranking;
mod tally;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::schema::Credential;
use crate::report::time::Timestamp;

pub use crate::report::word::UnknownWord;
pub(crate) use crate::report::word::word_enum;
pub use command::Command;
pub use diagnostic::{Code, Diagnostic, Level, diagnostics_page};
pub use filters::GivenFilters;
pub use fix::{Fix, FixStep};
pub use id::FindingId;
pub use list_item::ListItem;
pub use log::{DiagnosticLog, HiddenDiagnostics, first_of_each, gravest};
pub use passed_over::PassedOver;
pub use ranking::{RankBy, RankEntry, Ranking};
pub use tally::{
    AccountVerdicts, AccountsOfRequirement, AsOfSource, Assessment, Decided, Evidence, FrameworkStatus,
    FrameworkTally, InputTally, LeftOutReason, Outcome, RelatedTally, RequirementTally, RuleTally, RuleTexts,
    Tally,
};

word_enum! {
    /// How bad a failing verdict is.
    pub enum Severity {
        /// Worth knowing; nothing to fix.
        Informational = "informational",
        /// Fix it when convenient.
        Low = "low",
        /// Fix it soon.
        Medium = "medium",
        /// Fix it now.
        High = "high",
        /// Fix it before anything else.
        Critical = "critical",
    }
}

word_enum! {
    /// The status of a finding.
    pub enum Status {
        /// The entity violates the rule.
        Fail = "fail",
        /// A cell that decides is unknown.
        Undetermined = "undetermined",
        /// The entity violates the rule, and a suppression says why that is accepted.
        Suppressed = "suppressed",
        /// The entity complies with the rule.
        Pass = "pass",
        /// The entity does not violate the rule yet, and does by time alone within the window that was asked for.
        Due = "due",
    }
}

word_enum! {
    /// The verdict of a rule on an entity. The worst of several is the greatest.
    pub enum Verdict {
        /// The entity is outside the rule's scope, or does not exist.
        NotApplicable = "not-applicable",
        /// The entity complies with the rule.
        Pass = "pass",
        /// A cell that decides is unknown.
        Undetermined = "undetermined",
        /// The entity violates the rule.
        Fail = "fail",
    }
}

/// A verdict that is emitted, with its evidence: `credlens.finding/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// Always `credlens.finding/v1`.
    pub schema: String,
    /// Stable id of this finding, 32 hexadecimal digits: the same for the same rule, parameters and credential in every
    /// report and slot.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: FindingId,
    /// Id of the rule.
    pub rule: String,
    /// The values of the rule's parameters.
    pub parameters: BTreeMap<String, i64>,
    /// The rule's title.
    pub title: String,
    /// The verdict.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// The first second at which it fails, RFC 3339 UTC; only where the status is `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub due_at: Option<Timestamp>,
    /// Twelve-digit account id; null where the report lacks the arn column.
    pub account: Option<String>,
    /// The account's name, if it is known from the organization.
    pub account_name: Option<String>,
    /// The user; null where the finding is about a whole input.
    pub user: Option<String>,
    /// The user's ARN; null where the report lacks the arn column.
    pub arn: Option<String>,
    /// `password`, `access_key_1`, `access_key_2`, `cert_1`, `cert_2`, or null where it is not about exactly one.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub credential: Option<Credential>,
    /// The access key's id, if it is known.
    pub access_key_id: Option<String>,
    /// What the access key is for: the value of the user's tag that is named by the key's id, as IAM's console writes it.
    #[serde(default)]
    pub access_key_description: Option<String>,
    /// Who owns the user, as a file of owners or a tag says; null where nothing says it.
    #[serde(default)]
    pub owner: Option<String>,
    /// The instant to which ages are counted, RFC 3339 UTC.
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: Timestamp,
    /// Its input and row.
    pub source: Source,
    /// One sentence for people.
    pub message: String,
    /// The cells that the rule read, as written, by column.
    pub evidence: BTreeMap<String, String>,
    /// `framework/requirement`, of the selected frameworks: those that the rule decides, in full or in part.
    pub requirements: Vec<String>,
    /// The same of those that the rule is only related to: the finding says nothing about whether they are met.
    #[serde(default)]
    pub related_requirements: Vec<String>,
    /// The suppression that accepts it, if one does.
    pub suppression: Option<Suppression>,
    /// How it is fixed; only with `--fix`, of what fails or is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Finding {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.finding/v1";
}

/// The input and row of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The input, as named on the command line.
    pub path: String,
    /// Data row, from 1; null where the finding is about a whole input.
    pub row: Option<u64>,
    /// The line of the file on which the row starts, from 1, if that is known: for people only.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// Why a failing verdict is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Suppression {
    /// Why.
    pub reason: String,
    /// The last day on which it is accepted, `YYYY-MM-DD`, if it expires.
    pub expires: Option<String>,
    /// The ticket in which this was agreed.
    pub ticket: Option<String>,
}

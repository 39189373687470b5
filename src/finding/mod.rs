//! Severities, verdicts and findings: the words in which every part tells what it found.

mod diagnostic;
mod id;
mod issues;
mod log;
mod tally;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::schema::Credential;
use crate::report::time::Timestamp;

pub use crate::report::word::UnknownWord;
pub(crate) use crate::report::word::word_enum;
pub use diagnostic::{Code, Diagnostic, Level};
pub use id::FindingId;
pub use log::{DiagnosticLog, first_of_each};
pub use tally::{AsOfSource, FrameworkTally, InputTally, Outcome, RequirementTally, RuleTally, Tally};

word_enum! {
    /// How bad a failing verdict is.
    pub enum Severity {
        /// Worth knowing, nothing to mend.
        Informational = "informational",
        /// Mend when convenient.
        Low = "low",
        /// Mend soon.
        Medium = "medium",
        /// Mend now.
        High = "high",
        /// Drop everything.
        Critical = "critical",
    }
}

word_enum! {
    /// What a finding says of its entity.
    pub enum Status {
        /// The rule is broken.
        Fail = "fail",
        /// A cell that decides is unknown.
        Undetermined = "undetermined",
        /// Broken, and a suppression says why that is accepted.
        Suppressed = "suppressed",
        /// The rule holds.
        Pass = "pass",
    }
}

word_enum! {
    /// What a rule says of an entity. The worst of several is the greatest.
    pub enum Verdict {
        /// Outside of its `where`, or there is no such entity.
        NotApplicable = "not-applicable",
        /// The rule holds.
        Pass = "pass",
        /// A cell that decides is unknown.
        Undetermined = "undetermined",
        /// The rule is broken.
        Fail = "fail",
    }
}

/// A verdict that is emitted, with its evidence: `credlens.finding/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Always `credlens.finding/v1`.
    pub schema: String,
    /// Stable name of this finding, 32 hexadecimal digits: the same for the same rule, parameters and
    /// credential in every report, whatever the slot.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: FindingId,
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
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub credential: Option<Credential>,
    /// Access key id, where it was resolved.
    pub access_key_id: Option<String>,
    /// The instant to which ages are counted, RFC 3339 UTC.
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: Timestamp,
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

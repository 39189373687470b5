//! The plan as a document: `credlens.plan/v1`.

use serde::{Deserialize, Serialize};

use super::reason::Reason;
use crate::finding::{Diagnostic, Evidence, FindingId, FixStep};
use crate::report::schema::Credential;
use crate::report::time::Timestamp;
use crate::report::word::word_enum;

word_enum! {
    /// What is done about a credential. From the mildest on.
    pub enum Action {
        /// The key is deactivated, which is reversible: the only action that is ever applied.
        Deactivate = "deactivate",
        /// The credential is replaced, in stages, by people.
        Rotate = "rotate",
        /// People follow the rule's steps.
        Manual = "manual",
        /// The key has been inactive for long enough to be deleted, by people.
        Delete = "delete",
    }
}

/// An ordered plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    /// Always `credlens.plan/v1`.
    #[cfg_attr(test, schemars(extend("const" = Plan::SCHEMA)))]
    pub schema: String,
    /// Identifies the plan.
    pub id: String,
    /// When it was made.
    #[cfg_attr(test, schemars(with = "String"))]
    pub created: Timestamp,
    /// The instant to which ages are counted; null if accounts differ.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub as_of: Option<Timestamp>,
    /// The days without use after which a key is deactivated, as `--quiet-days` gives them; null where it does not: then the
    /// steps say which count, the greatest limit of the selected rules about the use of keys, and at least 45.
    pub quiet_days: Option<i64>,
    /// What the plan was made with.
    pub evidence: Option<Evidence>,
    /// The accounts, in order.
    pub accounts: Vec<PlanAccount>,
    /// The steps, those that break the least first.
    pub steps: Vec<Step>,
    /// The credentials that are left alone, and why.
    pub excluded: Vec<Excluded>,
    /// Problems and notes.
    pub diagnostics: Vec<Diagnostic>,
}

impl Plan {
    /// The schema of this version.
    pub const SCHEMA: &str = "credlens.plan/v1";
}

/// An account of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanAccount {
    /// Its id; null where the report does not say.
    pub id: Option<String>,
    /// Its name, if it is known.
    pub name: Option<String>,
    /// How many active access keys it has, whatever filters choose; null if its report lacks a column that says it.
    pub active_keys: Option<u64>,
    /// When its report was generated, if that is known.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub generated: Option<Timestamp>,
    /// The instant at which its report was evaluated.
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: Timestamp,
    /// The input with its report.
    pub source: String,
    /// SHA-256 of that input, in hexadecimal, if it was computed.
    pub sha256: Option<String>,
}

/// What is done about one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// Identifies the step: the same for the same credential and action in every plan.
    pub id: String,
    /// What is done.
    pub action: Action,
    /// The credential.
    #[serde(flatten)]
    pub target: Target,
    /// The days without use after which the key is deactivated; null for other actions.
    pub quiet_days: Option<i64>,
    /// Why this is done.
    pub why: String,
    /// What would break, if something does; null where nothing is known to use it.
    pub breaks: Option<String>,
    /// When this step was first in a plan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub first_planned: Timestamp,
    /// What to do, in words and commands.
    pub instructions: Vec<FixStep>,
    /// How to test that nothing broke; empty where there is nothing to test.
    pub check: Vec<FixStep>,
    /// How to undo it; empty where it cannot be undone, or nothing is done automatically.
    pub undo: Vec<FixStep>,
}

/// A credential that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excluded {
    /// Identifies the credential.
    pub id: String,
    /// Nothing is done: always null.
    pub action: Option<Action>,
    /// Why it is left alone.
    pub reason: Reason,
    /// The credential.
    #[serde(flatten)]
    pub target: Target,
    /// Why, in a sentence.
    pub why: String,
    /// What a person does instead.
    pub instead: String,
    /// What would break if the credential were changed, as far as that is known.
    pub breaks: Option<String>,
    /// It is not planned: always null.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub first_planned: Option<Timestamp>,
}

/// The credential that a step is about, and the findings that call for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// The account's id; null where the report does not say.
    pub account: Option<String>,
    /// The account's name, if it is known.
    pub account_name: Option<String>,
    /// The user.
    pub user: String,
    /// The user's ARN.
    pub arn: Option<String>,
    /// The credential; null if it is the user as a whole.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub credential: Option<Credential>,
    /// When the key was created: with the user, its identity. Null for other credentials.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub key_created: Option<Timestamp>,
    /// The key's id, or that of a service-specific credential, if it is known.
    pub access_key_id: Option<String>,
    /// What the key is for, if a tag says it.
    pub description: Option<String>,
    /// When the credential was last used; null if never, or if that is unknown.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub last_used: Option<Timestamp>,
    /// The service of the last use.
    pub last_service: Option<String>,
    /// Who owns the user, if that is known.
    pub owner: Option<String>,
    /// The rules that it breaks.
    pub rules: Vec<String>,
    /// The ids of the findings.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub findings: Vec<FindingId>,
    /// The requirements that these decide.
    pub requirements: Vec<String>,
}

//! One line of a list of users, keys or certificates.

use serde::{Deserialize, Serialize};

use super::{Severity, Source};
use crate::report::schema::Credential;
use crate::report::time::Timestamp;

/// A user, access key or signing certificate with what people want to know about it: a line of `credlens.list/v1`.
/// Days are whole days gone by until the as-of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListItem {
    /// Always `credlens.list/v1`.
    #[cfg_attr(test, schemars(extend("const" = ListItem::SCHEMA)))]
    pub schema: String,
    /// Twelve-digit account id; null where the report does not say it.
    pub account: Option<String>,
    /// The account's name, if it is known from the organization, or a column has it.
    pub account_name: Option<String>,
    /// The user; of a key or certificate the one that it belongs to.
    pub user: Option<String>,
    /// The IAM path in the ARN, such as `/` or `/team-a/`; root has none.
    pub path: Option<String>,
    /// The user's ARN; null where the report lacks the arn column.
    pub arn: Option<String>,
    /// When the user was created, RFC 3339 UTC.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub user_created: Option<Timestamp>,
    /// `access_key_1`, `access_key_2`, `cert_1` or `cert_2`; null for a user.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub credential: Option<Credential>,
    /// Whether the key or certificate is active; of a user, whether the password is enabled or a key or certificate is
    /// active. Null where unknown.
    pub active: Option<bool>,
    /// When the user, key or certificate was created; null where unknown.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub created: Option<Timestamp>,
    /// Whole days since then; null if it is after the as-of.
    pub age_days: Option<u64>,
    /// The last use of the key; of a user, that of the password or a key, whichever is later. Null where unknown or
    /// never, and for certificates, whose use a report does not have.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub last_used: Option<Timestamp>,
    /// Whole days since then; null if it is after the as-of.
    pub idle_days: Option<u64>,
    /// The region of that use; null if it was of the password.
    pub last_used_region: Option<String>,
    /// The service of that use; null if it was of the password.
    pub last_used_service: Option<String>,
    /// Whether the user has a console password; null where unknown or not supported.
    pub password_enabled: Option<bool>,
    /// Whether the user has MFA; null where unknown or not supported.
    pub mfa_active: Option<bool>,
    /// The access key's id, if it is known.
    pub access_key_id: Option<String>,
    /// What the access key is for: the value of the user's tag that is named by the key's id, as IAM's console writes it.
    #[serde(default)]
    pub access_key_description: Option<String>,
    /// Who owns the user; null where nothing says it.
    pub owner: Option<String>,
    /// How many verdicts of the selected rules on the user, or on this key or certificate alone, fail and are not suppressed.
    pub findings: u64,
    /// The severity of the worst of them; null where there is none.
    pub severity: Option<Severity>,
    /// When the first rule that does not fail yet will fail; null without `--due-within`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub due_at: Option<Timestamp>,
    /// The instant to which days are counted, RFC 3339 UTC.
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: Timestamp,
    /// Its input and row.
    pub source: Source,
    /// Whether the report says that it was never used.
    #[serde(skip)]
    pub never_used: bool,
}

impl ListItem {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.list/v1";
}

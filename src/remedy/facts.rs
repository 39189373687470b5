//! What a plan is decided from: users, their keys, and the findings about them.

use std::collections::BTreeMap;

use crate::finding::{FindingId, FixStep, Status};
use crate::report::schema::{BySlot, Credential, Slot};
use crate::report::time::Timestamp;
use crate::rule::{Remedy, is_made_for_api_key};

/// When a key was last used, as its report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUse {
    /// Never: `N/A` or `no_information`.
    Never,
    /// At this time.
    At(Timestamp),
    /// The cell is empty: other tools write `N/A` so, but it proves no disuse.
    EmptyCell,
    /// The cell is not valid, or the report lacks the column.
    Unknown,
}

/// An access key that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where it is in the report.
    pub slot: Slot,
    /// When it was created; its identity. None where the report does not say.
    pub created: Option<Timestamp>,
    /// Whether it is active, if that is known.
    pub active: Option<bool>,
    /// Its last use.
    pub last_used: LastUse,
    /// The service of its last use.
    pub service: Option<String>,
    /// The region of its last use.
    pub region: Option<String>,
    /// Its id, if it is known.
    pub id: Option<String>,
    /// What it is for, if a tag says it.
    pub description: Option<String>,
}

/// The times of the user's other credentials, for the order of steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// When the password was last used, if there may be one.
    pub password_last_used: Option<LastUse>,
    /// When the certificates were created.
    pub certificates: BySlot<Option<Timestamp>>,
    /// Whether the certificates are inactive.
    pub inactive_certificates: BySlot<bool>,
    /// Whether the user certainly has no password.
    pub without_password: bool,
}

/// A verdict on the user or one of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The id of the finding.
    pub id: FindingId,
    /// The id of the rule.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// The verdict: fail, undetermined, suppressed or due.
    pub status: Status,
    /// What the rule calls for.
    pub remedy: Remedy,
    /// The credential that it is about; none for the user.
    pub credential: Option<Credential>,
    /// The id of the service-specific credential that it is about, and when that was created.
    pub service_credential: Option<(String, Option<Timestamp>)>,
    /// The days without use that the rule allows, if it has such a limit.
    pub max_idle: Option<i64>,
    /// Whether it is about the use of a key: where that is accepted, no other rule deactivates the key.
    pub is_about_use: bool,
    /// The requirements that it decides.
    pub requirements: Vec<String>,
    /// The rule's steps, filled in.
    pub fix: Vec<FixStep>,
    /// Why it is accepted, if it is.
    pub accepted: Option<String>,
}

/// A user with findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account's id; none where the report does not say.
    pub account: Option<String>,
    /// The account's name, if it is known.
    pub account_name: Option<String>,
    /// The user's name; `<root_account>` for root.
    pub name: String,
    /// The user's ARN.
    pub arn: Option<String>,
    /// The IAM path; none for root.
    pub path: Option<String>,
    /// When the user was created.
    pub created: Option<Timestamp>,
    /// Whether it is root.
    pub is_root: bool,
    /// Whether one of its keys is the source of an SMTP password of SES.
    pub is_of_ses_smtp: bool,
    /// Whether the report has another row of the same user, so that it is not certain which one holds.
    pub has_other_row: bool,
    /// Who owns the user, if that is known.
    pub owner: Option<String>,
    /// The user's tags, if they are known.
    pub tags: Option<BTreeMap<String, String>>,
    /// The access keys that exist, by slot.
    pub keys: BySlot<Option<Key>>,
    /// What is known of the other credentials.
    pub credentials: Credentials,
    /// The instant at which the report was evaluated.
    pub as_of: Timestamp,
    /// When the report was generated, if anything says it: a key may have been used since.
    pub reported: Option<Timestamp>,
    /// The findings.
    pub problems: Vec<Problem>,
}

impl User {
    /// Until when the report knows what was used: what was done since is not known, whatever the as-of. None if nothing says
    /// when it was made.
    pub fn known_until(&self) -> Option<Timestamp> {
        self.reported.map(|reported| reported.min(self.as_of))
    }

    /// The key in a slot.
    pub fn key(&self, slot: Slot) -> Option<&Key> {
        self.keys[slot as usize].as_ref()
    }

    /// The other key of a user.
    pub fn other_key(&self, slot: Slot) -> Option<&Key> {
        self.keys[1 - slot as usize].as_ref()
    }

    /// Whether both keys were created in the same second, so that only slots distinguish them.
    pub fn keys_share_a_second(&self) -> bool {
        let [one, two] = &self.keys;
        let created = |key: &Option<Key>| key.as_ref().and_then(|key| key.created);
        created(one).is_some() && created(one) == created(two)
    }

    /// Whether the user was made for a long-term API key.
    pub fn is_made_for_api_key(&self) -> bool {
        is_made_for_api_key(&self.name)
    }
}

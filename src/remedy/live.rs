//! What the application of a plan asks of IAM, and the one thing that it changes there. `src/aws` implements it, and so do
//! the tests.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::time::Timestamp;
use crate::report::word::word_enum;

word_enum! {
    /// Whether a key can sign requests.
    pub enum KeyStatus as "status" {
        /// It can.
        Active = "Active",
        /// It cannot.
        Inactive = "Inactive",
        /// It cannot any more.
        Expired = "Expired",
    }
}

/// An access key as IAM lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveKey {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Its status; none if IAM says a word that we do not know.
    pub status: Option<KeyStatus>,
}

/// The last use of a key as IAM knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveUse {
    /// The user whose key it is.
    pub user: Option<String>,
    /// When it was used; none if never.
    pub time: Option<Timestamp>,
    /// The service.
    pub service: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// AWS denied it, throttled it for too long, did not answer in time, or the answer could not be read. It says nothing about
    /// what was asked.
    Unreadable(String),
    /// The run was interrupted: AWS was not asked, or its answer not waited for.
    Interrupted,
}

/// What AWS answered.
pub type Answer<T> = Result<T, NoAnswer>;

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// AWS made it.
    Done,
    /// AWS certainly did not make it: it knows no such user or key.
    Gone,
    /// AWS certainly did not make it.
    Rejected(String),
    /// AWS may have made it.
    Unknown(String),
    /// The run was interrupted before AWS was asked.
    NotAsked,
}

/// IAM in the accounts of a plan. Lists are whole: a list of which a page is missing is unreadable.
pub trait LiveIam {
    /// The account whose credentials are used for this one: the caller's, or those of the role that is assumed in it.
    fn account_for(&mut self, account: &str) -> Answer<String>;

    /// The access keys of a user; none if there is no such user.
    fn keys(&mut self, account: &str, user: &str) -> Answer<Option<Vec<LiveKey>>>;

    /// The last use of a key.
    fn last_use(&mut self, account: &str, key: &str) -> Answer<LiveUse>;

    /// The tags of a user; none if there is no such user.
    fn tags(&mut self, account: &str, user: &str) -> Answer<Option<BTreeMap<String, String>>>;

    /// The groups of a user; none if there is no such user.
    fn groups(&mut self, account: &str, user: &str) -> Answer<Option<BTreeSet<String>>>;

    /// Sets the status of a key. Once AWS was asked, its answer is waited for, whatever signal arrives.
    fn set_status(&mut self, account: &str, user: &str, key: &str, status: KeyStatus) -> Change;
}

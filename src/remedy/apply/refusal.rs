//! Why nothing of a plan is applied, and what to do about it.

use super::choose::{ALWAYS_ALLOWED, SHORTEST_ID};
use crate::remedy::step::Action;
use crate::report::time::Timestamp;

/// Why nothing is applied.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// More changes than are allowed.
    #[error(
        "the plan has {changes} changes, and at most {most} are allowed at once; apply a part of it with --step, --user or \
         --account, or raise --max-changes"
    )]
    TooMany {
        /// How many steps there are.
        changes: u64,
        /// How many are allowed.
        most: u64,
    },
    /// A greater share of an account's keys than is allowed.
    #[error(
        "the plan has {changes} changes in account {account}, and at most {allowed} are allowed: {share} percent of its {active} \
         active keys, but always {ALWAYS_ALLOWED}; apply a part of it with --step or --user, or raise --max-share to {needed}"
    )]
    TooGreatAShare {
        /// The account.
        account: String,
        /// How many steps there are in it.
        changes: u64,
        /// How many are allowed.
        allowed: u64,
        /// The share that is allowed, in percent.
        share: u64,
        /// How many active keys it has.
        active: u64,
        /// The share that would be enough, in percent.
        needed: u64,
    },
    /// The plan is too old.
    #[error(
        "the plan was made {made}, more than {most} ago: keys may have been used since; make a new plan, or raise --max-plan-age"
    )]
    OldPlan {
        /// When it was made.
        made: Timestamp,
        /// How old it may be.
        most: String,
    },
    /// The plan is of a later time than now.
    #[error(
        "the plan was made {0}, which is later than this machine's clock says; correct the clock, or make a new plan"
    )]
    LaterPlan(Timestamp),
    /// A report is too old.
    #[error(
        "the report of account {account} was generated {generated}, more than {most} ago; make a plan from a new report, or raise \
         --max-report-age"
    )]
    OldReport {
        /// The account.
        account: String,
        /// When its report was generated.
        generated: Timestamp,
        /// How old it may be.
        most: String,
    },
    /// A report is of a later time than now.
    #[error(
        "the report of account {account} was generated {generated}, which is later than this machine's clock says; correct the clock, \
         or make a new plan"
    )]
    LaterReport {
        /// The account.
        account: String,
        /// When its report was generated.
        generated: Timestamp,
    },
    /// Nothing says how many keys an account has.
    #[error(
        "the plan has {changes} changes in account {account} and does not say how many active keys it has, so that at most \
         {ALWAYS_ALLOWED} are allowed; apply a part of it with --step or --user, or make a plan from a report with all columns"
    )]
    UnknownShare {
        /// The account.
        account: String,
        /// How many steps there are in it.
        changes: u64,
    },
    /// The plan is not one that credlens writes.
    #[error("the plan cannot be applied: {0}; make a new plan")]
    InvalidPlan(&'static str),
    /// Nothing says when a report was generated.
    #[error(
        "the plan does not say when the report of account {0} was generated; make a plan from a report with its time"
    )]
    UndatedReport(String),
    /// The plan counts ages to a later time than it was made at.
    #[error(
        "the plan counts the ages of account {account} to {as_of}, which is later than it was made ({made}): keys would look older \
         than they are; make a plan without --as-of"
    )]
    LaterAsOf {
        /// The account.
        account: String,
        /// The time to which ages are counted.
        as_of: Timestamp,
        /// When the plan was made.
        made: Timestamp,
    },
    /// A step is named that the plan does not have.
    #[error(
        "the plan has no step '{0}'; name its number, or its id or the beginning of it (at least {SHORTEST_ID} letters)"
    )]
    NoStep(String),
    /// A step is named that is for people.
    #[error("step {0} is to {1}, which is for people: only keys are ever deactivated")]
    ForPeople(usize, Action),
    /// A step is not one that credlens writes.
    #[error("step {0} of the plan cannot be applied: {1}; make a new plan")]
    Invalid(usize, &'static str),
}

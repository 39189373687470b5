//! AWS: credential reports of live accounts and their details, the accounts of an organization, and objects in S3.
//!
//! Evaluates no rule and opens no report file. No message and no log line contains a secret; `error.rs` says which
//! texts of the AWS SDK may be shown.

pub mod accounts;
mod bound_client;
mod ca_bundle;
mod caller_credentials;
mod connect;
mod credential_errors;
mod details;
mod error;
mod fetch;
mod fetch_accounts;
mod http_client;
mod interrupt;
mod keys;
mod lists;
mod live_source;
mod location;
mod organization;
mod outcomes;
mod permissions;
mod protocol;
mod remedy;
mod response_limit;
mod retry;
mod runtime;
mod s3;
mod s3_policy;
mod sendable_credentials;
mod whole_answer;

pub use connect::{Caller, ConnectSettings, Session};
pub use details::{DetailsRequest, FetchedDetails, TagsOf};
pub use error::{Error, LastResponse};
pub use fetch::{FetchOptions, Log, Report, fetch};
pub use fetch_accounts::{
    FetchJob, FetchedAccount, FetchedAccounts, ListedAccounts, NoMoreAccounts, ReportOrder, role_arn,
};
pub use live_source::{LiveSource, RunRecord, account_of, path_of};
pub use location::{check_endpoint, check_region};
pub use organization::organization_accounts;
pub use outcomes::{Outcome, OutcomeStatus, Outcomes, OutcomesError};
pub use permissions::{Action, MissingPermission, SuggestedPolicy, remedy_policy, suggested_policies};
pub use remedy::{RemedyAccess, RemedyIam};
pub use runtime::Runtime;
pub use s3::{InvalidS3Url, S3, S3Body, S3Object, S3Url};
pub use s3_policy::{S3Access, S3Need, s3_policy};

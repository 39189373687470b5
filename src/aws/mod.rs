//! Live reports: of one account or of an organization's, fetched once each by as few calls as that takes, and
//! the ids of access keys. Knows no rule, opens no file, and tells nothing secret.

pub mod accounts;
mod capped;
mod checked;
mod connect;
mod credential_errors;
mod error;
mod fetch;
mod interrupt;
mod keys;
mod live;
mod organization;
mod outcomes;
mod place;
mod policy;
mod protocol;
mod retry;
mod run;
mod s3;

pub use connect::{Caller, Session, Settings};
pub use error::{Error, LastResponse};
pub use fetch::{Log, Options, Report, fetch};
pub use keys::{KeyIds, Resolved};
pub use live::{Live, Record, path};
pub use organization::active_accounts;
pub use outcomes::{Outcome, Outcomes, OutcomesError, State};
pub use place::{check_endpoint, check_region};
pub use policy::{Action, Remedy, Wanted, remedies};
pub use protocol::Patience;
pub use run::{Arrivals, Fetched, Order, Plan, Runtime, Scope, Several, role_arn};
pub use s3::{Body, NoS3Url, Put, S3, S3Object, S3Url};

//! What the feature `aws` adds: flags for AWS, live accounts, inputs in S3. `without_aws.rs` takes its place in a build
//! without the feature.

mod args;
mod live;
mod objects;
mod outcomes;
mod scan;
mod table;
mod tagged;

pub(super) use args::{AwsArgs, LiveScanArgs, LocationArgs};
pub(super) use live::{FetchRequest, Started, conclude, print_policy, start};
pub(super) use objects::Objects;
#[cfg(feature = "archive")]
pub(super) use outcomes::OutcomesWriter;
pub(super) use scan::run_live;
pub(super) use tagged::all_details;

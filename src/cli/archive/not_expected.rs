//! Takes the place of `expected.rs` in a build without the feature `aws`: no run has outcomes.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::failure::Failure;

#[derive(Debug, Default, Args)]
pub(super) struct ExpectedArgs {}

#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in expected.rs")]
impl ExpectedArgs {
    pub(super) fn accounts(&self) -> Result<Option<BTreeMap<String, Option<String>>>, Failure> {
        Ok(None)
    }
}

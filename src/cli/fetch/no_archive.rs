//! Takes the place of `into_archive.rs` in a build without the feature `archive`.

use std::path::Path;

use clap::Args;

use super::FetchArgs;
use crate::cli::failure::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct ArchiveArg {}

pub(super) fn run(_args: &FetchArgs) -> Option<Result<Exit, Failure>> {
    None
}

#[expect(clippy::unnecessary_wraps, reason = "as in into_archive.rs")]
pub(super) fn check_outside(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

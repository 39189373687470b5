//! Takes the place of `archive/` in a build without the feature `archive`: no flags, no archived reports.

use std::path::Path;

use clap::Args;
use credlens::io::inputs::Inputs;
use credlens::rule::Filters;

use super::aws::LocationArgs;
use super::diff::Sides;
use super::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {}

#[expect(clippy::unused_self, reason = "as in archive/")]
impl CompareArgs {
    pub(super) fn path(&self) -> Option<&Path> {
        None
    }

    #[expect(clippy::unnecessary_wraps, reason = "as in archive/")]
    pub(super) fn sides(
        &self,
        _location: &LocationArgs,
        _instants: [&Path; 2],
        _filters: &Filters,
    ) -> Result<Option<Sides>, Failure> {
        Ok(None)
    }
}

pub(super) fn with_archives(inputs: Inputs) -> Inputs {
    inputs
}

pub(super) fn keep_files(_: &Path) {}

//! The arguments of `credlens init`.

use std::path::PathBuf;

use clap::Args;

/// Write a commented credlens.toml and a first rule of your own
///
/// The rule is in rules/, with examples that `credlens rules test` runs. Existing files are never changed.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Directory [default: the working directory]
    #[arg(value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

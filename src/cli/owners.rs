//! `--owners` and `--owner-tag`: where the owners of users come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use credlens::rule::{OWNER_TAG, Owners};

use super::evaluate::Evaluation;
use super::failure::{Attempt as _, Failure};
use super::settings::SettingsValues;

#[derive(Debug, Args)]
pub(super) struct OwnerArgs {
    /// Who owns which users
    ///
    /// A CSV file with a header: owner, and one or more of user, path and account, as in the filters. The first line that
    /// matches a user counts
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    owners: Option<PathBuf>,

    /// The tag of users that names their owner, where --details fetches tags [default: owner]
    #[arg(long, value_name = "KEY", help_heading = "Input")]
    owner_tag: Option<String>,
}

impl OwnerArgs {
    /// Adds where owners come from: the command line decides, else the settings file.
    pub(super) fn resolve(
        self,
        evaluation: &mut Evaluation,
        in_file: &SettingsValues,
    ) -> Result<(), Failure> {
        let tag = self.owner_tag.as_ref().or(in_file.owner_tag.as_ref());
        let mut owners = Owners::of_tag(tag.map_or(OWNER_TAG, String::as_str));
        if let Some(path) = self.owners.as_ref().or(in_file.owners.as_ref()) {
            owners = read_owners(path, owners)?;
            evaluation.add_read(path);
        }
        let file = self.owners.or_else(|| in_file.owners.clone());
        evaluation.own(&Arc::new(owners), file);
        Ok(())
    }
}

/// The same owners, and first those of this file.
pub(super) fn read_owners(path: &Path, owners: Owners) -> Result<Owners, Failure> {
    let text =
        std::fs::read(path).attempt(|| format!("cannot read the file of owners {}", path.display()))?;
    let with_file = owners.with_file(&text);
    with_file.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

//! `--by`: by what the findings are grouped.

use std::path::PathBuf;

use clap::ValueEnum;
use credlens::finding::Diagnostic;
use credlens::history::{Diff, Snapshot};
use credlens::output::FormatSpec;
use credlens::output::diff::{DiffWriter, Grouping};
use credlens::rule::Owners;

use crate::cli::evaluate::Evaluation;
use crate::cli::failure::Failure;
use crate::cli::outputs::FormatTo;
use crate::cli::owners::read_owners;
use crate::cli::settings::SettingsValues;

/// What `--by` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GroupBy {
    Account,
    Path,
    Owner,
}

/// The same with the owners, where they are needed.
pub(super) enum Grouped {
    Account,
    Path,
    /// The owners, and their file.
    Owner(Owners, PathBuf),
}

impl Grouped {
    /// The grouping that is asked for. The owners of the command line count, else those of the settings file.
    pub(super) fn resolve(
        (by, owners): (Option<GroupBy>, Option<PathBuf>),
        formats: &[FormatTo<&FormatSpec<DiffWriter>>],
        in_file: &SettingsValues,
        evaluation: &mut Evaluation,
    ) -> Result<Option<Self>, Failure> {
        if owners.is_some() && by != Some(GroupBy::Owner) {
            let message = "--owners has no effect without --by owner";
            return Err(Failure::Usage(message.to_owned()));
        }
        let Some(by) = by else { return Ok(None) };
        if !formats.iter().any(|to| to.format.is_for_people()) {
            let formats: Vec<String> = formats.iter().map(|to| to.format.to_string()).collect();
            return Err(Failure::Usage(format!(
                "--by has no effect on {}: table and markdown group findings",
                formats.join(" and ")
            )));
        }
        Ok(Some(match by {
            GroupBy::Account => Self::Account,
            GroupBy::Path => Self::Path,
            GroupBy::Owner => {
                let path = owners.or_else(|| in_file.owners.clone()).ok_or_else(|| {
                    Failure::Usage(
                        "--by owner needs --owners FILE, which says who owns which users".to_owned(),
                    )
                })?;
                evaluation.add_read(&path);
                Self::Owner(read_owners(&path, Owners::default())?, path)
            }
        }))
    }

    pub(super) fn grouping(&self) -> Grouping<'_> {
        match self {
            Self::Account => Grouping::Account,
            Self::Path => Grouping::Path,
            Self::Owner(owners, _) => Grouping::Owner(owners),
        }
    }

    /// The lines of the owners that name the owner of no user, where all users are compared.
    pub(super) fn unused(&self, diff: &Diff<'_>) -> Option<Diagnostic> {
        let Self::Owner(owners, path) = self else {
            return None;
        };
        for users in [diff.old, diff.new].map(Snapshot::users) {
            (0..users.len()).for_each(|row| {
                let _owner = owners.owner_of(&users.to_filter(row), None);
            });
        }
        owners.unused(&path.display().to_string())
    }
}

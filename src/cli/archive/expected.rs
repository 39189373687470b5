//! Which accounts are expected in an archive: those of a run's outcomes that are active.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use credlens::aws::{OutcomeStatus, Outcomes};

use crate::cli::failure::{Attempt as _, Failure};

#[derive(Debug, Default, Args)]
pub(super) struct ExpectedArgs {
    /// With --stale: of the accounts in this file of `credlens fetch --outcomes`, also those that were never fetched, and
    /// no others: accounts that are closed or suspended are not expected
    #[arg(long, value_name = "FILE", requires = "stale")]
    outcomes: Option<PathBuf>,
}

impl ExpectedArgs {
    /// The expected accounts, with their names; none if nothing says it.
    pub(super) fn accounts(&self) -> Result<Option<BTreeMap<String, Option<String>>>, Failure> {
        let Some(path) = &self.outcomes else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path);
        let text = text.attempt(|| format!("cannot read the outcomes {}", path.display()))?;
        let outcomes = Outcomes::parse(&text);
        let outcomes = outcomes.attempt(|| format!("the outcomes {} are invalid", path.display()))?;
        let expected = outcomes.accounts.into_iter().filter(|outcome| {
            outcome.outcome != OutcomeStatus::Skipped
                && outcome.invalid.is_none()
                && !outcome.account.is_empty()
        });
        Ok(Some(
            expected.map(|outcome| (outcome.account, outcome.name)).collect(),
        ))
    }
}

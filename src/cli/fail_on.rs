//! `--fail-on` and `--fail-on-new`: which findings make the exit status 1.

use std::str::FromStr;

use credlens::finding::{Severity, UnknownWord};

use super::failure::Exit;

/// The lowest severity that fails the run; none for `never`.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailOn(pub(super) Option<Severity>);

impl FailOn {
    /// The exit status of a run that found something of these severities.
    pub(super) fn exit(self, mut found: impl Iterator<Item = Severity>) -> Exit {
        let fails = self
            .0
            .is_some_and(|least| found.any(|severity| severity >= least));
        if fails { Exit::Findings } else { Exit::Clean }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "never" {
            return Ok(Self(None));
        }
        let least = word
            .parse()
            .map_err(|error: UnknownWord| format!("{error}, never"))?;
        Ok(Self(Some(least)))
    }
}

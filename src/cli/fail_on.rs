//! `--fail-on` and `--fail-on-new`: which findings make the exit status 1.

use std::str::FromStr;

use credlens::finding::{Severity, UnknownWord};

use super::failure::Exit;

/// The lowest severity that fails the run, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailOn {
    AtLeast(Severity),
    Never,
}

impl FailOn {
    /// The exit status of a run that found something of these severities.
    pub(super) fn exit(self, mut found: impl Iterator<Item = Severity>) -> Exit {
        match self {
            Self::AtLeast(least) if found.any(|severity| severity >= least) => Exit::Findings,
            Self::AtLeast(_) | Self::Never => Exit::Clean,
        }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "never" => Ok(Self::Never),
            _ => word
                .parse()
                .map(Self::AtLeast)
                .map_err(|error: UnknownWord| format!("{error}, never")),
        }
    }
}

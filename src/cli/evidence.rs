//! The evidence in JSON: which program, rules and inputs a result is of.

use clap::Args;
use credlens::finding::Evidence;
use credlens::rule;

use super::evaluate::Evaluation;
use super::settings::SettingsValues;

/// Bytes of an input up to which its SHA-256 costs little beside the rest: 64 MiB.
const HASHED: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct EvidenceArgs {
    /// Compute the SHA-256 of inputs of any size for json and html, not only of those up to 64 MiB
    #[arg(long, help_heading = "Output")]
    hash_inputs: bool,
}

impl EvidenceArgs {
    /// The size in bytes up to which inputs are hashed: none where no format shows it.
    pub(super) fn hashed(&self, in_file: &SettingsValues, is_shown: bool) -> u64 {
        match self.hash_inputs || in_file.hash_inputs == Some(true) {
            _ if !is_shown => 0,
            true => u64::MAX,
            false => HASHED,
        }
    }
}

impl Evaluation {
    pub(super) fn evidence(&self) -> Evidence {
        Evidence {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_sha256: rule::rules_sha256(self.program.rules()),
        }
    }
}

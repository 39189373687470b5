//! Takes the place of `aws/` in a build without the feature `aws`: no flags, no live account, no S3.

use std::path::PathBuf;

use clap::Args;
use credlens::io::inputs::Inputs;

use super::evaluating_run::EvaluatingRun;
use super::failure::{Exit, Failure};

#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(super) struct LocationArgs {}

impl LocationArgs {
    pub(super) fn objects(&self, _inputs: &[PathBuf]) -> Result<Objects, Failure> {
        Objects::at(self)
    }
}

#[derive(Debug, Args)]
pub(super) struct LiveScanArgs {}

#[expect(clippy::unused_self, reason = "as in aws/")]
impl LiveScanArgs {
    pub(super) fn objects(&self, inputs: &[PathBuf]) -> Result<Objects, Failure> {
        if inputs.is_empty() {
            return Err(Failure::Usage(
                "no input: name a report file, a directory or - for standard input. This credlens was built without \
                 the feature aws, which live accounts need; to evaluate the account of your AWS credentials: \
                 `aws iam get-credential-report | credlens scan -`"
                    .to_owned(),
            ));
        }
        Ok(Objects)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as in aws/")]
    pub(super) fn objects_of(&self, _others: &[PathBuf]) -> Result<Objects, Failure> {
        Ok(Objects)
    }

    pub(super) fn several(&self) -> bool {
        false
    }

    pub(super) fn reads(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// Reads nothing: an `s3://` input is an error of `credlens::io`, which names the feature.
#[derive(Clone)]
pub(super) struct Objects;

impl Objects {
    #[expect(clippy::unnecessary_wraps, reason = "as in aws/")]
    pub(super) fn at(_location: &LocationArgs) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) fn quiet(self, _quiet: bool) -> Self {
        self
    }

    #[cfg(feature = "archive")]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in aws/")]
    pub(super) fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as in aws/")]
    pub(super) fn attach(&self, inputs: Inputs, _order: &[PathBuf]) -> Inputs {
        inputs
    }
}

pub(super) fn run_live(_run: &impl EvaluatingRun) -> Result<Exit, Failure> {
    unreachable!("invariant: without an input there is no configuration")
}

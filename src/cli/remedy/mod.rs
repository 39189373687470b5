//! `credlens remedy`: what is done about findings.

#[cfg(feature = "aws")]
mod access;
#[cfg(feature = "aws")]
mod apply;
mod args;
mod files;
mod plan;
#[cfg(feature = "aws")]
mod record;
#[cfg(feature = "aws")]
mod undo;

pub(super) use args::RemedyArgs;
use args::RemedyCommand;

use super::failure::{Exit, Failure};

pub(super) fn run(args: RemedyArgs) -> Result<Exit, Failure> {
    match args.command {
        RemedyCommand::Plan(args) => plan::run(*args),
        #[cfg(feature = "aws")]
        RemedyCommand::Apply(args) => apply::run(&args),
        #[cfg(feature = "aws")]
        RemedyCommand::Undo(args) => undo::run(&args),
        #[cfg(feature = "aws")]
        RemedyCommand::Record(args) => record::run(args),
    }
}

/// A journal cannot be opened.
#[cfg(feature = "aws")]
fn unopened(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot open the journal {}: {error}", path.display()))
}

//! `credlens remedy`: what is done about findings.

mod args;
mod plan;

pub(super) use args::RemedyArgs;
use args::RemedyCommand;

use super::failure::{Exit, Failure};

pub(super) fn run(args: RemedyArgs) -> Result<Exit, Failure> {
    match args.command {
        RemedyCommand::Plan(args) => plan::run(*args),
    }
}

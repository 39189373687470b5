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

#[cfg(feature = "aws")]
use std::path::Path;

#[cfg(feature = "aws")]
use credlens::io::journal::JournalFile;

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

/// Opens a journal that has not changed since it was read.
#[cfg(feature = "aws")]
fn open_unchanged(path: &Path, before: &[u8]) -> Result<JournalFile, Failure> {
    let (journal, bytes) = JournalFile::open(path).map_err(|error| unopened(path, &error))?;
    if bytes == before {
        Ok(journal)
    } else {
        Err(written_meanwhile(path))
    }
}

/// A path as an argument of a command that is printed: never taken for an option.
#[cfg(feature = "aws")]
fn as_argument(path: &Path) -> String {
    let text = path.display().to_string();
    if text.starts_with('-') {
        format!("./{text}")
    } else {
        text
    }
}

/// A tag or group without a name would exempt no user, and look as if it did.
fn check_guards(tag: Option<&str>, groups: &[String]) -> Result<(), Failure> {
    let is_nameless = |tag: &str| tag.split('=').next().unwrap_or_default().trim().is_empty();
    if tag.is_some_and(is_nameless) {
        return Err(Failure::Usage(
            "--exempt-tag needs the key of a tag, such as credlens-exempt".to_owned(),
        ));
    }
    if groups.iter().any(|group| group.trim().is_empty()) {
        return Err(Failure::Usage(
            "--exempt-group needs the name of a group".to_owned(),
        ));
    }
    Ok(())
}

/// A journal cannot be opened.
#[cfg(feature = "aws")]
fn unopened(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot open the journal {}: {error}", path.display()))
}

/// A journal has changed since it was read.
#[cfg(feature = "aws")]
fn written_meanwhile(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{}: another run wrote to it meanwhile; nothing was changed, run this again",
        path.display()
    ))
}

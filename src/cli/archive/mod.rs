//! `credlens archive`: add, list, export, verify, upgrade and compact. `without_archive.rs` takes its place in a build without the feature
//! `archive`.

pub(super) mod add;
mod args;
#[cfg_attr(not(feature = "aws"), path = "no_bucket.rs")]
mod bucket;
mod compare;
#[cfg_attr(not(feature = "aws"), path = "not_expected.rs")]
mod expected;
pub(super) mod export;
mod list;
mod rewrite;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use credlens::archive::error::Error;
use credlens::archive::inputs::ArchiveFormat;
use credlens::archive::list::{ListedReport, list as list_archive};
use credlens::archive::store::{Directory, Store};
use credlens::archive::verify::verify;
use credlens::io::inputs::Inputs;
use credlens::io::remote::is_remote;
use credlens::output::escape;

use super::aws::LocationArgs;
use super::failure::{Exit, Failure};
use super::terminal::{print_error, print_message, print_warning};

pub(super) use args::{ArchiveArgs, CompareArgs};
use args::{ArchiveCommand, ArchiveVerifyArgs, ReportFilterArgs};
pub(super) use rewrite::keep_files;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Unwritable { what, error } = error {
            return Self::output(what)(error);
        }
        Self::NothingEvaluated(error.to_string())
    }
}

pub(super) fn run(args: ArchiveArgs) -> Result<Exit, Failure> {
    match args.command {
        ArchiveCommand::Add(args) => add::run(args),
        ArchiveCommand::List(args) => list::run(&args),
        ArchiveCommand::Export(args) => export::run(&args),
        ArchiveCommand::Verify(args) => verify_all(&args),
        ArchiveCommand::Upgrade(args) => rewrite::upgrade(&args),
        ArchiveCommand::Compact(args) => rewrite::compact(&args),
    }
}

/// The inputs, with the reports in files of archives among them.
pub(super) fn with_archives(inputs: Inputs) -> Inputs {
    inputs.with_container_format(Box::new(ArchiveFormat))
}

/// The archive at this path, which need not exist yet, to add to it. It prints that it waits for another run, unless
/// quiet.
pub(super) fn open_store(
    path: &Path,
    location: &LocationArgs,
    quiet: bool,
) -> Result<Box<dyn Store>, Failure> {
    store_at(path, location, quiet, true)
}

fn store_at(
    path: &Path,
    location: &LocationArgs,
    quiet: bool,
    adds: bool,
) -> Result<Box<dyn Store>, Failure> {
    if is_remote(path) {
        return bucket::open(path, location, adds, quiet);
    }
    if path.exists() && !path.is_dir() {
        return Err(Failure::Usage(format!(
            "{} is not a directory, so not an archive",
            path.display()
        )));
    }
    let waiting: fn(&str) = if quiet { |_| {} } else { print_waiting };
    Ok(Box::new(Directory::new(path).on_wait(waiting)))
}

fn print_waiting(archive: &str) {
    print_message(format_args!(
        "another run uses {}; waiting for it to end",
        escape(archive)
    ));
}

/// The archive at this path, which must exist. Its files are not removed while this process reads them.
fn existing_store(path: &Path, location: &LocationArgs) -> Result<Box<dyn Store>, Failure> {
    if is_remote(path) {
        return store_at(path, location, false, false);
    }
    let directory = existing_directory(path)?;
    keep_files(path);
    Ok(Box::new(directory.on_wait(print_waiting)))
}

/// The archive in this directory, which must exist.
fn existing_directory(path: &Path) -> Result<Directory, Failure> {
    if path.is_dir() {
        return Ok(Directory::new(path));
    }
    let why = if path.exists() {
        "it is not a directory"
    } else {
        "there is no such directory; `credlens archive add` creates one"
    };
    Err(Failure::NothingEvaluated(format!(
        "{} is not an archive: {why}",
        path.display()
    )))
}

/// The archived reports, in the order of their as-of, and whether a file could not be read, which is printed, as are
/// files that are not where they belong. An error if the directory is not an archive.
fn listed(store: &dyn Store) -> Result<(Vec<ListedReport>, bool), Failure> {
    let listing = list_archive(store)?;
    if listing.reports.is_empty() && listing.errors.is_empty() && !store.is_marked() {
        return Err(no_archive(store));
    }
    listing.errors.iter().for_each(print_error);
    let at = store.name();
    if let Some(names) = named(&listing.misplaced) {
        print_warning(format_args!(
            "renamed or misplaced files of {at}, which are read nevertheless: {names}; `credlens archive verify` says \
             what their names should be",
        ));
    }
    if let Some(names) = named(&listing.foreign) {
        print_warning(format_args!(
            "files in {at} that are not of the archive, and are left out: {names}; move them away",
        ));
    }
    Ok((listing.reports, !listing.errors.is_empty()))
}

/// The first of these files, and how many more there are; none if there are none.
fn named(files: &[String]) -> Option<String> {
    const NAMED: usize = 3;
    let more = files.len().saturating_sub(NAMED);
    let names = files[..files.len() - more].join(", ");
    match (files.len(), more) {
        (0, _) => None,
        (_, 0) => Some(names),
        _ => Some(format!("{names} and {more} more")),
    }
}

/// A directory, or a prefix in S3, without any sign of an archive.
fn no_archive(store: &dyn Store) -> Failure {
    Failure::NothingEvaluated(format!(
        "{} is not an archive: no file in it was archived; `credlens archive add` adds reports to one",
        store.name()
    ))
}

/// The reports that the filter passes.
fn select(mut reports: Vec<ListedReport>, filter: &ReportFilterArgs) -> Vec<ListedReport> {
    let until = filter.until.or(filter.at);
    reports.retain(|listed| {
        let report = &listed.report;
        let has_account = |account: &String| report.accounts.contains(account);
        (filter.account.is_empty() || filter.account.iter().any(has_account))
            && filter.since.is_none_or(|since| since <= report.as_of)
            && until.is_none_or(|until| report.as_of <= until)
    });
    if filter.at.is_some() {
        reports = latest(reports).into_iter().map(|(listed, _)| listed).collect();
    }
    reports
}

/// The last report of each account, with the accounts of which it is the last one.
fn latest(reports: Vec<ListedReport>) -> Vec<(ListedReport, BTreeSet<String>)> {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (index, listed) in reports.iter().enumerate() {
        let mut accounts = listed.report.accounts.clone();
        if accounts.is_empty() {
            // Reports without ARNs are treated as those of one account.
            accounts.push(String::new());
        }
        last.extend(accounts.into_iter().map(|account| (account, index)));
    }
    let mut accounts_of = vec![BTreeSet::new(); reports.len()];
    for (account, index) in last {
        accounts_of[index].insert(account);
    }
    let reports = reports.into_iter().zip(accounts_of);
    reports.filter(|(_, accounts)| !accounts.is_empty()).collect()
}

fn verify_all(args: &ArchiveVerifyArgs) -> Result<Exit, Failure> {
    let store = existing_store(&args.at.archive, &args.at.location)?;
    let verified = verify(&*store)?;
    if verified.files == 0 && !store.is_marked() {
        return Err(no_archive(&*store));
    }
    let text = || match (verified.files, verified.problems.len()) {
        (0, 0) => format!("{} has no archived report\n", escape(&store.name())),
        _ => verified.text(),
    };
    args.format.print("the result", text, || verified.json())?;
    Ok(if verified.problems.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

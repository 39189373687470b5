//! `credlens fetch --archive`: reports go into an archive in batches as they arrive, so that a run that is killed loses
//! only the last ones.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use credlens::archive::add::{Added, add_noting};
use credlens::archive::error::Error;
use credlens::aws::{LiveSource, OutcomeStatus, ReportOrder, RunRecord, account_of, path_of};
use credlens::engine::Source as _;

use super::batches::Batches;
use super::{FetchArgs, ended_by, exit, request};
pub(super) use crate::cli::archive::export::check_outside;
use crate::cli::archive::{add::report_added, open_store};
use crate::cli::aws::{FetchRequest, OutcomesWriter, conclude, start};
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::outputs::is_read;
use crate::cli::terminal::print_error;

#[derive(Debug, Args)]
pub(super) struct ArchiveArg {
    /// Add the reports to this archive instead of saving them as CSV: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = "ARCHIVE", conflicts_with = "output")]
    archive: Option<PathBuf>,
}

/// Fetches into the archive, if one is named.
pub(super) fn run(args: &FetchArgs) -> Option<Result<Exit, Failure>> {
    let archive = args.archive.archive.as_deref()?;
    Some(fetch(args, archive))
}

fn fetch(args: &FetchArgs, archive: &Path) -> Result<Exit, Failure> {
    if let Some(outcomes) = &args.aws.outcomes
        && is_read(outcomes, &[archive.to_owned()])
    {
        return Err(Failure::Usage(format!(
            "{} is a file of the archive; give --outcomes another path",
            outcomes.display()
        )));
    }
    let store = open_store(archive, &args.aws.location, args.quiet)?;
    let request = request(args, ReportOrder::InBatches, FetchRequest::LONG)?;
    let started = start(&args.aws, now(), &request, || store.check().map_err(unwritable))?;
    let mut source = LiveSource::new(Batches::new(started.arrivals), None, Arc::clone(&started.record));
    let mut added = Added::default();
    let mut archived = |path: &str| {
        if let Some(account) = account_of(path) {
            started.outcomes.archived(account);
        }
    };
    let mut add = || -> Result<(), Error> {
        while !source.accounts().is_over() {
            add_noting(&*store, &mut source, &mut added, &mut archived)?;
        }
        Ok(())
    };
    let ended = add();
    if ended.is_err() {
        // What has arrived by now has an outcome of its own.
        started.runtime.cancel();
        let mut text = Vec::new();
        while !source.accounts().is_over() {
            while source.next(&mut text).is_some() {}
        }
    }
    let interrupted = started.runtime.interrupted();
    settle(
        &started.outcomes,
        &started.record,
        &added,
        ended.as_ref().err(),
        interrupted,
    );
    if args.aws.several() {
        add_failed(&mut added, &started.record);
    }
    // With several accounts, the table of outcomes has those that failed.
    let reported = report_added(&*store, &added, args.quiet, !args.aws.several());
    if let Some(signal) = interrupted {
        // The signal decides the exit status.
        let ended = ended.map_err(unwritable);
        for failed in [ended, started.outcomes.write(), reported] {
            failed.unwrap_or_else(print_error);
        }
        let message = "interrupted; the reports that had arrived were added";
        return Err(Failure::Signal(signal, message));
    }
    conclude(&args.aws, &started.record, &started.outcomes, args.quiet)?;
    ended.map_err(unwritable)?;
    reported?;
    if let Some(signal) = started.runtime.interrupted() {
        return Err(ended_by(signal));
    }
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record, args.aws.allow_failed.unwrap_or(0)))
}

/// Adds the accounts whose reports were fetched and not saved, or not fetched, to those that were not added.
fn add_failed(added: &mut Added, record: &Mutex<RunRecord>) {
    let record = record.lock().unwrap_or_else(PoisonError::into_inner);
    for outcome in &record.outcomes {
        let path = path_of(&outcome.account);
        if outcome.outcome == OutcomeStatus::Failed && added.failed.iter().all(|(failed, _)| *failed != path)
        {
            let error = outcome.error.clone().unwrap_or_default();
            added.failed.push((path, error));
        }
    }
}

/// The archive is the output of this command: where it cannot be read, it cannot be written.
fn unwritable(error: Error) -> Failure {
    if let Error::Io { what, error } = error {
        return Failure::output(what)(error);
    }
    error.into()
}

/// Gives each account its outcome: a report that was fetched and is not in the archive failed.
fn settle(
    outcomes: &OutcomesWriter,
    record: &Mutex<RunRecord>,
    added: &Added,
    error: Option<&Error>,
    interrupted: Option<u8>,
) {
    let refused = |account: &str| {
        let mut failed = added.failed.iter();
        failed.find_map(|(path, why)| (account_of(path) == Some(account)).then(|| why.clone()))
    };
    let of_archive = error.map(|error| format!("the report was fetched, but not saved: {error}"));
    let why = |account: &str| {
        let of_archive = || of_archive.clone();
        let why = refused(account).or_else(of_archive);
        why.unwrap_or_else(|| "the report was fetched, but not saved".to_owned())
    };
    let not_fetched = error.filter(|_| interrupted.is_none());
    let reason = not_fetched.map(|error| format!("not fetched, since the run ended: {error}"));
    outcomes.settle(record, why, reason);
}

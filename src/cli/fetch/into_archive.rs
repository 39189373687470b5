//! `credlens fetch --archive`: reports go into an archive as they arrive, in one file, however many accounts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use clap::Args;
use credlens::archive::add::{Added, add};
use credlens::aws::{LiveSource, ReportOrder};

use super::{FetchArgs, exit, request};
pub(super) use crate::cli::archive::export::check_outside;
use crate::cli::archive::{add::report_added, open_store};
use crate::cli::aws::{conclude, start};
use crate::cli::failure::{Exit, Failure};
use crate::cli::outputs::is_read;
use crate::cli::terminal::print_error;
use crate::cli::{now, signals};

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
    let request = request(args, ReportOrder::ByAccountDrained);
    let started = start(&args.aws, now(), request)?;
    let mut source = LiveSource::new(started.arrivals, None, Arc::clone(&started.record));
    let mut added = Added::default();
    let ended = add(&*store, &mut source, &mut added);
    // With several accounts, the table of outcomes has those that failed.
    let reported = report_added(&*store, &added, args.quiet, !args.aws.several());
    if let Err(error) = ended {
        // The accounts whose reports were not added are to be fetched again.
        started.outcomes.interrupted()?;
        return Err(error.into());
    }
    if started.runtime.interrupted() {
        // The signal decides the exit status.
        started.outcomes.write().unwrap_or_else(print_error);
        let message = "interrupted; the reports that had arrived were added";
        return Err(Failure::Signal(signals::INTERRUPT, message));
    }
    conclude(&args.aws, &started.record, &started.outcomes, args.quiet)?;
    reported?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record, args.aws.allow_failed.unwrap_or(0)))
}

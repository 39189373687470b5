//! `credlens scan` without an input: live accounts.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use credlens::aws::{LiveSource, ReportOrder};
use credlens::engine::RowSelection;

use super::{FetchRequest, conclude, start};
use crate::cli::failure::{Exit, Failure};
use crate::cli::outputs::{canonical, is_read};
use crate::cli::scan::{self, ScanConfig};
use crate::cli::terminal::print_error;

pub(in crate::cli) fn scan_live(config: &ScanConfig) -> Result<Exit, Failure> {
    let aws = &config.live.aws;
    if let Some(path) = aws.outcomes.as_deref() {
        check_outcomes(config, path)?;
    }
    let verbosity = config.evaluation.verbosity;
    let request = FetchRequest {
        resolve_keys: config.live.resolve_keys,
        verbose: verbosity.verbose,
        quiet: verbosity.quiet,
        order: ReportOrder::ByAccount,
        grace: FetchRequest::SHORT,
    };
    let options = config.inputs.options;
    let started = start(aws, options.now, request, || Ok(()))?;
    let source = LiveSource::new(started.arrivals, options.as_of, Arc::clone(&started.record));
    let written = scan::evaluate(config, source, RowSelection::default()).and_then(|evaluated| {
        if let Some(signal) = started.runtime.interrupted() {
            let message = "interrupted; no findings were written to files";
            return Err(Failure::Signal(signal, message));
        }
        scan::write(config, evaluated)
    });
    if written.is_err() {
        // The accounts whose findings were not written are to be scanned again.
        match started.outcomes.interrupted() {
            // The signal decides the exit status.
            Err(error) if started.runtime.interrupted().is_some() => print_error(error),
            saved => saved?,
        }
    }
    let tally = written?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    let allowed = record.allowed_failures(aws.allow_failed.unwrap_or(0));
    drop(record);
    let exit = scan::conclude(config, &tally, allowed);
    conclude(aws, &started.record, &started.outcomes, verbosity.quiet)?;
    Ok(exit)
}

/// The file of `--outcomes` is neither a format's nor one that this run reads.
fn check_outcomes(config: &ScanConfig, path: &Path) -> Result<(), Failure> {
    let targets = config.formats.iter().filter_map(|to| to.path.as_deref());
    let same = |target: &Path| match (canonical(target), canonical(path)) {
        (Ok(target), Ok(path)) => target == path,
        (Ok(_) | Err(_), _) => false,
    };
    if targets.into_iter().any(same) {
        return Err(Failure::Usage(format!(
            "{} is given to --format and to --outcomes; give each its own file",
            path.display()
        )));
    }
    if is_read(path, &config.evaluation.reads(&[])) {
        return Err(Failure::Usage(format!(
            "{} is read by this run; give --outcomes another file",
            path.display()
        )));
    }
    Ok(())
}

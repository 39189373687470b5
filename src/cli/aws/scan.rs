//! `credlens scan` and `credlens list` without an input: live accounts.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use credlens::aws::{LiveSource, ReportOrder};
use credlens::engine::RowSelection;

use super::tagged::{all_details, details_of};
use super::{FetchRequest, conclude, start};
use crate::cli::evaluating_run::{EvaluatingRun, Subject};
use crate::cli::failure::{Exit, Failure};
use crate::cli::outputs::{canonical, is_read};
use crate::cli::terminal::print_error;

/// Runs a command on live accounts.
pub(in crate::cli) fn run_live<R: EvaluatingRun>(run: &R) -> Result<Exit, Failure> {
    let Subject {
        live,
        inputs,
        evaluation,
        ..
    } = run.subject();
    let aws = &live.aws;
    if let Some(path) = aws.outcomes.as_deref() {
        check_outcomes(run, path)?;
    }
    evaluation.check_live_details(live.details)?;
    let verbosity = evaluation.verbosity;
    let request = FetchRequest {
        details: live.details.then(|| match run.tagged() {
            None => all_details(),
            Some(statuses) => details_of(run.subject(), &statuses),
        }),
        verbose: verbosity.verbose,
        quiet: verbosity.quiet,
        order: ReportOrder::ByAccount,
        filters: evaluation.filters.clone(),
        grace: FetchRequest::SHORT,
    };
    let options = inputs.options;
    let started = start(aws, options.now, &request, || Ok(()))?;
    let source =
        LiveSource::new(started.arrivals, options.as_of, Arc::clone(&started.record)).hashed(options.hashed);
    let mut not_run = None;
    let written = run
        .evaluate(source, RowSelection::default())
        .and_then(|mut evaluated| {
            not_run = evaluation.not_run_by_id(R::tally(&mut evaluated));
            if let Some(signal) = started.runtime.interrupted() {
                return Err(Failure::Signal(signal, R::INTERRUPTED));
            }
            run.write(evaluated)
        });
    if written.is_err() {
        // The accounts whose findings were not written are to be scanned again.
        match started.outcomes.interrupted() {
            // The signal decides the exit status.
            Err(error) if started.runtime.interrupted().is_some() => print_error(error),
            saved => saved?,
        }
    }
    let written = written?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    let allowed = record.allowed_failures(aws.allow_failed.unwrap_or(0));
    drop(record);
    let exit = run.conclude(&written, allowed);
    conclude(aws, &started.record, &started.outcomes, verbosity.quiet)?;
    let Some((message, is_all)) = not_run else {
        return Ok(exit);
    };
    print_error(message);
    Ok(if is_all {
        Exit::NothingEvaluated
    } else {
        Exit::Partial
    })
}

/// The file of `--outcomes` is neither a format's nor one that this run reads.
fn check_outcomes(run: &impl EvaluatingRun, path: &Path) -> Result<(), Failure> {
    let targets = run.targets();
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
    if is_read(path, &run.subject().evaluation.reads(&[])) {
        return Err(Failure::Usage(format!(
            "{} is read by this run; give --outcomes another file",
            path.display()
        )));
    }
    Ok(())
}

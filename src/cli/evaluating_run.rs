//! What `scan` and `list` have in common: the inputs, or else live accounts; the newest snapshot of each account; what is
//! printed; the end.

use std::path::Path;

use credlens::engine::{RowSelection, Snapshots, Source, undated_beside_dated};
use credlens::finding::{Code, Diagnostic, Status, Tally};
use credlens::output::FormatSpec;

use super::aws::{self, LiveScanArgs};
use super::diagnostics::{has_errors, is_cut_off, print_all, print_passed_over};
use super::evaluate::{Evaluation, Verbosity};
use super::failure::{Exit, Failure};
use super::inputs::{InputReader, SeveralInputs};
use super::outputs::FormatTo;
use super::signals;

/// What is evaluated, resolved.
pub(super) struct Subject {
    pub(super) inputs: InputReader,
    pub(super) live: LiveScanArgs,
    pub(super) evaluation: Evaluation,
    pub(super) all_snapshots: bool,
}

impl Subject {
    /// The report of the one live account could not be fetched, and every format is read by people here: the reason is
    /// printed once, on standard error.
    pub(super) fn is_shown_by_its_error<W>(
        &self,
        tally: &Tally,
        formats: &[FormatTo<&'static FormatSpec<W>>],
    ) -> bool {
        let is_live = self.inputs.paths.is_empty() && !self.live.several();
        is_live && tally.inputs.is_empty() && formats.iter().all(FormatTo::is_shown)
    }

    /// Standard error gets the diagnostics that standard output does not show to people, and always what was cut off or
    /// left out of a list; the live accounts that failed are in the table of outcomes.
    pub(super) fn print_diagnostics<W>(&self, tally: &Tally, formats: &[FormatTo<&'static FormatSpec<W>>]) {
        let verbosity = self.evaluation.verbosity;
        let least = verbosity.least_level(formats.iter().any(FormatTo::is_shown));
        let is_printed = |diagnostic: &&Diagnostic| {
            let in_outcomes = self.live.several() && diagnostic.code == Code::Unreadable;
            let is_always = is_cut_off(diagnostic) || diagnostic.code == Code::NotListed;
            (Verbosity::is_printed(diagnostic, least) || is_always && !verbosity.quiet) && !in_outcomes
        };
        print_all(tally.diagnostics.iter().filter(is_printed), verbosity.verbose);
        if verbosity.verbose {
            print_passed_over(&tally.passed_over);
        }
    }
}

/// A command that evaluates what it is given, or else live accounts.
pub(super) trait EvaluatingRun {
    /// A result whose outputs are not written to their end.
    type Evaluated;
    /// What is known once they are.
    type Written;
    /// What a signal prevented.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only a live run is interrupted by this text")
    )]
    const INTERRUPTED: &'static str;

    fn subject(&self) -> &Subject;

    /// The files that are written.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs ask for them")
    )]
    fn targets(&self) -> Vec<&Path>;

    /// Where details are fetched: the users with findings of these statuses get their tags, or else all users.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs fetch details")
    )]
    fn tagged(&self) -> Option<Vec<Status>>;

    /// Evaluates these rows of all that the source gives.
    fn evaluate(&self, source: impl Source, rows: RowSelection) -> Result<Self::Evaluated, Failure>;

    /// Evaluates the newest snapshot of each account, after a pass that finds it.
    fn evaluate_newest(&self, several: &SeveralInputs<'_>) -> Result<(Self::Evaluated, Snapshots), Failure> {
        let newest = several.newest(&self.subject().evaluation)?;
        let evaluated = self.evaluate(several.open_chosen(&newest)?, newest.rows.clone())?;
        Ok((evaluated, newest))
    }

    fn tally(evaluated: &mut Self::Evaluated) -> &mut Tally;

    /// Ends the outputs and puts files in their places.
    fn write(&self, evaluated: Self::Evaluated) -> Result<Self::Written, Failure>;

    /// Prints what the outputs do not show; the exit status, where so many accounts may fail.
    fn conclude(&self, written: &Self::Written, allow_failed: usize) -> Exit;
}

/// Runs it to its end.
pub(super) fn run<R: EvaluatingRun>(run: &R) -> Result<Exit, Failure> {
    let Subject {
        inputs,
        all_snapshots,
        ..
    } = run.subject();
    if inputs.paths.is_empty() {
        return aws::run_live(run);
    }
    signals::end_cleanly()?;
    let several = if *all_snapshots { None } else { inputs.several()? };
    let (mut evaluated, snapshots) = match several {
        None => (
            run.evaluate(inputs.open(), RowSelection::default())?,
            Snapshots::default(),
        ),
        Some(several) => run.evaluate_newest(&several)?,
    };
    let tally = R::tally(&mut evaluated);
    run.subject().evaluation.check_details(tally)?;
    tally.diagnostics.extend(snapshots.diagnostics);
    let undated = undated_beside_dated(&tally.inputs);
    tally.diagnostics.extend(undated);
    let written = run.write(evaluated)?;
    Ok(run.conclude(&written, 0))
}

/// Whether something could not be evaluated, beyond the accounts that may fail.
pub(super) fn is_partial(tally: &Tally, allow_failed: usize) -> bool {
    let diagnostics = &tally.diagnostics;
    // The accounts of a live run that failed are the errors about inputs.
    let is_of_account = |it: &&Diagnostic| it.code == Code::Unreadable;
    let is_allowed = diagnostics.iter().filter(is_of_account).count() <= allow_failed;
    has_errors(diagnostics.iter().filter(|it| !is_allowed || !is_of_account(it)))
}

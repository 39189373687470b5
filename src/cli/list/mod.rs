//! `credlens list`: users, access keys or signing certificates, one per line, chosen by a condition in GSL.

mod args;

use std::path::Path;

use credlens::engine::{EmitFilter, RowSelection, Snapshots, Source, undated_beside_dated};
use credlens::finding::{Code, Diagnostic, Level, Status, Tally};
use credlens::gsl;
use credlens::output::list::{ItemFormat, ListCounts, ListOutputs, ListRequest};
use credlens::rule;

use super::aws::{self, LiveScanArgs};
use super::diagnostics::{is_cut_off, print_all, print_passed_over};
use super::due;
use super::evaluate::{Evaluation, Verbosity};
use super::failure::{Exit, Failure};
use super::inputs::InputReader;
use super::live_run::LiveRun;
use super::outputs::{FormatTo, Target, check_formats, open_outputs};
use super::scan::is_partial;
use super::settings::{SettingsFile, SettingsText};
use super::signals;

pub(super) use args::ListArgs;

/// What a list does, resolved.
struct ListConfig {
    request: ListRequest,
    inputs: InputReader,
    live: LiveScanArgs,
    formats: Vec<FormatTo<ItemFormat>>,
    evaluation: Evaluation,
    all_snapshots: bool,
}

impl ListConfig {
    fn resolve(args: ListArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let kind = args.kind.0;
        let condition = args.condition.as_deref().map(|text| {
            let parsed = gsl::parse_condition(kind.entity(), text);
            parsed.map_err(|errors| rule::Error::text("--where", 1, text, errors))
        });
        let condition = condition.transpose()?;
        let objects = args.live.objects(&args.inputs)?;
        let mut evaluation = Evaluation::resolve(&args.evaluate, settings)?;
        evaluation.program = evaluation.program.with_listing(kind.entity(), condition.as_ref());
        let in_file = &settings.values;
        evaluation.due_within = due::window(args.due_within, in_file)?;
        let as_of = args.as_of.or(in_file.as_of.map(|word| word.0));
        let formats = FormatTo::or_default(args.format);
        let reads = [evaluation.reads(&args.inputs), args.live.reads()];
        check_formats(&formats, &reads.concat())?;
        Ok(Self {
            request: ListRequest {
                kind,
                condition: args.condition,
                sort: args.sort,
            },
            inputs: evaluation.reader(args.inputs, as_of, objects),
            live: args.live,
            formats,
            all_snapshots: args.all_snapshots || in_file.all_snapshots == Some(true),
            evaluation,
        })
    }

    /// Reads all that the source gives, and lists these rows.
    fn list(&self, source: impl Source, rows: RowSelection) -> Result<Evaluated, Failure> {
        let evaluation = &self.evaluation;
        let outputs = ListOutputs::new(
            open_outputs(&self.formats)?,
            self.request.clone(),
            &evaluation.program,
            evaluation.layout_of(&self.formats),
        );
        let emit = EmitFilter::new(&[Status::Fail], evaluation.min_severity);
        let rows = (rows, Some(&evaluation.filters));
        let tally = evaluation.assess(evaluation.progress(source), emit, &outputs, rows)?;
        Ok(Evaluated { tally, outputs })
    }

    /// Diagnostics for standard error: those that standard output does not show to people, and always how many were
    /// left out.
    fn print_diagnostics(&self, tally: &Tally) {
        let verbosity = self.evaluation.verbosity;
        let least = verbosity.least_level(self.formats.iter().any(FormatTo::is_shown));
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

    /// The report of the one live account could not be fetched, and the reason is printed once, on standard error.
    fn is_shown_by_its_error(&self, tally: &Tally) -> bool {
        let is_live = self.inputs.paths.is_empty() && !self.live.several();
        is_live && tally.inputs.is_empty() && self.formats.iter().all(FormatTo::is_shown)
    }
}

/// A list that is not written to its end.
struct Evaluated {
    tally: Tally,
    outputs: ListOutputs<Target>,
}

/// What is known of a list that is written.
struct Written {
    tally: Tally,
    counts: ListCounts,
}

pub(super) fn run(args: ListArgs) -> Result<Exit, Failure> {
    let text = SettingsText::read(args.evaluate.config.as_deref())?;
    let config = ListConfig::resolve(args, &text.parse()?)?;
    if config.inputs.paths.is_empty() {
        return aws::run_live(&config);
    }
    signals::end_cleanly()?;
    let several = if config.all_snapshots {
        None
    } else {
        config.inputs.several()?
    };
    let (mut evaluated, snapshots) = match several {
        None => (
            config.list(config.inputs.open(), RowSelection::default())?,
            Snapshots::default(),
        ),
        Some(several) => {
            let newest = several.newest(&config.evaluation)?;
            let rows = newest.rows.clone();
            (config.list(several.open_chosen(&newest)?, rows)?, newest)
        }
    };
    let diagnostics = &mut evaluated.tally.diagnostics;
    diagnostics.extend(snapshots.diagnostics);
    diagnostics.extend(undated_beside_dated(&evaluated.tally.inputs));
    let written = config.write(evaluated)?;
    Ok(config.conclude(&written, 0))
}

/// A list needs no verdict: where all are undetermined, only findings are missing.
fn without_verdicts(diagnostic: &mut Diagnostic) {
    if diagnostic.code == Code::NothingDetermined {
        diagnostic.level = Level::Warning;
        "every verdict on this report is undetermined, so no findings are counted"
            .clone_into(&mut diagnostic.message);
    }
}

impl LiveRun for ListConfig {
    type Evaluated = Evaluated;
    type Written = Written;
    const INTERRUPTED: &'static str = "interrupted; no list was written to files";

    fn live(&self) -> &LiveScanArgs {
        &self.live
    }

    fn inputs(&self) -> &InputReader {
        &self.inputs
    }

    fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    fn targets(&self) -> Vec<&Path> {
        self.formats.iter().filter_map(|to| to.path.as_deref()).collect()
    }

    fn evaluate(&self, source: impl Source) -> Result<Evaluated, Failure> {
        self.list(source, RowSelection::default())
    }

    fn write(&self, evaluated: Evaluated) -> Result<Written, Failure> {
        let Evaluated { mut tally, outputs } = evaluated;
        let counts = outputs.counts();
        if self.is_shown_by_its_error(&tally) {
            return Ok(Written { tally, counts });
        }
        tally.diagnostics.iter_mut().for_each(without_verdicts);
        tally.diagnostics.extend(counts.diagnostics(&self.request));
        self.evaluation.add_diagnostics(&mut tally);
        let finish = || -> Result<(), Failure> {
            for target in outputs.finish(&tally)? {
                target.finish()?;
            }
            Ok(())
        };
        // What cannot be read is said also where the result cannot be written.
        finish().inspect_err(|_| self.print_diagnostics(&tally))?;
        Ok(Written { tally, counts })
    }

    fn conclude(&self, written: &Written, allow_failed: usize) -> Exit {
        self.print_diagnostics(&written.tally);
        if !written.counts.determined {
            Exit::NothingEvaluated
        } else if is_partial(&written.tally, allow_failed) {
            Exit::Partial
        } else {
            Exit::Clean
        }
    }
}

//! `credlens list`: users, access keys or signing certificates, one per line, chosen by a condition in GSL.

mod args;

use std::path::Path;

use credlens::engine::{EmitFilter, RowSelection, Source};
use credlens::finding::{Code, Diagnostic, Level, Status, Tally};
use credlens::gsl;
use credlens::output::list::{ItemFormat, ListCounts, ListOutputs, ListRequest, SortOrder};
use credlens::rule;

use super::due;
use super::evaluate::Evaluation;
use super::evaluating_run::{self, EvaluatingRun, Subject, is_partial};
use super::failure::{Exit, Failure};
use super::outputs::{FormatTo, Target, check_formats, check_limit, finish_outputs, open_outputs};
use super::settings::{SettingsFile, SettingsText};

pub(super) use args::ListArgs;

/// What a list does, resolved.
struct ListConfig {
    subject: Subject,
    request: ListRequest,
    formats: Vec<FormatTo<ItemFormat>>,
    /// What is said of the condition.
    wildcard: Option<Diagnostic>,
}

impl ListConfig {
    fn resolve(args: ListArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let kind = args.kind.0;
        let condition = args.condition.as_deref().map(|text| {
            let parsed = gsl::parse_condition(kind.entity(), text);
            parsed.map_err(|errors| rule::Error::text("--where", 1, text, errors))
        });
        let condition = condition.transpose()?;
        let wildcard = condition.as_ref().and_then(rule::wrong_wildcard);
        let wildcard = wildcard.map(|message| Diagnostic::new(Code::Wildcard, format!("--where: {message}")));
        let objects = args.live.objects(&args.inputs)?;
        let mut evaluation = Evaluation::resolve(&args.evaluate, settings)?;
        evaluation.program = evaluation.program.with_listing(kind.entity(), condition.as_ref());
        let in_file = &settings.values;
        args.owners.resolve(&mut evaluation, in_file)?;
        evaluation.due_within = due::window(args.due_within, in_file)?;
        if args.sort.is_some_and(SortOrder::is_by_due) && evaluation.due_within.is_none() {
            let message = "--sort due sorts by when something will fail: give --due-within SPAN as well";
            return Err(Failure::Usage(message.to_owned()));
        }
        let as_of = args.as_of.or(in_file.as_of.map(|word| word.0));
        let formats = FormatTo::or_default(args.format);
        check_limit(args.evaluate.limit, &formats)?;
        let reads = [evaluation.reads(&args.inputs), args.live.reads()];
        check_formats(&formats, &reads.concat())?;
        let mut inputs = evaluation.reader(args.inputs, as_of, objects);
        let shows_evidence = formats.iter().any(|to| to.format.shows_evidence());
        inputs.options.hashed = args.evidence.hashed(in_file, shows_evidence);
        Ok(Self {
            wildcard,
            request: ListRequest {
                kind,
                condition: args.condition,
                sort: args.sort,
                min_severity: evaluation.min_severity,
            },
            formats,
            subject: Subject {
                inputs,
                live: args.live,
                all_snapshots: args.all_snapshots || in_file.all_snapshots == Some(true),
                evaluation,
            },
        })
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
    evaluating_run::run(&config)
}

/// A list needs no verdict: where all are undetermined, only findings are missing.
fn without_verdicts(diagnostic: &mut Diagnostic) {
    if diagnostic.code == Code::NothingDetermined {
        diagnostic.level = Level::Warning;
        "every verdict on this report is undetermined, so no findings are counted"
            .clone_into(&mut diagnostic.message);
    }
}

impl EvaluatingRun for ListConfig {
    type Evaluated = Evaluated;
    type Written = Written;
    const INTERRUPTED: &'static str = "interrupted; no list was written to files";

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn targets(&self) -> Vec<&Path> {
        self.formats.iter().filter_map(|to| to.path.as_deref()).collect()
    }

    fn tagged(&self) -> Option<Vec<Status>> {
        None
    }

    fn evaluate(&self, source: impl Source, rows: RowSelection) -> Result<Evaluated, Failure> {
        let evaluation = &self.subject.evaluation;
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

    fn tally(evaluated: &mut Evaluated) -> &mut Tally {
        &mut evaluated.tally
    }

    fn write(&self, evaluated: Evaluated) -> Result<Written, Failure> {
        let Evaluated { mut tally, outputs } = evaluated;
        let counts = outputs.counts();
        let subject = &self.subject;
        if subject.is_shown_by_its_error(&tally, &self.formats) {
            return Ok(Written { tally, counts });
        }
        tally.diagnostics.iter_mut().for_each(without_verdicts);
        tally.evidence = subject.evaluation.evidence();
        tally.diagnostics.extend(counts.diagnostics(&self.request));
        tally.diagnostics.extend(self.wildcard.clone());
        subject.evaluation.add_diagnostics(&mut tally);
        // What cannot be read is said also where the result cannot be written.
        let finished = finish_outputs(outputs.finish(&tally));
        finished.inspect_err(|_| subject.print_diagnostics(&tally, &self.formats))?;
        Ok(Written { tally, counts })
    }

    fn conclude(&self, written: &Written, allow_failed: usize) -> Exit {
        self.subject.print_diagnostics(&written.tally, &self.formats);
        if !written.counts.determined {
            Exit::NothingEvaluated
        } else if is_partial(&written.tally, allow_failed) {
            Exit::Partial
        } else {
            Exit::Clean
        }
    }
}

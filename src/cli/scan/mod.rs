//! `credlens scan`: evaluates reports and writes findings.

mod args;

use std::io;
use std::path::Path;

use credlens::engine::{
    Counting, CountingKeys, EmitFilter, RowSelection, Sink, Snapshots, Source, Surveying,
};
use credlens::finding::{RankBy, RuleTally, Severity, Status, Tally};
use credlens::output::{DisplayOptions, Outputs, Region};
use credlens::rule;

use super::due;
use super::evaluate::Evaluation;
use super::evaluating_run::{self, EvaluatingRun, Subject, is_partial};
use super::fail_on::FailOn;
use super::failure::{Exit, Failure};
use super::inputs::SeveralInputs;
use super::outputs::{FormatTo, Target, check_formats, finish_outputs, open_outputs};
use super::settings::{SettingsFile, SettingsText, first_given};

pub(super) use args::{ScanArgs, StatusWord};

/// What a scan does, resolved.
struct ScanConfig {
    subject: Subject,
    formats: Vec<FormatTo>,
    /// The region for formats that name one.
    region: Option<Region>,
    statuses: Vec<Status>,
    /// The ranking that is asked for.
    by: Option<RankBy>,
    fail_on: FailOn,
    fail_on_undetermined: bool,
    /// Whether every format that can say how findings are fixed says it.
    fixes: bool,
}

impl ScanConfig {
    fn resolve(mut args: ScanArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let in_file = settings.values.format.iter();
        let in_file = in_file.map(|word| FormatTo::to_stdout(word.0.0)).collect();
        let formats = FormatTo::or_default(first_given(std::mem::take(&mut args.format), in_file));
        let region = region(&mut args, &formats)?;
        let objects = args.live.objects(&args.inputs)?;
        let mut evaluation = Evaluation::resolve(&args.evaluate, settings)?;
        let in_file = &settings.values;
        args.owners.resolve(&mut evaluation, in_file)?;
        evaluation.due_within = due::window(args.due_within, in_file)?;
        let statuses = first_given(
            args.status,
            in_file.status.iter().map(|word| word.0.clone()).collect(),
        );
        if args.fix && !formats.iter().any(|to| to.format.shows_fixes()) {
            return Err(Failure::Usage(
                "--fix is for --format table, markdown, json and ndjson; html always says how to fix findings".to_owned(),
            ));
        }
        let fixes = args.fix || in_file.fix == Some(true);
        if fixes || formats.iter().any(|to| to.format.always_shows_fixes()) {
            evaluation.program = evaluation.program.with_fixes();
        }
        let as_of = args.as_of.or(in_file.as_of.map(|word| word.0));
        let fail_on = args.fail_on.or(in_file.fail_on.map(|word| word.0));
        let mut inputs = evaluation.reader(args.inputs, as_of, objects);
        let shows_evidence = formats.iter().any(|to| to.format.shows_evidence());
        inputs.options.hashed = args.evidence.hashed(in_file, shows_evidence);
        let reads = [evaluation.reads(&inputs.paths), args.live.reads()];
        check_formats(&formats, &reads.concat())?;
        check_ranking(args.by, &formats)?;
        check_requirements(&evaluation, &formats)?;
        Ok(Self {
            formats,
            region,
            statuses: shown(statuses, evaluation.due_within.is_some())?,
            by: args.by.or(in_file.by),
            fail_on: fail_on.unwrap_or(FailOn(Some(Severity::Low))),
            fixes,
            fail_on_undetermined: args.fail_on_undetermined || in_file.fail_on_undetermined == Some(true),
            subject: Subject {
                inputs,
                live: args.live,
                all_snapshots: args.all_snapshots || in_file.all_snapshots == Some(true),
                evaluation,
            },
        })
    }

    /// Findings are created only where a format shows them.
    fn emit_filter(&self) -> EmitFilter {
        let ranked = self.by.is_some();
        if !self.formats.iter().any(|to| to.format.shows_findings(ranked)) {
            return EmitFilter::nothing();
        }
        EmitFilter::new(&self.statuses, self.subject.evaluation.min_severity)
    }

    fn outputs(&self) -> Result<Counting<Outputs<Target>>, Failure> {
        let options = DisplayOptions {
            region: self.region,
            fixes: self.fixes,
            ..self.subject.evaluation.layout_of(&self.formats)
        };
        let outputs = Outputs::ranked(open_outputs(&self.formats)?, options, self.by.is_some());
        Ok(Counting::new(
            outputs,
            self.counting_keys(),
            &self.subject.evaluation.program,
        ))
    }

    /// Accounts are counted where a format shows which are the worst, or how many pass a requirement.
    fn counting_keys(&self) -> CountingKeys {
        let are_ranked = self.formats.iter().any(|to| to.format.shows_accounts());
        CountingKeys {
            by: self.by,
            accounts: are_ranked || !self.subject.evaluation.frameworks.is_empty(),
        }
    }

    fn assess(&self, source: impl Source, sink: &impl Sink, rows: RowSelection) -> io::Result<Tally> {
        let evaluation = &self.subject.evaluation;
        let rows = (rows, Some(&evaluation.filters));
        evaluation.assess(evaluation.progress(source), self.emit_filter(), sink, rows)
    }
}

/// The region for formats that name one. In a build that calls AWS, the flag is one of those for AWS.
#[cfg(feature = "aws")]
fn region(args: &mut ScanArgs, formats: &[FormatTo]) -> Result<Option<Region>, Failure> {
    if !formats.iter().any(|to| to.format.shows_region()) {
        return Ok(None);
    }
    let given = args.live.take_region_of_format(&args.inputs);
    let region = given.map(|region| region.parse::<Region>()).transpose();
    region.map_err(|wrong| Failure::Usage(format!("--region: {wrong}")))
}

/// The region for formats that name one.
#[cfg(not(feature = "aws"))]
fn region(args: &mut ScanArgs, formats: &[FormatTo]) -> Result<Option<Region>, Failure> {
    if args.region.is_some() && !formats.iter().any(|to| to.format.shows_region()) {
        return Err(Failure::Usage("--region is for --format asff".to_owned()));
    }
    Ok(args.region)
}

/// The statuses that are shown.
fn shown(given: Vec<StatusWord>, finds_due: bool) -> Result<Vec<Status>, Failure> {
    if given.is_empty() {
        let due = finds_due.then_some(Status::Due);
        return Ok([Status::Fail, Status::Undetermined]
            .into_iter()
            .chain(due)
            .collect());
    }
    if !finds_due && given.iter().any(|word| word.0 == [Status::Due]) {
        let message = "--status due shows what fails within a time: give --due-within as well, such as 14d";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(given.into_iter().flat_map(|word| word.0).collect())
}

pub(super) fn run(args: ScanArgs) -> Result<Exit, Failure> {
    let text = SettingsText::read(args.evaluate.config.as_deref())?;
    let config = ScanConfig::resolve(args, &text.parse()?)?;
    evaluating_run::run(&config)
}

/// A ranking that no format shows is a mistake.
fn check_ranking(by: Option<RankBy>, formats: &[FormatTo]) -> Result<(), Failure> {
    if by.is_none() || formats.iter().any(|to| to.format.shows_ranking()) {
        return Ok(());
    }
    let formats: Vec<String> = formats.iter().map(|to| to.format.to_string()).collect();
    let message = format!(
        "--by has no effect on {}: table, summary, json, csv, markdown and html show a ranking",
        formats.join(" and ")
    );
    Err(Failure::Usage(message))
}

/// So is a list of requirements without a framework.
fn check_requirements(evaluation: &Evaluation, formats: &[FormatTo]) -> Result<(), Failure> {
    let listing = formats.iter().find(|to| to.format.shows_requirements_only());
    match listing.filter(|_| evaluation.frameworks.is_empty()) {
        None => Ok(()),
        Some(to) => Err(Failure::Usage(format!(
            "--format {} lists the requirements of a framework: give --framework as well",
            to.format
        ))),
    }
}

/// The result of a scan that is not written to its end.
struct Evaluated {
    tally: Tally,
    outputs: Counting<Outputs<Target>>,
}

/// Ends the outputs and puts files in their places.
fn write(config: &ScanConfig, evaluated: Evaluated) -> Result<Tally, Failure> {
    let Evaluated { mut tally, outputs } = evaluated;
    if config.subject.is_shown_by_its_error(&tally, &config.formats) {
        return Ok(tally);
    }
    let Evaluation {
        program,
        frameworks,
        level,
        weakened,
        ..
    } = &config.subject.evaluation;
    let (outputs, counted) = outputs.finish();
    tally.evidence = config.subject.evaluation.evidence();
    tally.ranking = config.by.map(|by| counted.ranking(by, program));
    if config.counting_keys().accounts && counted.accounts() > 1 {
        tally.accounts = counted.ranking(RankBy::Account, program).entries;
    }
    let accounts = if frameworks.is_empty() {
        Vec::new()
    } else {
        counted.by_account()
    };
    let frameworks = frameworks.iter().map(AsRef::as_ref);
    tally.compliance = rule::compliance(frameworks, program.rules(), weakened, *level, (&tally, &accounts));
    config.subject.evaluation.add_diagnostics(&mut tally);
    tally.diagnostics.extend(outputs.diagnostics());
    // What cannot be read is said also where the result cannot be written.
    let finished = finish_outputs(outputs.finish(&tally));
    finished.inspect_err(|_| config.subject.print_diagnostics(&tally, &config.formats))?;
    Ok(tally)
}

fn exit(tally: &Tally, config: &ScanConfig, allow_failed: usize) -> Exit {
    if tally.evaluated == 0 {
        return Exit::NothingEvaluated;
    }
    if is_partial(tally, allow_failed) {
        return Exit::Partial;
    }
    let counts = |rule: &&RuleTally| rule.failed > 0 || config.fail_on_undetermined && rule.undetermined > 0;
    let failed = tally.rules.iter().filter(counts);
    config.fail_on.exit(failed.map(|rule| rule.severity))
}

impl EvaluatingRun for ScanConfig {
    type Evaluated = Evaluated;
    type Written = Tally;
    const INTERRUPTED: &'static str = "interrupted; no findings were written to files";

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn targets(&self) -> Vec<&Path> {
        self.formats.iter().filter_map(|to| to.path.as_deref()).collect()
    }

    /// Rankings count what fails, shown or not.
    fn tagged(&self) -> Option<Vec<Status>> {
        Some([&[Status::Fail], &*self.statuses].concat())
    }

    fn evaluate(&self, source: impl Source, rows: RowSelection) -> Result<Evaluated, Failure> {
        let outputs = self.outputs()?;
        let tally = self.assess(source, &outputs, rows)?;
        Ok(Evaluated { tally, outputs })
    }

    /// Outputs that are only written at the end can be thrown away: then the first pass surveys, too, and is the only one
    /// where nothing is left out. Of archived reports, metadata say what the first pass finds out.
    fn evaluate_newest(&self, several: &SeveralInputs<'_>) -> Result<(Evaluated, Snapshots), Failure> {
        let is_ranked = self.by.is_some();
        let streams = self.formats.iter().any(|to| to.format.streams(is_ranked));
        let mut newest = None;
        if !streams && !several.may_be_archived() && self.subject.inputs.options.as_of.is_none() {
            let sink = Surveying::new(self.outputs()?, false);
            let tally = self.assess(several.open()?, &sink, RowSelection::default())?;
            let (outputs, surveyed) = sink.finish(&tally);
            newest = several.choose(&surveyed, false);
            if let Some(newest) = newest.take_if(|newest| newest.rows.is_all()) {
                return Ok((Evaluated { tally, outputs }, newest));
            }
        }
        let newest = match newest {
            Some(newest) => newest,
            None => several.newest(&self.subject.evaluation)?,
        };
        let evaluated = self.evaluate(several.open_chosen(&newest)?, newest.rows.clone())?;
        Ok((evaluated, newest))
    }

    fn tally(evaluated: &mut Evaluated) -> &mut Tally {
        &mut evaluated.tally
    }

    fn write(&self, evaluated: Evaluated) -> Result<Tally, Failure> {
        write(self, evaluated)
    }

    fn conclude(&self, tally: &Tally, allow_failed: usize) -> Exit {
        self.subject.print_diagnostics(tally, &self.formats);
        exit(tally, self, allow_failed)
    }
}

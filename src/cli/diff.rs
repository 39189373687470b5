//! `credlens diff`: two reports in, what changed out.

use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::bail;
use credlens::engine::{self, EmitFilter, Program, Sink, Source, Workers};
use credlens::finding::{Diagnostic, Level, Tally};
use credlens::history::{self, Before, Collector, Move, Snapshot};
use credlens::output::DisplayOptions;
use credlens::output::diff::{DiffFormat, DiffView, write_diff};
use credlens::rule::Suppressions;

#[cfg(feature = "archive")]
use super::archive;
#[cfg(feature = "archive")]
use super::args::At;
use super::args::{Diff, FailOn, FormatTo};
use super::config::Config;
use super::dated::{Dated, Next};
use super::now;
use super::progress::Progress;
use super::scan::{inputs, prepare};
use super::target::{check_formats, end_cleanly, open_outputs};
use super::{Exit, colored, diagnostics, print_error, width};

pub(super) fn run(mut diff: Diff) -> anyhow::Result<Exit> {
    if diff.format.is_empty() {
        diff.format.push(FormatTo::to_stdout(DiffFormat::default()));
    }
    check_formats(&diff.format, &arguments(&diff))?;
    let Some(sides) = sides(&diff)? else {
        return Ok(Exit::NothingEvaluated);
    };
    let olds = sides.old.len();
    let (paths, accounts): (Vec<_>, Vec<_>) = sides.old.into_iter().chain(sides.new).unzip();
    let count = paths.len();
    let mut config = Config::resolve(diff.judge.scan(paths))?;
    check_formats(&diff.format, &config.reads())?;
    config.as_of = None;
    let (program, suppressions) = match prepare(&config)? {
        Ok((selected, suppressions)) => (Program::new(selected.rules), suppressions),
        Err(exit) => return Ok(exit),
    };
    let workers = Workers::new(config.threads)?;
    let dated = Dated::new(inputs(&config, now()), vec![diff.old_as_of, diff.new_as_of]);
    let mut source = Progress::new(dated, config.quiet);
    let collect = |source: &mut dyn Source, before: Option<&Before<'_>>| {
        let mut snapshots = Vec::new();
        let collector = Collector::new(|snapshot| snapshots.push(snapshot)).of_accounts(accounts.clone());
        let collector = match before {
            Some(before) => collector.against(before),
            None => collector,
        };
        let tally = judge(&config, &program, &suppressions, source, &collector)?;
        drop(collector);
        anyhow::Ok(Collected::new(snapshots, tally.diagnostics))
    };
    let old = collect(&mut Next::new(&mut source, olds), None)?;
    let options = history::Options {
        idle_days: diff.idle_days,
    };
    let before = old.snapshot.as_ref();
    let before = before.map(|old| Before::new(old, options, &workers));
    let new = collect(&mut source, before.as_ref())?;
    drop(source);
    let (paths, told) = (
        [old.paths, new.paths].concat(),
        [old.diagnostics, new.diagnostics].concat(),
    );
    let failed = told.iter().any(|diagnostic| diagnostic.level == Level::Error);
    if failed || paths.len() < count {
        tell_diagnostics(&config, &told, Level::Error);
        print_error("both reports must be read to their end to be compared");
        return Ok(Exit::NothingEvaluated);
    }
    if paths.len() > count {
        let is_named = |path: &&String| config.inputs.iter().any(|input| input == Path::new(path));
        let one = paths.iter().find(|path| !is_named(path)).map_or("", |path| path);
        bail!("OLD or NEW holds several reports; name one of them, such as {one}");
    }
    let (Some(before), Some(new)) = (before, &new.snapshot) else {
        bail!(
            "the reports of these accounts lack different columns; compare one account at a time by --account"
        );
    };
    let changes = history::diff(&program, before, new, &workers)?;
    write(&config, &diff.format, (&changes, &workers), &told)?;
    Ok(exit(&changes, diff.fail_on_new))
}

/// What was read of one side.
struct Collected {
    paths: Vec<String>,
    /// None where there is none, or where reports lack different columns.
    snapshot: Option<Snapshot>,
    diagnostics: Vec<Diagnostic>,
}

impl Collected {
    fn new(snapshots: Vec<Snapshot>, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            paths: snapshots
                .iter()
                .map(|snapshot| snapshot.input.path.clone())
                .collect(),
            snapshot: Snapshot::join(snapshots),
            diagnostics,
        }
    }
}

/// What is read, as named.
fn arguments(diff: &Diff) -> Vec<PathBuf> {
    #[cfg(feature = "archive")]
    if let Some(archive) = &diff.archive {
        return vec![archive.clone()];
    }
    vec![diff.old.clone(), diff.new.clone()]
}

/// The reports to compare.
struct Sides {
    old: Vec<Side>,
    new: Vec<Side>,
}

/// A report, and the accounts of it that are compared where it is not all.
type Side = (PathBuf, Option<BTreeSet<Vec<u8>>>);

/// Those that are named, or those that an archive has; none where it has none, which is told.
fn sides(diff: &Diff) -> anyhow::Result<Option<Sides>> {
    #[cfg(feature = "archive")]
    if let Some(path) = &diff.archive {
        let at = At {
            archive: path.clone(),
            #[cfg(feature = "aws")]
            place: diff.judge.place.clone(),
        };
        let sides = archive::sides(&at, [&diff.old, &diff.new], &diff.account)?;
        let side =
            |side: Vec<archive::Compared>| side.into_iter().map(|(path, of)| (path, Some(of))).collect();
        return Ok(sides.map(|[old, new]| Sides {
            old: side(old),
            new: side(new),
        }));
    }
    for path in [&diff.old, &diff.new] {
        if path.is_dir() {
            bail!(
                "{} is a directory; diff compares two reports, trend many, and --archive takes two dates",
                path.display()
            );
        }
    }
    Ok(Some(Sides {
        old: vec![(diff.old.clone(), None)],
        new: vec![(diff.new.clone(), None)],
    }))
}

/// Judges the inputs.
pub(super) fn judge(
    config: &Config,
    program: &Program,
    suppressions: &Suppressions,
    source: impl Source,
    sink: &impl Sink,
) -> io::Result<Tally> {
    let options = engine::Options {
        threads: config.threads,
        emit: EmitFilter::new(&config.statuses, config.min_severity),
        suppressions: Some(suppressions),
    };
    engine::assess(program, source, sink, options)
}

/// How formats for people are laid out.
pub(super) fn display_options(config: &Config) -> DisplayOptions {
    DisplayOptions {
        width: width(),
        color: colored(config.color, &io::stdout()),
        limit: config.limit,
        now: Some(now()),
    }
}

fn write(
    config: &Config,
    formats: &[FormatTo<DiffFormat>],
    (diff, workers): (&history::Diff<'_>, &Workers),
    told: &[Diagnostic],
) -> anyhow::Result<()> {
    let diagnostics = [&diff.diagnostics[..], told].concat();
    let view = DiffView {
        diff,
        diagnostics: &diagnostics,
        options: display_options(config),
        workers,
    };
    end_cleanly(formats);
    for (format, target) in open_outputs(formats)? {
        let mut out = BufWriter::new(target);
        write_diff(format, &view, &mut out)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?;
    }
    tell_diagnostics(config, &diagnostics, least_told(config, formats));
    Ok(())
}

/// Standard error has what standard output does not show anyway.
fn least_told(config: &Config, formats: &[FormatTo<DiffFormat>]) -> Level {
    let for_people = |to: &FormatTo<DiffFormat>| to.path.is_none() && to.format.is_for_people();
    match (config.quiet || formats.iter().any(for_people), config.verbose) {
        (true, _) => Level::Error,
        (false, false) => Level::Warning,
        (false, true) => Level::Note,
    }
}

/// Tells those that are at least so grave.
pub(super) fn tell_diagnostics(config: &Config, diagnostics: &[Diagnostic], least: Level) {
    let told = diagnostics.iter().filter(|diagnostic| diagnostic.level >= least);
    diagnostics::print_all(told, config.verbose);
}

fn exit(diff: &history::Diff<'_>, fail_on_new: FailOn) -> Exit {
    let rules = diff.rules.iter().zip(diff.findings(Move::Opened).by_rule());
    let mut opened = rules
        .filter(|&(_, &count)| count > 0)
        .map(|(compiled, _)| compiled.bound.severity);
    match fail_on_new {
        FailOn::AtLeast(least) if opened.any(|severity| severity >= least) => Exit::Findings,
        FailOn::AtLeast(_) | FailOn::Never => Exit::Clean,
    }
}

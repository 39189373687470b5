//! `credlens scan`: inputs and rules in, findings out.

use std::io;
use std::path::{Path, PathBuf};
#[cfg(feature = "aws")]
use std::sync::Arc;

use anyhow::bail;
#[cfg(feature = "aws")]
use credlens::aws::{Live, Order};
use credlens::engine::{self, EmitFilter, Program, Source};
use credlens::finding::{Code, Diagnostic, Level, Tally};
use credlens::io::inputs::{Inputs, Limits, Options};
use credlens::output::{DisplayOptions, Outputs};
use credlens::report::time::Timestamp;
use credlens::rule::{self, Catalogue, Selected, Selection, Setting, Suppressions, WeakenedParameter};

use super::args::{Color, FailOn, FormatTo, Scan};
use super::config::{Config, Suppressing};
#[cfg(feature = "aws")]
use super::live;
#[cfg(feature = "aws")]
use super::outcomes::SavePolicy;
use super::progress::Progress;
use super::target::{check_formats, end_cleanly, open_outputs};
#[cfg(feature = "aws")]
use super::target::{is_read, is_taken};
#[cfg(feature = "aws")]
use super::tell;
use super::{Exit, catalogue, colored, diagnostics, now, refuse, width};

pub(super) fn run(scan: Scan) -> anyhow::Result<Exit> {
    let config = Config::resolve(scan)?;
    #[cfg(not(feature = "aws"))]
    check_inputs(&config)?;
    check_formats(&config.formats, &reads(&config))?;
    match prepare(&config)? {
        Ok((selected, suppressions)) => judge(&config, &selected, &suppressions),
        Err(exit) => Ok(exit),
    }
}

/// With the feature, the live account is judged without an input.
#[cfg(not(feature = "aws"))]
fn check_inputs(config: &Config) -> anyhow::Result<()> {
    if config.inputs.is_empty() {
        bail!(
            "no input: name a report file, a directory or - for standard input. This credlens was built \
             without the feature aws, which judges live accounts; \
             `aws iam get-credential-report | credlens scan -` judges that of your AWS credentials"
        );
    }
    Ok(())
}

/// The rules to judge by and what is accepted; what is wrong with them is told.
pub(super) fn prepare(config: &Config) -> anyhow::Result<Result<(Selected, Suppressions), Exit>> {
    let catalogue = match catalogue(&config.rules_from)? {
        Ok(catalogue) => catalogue,
        Err(errors) => return Ok(Err(refuse(&errors, config.color))),
    };
    let prepared = select(&catalogue, config).and_then(|selected| {
        let suppressions = suppressions(&catalogue, config).map_err(|error| vec![error])?;
        Ok((selected, suppressions))
    });
    Ok(prepared.map_err(|errors| refuse(&errors, config.color)))
}

fn select(catalogue: &Catalogue, config: &Config) -> Result<Selected, Vec<rule::Error>> {
    let selection = Selection {
        rules: config.rules.clone(),
        frameworks: config.frameworks.clone(),
        settings: settings(catalogue, config).map_err(|error| vec![error])?,
    };
    rule::select(catalogue, &selection)
}

/// Values of parameters: those of the command line come last, and so hold.
fn settings(catalogue: &Catalogue, config: &Config) -> Result<Vec<Setting>, rule::Error> {
    let mut settings = match &config.file {
        Some(file) => Setting::parse_within(&file.path.to_string_lossy(), &file.text, catalogue)?,
        None => Vec::new(),
    };
    for text in &config.set {
        settings.push(text.parse()?);
    }
    Ok(settings)
}

fn suppressions(catalogue: &Catalogue, config: &Config) -> Result<Suppressions, rule::Error> {
    let mut all = Suppressions::default();
    let Suppressing::Files(path) = &config.suppressions else {
        return Ok(all);
    };
    if let Some(path) = path {
        all.extend(read_suppressions(path, catalogue)?);
    }
    if let Some(file) = &config.file {
        let origin = file.path.to_string_lossy();
        all.extend(Suppressions::parse_within(&origin, &file.text, catalogue)?);
    }
    Ok(all)
}

fn read_suppressions(path: &Path, catalogue: &Catalogue) -> Result<Suppressions, rule::Error> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        rule::Error::new(format!(
            "the suppressions {} cannot be read: {error}",
            path.display()
        ))
    })?;
    Suppressions::parse(&path.to_string_lossy(), &text, catalogue)
}

/// What no format may replace.
fn reads(config: &Config) -> Vec<PathBuf> {
    #[cfg(feature = "aws")]
    if let Some(resumed) = &config.aws.resume {
        return [config.reads(), vec![resumed.clone()]].concat();
    }
    config.reads()
}

fn judge(config: &Config, selected: &Selected, suppressions: &Suppressions) -> anyhow::Result<Exit> {
    let now = now();
    #[cfg(feature = "aws")]
    if config.inputs.is_empty() {
        return judge_live(config, selected, suppressions, now);
    }
    end_cleanly(&config.formats);
    let source = inputs(config, now);
    let tally = assess(config, selected, suppressions, (source, now), || true)?;
    let tally = tally.expect("invariant: nothing interrupts what is read from files");
    tell_diagnostics(&tally, config);
    Ok(exit(&tally, config.fail_on))
}

#[cfg(feature = "aws")]
fn judge_live(
    config: &Config,
    selected: &Selected,
    suppressions: &Suppressions,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    if let Some(path) = config.aws.outcomes.as_deref() {
        if is_taken(&config.formats, path) {
            bail!(
                "{} is for --format and for --outcomes; give each its own file",
                path.display()
            );
        }
        if is_read(path, &config.reads()) {
            bail!(
                "{} is read by this run; give --outcomes another file",
                path.display()
            );
        }
    }
    let request = live::FetchRequest {
        resolve_keys: config.resolve_keys,
        verbose: config.verbose,
        done: SavePolicy::Together,
        order: Order::Accounts,
    };
    let started = match live::start(&config.aws, now, request)? {
        Ok(started) => started,
        Err(exit) => return Ok(exit),
    };
    let runtime = started.runtime;
    let source = Live::new(started.arrivals, config.as_of, Arc::clone(&started.record));
    let is_whole = || !runtime.interrupted();
    let compiled = assess(config, selected, suppressions, (source, now), is_whole);
    if compiled.is_err() {
        // What was not written is still to be done.
        started.outcomes.interrupted()?;
    }
    let Some(tally) = compiled? else {
        tell("interrupted; no findings were written to files");
        started.outcomes.interrupted()?;
        return Ok(Exit::Interrupted);
    };
    tell_diagnostics(&tally, config);
    live::conclude(&config.aws, &started.record, &started.outcomes, config.quiet)?;
    Ok(exit(&tally, config.fail_on))
}

/// Judges all that the source gives, and writes it unless it is not the whole: then there is no tally.
fn assess(
    config: &Config,
    selected: &Selected,
    suppressions: &Suppressions,
    (source, now): (impl Source, Timestamp),
    is_whole: impl FnOnce() -> bool,
) -> anyhow::Result<Option<Tally>> {
    let options = DisplayOptions {
        width: width(),
        color: is_colored(config),
        limit: config.limit,
        now: Some(now),
    };
    let program = Program::new(selected.rules.clone());
    let outputs = Outputs::new(open_outputs(&config.formats)?, options);
    let options = engine::Options {
        threads: config.threads,
        emit: emit_filter(config),
        suppressions: Some(suppressions),
    };
    let source = Progress::new(source, config.quiet);
    let mut tally = engine::assess(&program, source, &outputs, options)?;
    if !is_whole() {
        return Ok(None);
    }
    if is_told_by_its_error(config, &tally) {
        return Ok(Some(tally));
    }
    let frameworks = selected.frameworks.iter().map(AsRef::as_ref);
    tally.compliance = rule::compliance(frameworks, program.rules(), &selected.weakened, &tally);
    add_diagnostics(&mut tally, config, suppressions, &selected.weakened);
    for target in outputs.finish(&tally)? {
        target.finish()?;
    }
    Ok(Some(tally))
}

/// Of one live account whose report did not come, people need to be told the reason, once: on standard error.
#[cfg(feature = "aws")]
fn is_told_by_its_error(config: &Config, tally: &Tally) -> bool {
    let is_live = config.inputs.is_empty() && !config.aws.several();
    is_live && tally.inputs.is_empty() && config.formats.iter().all(is_shown)
}

#[cfg(not(feature = "aws"))]
fn is_told_by_its_error(_: &Config, _: &Tally) -> bool {
    false
}

/// Whether people read it where they run this.
fn is_shown(to: &FormatTo) -> bool {
    to.path.is_none() && to.format.is_for_people()
}

/// All outputs look alike, and a file that people open later is no terminal.
fn is_colored(config: &Config) -> bool {
    let in_file = |to: &FormatTo| to.path.is_some() && to.format.is_colored();
    let avoided = config.color == Color::Auto && config.formats.iter().any(in_file);
    !avoided && colored(config.color, &io::stdout())
}

/// Findings are made only where a format shows them.
fn emit_filter(config: &Config) -> EmitFilter {
    if !config.formats.iter().any(|to| to.format.shows_findings()) {
        return EmitFilter::nothing();
    }
    EmitFilter::new(&config.statuses, config.min_severity)
}

/// The inputs of the configuration.
pub(super) fn inputs(config: &Config, now: Timestamp) -> Inputs {
    let options = Options {
        as_of: config.as_of,
        now,
        limits: limits(config),
    };
    let inputs = Inputs::new(config.inputs.clone(), Box::new(io::stdin()), options);
    #[cfg(feature = "aws")]
    let inputs = inputs.with_remote(Box::new(config.objects.in_order(&config.inputs)));
    with_archives(inputs)
}

/// The same, with what reads files of archives among them.
pub(super) fn with_archives(inputs: Inputs) -> Inputs {
    #[cfg(feature = "archive")]
    let inputs = inputs.with_containers(Box::new(credlens::archive::inputs::ArchivedInputs));
    inputs
}

/// How much is read at most.
pub(super) fn limits(config: &Config) -> Limits {
    let mut limits = Limits::default();
    if let Some(gib) = config.max_unpacked {
        limits.unpacked = gib.saturating_mul(1 << 30);
        limits.ratio = u64::MAX;
    }
    limits
}

/// What is odd about the settings rather than about an input.
fn add_diagnostics(
    tally: &mut Tally,
    config: &Config,
    suppressions: &Suppressions,
    weakened: &[WeakenedParameter],
) {
    if let Some(file) = &config.file {
        let settings = Diagnostic::new(Code::Settings, "settings of this file were used");
        tally
            .diagnostics
            .push(settings.in_path(file.path.to_string_lossy()));
    }
    for message in weakened.iter().map(ToString::to_string) {
        tally
            .diagnostics
            .push(Diagnostic::new(Code::LooserThanFramework, message));
    }
    let instants = tally.inputs.iter().filter_map(|input| input.as_of.parse().ok());
    let latest = instants.max();
    tally.diagnostics.extend(suppressions.diagnostics(latest));
}

/// Standard error has what the outputs that people read there do not show anyway.
fn tell_diagnostics(tally: &Tally, config: &Config) {
    let shown = config.formats.iter().any(is_shown);
    let least = match (config.quiet, config.verbose, shown) {
        (true, ..) | (false, false, true) => Level::Error,
        (false, false, false) => Level::Warning,
        (false, true, _) => Level::Note,
    };
    let told = |diagnostic: &&Diagnostic| {
        let is_settings = diagnostic.code == Code::Settings && !config.quiet && !shown;
        (diagnostic.level >= least || is_settings) && !is_in_outcomes(diagnostic, config)
    };
    diagnostics::print_all(tally.diagnostics.iter().filter(told), config.verbose);
}

/// The table of outcomes names the accounts that failed.
#[cfg(feature = "aws")]
fn is_in_outcomes(diagnostic: &Diagnostic, config: &Config) -> bool {
    config.aws.several() && diagnostic.code == Code::Unreadable
}

#[cfg(not(feature = "aws"))]
fn is_in_outcomes(_: &Diagnostic, _: &Config) -> bool {
    false
}

fn exit(tally: &Tally, fail_on: FailOn) -> Exit {
    let failed = tally
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == Level::Error);
    let fails = |severity| {
        tally
            .rules
            .iter()
            .any(|rule| rule.failed > 0 && rule.severity >= severity)
    };
    match fail_on {
        _ if tally.inputs.is_empty() => Exit::NothingEvaluated,
        _ if failed => Exit::Partial,
        FailOn::AtLeast(severity) if fails(severity) => Exit::Findings,
        FailOn::AtLeast(_) | FailOn::Never => Exit::Clean,
    }
}

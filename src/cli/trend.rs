//! `credlens trend`: many reports in, how things moved out.

use std::io::{self, BufWriter};
use std::path::Path;

use anyhow::bail;
use credlens::engine::{self, Program, Tell};
use credlens::finding::Level;
use credlens::history::trend::{self, TrendOptions};
use credlens::history::{Collector, Snapshot};
use credlens::io::inputs::Inputs;
use credlens::output::Settings;
use credlens::output::trend::{TrendFormat, write_trend};

use super::args::{By, FormatTo, Trend};
use super::config::Config;
use super::diff::tell_diagnostics;
use super::progress::Progress;
use super::scan::{inputs, limits, now, prepare};
use super::target::{check_formats, open_outputs};
use super::{Exit, colored, width};

/// How many of the oldest findings documents tell; those for people show fewer.
const OLDEST: usize = 100;

pub(super) fn run(mut trend: Trend) -> anyhow::Result<Exit> {
    if trend.inputs.iter().any(|path| path == Path::new("-")) {
        bail!("trend reads its inputs in the order of time, so it cannot read standard input; name files");
    }
    if trend.format.is_empty() {
        trend.format.push(FormatTo::to_stdout(TrendFormat::Table));
    }
    check_formats(&trend.format)?;
    let mut config = Config::resolve(trend.judge.scan(trend.inputs))?;
    config.as_of = None;
    let (selected, suppressions) = match prepare(&config)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    let reading = credlens::io::inputs::Options {
        as_of: None,
        now: now(),
        limits: limits(&config),
    };
    config.inputs = Inputs::in_time_order(config.inputs, reading);
    let program = Program::new(selected.rules);
    let mut moved = trend::Trend::new(
        &program,
        TrendOptions {
            by_account: trend.by == Some(By::Account),
            rotation_days: trend.rotation_days,
            oldest: OLDEST,
        },
    );
    let options = engine::Options {
        threads: config.threads,
        tell: Tell::new(&config.statuses, config.min_severity),
        suppressions: Some(&suppressions),
    };
    let sink = Collector::new(|snapshot: Snapshot| moved.add(&snapshot));
    let source = Progress::new(inputs(&config, now()), config.quiet);
    let tally = engine::assess(&program, source, &sink, options)?;
    drop(sink);
    let mut document = moved.finish();
    let failed = tally
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == Level::Error);
    document.diagnostics.splice(0..0, tally.diagnostics);
    tell(&config, &trend.format, &document.diagnostics);
    if document.snapshots.is_empty() {
        return Ok(Exit::NothingJudged);
    }
    write(&config, &trend.format, &document)?;
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

fn write(
    config: &Config,
    formats: &[FormatTo<TrendFormat>],
    document: &trend::TrendDocument,
) -> anyhow::Result<()> {
    let settings = Settings {
        width: width(),
        color: colored(config.color, &io::stdout()),
        limit: config.limit,
        now: Some(now()),
    };
    for (format, target) in open_outputs(formats)? {
        let mut out = BufWriter::new(target);
        write_trend(format, document, settings, &mut out)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?;
    }
    Ok(())
}

/// Standard error has what standard output does not show anyway.
fn tell(config: &Config, formats: &[FormatTo<TrendFormat>], diagnostics: &[credlens::finding::Diagnostic]) {
    let shown = formats
        .iter()
        .any(|to| to.path.is_none() && to.format == TrendFormat::Table);
    let least = match (config.quiet || shown, config.verbose) {
        (true, _) => Level::Error,
        (false, false) => Level::Warning,
        (false, true) => Level::Note,
    };
    tell_diagnostics(diagnostics, least);
}

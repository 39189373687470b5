//! `credlens trend`: many reports in, how things moved out.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use anyhow::bail;
use credlens::engine::Program;
use credlens::finding::{Diagnostic, Level};
use credlens::history::trend::{self, TrendOptions};
use credlens::io::inputs::reads_once;
use credlens::output::trend::{TrendFormat, write_trend};

use super::Exit;
use super::args::{By, FormatTo, Trend};
use super::config::Config;
use super::diff::{display_options, judge, tell_diagnostics};
use super::now;
use super::progress::Progress;
use super::scan::{inputs, prepare};
use super::target::{check_formats, end_cleanly, open_outputs};

/// How many of the oldest findings documents tell, where `--limit` is not more.
const OLDEST: usize = 100;

pub(super) fn run(mut trend: Trend) -> anyhow::Result<Exit> {
    if let Some((path, what)) = trend
        .inputs
        .iter()
        .find_map(|path| Some((path, reads_once(path)?)))
    {
        bail!(
            "trend reads the beginning of each input to put them in the order of time, and {}, {what}, \
             cannot be read twice; save it to a file and name that",
            path.display()
        );
    }
    if trend.format.is_empty() {
        trend.format.push(FormatTo::to_stdout(TrendFormat::default()));
    }
    let mut config = Config::resolve(trend.judge.scan(trend.inputs))?;
    check_formats(&trend.format, &config.reads())?;
    config.as_of = None;
    let (program, suppressions) = match prepare(&config)? {
        Ok((selected, suppressions)) => (Program::new(selected.rules), suppressions),
        Err(exit) => return Ok(exit),
    };
    config.inputs = in_time_order(&config);
    let options = TrendOptions {
        by_account: trend.by == Some(By::Account),
        rotation_days: trend.rotation_days,
        oldest: config.limit.max(OLDEST),
    };
    let moved = trend::Trend::new(&program, options);
    let source = Progress::new(inputs(&config, now()), config.quiet);
    let tally = judge(&config, &program, &suppressions, source, &moved)?;
    let mut document = moved.finish();
    let failed = tally
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == Level::Error);
    document.diagnostics.splice(0..0, tally.diagnostics);
    if document.snapshots.is_empty() {
        tell(&config, &[], &document.diagnostics);
        return Ok(Exit::NothingEvaluated);
    }
    tell(&config, &trend.format, &document.diagnostics);
    write(&config, &trend.format, &document)?;
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

fn in_time_order(config: &Config) -> Vec<PathBuf> {
    inputs(config, now()).in_time_order()
}

fn write(
    config: &Config,
    formats: &[FormatTo<TrendFormat>],
    document: &trend::TrendDocument,
) -> anyhow::Result<()> {
    end_cleanly(formats);
    for (format, target) in open_outputs(formats)? {
        let mut out = BufWriter::new(target);
        write_trend(format, document, display_options(config), &mut out)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?;
    }
    Ok(())
}

/// Standard error has what standard output does not show anyway.
fn tell(config: &Config, formats: &[FormatTo<TrendFormat>], diagnostics: &[Diagnostic]) {
    let shown = formats
        .iter()
        .any(|to| to.path.is_none() && to.format.is_for_people());
    let least = match (config.quiet || shown, config.verbose) {
        (true, _) => Level::Error,
        (false, false) => Level::Warning,
        (false, true) => Level::Note,
    };
    tell_diagnostics(config, diagnostics, least);
}

//! `credlens trend`: shows how figures and findings develop over many reports.

mod args;

use credlens::engine::{RowSelection, hand_over};
use credlens::finding::{Code, Tally};
use credlens::history::trend::{Trend, TrendDocument, TrendOptions};
use credlens::history::{Collector, Snapshot};
use credlens::io::inputs::reads_once;
use credlens::output::DisplayOptions;
use credlens::output::trend::{TrendFormat, write_trend};

use super::diagnostics::{has_errors, print_passed_over};
use super::evaluate::Evaluation;
use super::failure::{Exit, Failure};
use super::inputs::InputReader;
use super::outputs::{FormatTo, check_formats, write_documents};
use super::settings::{SettingsFile, SettingsText};
use super::signals;

use args::By;
pub(super) use args::TrendArgs;

/// How many of the oldest findings documents list, where `--limit` is not more.
const OLDEST: usize = 100;

/// What a trend does, resolved.
struct TrendConfig {
    inputs: InputReader,
    formats: Vec<FormatTo<TrendFormat>>,
    options: TrendOptions,
    evaluation: Evaluation,
}

impl TrendConfig {
    fn resolve(args: TrendArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let once = args
            .inputs
            .iter()
            .find_map(|path| Some((path, reads_once(path)?)));
        if let Some((path, kind)) = once {
            return Err(Failure::Usage(format!(
                "trend first reads the beginning of each input to order them by time, and {}, {kind}, cannot be read \
                 twice; save it to a file and name that",
                path.display()
            )));
        }
        let objects = args.location.objects(&args.inputs)?;
        let evaluation = Evaluation::resolve_for_snapshots(&args.evaluate, settings)?;
        let formats = FormatTo::or_default(args.format);
        check_formats(&formats, &evaluation.reads(&args.inputs))?;
        Ok(Self {
            inputs: evaluation.reader(args.inputs, None, objects).compared(),
            formats,
            options: TrendOptions {
                by_account: args.by == Some(By::Account),
                rotation_days: args.rotation_days,
                oldest: evaluation.limit.max(OLDEST),
            },
            evaluation,
        })
    }

    /// Prints the diagnostics that standard output does not show to people.
    fn print_diagnostics(&self, document: &TrendDocument) {
        let shown = !document.snapshots.is_empty() && self.formats.iter().any(FormatTo::is_shown);
        let verbosity = self.evaluation.verbosity;
        verbosity.print(&document.diagnostics, verbosity.least_level(shown));
    }
}

/// How many users are followed at a time: enough that threads seldom wait for each other, and few enough for memory.
const BATCH: usize = 50_000;

/// Reads all reports, and follows their snapshots on a thread of its own.
fn follow(config: &TrendConfig) -> Result<(Tally, TrendDocument), Failure> {
    let evaluation = &config.evaluation;
    let mut trend = Trend::new(&evaluation.program, config.options);
    let read = |hand: &(dyn Fn(Vec<Snapshot>) + Sync)| {
        let (mut batch, mut users) = (Vec::new(), 0);
        let collector = Collector::new(|snapshot| {
            users += 1 + snapshot.users().len();
            batch.push(snapshot);
            if users >= BATCH {
                hand(std::mem::take(&mut batch));
                users = 0;
            }
        });
        let tally = evaluation.assess(
            evaluation.progress(config.inputs.open_in_time_order()),
            evaluation.followed(),
            &collector,
            (RowSelection::default(), Some(&evaluation.filters)),
        );
        drop(collector);
        hand(batch);
        tally
    };
    let tally = hand_over(read, |batch| {
        for snapshot in batch {
            trend.add(snapshot);
        }
    })?;
    Ok((tally, trend.finish()))
}

pub(super) fn run(args: TrendArgs) -> Result<Exit, Failure> {
    let text = SettingsText::read(args.evaluate.config.as_deref())?;
    let config = TrendConfig::resolve(args, &text.parse()?)?;
    signals::end_cleanly()?;
    let evaluation = &config.evaluation;
    let (tally, mut document) = follow(&config)?;
    let failed = has_errors(&tally.diagnostics);
    // Two snapshots of an account in one file are what a trend is made of.
    let of_tally = tally.diagnostics.into_iter();
    document
        .diagnostics
        .splice(0..0, of_tally.filter(|it| it.code != Code::AccountTwice));
    document.diagnostics.extend(evaluation.notes());
    config.print_diagnostics(&document);
    if evaluation.verbosity.verbose {
        print_passed_over(&tally.passed_over);
    }
    if document.snapshots.is_empty() || tally.evaluated == 0 {
        return Ok(Exit::NothingEvaluated);
    }
    let layout = DisplayOptions {
        errors: !config.formats.iter().any(FormatTo::is_on_terminal),
        ..evaluation.layout()
    };
    write_documents(&config.formats, |format, out| {
        write_trend(format, &document, layout, out)
    })?;
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

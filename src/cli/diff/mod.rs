//! `credlens diff`: compares two reports.

mod args;
mod grouping;
pub(super) mod sides;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use credlens::engine::{Input, RowSelection, Workers};
use credlens::finding::{AsOfSource, Code, Diagnostic, Level};
use credlens::history::{self, Collector, Move, Snapshot, StaleAccount, stale_note, stale_phrase};
use credlens::io::error::InputError;
use credlens::output::diff::{DiffFormat, DiffView, write_diff};
use credlens::report::schema::ColumnSet;

use super::diagnostics::has_errors;
use super::evaluate::Evaluation;
use super::fail_on::FailOn;
use super::failure::{Exit, Failure};
use super::inputs::InputReader;
use super::outputs::{FormatTo, check_formats, check_limit, write_documents};
use super::settings::{SettingsFile, SettingsText};
use super::signals;

use grouping::Grouped;

pub(super) use args::DiffArgs;

/// A report to compare, and its accounts to compare where that is not all.
pub(super) type Compared = (PathBuf, Option<BTreeSet<Vec<u8>>>);

/// The reports to compare.
pub(super) struct Sides {
    pub(super) old: Vec<Compared>,
    pub(super) new: Vec<Compared>,
    /// The last reports of the accounts that have no newer one.
    pub(super) stale: Vec<Compared>,
    /// The reports of NEW for the accounts that OLD lacks.
    pub(super) unpaired: Vec<Compared>,
    /// What is said of accounts that are left out.
    pub(super) notes: Vec<Diagnostic>,
}

/// What a diff does, resolved.
struct DiffConfig {
    old: DiffSide,
    new: DiffSide,
    /// The last reports of the accounts that have no newer one.
    stale: DiffSide,
    /// The reports of NEW for the accounts that OLD lacks.
    unpaired: DiffSide,
    /// What is said of accounts that are left out.
    notes: Vec<Diagnostic>,
    formats: Vec<FormatTo<DiffFormat>>,
    by: Option<Grouped>,
    options: history::DiffOptions,
    reversed: bool,
    fail_on_new: FailOn,
    evaluation: Evaluation,
}

/// OLD or NEW.
struct DiffSide {
    inputs: InputReader,
    /// The accounts of each input.
    accounts: Vec<Option<BTreeSet<Vec<u8>>>>,
}

impl DiffConfig {
    fn resolve(args: DiffArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let mut evaluation = Evaluation::resolve_for_snapshots(&args.evaluate, settings)?;
        let formats = FormatTo::or_default(args.format);
        check_limit(args.evaluate.limit, &formats)?;
        let by = (args.by, args.owners);
        let by = Grouped::resolve(by, &formats, &settings.values, &mut evaluation)?;
        let named = match args.archived.path() {
            Some(archive) => vec![archive.to_owned()],
            None if args.old.as_os_str() == "-" && args.new == args.old => {
                return Err(Failure::NothingEvaluated(InputError::StdinTwice.to_string()));
            }
            None => vec![args.old.clone(), args.new.clone()],
        };
        check_formats(&formats, &evaluation.reads(&named))?;
        let sides = args
            .archived
            .sides(&args.location, [&args.old, &args.new], &evaluation.filters)?;
        let Sides {
            old,
            new,
            stale,
            unpaired,
            notes,
        } = match sides {
            Some(sides) => sides,
            None if args.old.is_dir() || args.new.is_dir() => {
                let objects = args.location.objects(&named)?;
                let old = sides::newest(&evaluation, &args.old, &objects)?;
                sides::pair(&old, &sides::newest(&evaluation, &args.new, &objects)?, "in")?
            }
            None => Sides {
                old: vec![(args.old, None)],
                new: vec![(args.new, None)],
                stale: Vec::new(),
                unpaired: Vec::new(),
                notes: Vec::new(),
            },
        };
        let all = [&old, &new, &stale, &unpaired].into_iter().flatten();
        let paths: Vec<_> = all.map(|(path, _)| path.clone()).collect();
        let objects = args.location.objects(&paths)?;
        let side = |compared: Vec<Compared>, as_of| {
            let (paths, accounts) = compared.into_iter().unzip();
            DiffSide {
                inputs: evaluation.reader(paths, as_of, objects.clone()).compared(),
                accounts,
            }
        };
        Ok(Self {
            old: side(old, args.old_as_of),
            new: side(new, args.new_as_of),
            stale: side(stale, None),
            unpaired: side(unpaired, None),
            notes,
            formats,
            by,
            options: history::DiffOptions {
                idle_days: args.idle_days,
            },
            reversed: args.reversed,
            fail_on_new: args.fail_on_new,
            evaluation,
        })
    }

    /// The snapshot of OLD or NEW; `lacking` are the columns that OLD lacks.
    fn collect(&self, side: &DiffSide, lacking: ColumnSet) -> Result<Collected, Failure> {
        let (snapshots, diagnostics) = self.snapshots(side, lacking)?;
        let mut paths: Vec<_> = snapshots
            .iter()
            .map(|snapshot| snapshot.input.path.clone())
            .collect();
        paths.dedup();
        Ok(Collected {
            paths,
            snapshot: Snapshot::join(snapshots),
            diagnostics,
        })
    }

    /// The accounts without a newer report, and the diagnostics about their last ones.
    fn stale_accounts(&self) -> Result<(Vec<StaleAccount>, Vec<Diagnostic>), Failure> {
        if self.stale.inputs.paths.is_empty() {
            return Ok(<_>::default());
        }
        let (snapshots, diagnostics) = self.snapshots(&self.stale, ColumnSet::default())?;
        Ok((
            StaleAccount::of_snapshots(&snapshots, &self.evaluation.filters),
            diagnostics,
        ))
    }

    /// What to say of filters that admit no compared user: they may admit users of accounts that are left out.
    fn no_match(&self, otherwise: String) -> Result<String, Failure> {
        let filters = &self.evaluation.filters;
        for (side, report) in [
            (&self.stale, "a newer report"),
            (&self.unpaired, "an older report"),
        ] {
            if side.inputs.paths.is_empty() {
                continue;
            }
            let (snapshots, _) = self.snapshots(side, ColumnSet::default())?;
            if let Some(accounts) = stale_phrase(&StaleAccount::with_users(&snapshots, filters)) {
                return Ok(format!(
                    "the users{} are only in accounts without {report}: {accounts}",
                    filters.phrase()
                ));
            }
        }
        Ok(otherwise)
    }

    fn snapshots(
        &self,
        side: &DiffSide,
        lacking: ColumnSet,
    ) -> Result<(Vec<Snapshot>, Vec<Diagnostic>), Failure> {
        let mut snapshots = Vec::new();
        let collector = Collector::new(|snapshot| snapshots.push(snapshot))
            .of_accounts(side.accounts.clone())
            .after_lacking(lacking);
        let evaluation = &self.evaluation;
        let tally = evaluation.assess(
            evaluation.progress(side.inputs.open()),
            evaluation.followed(),
            &collector,
            // A user is compared if the filters admit it in one of the snapshots.
            (RowSelection::default(), None),
        )?;
        drop(collector);
        Ok((snapshots, tally.diagnostics))
    }

    /// Every input must have been evaluated to its end, and contain one report, or several of different accounts.
    fn check_collected(&self, paths: &[String], diagnostics: &[Diagnostic]) -> Result<(), Failure> {
        let inputs = [&*self.old.inputs.paths, &self.new.inputs.paths].concat();
        if has_errors(diagnostics) || paths.len() < inputs.len() {
            self.evaluation.verbosity.print(diagnostics, Level::Error);
            return Err(Failure::NothingEvaluated(
                "the reports cannot be compared: one of them could not be evaluated to its end".to_owned(),
            ));
        }
        let mut twice = diagnostics.iter().filter(|it| it.code == Code::AccountTwice);
        if let Some(path) = twice.find_map(|it| it.path.as_deref()) {
            self.evaluation.verbosity.print(diagnostics, Level::Warning);
            return Err(Failure::NothingEvaluated(format!(
                "the reports cannot be compared: {path} has two reports of one account; keep the one that counts"
            )));
        }
        if paths.len() > inputs.len() {
            let is_named = |path: &&String| inputs.iter().any(|input| input == Path::new(path));
            let one = paths.iter().find(|path| !is_named(path)).map_or("", |path| path);
            return Err(Failure::Usage(format!(
                "OLD or NEW contains several reports; name one of them, such as {one}"
            )));
        }
        Ok(())
    }
}

/// What was read of one side.
struct Collected {
    paths: Vec<String>,
    /// None where there is no report, or where reports lack different columns.
    snapshot: Option<Snapshot>,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn run(args: DiffArgs) -> Result<Exit, Failure> {
    let text = SettingsText::read(args.evaluate.config.as_deref())?;
    let config = DiffConfig::resolve(args, &text.parse()?)?;
    signals::end_cleanly()?;
    let workers = Workers::new(config.evaluation.threads)?;
    let old = config.collect(&config.old, ColumnSet::default())?;
    let lacking = old.snapshot.as_ref().map(Snapshot::missing_anywhere);
    let new = config.collect(&config.new, lacking.unwrap_or_default())?;
    let (stale, of_stale) = config.stale_accounts()?;
    let paths = [old.paths, new.paths].concat();
    let mut diagnostics = [old.diagnostics, new.diagnostics, of_stale].concat();
    config.check_collected(&paths, &diagnostics)?;
    diagnostics.extend(stale_note(&stale));
    diagnostics.extend(config.notes.iter().cloned());
    let (Some(old), Some(new)) = (&old.snapshot, &new.snapshot) else {
        return Err(Failure::Usage(
            "the reports of these accounts lack different columns; compare one account at a time by --account"
                .to_owned(),
        ));
    };
    let options = (config.options, &config.evaluation.filters);
    let mut diff = history::diff(&config.evaluation.program, [old, new], options, &workers)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(no_match) = diff.no_match {
        return Err(Failure::NothingEvaluated(config.no_match(no_match)?));
    }
    check_dated([&diff.old.input, &diff.new.input])?;
    if !config.reversed {
        check_order(&diff)?;
    }
    let least = config.evaluation.min_severity;
    diff.events.retain(|event| event.kind.severity() >= least);
    write(&config, (&diff, &stale), &workers, &diagnostics)?;
    Ok(exit(&diff, config.fail_on_new))
}

/// Swapped reports would show what was fixed as new, and what is new as fixed.
fn check_order(diff: &history::Diff<'_>) -> Result<(), Failure> {
    let sides = [diff.old, diff.new];
    let accounts = diff.new.users().accounts().iter().map(|account| Some(&**account));
    let as_of = accounts
        .chain([None])
        .map(|account| sides.map(|side| side.as_of_account(account)));
    let Some([old, new]) = as_of.into_iter().find(|[old, new]| old > new) else {
        return Ok(());
    };
    let [old_path, new_path] = sides.map(|side| &side.input.path);
    Err(Failure::Usage(format!(
        "OLD ({old_path}, {old}) is newer than NEW ({new_path}, {new}): swap them, or give --reversed to compare them so"
    )))
}

/// If something dates one report, the other must be dated, too: as of now, either could seem to be the newer one.
fn check_dated(sides: [&Input; 2]) -> Result<(), Failure> {
    let dated = sides.map(|input| matches!(input.as_of_source, AsOfSource::Generated | AsOfSource::FileName));
    let undated = sides
        .iter()
        .position(|input| input.as_of_source == AsOfSource::Now);
    let Some(at) = undated.filter(|at| dated[1 - at]) else {
        return Ok(());
    };
    let ([side, other], option) = match at {
        0 => (["OLD", "NEW"], "--old-as-of"),
        _ => (["NEW", "OLD"], "--new-as-of"),
    };
    Err(Failure::Usage(format!(
        "nothing says when {side} ({}) was generated, and {other} ({}) is dated {}; give {option} TIME, or put the date \
         into the file name",
        sides[at].path,
        sides[1 - at].path,
        sides[1 - at].as_of
    )))
}

fn write(
    config: &DiffConfig,
    (diff, stale): (&history::Diff<'_>, &[StaleAccount]),
    workers: &Workers,
    diagnostics: &[Diagnostic],
) -> Result<(), Failure> {
    let mut diagnostics = [&diff.diagnostics[..], diagnostics].concat();
    diagnostics.extend(config.evaluation.notes());
    let by = config
        .by
        .as_ref()
        .filter(|_| config.evaluation.filters.is_empty());
    diagnostics.extend(by.and_then(|by| by.unused(diff)));
    let view = DiffView {
        diff,
        stale,
        diagnostics: &diagnostics,
        by: config.by.as_ref().map(Grouped::grouping),
        options: config.evaluation.layout(),
        workers,
    };
    write_documents(&config.formats, |format, out| write_diff(format, &view, out))?;
    let verbosity = config.evaluation.verbosity;
    let shown = config.formats.iter().any(FormatTo::is_shown);
    verbosity.print(&diagnostics, verbosity.least_level(shown));
    Ok(())
}

fn exit(diff: &history::Diff<'_>, fail_on_new: FailOn) -> Exit {
    let rules = diff.rules.iter().zip(diff.findings(Move::Opened).by_rule());
    let opened = rules.filter(|&(_, &count)| count > 0);
    fail_on_new.exit(opened.map(|(rule, _)| rule.bound.severity))
}

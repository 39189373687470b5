//! Which rules evaluate the reports and how: what `scan`, `list`, `diff` and `trend` have in common, as typed and as resolved.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use credlens::engine::{self, EmitFilter, Program, RowSelection, Sink, Source};
use credlens::finding::{Code, Diagnostic, Level, Severity, Status, Tally};
use credlens::io::inputs::{InputOptions, Limits};
use credlens::output::{DisplayOptions, FormatSpec};
use credlens::report::time::Timestamp;
use credlens::rule::{
    self, Catalogue, Filters, Framework, Owners, PartlyDecided, Selected, Selection, Setting, Suppressions,
    WeakenedParameter,
};

use super::aws::Objects;
use super::failure::{Attempt as _, Failure};
use super::filters::{self, FilterArgs};
use super::inputs::{InputReader, LimitArgs};
use super::outputs::FormatTo;
use super::progress::Progress;
use super::rule_files::catalogue;
use super::settings::SettingsFile;
use super::terminal::{Color, colored, width};
use super::{diagnostics, now};

/// More cores than any machine has: a typing error must not start a million threads.
const MAX_THREADS: usize = 1024;

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// A rule, by id or glob. Repeatable
    ///
    /// Also by the name of another tool's check (IAM.8, D9.AWS.IAM.07, `access-keys-rotated`), with that tool's
    /// parameters; * is every rule [default: those marked as default in `credlens rules list`]
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    rule: Vec<String>,

    /// A benchmark, such as cis-aws-5.0. Repeatable
    ///
    /// All its rules, with its parameters; `credlens frameworks list` has the names
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    framework: Vec<String>,

    /// Of the frameworks only the requirements of this level (profile) and those below it
    #[arg(long, value_name = "N", help_heading = "Rules")]
    level: Option<u8>,

    /// Your own rules. Repeatable
    ///
    /// A TOML file, a file of bare GSL, or a directory of them
    #[arg(long, value_name = "PATH", help_heading = "Rules")]
    rules_from: Vec<PathBuf>,

    /// A parameter of a rule, such as access-key-unused.max_idle=60. Repeatable
    #[arg(long, value_name = "RULE.PARAM=VALUE", help_heading = "Rules")]
    set: Vec<String>,

    #[command(flatten)]
    filters: FilterArgs,

    /// Show only findings this severe
    ///
    /// Those of this severity or higher: informational, low, medium, high or critical. `scan` counts the
    /// others, too [default: informational]
    #[arg(long, value_name = "SEVERITY", help_heading = "Output")]
    min_severity: Option<Severity>,

    /// Lines per list; 0 is all [default: 50]
    ///
    /// In formats for people: of findings the worst, of a list the first in its order
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(super) limit: Option<usize>,

    /// Accepted findings
    ///
    /// A TOML file with [[suppress]] entries
    #[arg(long, value_name = "FILE", help_heading = "Suppressions")]
    suppressions: Option<PathBuf>,

    /// Suppress nothing, whatever the files say
    #[arg(long, help_heading = "Suppressions", conflicts_with = "suppressions")]
    no_suppressions: bool,

    /// Settings file; its format, status, by and fail-on apply to `scan` only, as-of to `scan` and `list` [default: credlens.toml in the
    /// working directory, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Threads, at most 1024; 0 is one per core [default: 0]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    #[command(flatten)]
    limits: LimitArgs,

    /// Colours: auto, always or never [default: auto, which is on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_name = "WHEN")]
    color: Option<Color>,

    /// Print only errors on standard error
    #[arg(long, short)]
    quiet: bool,

    /// Show every diagnostic, notes included
    #[arg(long, short, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
}

/// How much is printed, and in colour or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verbosity {
    pub(super) color: Color,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
}

/// How reports are evaluated.
pub(super) struct Evaluation {
    pub(super) program: Program,
    pub(super) frameworks: Vec<Arc<Framework>>,
    pub(super) level: Option<u8>,
    partly_decided: Vec<PartlyDecided>,
    /// The ids of rules that need details and were asked for by id.
    details_by_id: Vec<String>,
    /// Whether the rules are those that run if none is chosen.
    is_default: bool,
    /// The ids of rules that are left out because they need details.
    left_out: Vec<String>,
    pub(super) weakened: Vec<WeakenedParameter>,
    pub(super) suppressions: Suppressions,
    /// Where the owners of users come from, and the file of owners.
    owners: Option<(Arc<Owners>, PathBuf)>,
    pub(super) filters: Filters,
    pub(super) min_severity: Severity,
    /// The window in seconds in which verdicts are due, for commands that show them.
    pub(super) due_within: Option<u64>,
    pub(super) limit: usize,
    is_limit_given: bool,
    pub(super) threads: usize,
    pub(super) verbosity: Verbosity,
    pub(super) now: Timestamp,
    limits: Limits,
    settings_file: Option<PathBuf>,
    /// The files of rules, suppressions and settings.
    reads: Vec<PathBuf>,
}

impl Evaluation {
    /// The same for commands that compare snapshots: rules that need details are left out.
    pub(super) fn resolve_for_snapshots(
        args: &EvaluateArgs,
        settings: &SettingsFile<'_>,
    ) -> Result<Self, Failure> {
        let mut evaluation = Self::resolve(args, settings)?;
        if let Some(id) = evaluation.details_by_id.first() {
            return Err(Failure::Usage(format!(
                "the rule {id} needs details, which snapshots do not have: use it with `credlens scan`"
            )));
        }
        let (left_out, rules): (Vec<_>, Vec<_>) = evaluation
            .program
            .rules()
            .cloned()
            .partition(|bound| bound.typed.entity.needs_details());
        evaluation.left_out = left_out.into_iter().map(|bound| bound.rule.id.clone()).collect();
        evaluation.program = Program::new(rules);
        Ok(evaluation)
    }

    /// Findings say how they are fixed.
    pub(super) fn with_fixes(&mut self) {
        let program = std::mem::replace(&mut self.program, Program::new(Vec::new()));
        self.program = program.with_fixes();
    }

    /// Takes the users and paths that `--exclude-…` names out of the filters, so that these users are evaluated. Accounts are
    /// left out as ever: they need not be fetched.
    pub(super) fn take_exclusions(&mut self) -> Filters {
        let (only, excluded) = std::mem::take(&mut self.filters).split();
        self.filters = only;
        excluded
    }

    /// Adds a file that the run reads.
    pub(super) fn add_read(&mut self, path: &Path) {
        self.reads.push(path.to_owned());
    }

    /// Findings say the owners of users, from there and this file.
    pub(super) fn own(&mut self, owners: &Arc<Owners>, file: Option<PathBuf>) {
        let program = std::mem::replace(&mut self.program, Program::new(Vec::new()));
        self.program = program.with_owners(owners);
        self.owners = file.map(|file| (Arc::clone(owners), file));
    }

    /// A rule that was asked for by id was run, or there was nothing to run any rule on.
    pub(super) fn check_details(&self, tally: &Tally) -> Result<(), Failure> {
        match self.details_by_id.first() {
            Some(id) if !tally.has_details && tally.evaluated > 0 => Err(without_details(id)),
            Some(_) | None => Ok(()),
        }
    }

    /// The same for live accounts, before they are fetched.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs fetch details")
    )]
    pub(super) fn check_live_details(&self, has_details: bool) -> Result<(), Failure> {
        match self.details_by_id.first() {
            Some(id) if !has_details => Err(without_details(id)),
            Some(_) | None => Ok(()),
        }
    }

    /// That a rule was asked for by id and not run, although details were to be fetched; and whether no other rule was.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs fetch details")
    )]
    pub(super) fn not_run_by_id(&self, tally: &Tally) -> Option<(String, bool)> {
        let not_run = |_: &&String| !tally.has_details && tally.evaluated > 0;
        let id = self.details_by_id.first().filter(not_run)?;
        let mut rules = self.program.rules();
        let is_all = rules.all(|bound| bound.typed.entity.needs_details());
        let message = format!(
            "the rule {id} was not run: the service-specific credentials of no account could be listed"
        );
        Some((message, is_all))
    }

    /// Reads the rules and suppressions that the command line and the settings file name.
    pub(super) fn resolve(args: &EvaluateArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        let in_file = &settings.values;
        let verbosity = Verbosity::resolve(args, settings);
        let threads = check_threads(args.threads.or(in_file.threads).unwrap_or(0))?;
        let mut reads = in_file.rules_from.clone().unwrap_or_default();
        reads.extend(args.rules_from.iter().cloned());
        let catalogue = catalogue(&reads)?;
        let selected = select(args, settings, &catalogue)?;
        let (path, in_file_path) = (args.suppressions.as_ref(), in_file.suppressions.as_ref());
        let no_suppressions = args.no_suppressions || in_file.no_suppressions == Some(true);
        let suppressions = if no_suppressions && path.is_none() {
            Suppressions::default()
        } else {
            let path = path.or(in_file_path);
            reads.extend(path.cloned());
            suppressions(path.map(PathBuf::as_path), settings, &catalogue)?
        };
        reads.extend(settings.path().map(ToOwned::to_owned));
        let max_unpacked = args.limits.max_unpacked.or(in_file.max_unpacked);
        let min_severity = args.min_severity.or(in_file.min_severity);
        Ok(Self {
            program: Program::new(selected.rules),
            frameworks: selected.frameworks,
            level: selected.level,
            partly_decided: selected.partly_decided,
            details_by_id: selected.details_by_id,
            is_default: selected.is_default,
            left_out: Vec::new(),
            weakened: selected.weakened,
            suppressions,
            owners: None,
            filters: args.filters.resolve(in_file)?,
            min_severity: min_severity.unwrap_or(Severity::Informational),
            due_within: None,
            limit: match args.limit.or(in_file.limit).unwrap_or(50) {
                0 => usize::MAX,
                limit => limit,
            },
            is_limit_given: args.limit.or(in_file.limit).is_some(),
            threads,
            limits: LimitArgs { max_unpacked }.limits(),
            verbosity,
            now: now(),
            settings_file: settings.path().map(ToOwned::to_owned),
            reads,
        })
    }

    /// The notes about the choice of rules and users: settings of a file were used, a framework is retired,
    /// a check is decided in part.
    pub(super) fn notes(&self) -> Vec<Diagnostic> {
        let path = self.settings_file.iter().map(|path| path.to_string_lossy());
        let settings =
            path.map(|path| Diagnostic::new(Code::Settings, "settings of this file were used").in_path(path));
        let retired = self.frameworks.iter().filter_map(|framework| {
            let day = framework.retired.as_ref()?;
            let (name, successor) = (&framework.name, framework.successor.as_ref());
            let successor = successor.map(|other| format!("; {other} took its place"));
            let message = format!("{name} was retired on {day}{}", successor.unwrap_or_default());
            Some(Diagnostic::new(Code::RetiredFramework, message))
        });
        let partly = self.partly_decided.iter();
        let partly = partly.map(|check| Diagnostic::new(Code::PartlyDecided, check.to_string()));
        let filters = filters::note(&self.filters);
        let not_run = (!self.left_out.is_empty() && !self.is_default).then(|| {
            let ids = self.left_out.join(", ");
            let message = format!("not run, because snapshots have no details: {ids}");
            Diagnostic::new(Code::RulesNotRun, message)
        });
        let notes = settings.chain(filters).chain(retired).chain(partly);
        notes.chain(not_run).collect()
    }

    /// Adds the diagnostics about the settings rather than about an input.
    pub(super) fn add_diagnostics(&self, tally: &mut Tally) {
        // No one asked for these rules; where some reports have details, all should.
        let is_asked_for = !self.is_default || tally.has_details;
        tally
            .diagnostics
            .retain(|it| is_asked_for || it.code != Code::RulesNotRun);
        tally.diagnostics.extend(self.notes());
        let weakened = self.weakened.iter().map(ToString::to_string);
        let weakened = weakened.map(|message| Diagnostic::new(Code::LooserThanFramework, message));
        tally.diagnostics.extend(weakened);
        let inputs = tally.evaluated_inputs().into_iter();
        let latest = inputs.filter_map(|input| input.as_of.parse().ok()).max();
        let suppressions = self.suppressions.diagnostics(latest).into_iter();
        // A user that filters leave out may be the one that a suppression is for.
        let is_all = self.filters.is_empty();
        let suppressions = suppressions.filter(|it| is_all || it.code != Code::SuppressionUnused);
        tally.diagnostics.extend(suppressions);
        let owners = self.owners.as_ref().filter(|_| is_all && tally.evaluated > 0);
        let unused = owners.and_then(|(owners, file)| owners.unused(&file.display().to_string()));
        tally.diagnostics.extend(unused);
    }

    /// The files and directories that a run on these inputs reads: no output may replace them.
    pub(super) fn reads(&self, inputs: &[PathBuf]) -> Vec<PathBuf> {
        [inputs, &self.reads].concat()
    }

    /// What reads these inputs, each evaluated at `as_of` or at its own time.
    pub(super) fn reader(
        &self,
        paths: Vec<PathBuf>,
        as_of: Option<Timestamp>,
        objects: Objects,
    ) -> InputReader {
        let options = InputOptions {
            as_of,
            now: self.now,
            compared: false,
            hashed: 0,
            limits: self.limits,
        };
        // What is read twice is still there the second time.
        for path in &paths {
            super::archive::keep_files(path);
        }
        InputReader {
            paths,
            options,
            objects: objects.quiet(self.verbosity.quiet),
        }
    }

    /// Evaluates these users of all that the source gives, and emits findings to the sink.
    pub(super) fn assess(
        &self,
        source: impl Source,
        emit: EmitFilter,
        sink: &impl Sink,
        (rows, filters): (RowSelection, Option<&Filters>),
    ) -> io::Result<Tally> {
        let options = engine::AssessOptions {
            threads: self.threads,
            emit,
            suppressions: Some(&self.suppressions),
            rows,
            filters,
            due_within: self.due_within,
        };
        engine::assess(&self.program, source, sink, options)
    }

    /// The findings that `diff` and `trend` follow.
    pub(super) fn followed(&self) -> EmitFilter {
        let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
        EmitFilter::new(&statuses, self.min_severity)
    }

    /// The same source, with progress on a terminal.
    pub(super) fn progress<S: Source>(&self, source: S) -> Progress<S> {
        Progress::new(source, self.verbosity.quiet)
    }

    /// How formats for people are laid out. All of them look alike, and a file that people open later is not a
    /// terminal.
    pub(super) fn layout_of<W>(&self, formats: &[FormatTo<&FormatSpec<W>>]) -> DisplayOptions {
        let in_file = |to: &FormatTo<&FormatSpec<W>>| to.path.is_some() && to.format.is_for_terminals();
        let plain = self.verbosity.color == Color::Auto && formats.iter().any(in_file);
        DisplayOptions {
            color: !plain && colored(&io::stdout()),
            errors: !formats.iter().any(FormatTo::is_on_terminal),
            ..self.layout()
        }
    }

    /// How formats for people are laid out.
    pub(super) fn layout(&self) -> DisplayOptions {
        DisplayOptions {
            width: width(),
            color: colored(&io::stdout()),
            limit: self.limit,
            is_limit_given: self.is_limit_given,
            now: Some(self.now),
            errors: true,
            region: None,
            fixes: false,
        }
    }
}

fn without_details(id: &str) -> Failure {
    Failure::Usage(format!(
        "the rule {id} is about service-specific credentials, which no report has: fetch them with --details, live or with \
         `credlens fetch`"
    ))
}

fn check_threads(threads: usize) -> Result<usize, Failure> {
    if threads > MAX_THREADS {
        return Err(Failure::Usage(format!(
            "--threads must be 0 to {MAX_THREADS}, got {threads}"
        )));
    }
    Ok(threads)
}

/// The rules that are asked for, with their parameters.
fn select(
    args: &EvaluateArgs,
    settings: &SettingsFile<'_>,
    catalogue: &Catalogue,
) -> Result<Selected, Failure> {
    // Of two values for a parameter the last one counts: that of the command line.
    let mut parameters = match &settings.file {
        Some((_, document)) => document.parameters(catalogue)?,
        None => Vec::new(),
    };
    let given = args.set.iter().map(|text| text.parse());
    let given = given.collect::<Result<Vec<Setting>, _>>()?;
    parameters.extend(given.iter().cloned());
    // Rules and frameworks are one choice: the command line makes all of it or none.
    let on_command_line = !args.rule.is_empty() || !args.framework.is_empty();
    let (rules, frameworks) = if on_command_line {
        (args.rule.clone(), args.framework.clone())
    } else {
        let in_file = &settings.values;
        (
            in_file.rule.clone().unwrap_or_default(),
            in_file.framework.clone().unwrap_or_default(),
        )
    };
    let in_file = settings.values.level.filter(|_| !on_command_line);
    let level = args.level.or(in_file);
    if level.is_some() && frameworks.is_empty() {
        let message = "--level chooses requirements of a framework: give --framework as well";
        return Err(Failure::Usage(message.to_owned()));
    }
    let selection = Selection {
        rules,
        frameworks,
        level,
        settings: parameters,
    };
    let selected = rule::select(catalogue, &selection)?;
    selected.check_settings(catalogue, &given)?;
    Ok(selected)
}

/// The entries of this file and of the settings file.
fn suppressions(
    path: Option<&Path>,
    settings: &SettingsFile<'_>,
    catalogue: &Catalogue,
) -> Result<Suppressions, Failure> {
    let mut all = Suppressions::default();
    if let Some(path) = path {
        let text = std::fs::read_to_string(path);
        let text = text.attempt(|| format!("cannot read the suppressions {}", path.display()))?;
        all.extend(Suppressions::parse(&path.to_string_lossy(), &text, catalogue)?);
    }
    if let Some((_, document)) = &settings.file {
        all.extend(document.suppressions(catalogue)?);
    }
    Ok(all)
}

impl Verbosity {
    fn resolve(args: &EvaluateArgs, settings: &SettingsFile<'_>) -> Self {
        let in_file = &settings.values;
        let color = args.color.or(in_file.color).unwrap_or(Color::Auto);
        color.choose();
        Self {
            color,
            quiet: args.quiet || (in_file.quiet == Some(true) && args.verbose == 0),
            verbose: args.verbose > 0 || (in_file.verbose == Some(true) && !args.quiet),
        }
    }

    /// The least level that is printed on standard error; `shown` says whether standard output shows the diagnostics
    /// to people already.
    pub(super) fn least_level(self, shown: bool) -> Level {
        match (self.quiet, self.verbose, shown) {
            (true, ..) | (false, false, true) => Level::Error,
            (false, false, false) => Level::Warning,
            (false, true, _) => Level::Note,
        }
    }

    /// Whether a diagnostic is printed: of this level or worse, or about what was read where warnings are printed.
    pub(super) fn is_printed(diagnostic: &Diagnostic, least: Level) -> bool {
        diagnostic.level >= least || (diagnostics::is_about_inputs(diagnostic) && least == Level::Warning)
    }

    /// Prints the diagnostics of this level or worse.
    pub(super) fn print(self, diagnostics: &[Diagnostic], least: Level) {
        let printed = diagnostics
            .iter()
            .filter(|diagnostic| Self::is_printed(diagnostic, least));
        diagnostics::print_all(printed, self.verbose);
    }
}

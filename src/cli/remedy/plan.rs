//! `credlens remedy plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use credlens::engine::{self, AssessOptions, EmitFilter, Program, RowSelection, Source};
use credlens::finding::{Code, Diagnostic, Status, Tally};
use credlens::gsl::typed::Entity;
use credlens::output::plan::{PlanBy, PlanFormat, PlanView};
use credlens::output::{DisplayOptions, counted};
use credlens::remedy::{
    Announced, Collect, Collected, EarlierChanges, ExemptTag, InactiveKeys, KeyHistory, Options, Plan,
    PlanInput, User, plan,
};
use credlens::report::time::Timestamp;
use credlens::rule::{BoundRule, Filters};

use super::args::PlanArgs;
use super::files::{read, read_plan};
use crate::cli::due;
use crate::cli::evaluate::Evaluation;
use crate::cli::evaluating_run::{self, EvaluatingRun, Subject, is_partial};
use crate::cli::failure::{Exit, Failure};
use crate::cli::inputs::InputReader;
use crate::cli::outputs::{FormatTo, check_formats, write_documents};
use crate::cli::settings::{SettingsFile, SettingsText};

/// A plan, resolved.
struct PlanConfig {
    subject: Subject,
    formats: Vec<FormatTo<PlanFormat>>,
    by: Option<PlanBy>,
    quiet_days: Option<i64>,
    exempt_tag: ExemptTag,
    /// Whether a tag was named that exempts users.
    asks_for_tags: bool,
    /// The users that are left out of the steps, and listed.
    excluded: Filters,
    history: Option<InputReader>,
    announced: Announced,
    journal: EarlierChanges,
}

impl PlanConfig {
    fn resolve(args: PlanArgs, settings: &SettingsFile<'_>) -> Result<Self, Failure> {
        super::check_guards(args.exempt_tag.as_deref(), &[])?;
        let objects = args.live.objects(&args.inputs)?;
        let mut evaluation = Evaluation::resolve(&args.evaluate, settings)?;
        let in_file = &settings.values;
        args.owners.resolve(&mut evaluation, in_file)?;
        evaluation.due_within = due::window(args.due_within, in_file)?;
        evaluation.with_fixes();
        let excluded = evaluation.take_exclusions();
        let as_of = args.as_of.or(in_file.as_of.map(|word| word.0));
        let formats = FormatTo::or_default(args.format);
        if args.by.is_some() && !formats.iter().any(|to| to.format.is_grouped()) {
            return Err(Failure::Usage(
                "--by is for --format table, markdown and csv".to_owned(),
            ));
        }
        let mut journal = EarlierChanges::default();
        for path in &args.journal {
            let text = read(path, "journal")?;
            let added = journal.add(&String::from_utf8_lossy(&text));
            added.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        }
        let announced = match &args.announced {
            Some(path) => Announced::of(&read_plan(path)?.0),
            None => Announced::default(),
        };
        let named = [&args.history[..], &args.journal, args.announced.as_slice()].concat();
        let reads = [evaluation.reads(&args.inputs), named, args.live.reads()];
        check_formats(&formats, &reads.concat())?;
        let history = history(&args.history, &evaluation, &args.live)?;
        let mut inputs = evaluation.reader(args.inputs, as_of, objects);
        inputs.options.hashed = args.evidence.hashed(in_file, true);
        Ok(Self {
            formats,
            by: args.by.map(|word| word.0),
            quiet_days: args.quiet_days.map(i64::from),
            asks_for_tags: args.exempt_tag.is_some(),
            exempt_tag: args
                .exempt_tag
                .as_deref()
                .map(ExemptTag::parse)
                .unwrap_or_default(),
            excluded,
            history,
            announced,
            journal,
            subject: Subject {
                inputs,
                live: args.live,
                all_snapshots: false,
                evaluation,
            },
        })
    }

    /// Since when keys of these users are inactive, as earlier snapshots show.
    fn inactive(&self, users: &[User], tally: &mut Tally) -> Result<InactiveKeys, Failure> {
        let Some(history) = &self.history else {
            return Ok(InactiveKeys::default());
        };
        let wanted: BTreeSet<_> = users.iter().flat_map(User::inactive_keys).collect();
        if wanted.is_empty() {
            return Ok(InactiveKeys::default());
        }
        let keys = KeyHistory::of(wanted);
        let evaluation = &self.subject.evaluation;
        let options = AssessOptions {
            threads: evaluation.threads,
            emit: EmitFilter::nothing(),
            ..AssessOptions::default()
        };
        let source = evaluation.progress(history.open());
        let read = engine::assess(&Program::new(Vec::new()), source, &keys, options)?;
        tally.diagnostics.extend(read.diagnostics);
        Ok(keys.inactive())
    }

    fn print_diagnostics(&self, written: &Written) {
        self.subject.print_diagnostics(&written.tally, &self.formats);
    }
}

/// What was gathered, and no plan yet.
struct Evaluated {
    tally: Tally,
    collected: Collected,
}

struct Written {
    tally: Tally,
}

pub(super) fn run(args: PlanArgs) -> Result<Exit, Failure> {
    let text = SettingsText::read(args.evaluate.config.as_deref())?;
    let config = PlanConfig::resolve(args, &text.parse()?)?;
    evaluating_run::run(&config)
}

impl EvaluatingRun for PlanConfig {
    type Evaluated = Evaluated;
    type Written = Written;
    const INTERRUPTED: &'static str = "interrupted; no plan was written to files";

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn targets(&self) -> Vec<&Path> {
        self.formats.iter().filter_map(|to| to.path.as_deref()).collect()
    }

    fn tagged(&self) -> Option<Vec<Status>> {
        Some(vec![Status::Fail])
    }

    fn evaluate(&self, source: impl Source, rows: RowSelection) -> Result<Evaluated, Failure> {
        let evaluation = &self.subject.evaluation;
        let sink = Collect::default();
        let statuses = [
            Status::Fail,
            Status::Undetermined,
            Status::Suppressed,
            Status::Due,
        ];
        let emit = EmitFilter::new(&statuses, evaluation.min_severity);
        let rows = (rows, Some(&evaluation.filters));
        let tally = evaluation.assess(evaluation.progress(source), emit, &sink, rows)?;
        Ok(Evaluated {
            tally,
            collected: sink.into_collected(),
        })
    }

    fn tally(evaluated: &mut Evaluated) -> &mut Tally {
        &mut evaluated.tally
    }

    fn write(&self, evaluated: Evaluated) -> Result<Written, Failure> {
        let Evaluated { mut tally, collected } = evaluated;
        let evaluation = &self.subject.evaluation;
        if self.subject.is_shown_by_its_error(&tally, &self.formats) {
            return Ok(Written { tally });
        }
        let inactive = self.inactive(&collected.users, &mut tally)?;
        evaluation.add_diagnostics(&mut tally);
        tally.diagnostics.extend(notes(&collected, evaluation.now));
        if self.asks_for_tags && collected.users.iter().all(|user| user.tags.is_none()) {
            return Err(Failure::Usage(
                "--exempt-tag needs the tags of users, which no report has: use --details, live or with `credlens fetch`"
                    .to_owned(),
            ));
        }
        let digests = tally
            .inputs
            .iter()
            .filter_map(|input| Some((input.path.clone(), input.sha256.clone()?)));
        let input = PlanInput {
            created: evaluation.now,
            options: Options {
                quiet_days: self.quiet_days,
                idle_limit: evaluation.program.rules().filter_map(idle_limit).max(),
                excluded: self.excluded.clone(),
                exempt_tag: self.exempt_tag.clone(),
                inactive,
                journal: self.journal.clone(),
            },
            announced: self.announced.clone(),
            evidence: Some(evaluation.evidence()),
            digests: digests.collect::<BTreeMap<_, _>>(),
            diagnostics: tally.diagnostics.clone(),
        };
        let plan = plan(&collected, input);
        let written = Written { tally };
        let result = self.write_plan(&plan, written.tally.evaluated);
        result.inspect_err(|_| self.print_diagnostics(&written))?;
        Ok(written)
    }

    fn conclude(&self, written: &Written, allow_failed: usize) -> Exit {
        self.print_diagnostics(written);
        if written.tally.evaluated == 0 {
            Exit::NothingEvaluated
        } else if is_partial(&written.tally, allow_failed) {
            Exit::Partial
        } else {
            Exit::Clean
        }
    }
}

impl PlanConfig {
    fn write_plan(&self, plan: &Plan, evaluated: u64) -> Result<(), Failure> {
        let view = PlanView {
            plan,
            evaluated,
            by: self.by,
            options: self.layout(),
        };
        write_documents(&self.formats, |format, out| {
            out.write_all(format.write(&view).as_bytes())
        })
    }

    /// All steps are shown unless a limit is given: what is not shown is not done.
    fn layout(&self) -> DisplayOptions {
        let options = self.subject.evaluation.layout_of(&self.formats);
        DisplayOptions {
            limit: if options.is_limit_given {
                options.limit
            } else {
                usize::MAX
            },
            ..options
        }
    }
}

/// What reads the earlier snapshots, each at its own time.
fn history(
    paths: &[PathBuf],
    evaluation: &Evaluation,
    live: &crate::cli::aws::LiveScanArgs,
) -> Result<Option<InputReader>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let objects = live.objects_of(paths)?;
    Ok(Some(evaluation.reader(paths.to_vec(), None, objects)))
}

/// What should be known about a plan: whose tags are not known, and how old its reports are.
fn notes(collected: &Collected, now: Timestamp) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    let without_tags = collected
        .users
        .iter()
        .filter(|user| !user.is_root && user.tags.is_none());
    let count = without_tags.count() as u64;
    if count > 0 {
        let users = counted(count, "user");
        let message = format!("the tags of {users} are not known, so no tag exempts them");
        notes.push(Diagnostic::new(Code::TagsNotKnown, message));
    }
    let without_services = collected
        .accounts
        .values()
        .filter(|account| !account.has_services);
    let count = without_services.count() as u64;
    if count > 0 {
        let accounts = counted(count, "account");
        let message = format!(
            "the reports of {accounts} do not say for which services keys were used last, so users of SES SMTP are recognized by \
             their names alone"
        );
        notes.push(Diagnostic::new(Code::ServicesNotKnown, message));
    }
    let made = collected
        .accounts
        .values()
        .filter_map(|account| account.generated);
    let is_old = |time: &Timestamp| time.days_until(now).is_some_and(|days| days > 0);
    if let Some(oldest) = made.min().filter(is_old) {
        let message = format!("the oldest report is of {oldest}; what was used since is not known");
        notes.push(Diagnostic::new(Code::OldReport, message));
    }
    notes
}

/// The days without use that a rule about keys allows, if it is about use.
fn idle_limit(bound: &BoundRule) -> Option<i64> {
    let is_of_keys = bound.typed.entity == Entity::IamAccessKey;
    bound.parameters.get("max_idle").copied().filter(|_| is_of_keys)
}

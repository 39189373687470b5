//! `credlens remedy apply`.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use credlens::aws::{Caller, RemedyIam};
use credlens::finding::Command;
use credlens::io::journal::JournalFile;
use credlens::output::changes::{applied_line, step_line};
use credlens::output::{counted, escape};
use credlens::remedy::{
    Applying, Begin, Chosen, End, Ending, Entry, ExemptTag, Guards, JournalText, KeyAction, Limits, PlanRef,
    Record, Recorded, Recorder as _, Replay, Selection, Session, SkipReason, Step, StepReport, Unrecorded,
    check_again, choose, span,
};

use super::access::{Access, caller_ref, print_policy};
use super::args::ApplyArgs;
use super::files::{read, read_plan};
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::outputs::print;
use crate::cli::settings::SettingsValues;
use crate::cli::signals;
use crate::cli::span::Span;
use crate::cli::terminal::{print_note, width};

const DAY: i64 = 86_400;

/// What a run applies: the first record of its journal, and what is left to do.
struct Run {
    begin: Begin,
    states: Vec<Recorded>,
    /// The bytes of the journal that goes on.
    before: Option<Vec<u8>>,
}

pub(super) fn run(args: &ApplyArgs) -> Result<Exit, Failure> {
    args.access.check()?;
    super::check_guards(args.exempt_tag.as_deref(), &args.exempt_group)?;
    if args
        .journal
        .as_deref()
        .is_some_and(|path| path.as_os_str() == "-")
    {
        return Err(Failure::Usage(
            "--journal needs a file, which --resume and undo can read".to_owned(),
        ));
    }
    if args.access.external_id.is_some() && args.access.role_name.is_none() && args.resume.is_none() {
        return Err(Failure::Usage(
            "--external-id is for roles; add --role-name ROLE".to_owned(),
        ));
    }
    match (&args.plan, &args.resume) {
        (Some(plan), None) => apply_plan(args, plan),
        (None, Some(journal)) => resume(args, journal),
        (None | Some(_), None | Some(_)) => Err(Failure::Usage(
            "name a plan, or the journal of an earlier run with --resume".to_owned(),
        )),
    }
}

/// Applies a plan from its beginning.
fn apply_plan(args: &ApplyArgs, path: &Path) -> Result<Exit, Failure> {
    let (plan, sha256) = read_plan(path)?;
    let announced = args.announced.as_deref().map(read_plan).transpose()?;
    let announced_ref = announced.as_ref().map(|(older, sha256)| PlanRef {
        id: older.id.clone(),
        created: older.created,
        sha256: sha256.clone(),
    });
    let limits = args.limits();
    let selection = Selection {
        steps: args.step.clone(),
        filters: args.filters.resolve(&SettingsValues::default())?,
        announced: announced.map(|(older, _)| older),
    };
    let chosen =
        choose(&plan, &selection, &limits, now()).map_err(|refusal| Failure::Usage(refusal.to_string()))?;
    say_what_is_left_out(&chosen, &limits);
    if chosen.steps.is_empty() {
        return Err(Failure::NothingToDo(nothing_to_do(&selection)));
    }
    let id = journal_id(&plan.id);
    let mut access = args.access.connect(&id)?;
    let caller = access.ask_caller(Duration::MAX)?;
    check_accounts(args, &chosen, &caller)?;
    let chosen_by = chosen_by(&selection);
    let begin = Begin {
        journal: id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: PlanRef {
            id: plan.id.clone(),
            created: plan.created,
            sha256,
        },
        announced: announced_ref,
        limits,
        guards: args.guards(),
        caller: caller_ref(&caller),
        role_name: args.access.role_name.clone(),
        chosen_by,
        evidence: plan.evidence,
        accounts: chosen.accounts,
        numbers: chosen.numbers,
        steps: chosen.steps,
    };
    let states = vec![Recorded::NotDone; begin.steps.len()];
    execute(
        args,
        &Run {
            begin,
            states,
            before: None,
        },
        &access,
    )
}

/// Goes on with an earlier run: what was done is not done again, and what may have been done is asked.
fn resume(args: &ApplyArgs, path: &Path) -> Result<Exit, Failure> {
    let bytes = read(path, "journal")?;
    let of_file = |error| Failure::Usage(format!("{}: {error}", path.display()));
    let records = JournalText::whole(&String::from_utf8_lossy(&bytes)).map_err(of_file)?;
    let replay = Replay::of(&records);
    let (_, begin) = replay.first().map_err(of_file)?.clone();
    if replay
        .sessions
        .iter()
        .any(|(_, action, _)| *action == KeyAction::Activate)
    {
        return Err(Failure::Usage(format!(
            "{}: this run was undone, so it does not go on; make a new plan",
            path.display()
        )));
    }
    check_again(&begin, now()).map_err(|refusal| Failure::Usage(refusal.to_string()))?;
    let state = |step: &Step| {
        let known = replay.keys.iter().find(|key| key.key.step == step.id);
        known.map_or(Recorded::NotDone, |key| key.state)
    };
    let states: Vec<Recorded> = begin.steps.iter().map(state).collect();
    if !states.iter().any(|state| state.needs_apply()) {
        let message = format!("{}: nothing is left to do", path.display());
        return Err(Failure::NothingToDo(message));
    }
    let mut access = args.access.connect(&begin.journal)?;
    access.ask_caller(Duration::MAX)?;
    let before = Some(bytes);
    execute(
        args,
        &Run {
            begin,
            states,
            before,
        },
        &access,
    )
}

/// Shows the steps, or applies them.
fn execute(args: &ApplyArgs, run: &Run, access: &Access) -> Result<Exit, Failure> {
    let Run {
        begin,
        states,
        before,
    } = run;
    let left: Vec<(&Step, Recorded)> = begin
        .steps
        .iter()
        .zip(states.iter().copied())
        .filter(|(_, state)| state.needs_apply())
        .collect();
    let role = args.access.role_name.as_deref().or(begin.role_name.as_deref());
    let mut iam = args.access.iam(access, &begin.journal, role, None);
    let mut seen = Seen::of(begin);
    if !args.yes {
        let end = seen.applying(&mut iam, begin).show(&left);
        print_policy(&iam, access.session.partition());
        seen.print(&format!(
            "{} would be deactivated, {} skipped, {} not decided; nothing was changed: --yes applies the plan\n",
            counted(seen.ready, "key"),
            end.skipped,
            end.failed + end.left,
        ));
        return seen.exit(access, end);
    }
    seen.show_steps(&left);
    access
        .runtime
        .exiting_at_once(|| confirm(&format!("Deactivate {}?", counted(left.len() as u64, "key"))))?;
    // Not before the answer: another run may need the journal while this one waits for it.
    let (path, mut journal) = open_journal(args, begin, before.as_deref(), access)?;
    let result = seen.applying(&mut iam, begin).apply(&left, &mut journal);
    print_policy(&iam, access.session.partition());
    let end = result.map_err(|unrecorded| not_recorded(&path, &unrecorded))?;
    seen.print(&ending(end, &path, args));
    seen.exit(access, end)
}

/// The journal, new or gone on with: nothing is changed before it is on the disk.
fn open_journal(
    args: &ApplyArgs,
    begin: &Begin,
    before: Option<&[u8]>,
    access: &Access,
) -> Result<(PathBuf, JournalFile), Failure> {
    let unwritable = |path: &Path| {
        Failure::output(format!(
            "cannot write the journal {}; nothing was changed",
            path.display()
        ))
    };
    if let (Some(before), Some(path)) = (before, &args.resume) {
        let mut journal = super::open_unchanged(path, before)?;
        let session = Session {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            caller: access.caller.as_ref().map(caller_ref),
        };
        journal
            .record(now(), Entry::Resume(session))
            .map_err(unwritable(path))?;
        return Ok((path.clone(), journal));
    }
    let at = now();
    let path = args.journal.clone().unwrap_or_else(|| {
        // The id is hexadecimal: `choose` checks that.
        let time: String = at
            .to_string()
            .chars()
            .filter(|char| !"-:".contains(*char))
            .collect();
        PathBuf::from(format!("credlens-{}-{time}.journal.ndjson", begin.plan.id))
    });
    let first = Record::new(at, Entry::Begin(Box::new(begin.clone())));
    match JournalFile::create(&path, &first) {
        Ok(journal) => Ok((path, journal)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Failure::Usage(format!(
            "{} exists already; give --journal another file, or go on with it: --resume",
            path.display()
        ))),
        Err(error) => Err(unwritable(&path)(error)),
    }
}

/// What was shown of the steps.
#[derive(Debug, Default)]
struct Seen {
    /// The numbers of steps in the plan, by id.
    numbers: BTreeMap<String, u64>,
    /// Steps that would be applied.
    ready: u64,
    /// Steps that could not be decided because AWS did not say enough.
    unreadable: u64,
    /// Why a line could not be printed. A run does not stop for that.
    unprinted: Option<Failure>,
}

impl Seen {
    fn of(begin: &Begin) -> Self {
        let ids = begin.steps.iter().map(|step| step.id.clone());
        Self {
            numbers: ids.zip(begin.numbers.iter().copied()).collect(),
            ..Self::default()
        }
    }

    fn show_steps(&mut self, left: &[(&Step, Recorded)]) {
        let number = |step: &Step| self.numbers.get(&step.id).copied().unwrap_or(0);
        let lines: String = left
            .iter()
            .map(|(step, _)| step_line(number(step), step, width()))
            .collect();
        self.print(&lines);
    }

    fn applying<'a>(&'a mut self, iam: &'a mut RemedyIam<'_>, begin: &'a Begin) -> Applying<'a> {
        Applying {
            iam,
            clock: &now,
            begin,
            show: Box::new(|report: &StepReport| self.step(report)),
        }
    }

    fn step(&mut self, report: &StepReport) {
        self.ready += u64::from(report.ending.is_none());
        let is_unreadable = report.ending == Some(Ending::Skipped(SkipReason::Unreadable));
        self.unreadable += u64::from(is_unreadable);
        let number = self.numbers.get(&report.key.step).copied();
        self.print(&applied_line(number, report, width()));
    }

    fn print(&mut self, text: &str) {
        if let Err(failure) = print("the steps", text) {
            self.unprinted.get_or_insert(failure);
        }
    }

    /// The exit status of a run that ended so.
    fn exit(self, access: &Access, end: End) -> Result<Exit, Failure> {
        if end.interrupted {
            return Ok(Exit::Signal(
                access.runtime.interrupted().unwrap_or(signals::INTERRUPT),
            ));
        }
        if let Some(failure) = self.unprinted {
            return Err(failure);
        }
        let is_nothing_read = end.done == 0 && end.skipped == 0 && self.ready == 0;
        Ok(if end.failed == 0 && end.left == 0 {
            Exit::Clean
        } else if is_nothing_read && self.unreadable == end.failed {
            Exit::NothingEvaluated
        } else {
            Exit::Partial
        })
    }
}

/// Asks on a terminal; elsewhere --yes is the answer.
pub(super) fn confirm(question: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    // Whatever standard error is redirected to, the question is seen.
    let terminal = File::options().write(true).open("/dev/tty");
    let mut terminal: Box<dyn io::Write> = match terminal {
        Ok(terminal) => Box::new(terminal),
        Err(_) => Box::new(io::stderr()),
    };
    let mut answer = String::new();
    let asked = write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .and_then(|()| io::stdin().read_line(&mut answer));
    match asked {
        Ok(_) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
        Ok(_) | Err(_) => Err(Failure::Usage("not confirmed: nothing was changed".to_owned())),
    }
}

/// How a run ended, where its journal is, and how it is taken back.
fn ending(end: End, path: &Path, args: &ApplyArgs) -> String {
    let counts = format!(
        "{} deactivated, {} skipped, {} failed or not decided, {} not begun",
        counted(end.done, "key"),
        end.skipped,
        end.failed,
        end.left
    );
    let path = super::as_argument(path);
    let command = |words: &[&str]| {
        let words = ["credlens", "remedy"]
            .iter()
            .chain(words)
            .map(|word| (*word).to_owned());
        Command::new(words.chain(args.access.words())).shell()
    };
    let mut lines = vec![counts, format!("journal: {path}")];
    if end.failed + end.left > 0 {
        lines.push(format!(
            "go on:   {}",
            command(&["apply", "--yes", &format!("--resume={path}")])
        ));
    }
    if end.done + end.failed > 0 {
        lines.push(format!("undo:    {}", command(&["undo", "--yes", &path])));
    }
    let lines: String = lines
        .into_iter()
        .map(|line| escape(&line).into_owned() + "\n")
        .collect();
    lines
}

/// What is known where a record could not be kept.
fn not_recorded(path: &Path, unrecorded: &Unrecorded) -> Failure {
    let changed = unrecorded.changed.as_ref().map(|key| {
        let id = key.access_key_id.as_deref().unwrap_or_default();
        format!(
            "; the last change, of key {id} of user {} in {}, is not recorded as done, but its intent is: `credlens remedy undo` knows it",
            key.user, key.account
        )
    });
    let attempt = format!(
        "cannot write the journal {}; the run stopped after {}{}",
        path.display(),
        counted(unrecorded.end.done, "change"),
        changed.unwrap_or_default()
    );
    let error = io::Error::new(unrecorded.error.kind(), unrecorded.error.to_string());
    Failure::output(attempt)(error)
}

fn say_what_is_left_out(chosen: &Chosen, limits: &Limits) {
    if chosen.unannounced > 0 {
        let days = limits.min_notice.unwrap_or(0);
        print_note(format_args!(
            "{} not announced for long enough: the older plan does not deactivate the key, or was made less than {} ago",
            are(chosen.unannounced),
            span(days)
        ));
    }
    if chosen.for_people > 0 {
        print_note(format_args!(
            "{} for people, and left alone",
            are(chosen.for_people)
        ));
    }
}

/// `1 step is`, `2 steps are`.
fn are(steps: u64) -> String {
    format!(
        "{} {}",
        counted(steps, "step"),
        if steps == 1 { "is" } else { "are" }
    )
}

fn nothing_to_do(selection: &Selection) -> String {
    let phrase = selection.filters.phrase();
    if phrase.is_empty() {
        "nothing to do: no step of the plan is to be applied".to_owned()
    } else {
        format!(
            "nothing to do: no step of the plan is chosen by{}",
            phrase.trim_start_matches(" of")
        )
    }
}

/// Steps in other accounts than the caller's need a role.
fn check_accounts(args: &ApplyArgs, chosen: &Chosen, caller: &Caller) -> Result<(), Failure> {
    if args.access.role_name.is_some() {
        return Ok(());
    }
    let ids = chosen.accounts.iter().filter_map(|account| account.id.as_deref());
    let others: Vec<&str> = ids.filter(|id| *id != caller.account).collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "the credentials are of account {}, and the plan has steps in {}; nothing was changed. Use credentials of that account, name \
         the role to assume there with --role-name, or choose with --account",
        caller.account,
        others.join(", ")
    )))
}

/// The options that choose among the steps of a plan, as typed.
fn chosen_by(selection: &Selection) -> Vec<String> {
    let steps = selection.steps.iter().map(|step| format!("--step={step}"));
    let filters = selection.filters.phrase();
    steps
        .chain((!filters.is_empty()).then(|| filters.trim_start_matches(" of").trim().to_owned()))
        .collect()
}

/// Another one for every run.
fn journal_id(plan: &str) -> String {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write(plan.as_bytes());
    hasher.write_u32(std::process::id());
    hasher.write_i64(now().0);
    format!("{:016x}", hasher.finish())
}

impl ApplyArgs {
    fn limits(&self) -> Limits {
        let seconds = |span: Option<Span>, default: i64| {
            span.map_or(default, |span| i64::try_from(span.seconds()).unwrap_or(i64::MAX))
        };
        Limits {
            max_changes: self.max_changes.unwrap_or(25),
            max_share: self.max_share.map_or(10, u64::from),
            max_errors: self.max_errors.unwrap_or(3),
            max_plan_age: seconds(self.max_plan_age, DAY),
            max_report_age: seconds(self.max_report_age, 2 * DAY),
            min_notice: self.announced.as_ref().map(|_| seconds(self.min_notice, 7 * DAY)),
        }
    }

    fn guards(&self) -> Guards {
        Guards {
            exempt_tag: self
                .exempt_tag
                .as_deref()
                .map(ExemptTag::parse)
                .unwrap_or_default(),
            exempt_groups: self.exempt_group.clone(),
        }
    }
}

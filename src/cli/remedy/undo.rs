//! `credlens remedy undo`.

use std::io;
use std::path::Path;
use std::time::Duration;

use credlens::io::journal::JournalFile;
use credlens::output::changes::{undo_ending, undone_line, would_undo_line};
use credlens::output::counted;
use credlens::remedy::{
    Begin, Ending, Entry, JournalText, KeyChanges, Recorded, Recorder, Replay, Session, StepKey, StepReport,
    Undoing,
};
use credlens::report::cell::{partition_of, path_of};
use credlens::report::time::Timestamp;
use credlens::rule::{Filters, UserToFilter};

use super::access::{caller_ref, print_policy};
use super::apply::confirm;
use super::args::UndoArgs;
use super::files::read;
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::outputs::print;
use crate::cli::settings::SettingsValues;
use crate::cli::signals;
use crate::cli::terminal::{print_error, print_note, print_warning, width};

/// The id in the session name where the journal's own is damaged.
const UNKNOWN: &str = "unknown";

/// How long AWS is asked whose credentials these are: that is for the record, and keys wait.
const CALLER: Duration = Duration::from_secs(20);

pub(super) fn run(args: &UndoArgs) -> Result<Exit, Failure> {
    args.access.check()?;
    let path = &args.journal;
    let bytes = read(path, "journal")?;
    let text = JournalText::read(&String::from_utf8_lossy(&bytes));
    // What can be read is undone: one damaged line must not leave all other keys inactive.
    for error in &text.damaged {
        print_warning(format_args!("{}: {error}", path.display()));
    }
    if text.records.is_empty() {
        return Err(Failure::Usage(format!("{} is not a journal", path.display())));
    }
    let replay = Replay::of(&text.records);
    let keys = chosen(args, &replay)?;
    let is_damaged = !text.damaged.is_empty();
    if is_damaged {
        say_what_is_unknown(&replay);
    }
    let lines: String = keys
        .iter()
        .map(|changes| would_undo_line(changes, width()))
        .collect();
    // Keys are activated even if these lines cannot be printed.
    drop(print("the keys", lines));
    if !args.yes {
        let keys = counted(keys.len() as u64, "key");
        print(
            "the keys",
            format!("{keys} would be activated; nothing was changed: --yes activates\n"),
        )?;
        return Ok(Exit::Clean);
    }
    confirm(&format!("Activate {} again?", counted(keys.len() as u64, "key")))?;
    let mut recorder = open(path, &bytes)?;
    let exit = undo(args, &replay, &keys, &mut recorder)?;
    Ok(if is_damaged && exit == Exit::Clean {
        Exit::Partial
    } else {
        exit
    })
}

/// The keys that are to be activated, the last change first.
fn chosen<'a>(args: &UndoArgs, replay: &'a Replay) -> Result<Vec<&'a KeyChanges>, Failure> {
    let path = args.journal.display();
    let filters = args.filters.resolve(&SettingsValues::default())?;
    let all = replay
        .keys
        .iter()
        .rev()
        .filter(|changes| changes.state.needs_undo());
    let all: Vec<&KeyChanges> = all.collect();
    if all.is_empty() {
        return Err(Failure::NothingToDo(format!("{path}: nothing is left to undo")));
    }
    let is_chosen = |changes: &&KeyChanges| is_chosen(args, &filters, replay, changes);
    let keys: Vec<&KeyChanges> = all.iter().copied().filter(is_chosen).collect();
    if keys.is_empty() {
        return Err(Failure::Usage(format!(
            "{path}: {} left to undo, and none is chosen by --step, --user, --path or --account; nothing was changed",
            counted(all.len() as u64, "key"),
        )));
    }
    Ok(keys)
}

/// Steps that the journal does not know to be done, where lines of it are damaged.
fn say_what_is_unknown(replay: &Replay) {
    let unknown = replay
        .keys
        .iter()
        .filter(|key| matches!(key.state, Recorded::NotDone | Recorded::Skipped));
    let users: Vec<&str> = unknown.map(|key| key.key.user.as_str()).collect();
    if !users.is_empty() {
        print_error(format_args!(
            "the journal is damaged: whether keys of these users were deactivated is not known: {}; look at them in IAM",
            users.join(", ")
        ));
    }
}

fn undo(
    args: &UndoArgs,
    replay: &Replay,
    keys: &[&KeyChanges],
    recorder: &mut Kept,
) -> Result<Exit, Failure> {
    let begin = replay.begin.as_ref().map(|(_, begin)| begin);
    let id = begin.map_or(UNKNOWN, |begin| &begin.journal);
    let mut access = args.access.connect(id)?;
    // Who it is matters less than that it is done.
    if let Err(failure) = access.ask_caller(CALLER) {
        if access.runtime.is_interrupted() {
            return Err(failure);
        }
        print_warning(&failure);
    }
    let session = Session {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        caller: access.caller.as_ref().map(caller_ref),
    };
    let mut unrecorded = recorder.record(now(), Entry::Undo(session)).err();
    let role = args.access.role_name.as_deref();
    let role = role.or_else(|| begin.and_then(|begin| begin.role_name.as_deref()));
    let mut iam = args.access.iam(&access, id, role, begin.and_then(partition));
    let (mut active, mut not_active) = (Vec::new(), Vec::new());
    let show = |report: &StepReport| {
        let id = name(&report.key);
        if report.ending == Some(Ending::Done) {
            active.push(id);
        } else {
            not_active.push(id);
        }
        drop(print("the keys", undone_line(report, width())));
    };
    let step_keys: Vec<StepKey> = keys.iter().map(|changes| changes.key.clone()).collect();
    let end = Undoing {
        iam: &mut iam,
        clock: &now,
        show: Box::new(show),
    }
    .undo(&step_keys, recorder);
    print_policy(&iam, access.session.partition());
    unrecorded = unrecorded.or(end.unrecorded);
    let begun = step_keys.len() - usize::try_from(end.left).unwrap_or(0);
    not_active.extend(step_keys[begun..].iter().map(name));
    say_what_may_follow(args, keys, unrecorded.as_ref());
    print("the keys", undo_ending(&active, &not_active))?;
    Ok(if end.interrupted {
        Exit::Signal(access.runtime.interrupted().unwrap_or(signals::INTERRUPT))
    } else if unrecorded.is_some() {
        Exit::Unwritable
    } else if not_active.is_empty() {
        Exit::Clean
    } else if active.is_empty() {
        Exit::NothingEvaluated
    } else {
        Exit::Partial
    })
}

fn say_what_may_follow(args: &UndoArgs, keys: &[&KeyChanges], unrecorded: Option<&io::Error>) {
    if keys.iter().any(|changes| changes.state == Recorded::MaybeDone) {
        print_note(
            "AWS may still carry out a call of the run that was cut off: repeat this undo in a minute, and look at its record",
        );
    }
    if let Some(error) = unrecorded {
        print_error(format_args!(
            "cannot write the journal {}: {error}; the keys were activated all the same, and a repeated undo activates them again",
            args.journal.display()
        ));
    }
}

/// `AKIA… of alice`.
fn name(key: &StepKey) -> String {
    format!(
        "{} of {}",
        key.access_key_id.as_deref().unwrap_or("a key"),
        key.user
    )
}

/// The partition of the keys, as the plan's ARNs have it.
fn partition(begin: &Begin) -> Option<&str> {
    let arn = begin.steps.iter().find_map(|step| step.target.arn.as_deref())?;
    let partition = str::from_utf8(partition_of(arn.as_bytes())).ok();
    partition.filter(|text| !text.is_empty())
}

fn is_chosen(args: &UndoArgs, filters: &Filters, replay: &Replay, changes: &KeyChanges) -> bool {
    let key = &changes.key;
    let begin = replay.begin.as_ref().map(|(_, begin)| begin);
    let position = begin.and_then(|begin| begin.steps.iter().position(|step| step.id == key.step));
    let step = begin
        .zip(position)
        .map(|(begin, position)| &begin.steps[position]);
    let number = begin
        .zip(position)
        .and_then(|(begin, position)| begin.numbers.get(position));
    let target = step.map(|step| &step.target);
    let arn = target
        .and_then(|target| target.arn.as_deref())
        .unwrap_or_default();
    let is_named = |name: &String| {
        number.is_some_and(|number| number.to_string() == *name)
            || key.step.starts_with(name.as_str()) && name.len() >= 6
            || key.access_key_id.as_ref() == Some(name)
    };
    (args.step.is_empty() || args.step.iter().any(is_named))
        && filters.admits(&UserToFilter {
            user: Some(key.user.as_bytes()),
            path: path_of(arn.as_bytes()),
            account: Some(key.account.as_bytes()),
            account_name: target
                .and_then(|target| target.account_name.as_deref())
                .map(str::as_bytes),
        })
}

/// The journal, which is written to if that is possible.
enum Kept {
    Journal(JournalFile),
    /// Why it cannot be.
    Not(io::ErrorKind, String),
}

impl Recorder for Kept {
    fn record(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        match self {
            Self::Journal(journal) => journal.record(at, entry),
            Self::Not(kind, why) => Err(io::Error::new(*kind, why.clone())),
        }
    }
}

/// Opens the journal for writing. Where that is not possible, what was read of it must be enough.
fn open(path: &Path, before: &[u8]) -> Result<Kept, Failure> {
    match JournalFile::open(path) {
        Ok((journal, bytes)) if bytes == before => Ok(Kept::Journal(journal)),
        Ok(_) => Err(super::written_meanwhile(path)),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(super::unopened(path, &error)),
        Err(error) => Ok(Kept::Not(error.kind(), error.to_string())),
    }
}

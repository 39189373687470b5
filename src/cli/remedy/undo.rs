//! `credlens remedy undo`.

use std::io;
use std::path::Path;

use credlens::io::journal::JournalFile;
use credlens::output::changes::{undo_ending, undone_line, would_undo_line};
use credlens::output::counted;
use credlens::remedy::{
    Begin, Ending, Entry, JournalText, KeyChanges, Recorder, Replay, Session, StepKey, StepReport, Undoing,
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
use crate::cli::terminal::{print_error, print_warning};

/// The id in the session name where the journal's own is damaged.
const UNKNOWN: &str = "unknown";

pub(super) fn run(args: &UndoArgs) -> Result<Exit, Failure> {
    args.access.check()?;
    let path = &args.journal;
    let (mut recorder, bytes) = open(path, args.yes)?;
    let text = JournalText::read(&String::from_utf8_lossy(&bytes));
    // What can be read is undone: a damaged line is no reason to leave other keys inactive.
    for error in &text.damaged {
        print_warning(format_args!("{}: {error}", path.display()));
    }
    if text.records.is_empty() {
        return Err(Failure::Usage(format!("{} is not a journal", path.display())));
    }
    let replay = Replay::of(&text.records);
    let filters = args.filters.resolve(&SettingsValues::default())?;
    // The last change first.
    let keys = replay
        .keys
        .iter()
        .rev()
        .filter(|changes| changes.state.needs_undo());
    let keys: Vec<&KeyChanges> = keys
        .filter(|changes| is_chosen(args, &filters, &replay, changes))
        .collect();
    if keys.is_empty() {
        return Err(Failure::NothingToDo(format!(
            "{}: nothing is left to undo",
            path.display()
        )));
    }
    let lines: String = keys.iter().map(|changes| would_undo_line(changes)).collect();
    print("the keys", lines)?;
    if !args.yes {
        let keys = counted(keys.len() as u64, "key");
        print(
            "the keys",
            format!("{keys} would be activated; nothing was changed: --yes activates\n"),
        )?;
        return Ok(Exit::Clean);
    }
    let question = format!("Activate {} again?", counted(keys.len() as u64, "key"));
    confirm(&question)?;
    let begin = replay.begin.as_ref().map(|(_, begin)| begin);
    let keys: Vec<StepKey> = keys.into_iter().map(|changes| changes.key.clone()).collect();
    undo(args, begin, &keys, &mut recorder)
}

fn undo(
    args: &UndoArgs,
    begin: Option<&Begin>,
    keys: &[StepKey],
    recorder: &mut Kept,
) -> Result<Exit, Failure> {
    let id = begin.map_or(UNKNOWN, |begin| &begin.journal);
    let mut access = args.access.connect(id)?;
    // Who it is matters less than that it is done.
    if let Err(failure) = access.ask_caller() {
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
    let partition = begin.and_then(partition);
    let mut iam = args.access.iam(&access, id, role, partition);
    let (mut active, mut not_active) = (Vec::new(), Vec::new());
    let show = |report: &StepReport| {
        let id = name(&report.key);
        if report.ending == Some(Ending::Done) {
            active.push(id);
        } else {
            not_active.push(id);
        }
        // That a line cannot be printed is no reason to stop.
        drop(print("the keys", undone_line(report)));
    };
    let end = Undoing {
        iam: &mut iam,
        clock: &now,
        show: Box::new(show),
    }
    .undo(keys, recorder);
    print_policy(&iam, access.session.partition());
    unrecorded = unrecorded.or(end.unrecorded);
    not_active.extend(
        keys[keys.len() - usize::try_from(end.left).unwrap_or(0)..]
            .iter()
            .map(name),
    );
    if let Some(error) = &unrecorded {
        print_error(format_args!(
            "cannot write the journal {}: {error}; the keys were activated all the same, and a repeated undo activates them again",
            args.journal.display()
        ));
    }
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
    str::from_utf8(partition_of(arn.as_bytes()))
        .ok()
        .filter(|text| !text.is_empty())
}

fn is_chosen(args: &UndoArgs, filters: &Filters, replay: &Replay, changes: &KeyChanges) -> bool {
    let key = &changes.key;
    let begin = replay.begin.as_ref().map(|(_, begin)| begin);
    let step = begin.and_then(|begin| begin.steps.iter().find(|step| step.id == key.step));
    let target = step.map(|step| &step.target);
    let arn = target
        .and_then(|target| target.arn.as_deref())
        .unwrap_or_default();
    let is_named = |name: &String| {
        key.step.starts_with(name.as_str()) && name.len() >= 6 || key.access_key_id.as_ref() == Some(name)
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

/// Opens the journal for writing, or only reads it: that must be enough.
fn open(path: &Path, is_written: bool) -> Result<(Kept, Vec<u8>), Failure> {
    let unwritable = |error: &io::Error| Kept::Not(error.kind(), error.to_string());
    if !is_written {
        let none = io::Error::from(io::ErrorKind::Other);
        return Ok((unwritable(&none), read(path, "journal")?));
    }
    match JournalFile::open(path) {
        Ok((journal, bytes)) => Ok((Kept::Journal(journal), bytes)),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(super::unopened(path, &error)),
        Err(error) => match read(path, "journal") {
            Ok(bytes) => Ok((unwritable(&error), bytes)),
            Err(_) => Err(super::unopened(path, &error)),
        },
    }
}

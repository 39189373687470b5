//! `credlens archive upgrade` and `compact`: files of an archive are written again.

use std::path::Path;

use credlens::archive::error::Error;
use credlens::archive::rewrite::{self, Rewritten};
use credlens::archive::store::{Directory, Store};
use credlens::io::remote::is_remote;
use credlens::output::{counted, escape};

use super::args::{ArchiveCompactArgs, ArchiveUpgradeArgs};
use super::{no_archive, print_waiting};
use crate::cli::failure::{Exit, Failure};
use crate::cli::outputs::print;
use crate::cli::signals;
use crate::cli::terminal::{print_error, print_message};

pub(super) fn upgrade(args: &ArchiveUpgradeArgs) -> Result<Exit, Failure> {
    run(&args.archive, "upgrade", args.quiet, rewrite::upgrade)
}

pub(super) fn compact(args: &ArchiveCompactArgs) -> Result<Exit, Failure> {
    run(&args.archive, "compact", args.quiet, |store, outcome| {
        rewrite::compact(store, args.until, outcome)
    })
}

fn run(
    path: &Path,
    command: &str,
    quiet: bool,
    rewrite: impl FnOnce(&dyn Store, &mut Rewritten) -> Result<(), Error>,
) -> Result<Exit, Failure> {
    if is_remote(path) {
        return Err(Failure::Usage(format!(
            "`credlens archive {command}` needs a directory, because it removes the files that it replaces: copy the archive \
             from S3, run it there, and copy it back"
        )));
    }
    let store = super::existing_directory(path)?;
    signals::end_cleanly()?;
    let store = if quiet {
        store
    } else {
        store.on_wait(print_waiting)
    };
    let was_marked = store.is_marked();
    let mut outcome = Rewritten::default();
    let done = rewrite(&store, &mut outcome);
    if done.is_ok()
        && outcome.removed.is_empty()
        && outcome.left == 0
        && outcome.errors.is_empty()
        && !was_marked
    {
        return Err(no_archive(&store));
    }
    outcome.errors.iter().for_each(print_error);
    if !quiet {
        print_message(summary(&outcome));
    }
    let files = outcome
        .written
        .iter()
        .map(|(file, _)| format!("{}/{file}", store.name()));
    let lines: String = files.map(|file| escape(&file).into_owned() + "\n").collect();
    print("the names of the files that were written", lines)?;
    done?;
    Ok(if outcome.errors.is_empty() {
        Exit::Clean
    } else {
        Exit::Partial
    })
}

/// `365 files (120.3 MB) became 12 (9.8 MB) with 365 reports`
fn summary(outcome: &Rewritten) -> String {
    let left = counted(outcome.left as u64, "file");
    if outcome.removed.is_empty() {
        return format!("nothing to do: {left} as before");
    }
    let [before, after] =
        [&outcome.removed, &outcome.written].map(|files| files.iter().map(|(_, size)| size).sum());
    let removed = counted(outcome.removed.len() as u64, "file");
    let written = outcome.written.len();
    let reports = counted(outcome.reports as u64, "report");
    let left = if outcome.left == 0 {
        String::new()
    } else {
        format!("; {left} as before")
    };
    format!(
        "{removed} ({}) became {written} ({}), with {reports}{left}",
        size(before),
        size(after)
    )
}

/// Bytes, for people.
fn size(bytes: u64) -> String {
    let mebibytes = bytes.div_ceil(1 << 20);
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{mebibytes} MiB"),
    }
}

/// Waits for runs that remove files of archives at this path, and keeps others from doing it until this process ends.
pub(in crate::cli) fn keep_files(path: &Path) {
    if !is_remote(path) {
        // Locked until the process ends.
        std::mem::forget(Directory::begin_reading(path));
    }
}

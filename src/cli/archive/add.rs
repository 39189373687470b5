//! `credlens archive add`, and how added reports are listed.

use credlens::archive::add::{Added, add};
use credlens::archive::error::Error;
use credlens::archive::store::Store;
use credlens::finding::PassedOver;
use credlens::io::inputs::InputOptions;
use credlens::io::remote::is_remote;
use credlens::output::{counted, diagnostic_line, escape};

use super::args::ArchiveAddArgs;
use super::open_store;
use crate::cli::aws::Objects;
use crate::cli::failure::{Exit, Failure};
use crate::cli::inputs::InputReader;
use crate::cli::outputs::print;
use crate::cli::progress::Progress;
use crate::cli::terminal::{print_error, print_message, print_warning};
use crate::cli::{now, signals};

pub(super) fn run(args: ArchiveAddArgs) -> Result<Exit, Failure> {
    let objects = Objects::at(&args.at.location)?.quiet(args.quiet);
    if args.inputs.iter().any(|input| is_remote(input)) {
        objects.connect()?;
    }
    for path in &args.inputs {
        super::keep_files(path);
    }
    let inputs = InputReader {
        paths: args.inputs,
        options: InputOptions {
            hashed: 0,
            compared: true,
            as_of: args.as_of,
            now: now(),
            limits: args.limits.limits(),
        },
        objects,
    };
    signals::end_cleanly()?;
    let store = open_store(&args.at.archive, &args.at.location, args.quiet)?;
    let mut source = Progress::new(inputs.open_in_time_order().with_details(true), args.quiet);
    let mut added = Added::default();
    let ended = add(&*store, &mut source, &mut added);
    drop(source);
    report_added(&*store, &added, args.quiet, true)?;
    let there = added.added.len() + added.known.len();
    match ended {
        Err(error @ Error::Stopped(..)) if there > 0 => {
            print_error(error);
            return Ok(Exit::Partial);
        }
        ended => ended?,
    }
    Ok(match (there, added.failed.len()) {
        (0, 0) if !added.passed_over.is_empty() => Exit::NothingEvaluated,
        (_, 0) => Exit::Clean,
        (0, _) => Exit::NothingEvaluated,
        _ => Exit::Partial,
    })
}

/// Prints what became of the reports; `failed` says whether those that failed are printed, too.
pub(in crate::cli) fn report_added(
    store: &dyn Store,
    added: &Added,
    quiet: bool,
    failed: bool,
) -> Result<(), Failure> {
    for (path, error) in added.failed.iter().filter(|_| failed) {
        print_error(format_args!("{path}: {error}"));
    }
    let conflicts = added
        .conflicts
        .iter()
        .map(|(path, message)| format!("{path} {message}"));
    let notes = added
        .notes
        .iter()
        .map(|(path, message)| format!("{path}: {message}"));
    let warnings = conflicts
        .chain(notes)
        .chain(added.unreadable.iter().map(ToString::to_string));
    warnings.filter(|_| !quiet).for_each(print_warning);
    print_passed_over(added, quiet);
    if !quiet {
        print_message(summary(added));
    }
    let files = added.files.iter().map(|file| format!("{}/{file}", store.name()));
    let lines: String = files.map(|file| escape(&file).into_owned() + "\n").collect();
    print("the names of the files that were added", lines)
}

/// Prints which files are not reports; as an error where there is no other file.
fn print_passed_over(added: &Added, quiet: bool) {
    let is_all = added.added.len() + added.known.len() + added.failed.len() == 0;
    let note = PassedOver::diagnostic(&added.passed_over, is_all);
    if let Some(note) = note.filter(|_| is_all || !quiet) {
        print_message(diagnostic_line(&note));
    }
}

fn summary(added: &Added) -> String {
    let users: u64 = added.added.iter().map(|report| report.rows).sum();
    let (added_count, known, failed) = (added.added.len(), added.known.len(), added.failed.len());
    let mut parts = vec![format!(
        "{} with {} added",
        counted(added_count as u64, "report"),
        counted(users, "user")
    )];
    if added.details > 0 {
        let reports = counted(added.details as u64, "report");
        parts.push(format!("details of {reports} added"));
    }
    match known {
        0 => {}
        1 => parts.push("1 was there already".to_owned()),
        _ => parts.push(format!("{known} were there already")),
    }
    if failed > 0 {
        parts.push(format!("{failed} not added"));
    }
    parts.join(", ")
}

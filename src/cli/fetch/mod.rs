//! `credlens fetch`: live reports into files, as AWS sent them.

mod args;
#[cfg(feature = "archive")]
mod batches;
#[cfg_attr(not(feature = "archive"), path = "no_archive.rs")]
mod into_archive;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use credlens::aws::{FetchedAccount, FetchedDetails, OutcomeStatus, Report, ReportOrder, RunRecord, path_of};
use credlens::finding::{Diagnostic, Level};
use credlens::io::details::write_beside;
use credlens::io::temporary::TemporaryFile;
use credlens::io::write_once::{WriteOutcome, is_there, write_once};
use credlens::output::escape;
use credlens::report::cell::is_account_id;

use super::aws::{FetchRequest, Started, all_details, conclude, start};
use super::diagnostics::print_all;
use super::failure::{Exit, Failure};
use super::now;
use super::outputs::print;
use super::terminal::{print_error, print_message};

pub(super) use args::FetchArgs;
use into_archive::check_outside;

/// Where reports go.
enum Destination {
    Stdout,
    File(PathBuf),
    Directory(PathBuf),
}

pub(super) fn run(args: &FetchArgs) -> Result<Exit, Failure> {
    if let Some(ended) = into_archive::run(args) {
        return ended;
    }
    let destination = Destination::resolve(args)?;
    let mut paths = Paths::default();
    let grace = match destination {
        Destination::Stdout => FetchRequest::SHORT,
        Destination::File(_) | Destination::Directory(_) => FetchRequest::LONG,
    };
    let request = request(args, ReportOrder::AsFetched, grace)?;
    let mut started = start(&args.aws, now(), &request, || destination.check())?;
    let ended = save_all(args, &destination, &mut started, &mut paths);
    if let Some(signal) = started.runtime.interrupted() {
        // The signal decides the exit status.
        for failed in [started.outcomes.interrupted(), paths.print()] {
            failed.unwrap_or_else(print_error);
        }
        let message = "interrupted; the reports that were saved are whole";
        return Err(Failure::Signal(signal, message));
    }
    let all_written = match ended {
        Ok(all_written) => all_written,
        Err(error) => {
            started.outcomes.interrupted()?;
            return Err(error);
        }
    };
    let written = conclude(&args.aws, &started.record, &started.outcomes, args.quiet);
    let printed = paths.print();
    written?;
    printed?;
    if let Some(signal) = started.runtime.interrupted() {
        return Err(ended_by(signal));
    }
    if !all_written {
        return Ok(Exit::Unwritable);
    }
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record, args.aws.allow_failed.unwrap_or(0)))
}

/// Saves the reports as they arrive, and prints which details are missing; whether all reports could be written.
fn save_all(
    args: &FetchArgs,
    destination: &Destination,
    started: &mut Started,
    paths: &mut Paths,
) -> Result<bool, Failure> {
    let mut missing = Vec::new();
    let ended = save_each(args, destination, started, (paths, &mut missing));
    let is_verbose = args.verbose > 0;
    let least = match (args.quiet, is_verbose) {
        (true, _) => Level::Error,
        (false, false) => Level::Warning,
        (false, true) => Level::Note,
    };
    print_all(missing.iter().filter(|it| it.level >= least), is_verbose);
    ended
}

/// Of several accounts, one whose report cannot be saved fails alone.
fn save_each(
    args: &FetchArgs,
    destination: &Destination,
    started: &mut Started,
    (paths, missing): (&mut Paths, &mut Vec<Diagnostic>),
) -> Result<bool, Failure> {
    let several = args.aws.several();
    let mut all_written = true;
    for fetched in started.arrivals.by_ref() {
        let saved = match &fetched.result {
            Ok((report, details)) => {
                let details = details.as_ref();
                let diagnostics = details.map(|details| details.diagnostics.as_slice());
                let path = path_of(&fetched.account.id);
                let diagnostics = diagnostics.unwrap_or_default().iter();
                missing.extend(diagnostics.map(|it| it.clone().in_path(&path)));
                destination.save(&fetched, (report, details), paths, args.quiet)
            }
            Err(error) => {
                // With several accounts, the table of outcomes has it.
                if !several {
                    print_error(error);
                }
                Ok(())
            }
        };
        let mut record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.add(&fetched);
        match saved {
            Err(error) if several => {
                all_written &= !matches!(error, Failure::Output(_));
                record.failed(&error.to_string());
            }
            saved => saved?,
        }
    }
    Ok(all_written)
}

fn request(args: &FetchArgs, order: ReportOrder, grace: Duration) -> Result<FetchRequest, Failure> {
    let filters = args.accounts.resolve()?;
    if !filters.is_empty() && !args.aws.several() {
        let message = "--account is for several accounts; add --org, --accounts-file FILE or --resume FILE";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(FetchRequest {
        details: args.details.then(all_details),
        verbose: args.verbose > 0,
        quiet: args.quiet,
        order,
        filters,
        grace,
    })
}

/// The end of a run that a signal came too late to interrupt.
fn ended_by(signal: u8) -> Failure {
    Failure::Signal(
        signal,
        "interrupted at the end; every report that was fetched is saved",
    )
}

fn exit(record: &RunRecord, allowed: usize) -> Exit {
    let allowed = record.allowed_failures(allowed);
    let count = |status| {
        let outcomes = record.outcomes.iter();
        outcomes.filter(|outcome| outcome.outcome == status).count()
    };
    match count(OutcomeStatus::Failed) {
        0 => Exit::Clean,
        _ if count(OutcomeStatus::Fetched) == 0 => Exit::NothingEvaluated,
        failed if failed <= allowed => Exit::Clean,
        _ => Exit::Partial,
    }
}

impl Destination {
    fn resolve(args: &FetchArgs) -> Result<Self, Failure> {
        let Some(path) = &args.output else {
            return Ok(Self::Directory(PathBuf::new()));
        };
        let text = path.as_os_str().to_string_lossy();
        let names_directory = path.is_dir() || text.ends_with(std::path::is_separator);
        match (text == "-", args.aws.several()) {
            (true, false) if args.details => Err(Failure::Usage(
                "--details are saved beside the report, and standard output has no place for them; name a file or a \
                 directory by --output"
                    .to_owned(),
            )),
            (true, false) => Ok(Self::Stdout),
            (true, true) => Err(Failure::Usage(
                "reports of several accounts cannot go to standard output; name a directory".to_owned(),
            )),
            (false, several) if several || names_directory => Ok(Self::Directory(path.clone())),
            (false, _) => Ok(Self::File(path.clone())),
        }
    }

    /// Finds out where nothing can be saved before any call to AWS. Nothing is left behind.
    fn check(&self) -> Result<(), Failure> {
        let directory = match self {
            Self::Stdout => return Ok(()),
            Self::File(path) => {
                check_outside(path)?;
                path.parent().unwrap_or(Path::new(""))
            }
            Self::Directory(directory) => {
                check_outside(directory)?;
                let existing = directory.ancestors().find(|path| path.exists());
                existing.unwrap_or(Path::new(""))
            }
        };
        let directory = if directory == Path::new("") {
            Path::new(".")
        } else {
            directory
        };
        let shown = directory.display();
        let cannot = format!("no report (csv) can be saved in {shown}; name another directory by --output");
        if directory.exists() && !directory.is_dir() {
            let error = io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory");
            return Err(Failure::output(cannot)(error));
        }
        let created = TemporaryFile::new(directory, ".credlens-");
        created.map(drop).map_err(Failure::output(cannot))
    }

    fn save(
        &self,
        fetched: &FetchedAccount,
        (report, details): (&Report, Option<&FetchedDetails>),
        paths: &mut Paths,
        quiet: bool,
    ) -> Result<(), Failure> {
        let path = match self {
            Self::Stdout => return print("the report as csv", &report.csv),
            Self::File(path) => path.clone(),
            Self::Directory(directory) => file_in(directory, fetched, report)?,
        };
        let cannot = || Failure::output(format!("cannot write {} as csv", path.display()));
        if let Some(details) = details {
            // First: where the run ends between the two, the report is missing, and is fetched again.
            is_there(&path, &report.csv).map_err(cannot())?;
            let what = format!("cannot write the details beside {}", path.display());
            write_beside(&path, &details.details).map_err(Failure::output(what))?;
        }
        let kept = write_once(&path, &report.csv).map_err(cannot())?;
        if kept == WriteOutcome::AlreadyThere && !quiet {
            let path = path.display().to_string();
            print_message(format_args!(
                "{} was there already, with the same bytes",
                escape(&path)
            ));
        }
        paths.0.insert(fetched.account.id.clone(), path);
        Ok(())
    }
}

/// The file for a report, in a directory that is created where it is missing.
fn file_in(directory: &Path, fetched: &FetchedAccount, report: &Report) -> Result<PathBuf, Failure> {
    if directory != Path::new("") {
        let cannot = format!("cannot create the directory {}", directory.display());
        std::fs::create_dir_all(directory).map_err(Failure::output(cannot))?;
    }
    let id = &fetched.account.id;
    if !is_account_id(id) {
        return Err(Failure::Usage(format!(
            "AWS returned an account '{}', which is not an account id",
            escape(id)
        )));
    }
    let generated = report.generated.to_string().replace(['-', ':'], "");
    Ok(directory.join(format!("{id}_{generated}.csv")))
}

/// The saved files, by account.
#[derive(Default)]
struct Paths(BTreeMap<String, PathBuf>);

impl Paths {
    fn print(&self) -> Result<(), Failure> {
        let line = |path: &PathBuf| format!("{}\n", escape(&path.display().to_string()));
        let lines: String = self.0.values().map(line).collect();
        print("the paths of the reports, which are saved,", lines)
    }
}

//! `credlens fetch`: live reports into files, as AWS sent them.

mod args;
#[cfg_attr(not(feature = "archive"), path = "no_archive.rs")]
mod into_archive;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use credlens::aws::accounts::is_account_id;
use credlens::aws::{FetchedAccount, Report, ReportOrder, RunRecord};
use credlens::io::temporary::TemporaryFile;
use credlens::io::write_once::{WriteOutcome, write_once};
use credlens::output::escape;

use super::aws::{FetchRequest, Started, conclude, start};
use super::failure::{Attempt as _, Exit, Failure};
use super::terminal::{print_error, print_message, print_warning};
use super::{now, signals};

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
    destination.check()?;
    let mut paths = Paths::default();
    let mut started = start(&args.aws, now(), request(args, ReportOrder::AsFetched))?;
    let ended = save_all(args, &destination, &mut started, &mut paths);
    if started.runtime.interrupted() {
        started.outcomes.interrupted()?;
        paths.print();
        let message = "interrupted; the reports that were saved are whole";
        return Err(Failure::Signal(signals::INTERRUPT, message));
    }
    if let Err(error) = ended {
        started.outcomes.interrupted()?;
        return Err(error);
    }
    let written = conclude(&args.aws, &started.record, &started.outcomes, args.quiet);
    paths.print();
    written?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record))
}

/// Saves the reports as they arrive. Of several accounts, one whose report cannot be saved fails alone.
fn save_all(
    args: &FetchArgs,
    destination: &Destination,
    started: &mut Started,
    paths: &mut Paths,
) -> Result<(), Failure> {
    let several = args.aws.several();
    for fetched in started.arrivals.by_ref() {
        let saved = match &fetched.result {
            Ok((report, _)) => destination.save(&fetched, report, paths, args.quiet),
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
            Err(error) if several => record.failed(&error.to_string()),
            saved => saved?,
        }
    }
    Ok(())
}

fn request(args: &FetchArgs, order: ReportOrder) -> FetchRequest {
    FetchRequest {
        resolve_keys: false,
        verbose: args.verbose > 0,
        order,
    }
}

fn exit(record: &RunRecord) -> Exit {
    let failed = record
        .outcomes
        .iter()
        .filter(|outcome| outcome.error.is_some())
        .count();
    match failed {
        0 => Exit::Clean,
        _ if failed == record.outcomes.len() => Exit::NothingEvaluated,
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
        if directory.exists() && !directory.is_dir() {
            return Err(Failure::Usage(format!(
                "reports cannot be saved in {shown}, which is not a directory; name another one by --output"
            )));
        }
        drop(
            TemporaryFile::new(directory, ".credlens-", None).attempt(|| {
                format!("no report can be saved in {shown}; name another directory by --output")
            })?,
        );
        Ok(())
    }

    fn save(
        &self,
        fetched: &FetchedAccount,
        report: &Report,
        paths: &mut Paths,
        quiet: bool,
    ) -> Result<(), Failure> {
        let path = match self {
            Self::Stdout => {
                let mut stdout = io::stdout();
                stdout.write_all(&report.csv)?;
                return Ok(stdout.flush()?);
            }
            Self::File(path) => path.clone(),
            Self::Directory(directory) => file_in(directory, fetched, report)?,
        };
        let kept = write_once(&path, &report.csv).attempt(|| format!("cannot save {}", path.display()))?;
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
        std::fs::create_dir_all(directory)
            .attempt(|| format!("cannot create the directory {}", directory.display()))?;
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

/// The saved files, by account. The files are the result: a list that cannot be printed is not a failure.
#[derive(Default)]
struct Paths(BTreeMap<String, PathBuf>);

impl Paths {
    fn print(&self) {
        let mut stdout = io::stdout();
        let mut paths = self.0.values();
        let printed: io::Result<()> = paths.try_for_each(|path| writeln!(stdout, "{}", path.display()));
        match printed.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => print_warning(format_args!(
                "the paths of the reports cannot be printed: {error}; the reports themselves are saved"
            )),
            Ok(()) | Err(_) => {}
        }
    }
}

//! `credlens fetch`: live reports into files, as AWS sent them.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

#[cfg(feature = "archive")]
use std::sync::Arc;
use std::sync::PoisonError;

use anyhow::{Context as _, bail};
#[cfg(feature = "archive")]
use credlens::archive::add::{Added, add};
#[cfg(feature = "archive")]
use credlens::aws::LiveSource;
use credlens::aws::accounts::is_account_id;
use credlens::aws::{FetchedAccount, Report, ReportOrder, RunRecord};
use credlens::io::keep::{Kept, keep};
use credlens::io::temporary::Temporary;
use credlens::output::escape;

#[cfg(feature = "archive")]
use super::archive;
#[cfg(feature = "archive")]
use super::args::At;
use super::args::Fetch;
#[cfg(feature = "archive")]
use super::export;
use super::outcomes::SavePolicy;
#[cfg(feature = "archive")]
use super::target::is_read;
use super::{Exit, live, now, print_error, tell};

/// Where reports go.
enum To {
    Stdout,
    File(PathBuf),
    Directory(PathBuf),
}

pub(super) fn run(fetch: &Fetch) -> anyhow::Result<Exit> {
    #[cfg(feature = "archive")]
    if let Some(archive) = &fetch.archive {
        return into_archive(fetch, archive);
    }
    let to = to(fetch)?;
    #[cfg(feature = "archive")]
    if let To::File(path) | To::Directory(path) = &to {
        export::check_outside(path)?;
    }
    to.check()?;
    let mut paths = Paths::default();
    let request = request(fetch, SavePolicy::Each, ReportOrder::AsFetched);
    let started = match live::start(&fetch.aws, now(), request)? {
        Ok(started) => started,
        Err(exit) => return Ok(exit),
    };
    let several = fetch.aws.several();
    let mut ended = Ok(());
    for fetched in started.arrivals {
        let saved = match &fetched.result {
            Ok((report, _)) => save(&to, &fetched, report, &mut paths, fetch.verbosity.quiet),
            Err(error) if !several => {
                print_error(error);
                Ok(())
            }
            // The table of outcomes will tell.
            Err(_) => Ok(()),
        };
        let mut record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.add(&fetched);
        match saved {
            Err(error) if several => {
                record.failed(&format!("{error:#}"));
            }
            Err(error) => {
                ended = Err(error);
                break;
            }
            Ok(()) => {}
        }
    }
    if started.runtime.interrupted() {
        tell("interrupted; the reports that were saved are whole");
        started.outcomes.interrupted()?;
        paths.print();
        return Ok(Exit::Interrupted);
    }
    if let Err(error) = ended {
        started.outcomes.interrupted()?;
        return Err(error);
    }
    let kept = live::conclude(
        &fetch.aws,
        &started.record,
        &started.outcomes,
        fetch.verbosity.quiet,
    );
    paths.print();
    kept?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record))
}

fn request(fetch: &Fetch, done: SavePolicy, order: ReportOrder) -> live::FetchRequest {
    live::FetchRequest {
        resolve_keys: false,
        verbose: fetch.verbosity.verbose > 0,
        done,
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

/// Reports as they arrive into an archive: one file, however many accounts.
#[cfg(feature = "archive")]
fn into_archive(fetch: &Fetch, archive: &Path) -> anyhow::Result<Exit> {
    if let Some(outcomes) = &fetch.aws.outcomes
        && is_read(outcomes, &[archive.to_owned()])
    {
        bail!(
            "{} is a file of the archive; give --outcomes another path",
            outcomes.display()
        );
    }
    let at = At {
        archive: archive.to_owned(),
        place: fetch.aws.place.clone(),
    };
    let store = archive::store(&at, fetch.verbosity.quiet)?;
    let request = request(fetch, SavePolicy::Together, ReportOrder::ByAccountDrained);
    let started = match live::start(&fetch.aws, now(), request)? {
        Ok(started) => started,
        Err(exit) => return Ok(exit),
    };
    let mut source = LiveSource::new(started.arrivals, None, Arc::clone(&started.record));
    let mut added = Added::default();
    let ended = add(&*store, &mut source, &mut added);
    // The table of outcomes tells what failed of several accounts.
    let told = archive::tell_added(&*store, &added, fetch.verbosity.quiet, !fetch.aws.several());
    if let Err(error) = ended {
        // What was not added is still to be done.
        started.outcomes.interrupted()?;
        return Err(error.into());
    }
    if started.runtime.interrupted() {
        tell("interrupted; the reports that had come were added");
        started.outcomes.keep()?;
        return Ok(Exit::Interrupted);
    }
    live::conclude(
        &fetch.aws,
        &started.record,
        &started.outcomes,
        fetch.verbosity.quiet,
    )?;
    told?;
    let record = started.record.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(exit(&record))
}

fn to(fetch: &Fetch) -> anyhow::Result<To> {
    let Some(path) = &fetch.output else {
        return Ok(To::Directory(PathBuf::new()));
    };
    let names_directory = path.is_dir()
        || path
            .as_os_str()
            .to_string_lossy()
            .ends_with(std::path::is_separator);
    Ok(match (path.as_os_str() == "-", fetch.aws.several()) {
        (true, false) => To::Stdout,
        (true, true) => bail!("reports of several accounts do not go to standard output; name a directory"),
        (false, several) if several || names_directory => To::Directory(path.clone()),
        (false, _) => To::File(path.clone()),
    })
}

impl To {
    /// Finds out where nothing can be saved before anything is asked of AWS. Nothing is left behind.
    fn check(&self) -> anyhow::Result<()> {
        let directory = match self {
            Self::Stdout => return Ok(()),
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Directory(directory) => {
                let there = directory.ancestors().find(|path| path.exists());
                there.unwrap_or(Path::new(""))
            }
        };
        let directory = if directory == Path::new("") {
            Path::new(".")
        } else {
            directory
        };
        if directory.exists() && !directory.is_dir() {
            bail!(
                "reports cannot go into {}, which is no directory; name another one by --output",
                directory.display()
            );
        }
        drop(Temporary::new(directory, ".credlens-", None).with_context(|| {
            let directory = directory.display();
            format!("no report can be saved in {directory}; name another place by --output")
        })?);
        Ok(())
    }
}

/// The list of what was saved, by accounts. The files are what is wanted: that nobody reads the list, or that it cannot
/// be written, is no failure.
#[derive(Default)]
struct Paths(BTreeMap<String, PathBuf>);

impl Paths {
    fn print(&self) {
        let mut stdout = io::stdout();
        let printed: io::Result<()> = self
            .0
            .values()
            .try_for_each(|path| writeln!(stdout, "{}", path.display()));
        match printed.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => tell(format_args!(
                "warning: the paths of the reports cannot be printed: {error}; the reports themselves are saved"
            )),
            Ok(()) | Err(_) => {}
        }
    }
}

fn save(
    to: &To,
    fetched: &FetchedAccount,
    report: &Report,
    paths: &mut Paths,
    quiet: bool,
) -> anyhow::Result<()> {
    let path = match to {
        To::Stdout => {
            let mut stdout = io::stdout();
            stdout.write_all(&report.csv)?;
            return Ok(stdout.flush()?);
        }
        To::File(path) => path.clone(),
        To::Directory(directory) => {
            if directory != Path::new("") {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot make the directory {}", directory.display()))?;
            }
            anyhow::ensure!(
                is_account_id(&fetched.account.id),
                "AWS named an account '{}', which is no account id",
                escape(&fetched.account.id)
            );
            let generated = report.generated.to_string().replace(['-', ':'], "");
            directory.join(format!("{}_{generated}.csv", fetched.account.id))
        }
    };
    let kept = keep(&path, &report.csv).with_context(|| format!("cannot save {}", path.display()))?;
    paths.0.insert(fetched.account.id.clone(), path.clone());
    if kept == Kept::WasThere && !quiet {
        let path = path.display().to_string();
        tell(format_args!(
            "{} was there already, with the same bytes",
            escape(&path)
        ));
    }
    Ok(())
}

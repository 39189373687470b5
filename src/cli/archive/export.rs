//! `credlens archive export`: reports as CSV again.

use std::io::Read as _;
use std::path::Path;

use credlens::archive::csv::ReportCsv;
use credlens::archive::details;
use credlens::archive::file::ArchiveFile;
use credlens::archive::list::ListedReport;
use credlens::archive::store::{Directory, Store};
use credlens::io::details::path_of;
use credlens::io::write_once::{WriteOutcome, write_once, write_once_private};
use credlens::output::{counted, escape};

use super::args::ArchiveExportArgs;
use super::{existing_store, listed, select};
use crate::cli::failure::{Exit, Failure};
use crate::cli::outputs::print;
use crate::cli::signals;
use crate::cli::terminal::{print_error, print_message};

pub(super) fn run(args: &ArchiveExportArgs) -> Result<Exit, Failure> {
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout {
        check_outside(&args.output)?;
    }
    signals::end_cleanly()?;
    let store = existing_store(&args.at.archive, &args.at.location)?;
    let (reports, mut failed) = listed(&*store)?;
    if reports.is_empty() && !failed {
        let message = format!("{} has no archived report", store.name());
        return Err(Failure::NothingEvaluated(message));
    }
    let reports = select(reports, &args.filter);
    if reports.is_empty() {
        let message = "the archive has no such report; `credlens archive list` shows which it has";
        return Err(Failure::NothingEvaluated(message.to_owned()));
    }
    if to_stdout && reports.len() > 1 {
        return Err(Failure::Usage(format!(
            "{} cannot go to standard output; choose one by --account and --at, or name a directory",
            counted(reports.len() as u64, "report")
        )));
    }
    let text = args.output.to_string_lossy();
    let names_directory = args.output.is_dir() || text.ends_with(std::path::is_separator);
    let directory = (reports.len() > 1 || names_directory) && !to_stdout;
    if directory {
        std::fs::create_dir_all(&args.output).map_err(Failure::output(format!(
            "cannot create the directory {}",
            args.output.display()
        )))?;
    }
    let mut unwritable = false;
    let mut open: Option<(String, ArchiveFile)> = None;
    for listed in &reports {
        let bytes = csv(&*store, listed, &mut open);
        if to_stdout && let Ok(bytes) = &bytes {
            print("the report as csv", bytes)?;
            continue;
        }
        let path = if directory {
            args.output.join(file_name(listed, &reports))
        } else {
            args.output.clone()
        };
        let saved = bytes.and_then(|bytes| save(&path, &bytes));
        let saved = saved.and_then(|()| save_details(&*store, listed, &path));
        if let Err(error) = saved {
            if matches!(error, Failure::Output(_)) {
                unwritable = true;
            }
            print_error(error);
            failed = true;
        }
    }
    Ok(match (unwritable, failed) {
        (true, _) => Exit::Unwritable,
        (false, true) => Exit::Partial,
        (false, false) => Exit::Clean,
    })
}

/// The CSV of a report. Each file is opened once: its reports follow one another.
fn csv(
    store: &dyn Store,
    listed: &ListedReport,
    open: &mut Option<(String, ArchiveFile)>,
) -> Result<Vec<u8>, Failure> {
    let mut file = match open.take() {
        Some((path, file)) if path == listed.file => file,
        _ => ArchiveFile::open(store, &listed.file)?,
    };
    let mut bytes = Vec::new();
    ReportCsv::new(&mut file, listed.index)?.read_to_end(&mut bytes)?;
    *open = Some((listed.file.clone(), file));
    Ok(bytes)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let cannot = Failure::output(format!("cannot write {} as csv", path.display()));
    let kept = write_once(path, bytes).map_err(cannot)?;
    let shown = path.display().to_string();
    print("the path of a report", format!("{}\n", escape(&shown)))?;
    if kept == WriteOutcome::AlreadyThere {
        print_message(format_args!(
            "{} was there already, with the same bytes",
            escape(&shown)
        ));
    }
    Ok(())
}

/// Saves the details of a report beside its CSV, where a scan of it finds them.
fn save_details(store: &dyn Store, listed: &ListedReport, report: &Path) -> Result<(), Failure> {
    if !listed.details {
        return Ok(());
    }
    let bytes = details::read(store, &listed.report.sha256)?;
    let path = path_of(report);
    let cannot = Failure::output(format!("cannot write {}", path.display()));
    write_once_private(&path, &bytes).map(drop).map_err(cannot)
}

/// The name that `credlens fetch` gives, so that a later scan finds its as-of; with the beginning of its hash where the
/// report has not exactly one account, or another one has the same account and as-of.
fn file_name(listed: &ListedReport, reports: &[ListedReport]) -> String {
    let report = &listed.report;
    let time = report.as_of.to_string().replace(['-', ':'], "");
    let hash = report.sha256.get(..12).unwrap_or_default();
    let [account] = report.accounts.as_slice() else {
        return format!("{hash}_{time}.csv");
    };
    let is_twin = |other: &&ListedReport| {
        other.report.as_of == report.as_of && other.report.accounts == report.accounts
    };
    match reports.iter().filter(is_twin).count() {
        1 => format!("{account}_{time}.csv"),
        _ => format!("{account}_{time}_{hash}.csv"),
    }
}

/// Refuses to save CSVs in an archive: they would be read as its files, and reported as not of the archive.
pub(in crate::cli) fn check_outside(path: &Path) -> Result<(), Failure> {
    let path = Path::new(".").join(path);
    let existing = path.ancestors().find_map(|path| path.canonicalize().ok());
    let existing = existing.unwrap_or_default();
    match existing.ancestors().find(|path| Directory::is_at(path)) {
        Some(archive) => Err(Failure::Usage(format!(
            "{} is an archive, which CSV files would disturb; name a path outside it, or add to it by --archive",
            archive.display()
        ))),
        None => Ok(()),
    }
}

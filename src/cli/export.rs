//! `credlens archive export`: reports as CSV again.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use credlens::archive::csv::ReportCsv;
use credlens::archive::file::ArchiveFile;
use credlens::archive::list::ListedReport;
use credlens::archive::store::{Directory, Store};
use credlens::io::write_once::{WriteOutcome, write_once};
use credlens::output::{counted, escape};

use super::archive::{existing, select};
use super::args::ArchiveExport;
use super::{Exit, print_error, tell};

pub(super) fn run(args: &ArchiveExport) -> anyhow::Result<Exit> {
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout {
        check_outside(&args.output)?;
    }
    let store = existing(&args.at)?;
    let (reports, mut failed) = select(&*store, &args.which)?;
    let text = args.output.to_string_lossy();
    let names_directory = args.output.is_dir() || text.ends_with(std::path::is_separator);
    match reports.as_slice() {
        [] => {
            print_error("the archive has no such report; `credlens archive list` tells which it has");
            return Ok(Exit::NothingEvaluated);
        }
        [_] => {}
        several if to_stdout => bail!(
            "{} do not go to standard output; choose one by --account and --at, or name a directory",
            counted(several.len() as u64, "report")
        ),
        _ => {}
    }
    let directory = (reports.len() > 1 || names_directory) && !to_stdout;
    if directory {
        std::fs::create_dir_all(&args.output)
            .with_context(|| format!("cannot make the directory {}", args.output.display()))?;
    }
    let mut open: Option<(String, ArchiveFile)> = None;
    for listed in &reports {
        let bytes = csv(&*store, listed, &mut open);
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                print_error(format_args!("{error:#}"));
                failed = true;
                continue;
            }
        };
        if to_stdout {
            io::stdout().write_all(&bytes)?;
            continue;
        }
        let path = if directory {
            args.output.join(file_name(listed, &reports))
        } else {
            args.output.clone()
        };
        if let Err(error) = save(&path, &bytes) {
            print_error(format_args!("{error:#}"));
            failed = true;
        }
    }
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

/// The CSV of a report. Files are opened once: their reports come one after the other.
fn csv(
    store: &dyn Store,
    listed: &ListedReport,
    open: &mut Option<(String, ArchiveFile)>,
) -> anyhow::Result<Vec<u8>> {
    let mut file = match open.take() {
        Some((path, file)) if path == listed.file => file,
        _ => ArchiveFile::open(store, &listed.file)?,
    };
    let mut bytes = Vec::new();
    ReportCsv::new(&mut file, listed.index)?.read_to_end(&mut bytes)?;
    *open = Some((listed.file.clone(), file));
    Ok(bytes)
}

fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let kept = write_once(path, bytes).with_context(|| format!("cannot save {}", path.display()))?;
    let shown = path.display().to_string();
    writeln!(io::stdout(), "{}", escape(&shown))?;
    if kept == WriteOutcome::AlreadyThere {
        tell(format_args!(
            "{} was there already, with the same bytes",
            escape(&shown)
        ));
    }
    Ok(())
}

/// As `credlens fetch` calls it, so that a later scan finds its as-of; with the beginning of its hash where it has no
/// account of its own, or not alone.
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

/// Refuses to save CSVs in an archive: they would be read with its files, and be told as no files of it.
pub(super) fn check_outside(path: &Path) -> anyhow::Result<()> {
    let path = Path::new(".").join(path);
    let there = path.ancestors().find_map(|path| path.canonicalize().ok());
    let there = there.unwrap_or_default();
    match there.ancestors().find(|path| Directory::is_at(path)) {
        Some(archive) => bail!(
            "{} is an archive, where CSVs would be in the way; name a path outside it, or add to it by --archive",
            archive.display()
        ),
        None => Ok(()),
    }
}

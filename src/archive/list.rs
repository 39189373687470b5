//! Lists the reports of an archive.

use std::collections::BTreeSet;
use std::path::Path;

use super::details::report_of;
use super::error::Error;
use super::file::ArchiveFile;
use super::layout::FileName;
use super::meta::ReportMeta;
use super::store::{Store, StoredFile};
use crate::output::archive::ArchivedReport;
use crate::report::time::Timestamp;

/// An archived report and its file.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedReport {
    /// The path of its file below the archive.
    pub file: String,
    /// The size of that file in bytes.
    pub size: u64,
    /// Its index in the file.
    pub index: usize,
    /// Number of reports in that file.
    pub reports: usize,
    /// Its metadata.
    pub report: ReportMeta,
    /// Whether the archive has details of it.
    pub details: bool,
}

impl ListedReport {
    /// Its path below the archive, as an INPUT names it.
    pub fn path(&self) -> String {
        match self.reports {
            1 => self.file.clone(),
            _ => format!("{}#{}", self.file, self.index + 1),
        }
    }

    /// The form that outputs show.
    pub fn to_output(&self) -> ArchivedReport {
        let report = &self.report;
        ArchivedReport {
            as_of: report.as_of.to_string(),
            as_of_source: report.as_of_source,
            generated: report.generated.map(|time| time.to_string()),
            accounts: report.accounts.clone(),
            account_name: report.account_name.clone(),
            users: report.rows,
            path: report.path.clone(),
            bytes: report.bytes,
            sha256: report.sha256.clone(),
            file: self.path(),
            details: self.details,
        }
    }
}

/// What an archive has.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its reports in the order of their as-of, each once.
    pub reports: Vec<ListedReport>,
    /// The errors of files that could not be read.
    pub errors: Vec<Error>,
    /// The paths of files whose reports are among these, but that were renamed, or moved to another directory.
    pub misplaced: Vec<String>,
    /// The paths of files that are not of the archive, and are left out.
    pub foreign: Vec<String>,
}

/// Lists an archive by the metadata of its files: [`verify`](super::verify::verify) reads everything. Files that were
/// renamed or moved are a part of it, as they are for a scan.
pub fn list(store: &dyn Store) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let mut reports_of_misplaced = Vec::new();
    let mut details = BTreeSet::new();
    for entry in store.list("")? {
        if let Some(sha256) = report_of(&entry.path) {
            details.insert(sha256.to_owned());
            continue;
        }
        let is_placed = FileName::parse(&entry.path).is_some();
        if !is_placed && !is_archived(store, &entry.path) {
            listing.foreign.push(entry.path);
            continue;
        }
        match ArchiveFile::open_unchecked(store, &entry.path) {
            Ok(file) if is_placed => listing.reports.extend(listed(&entry, &file)),
            Ok(file) => {
                reports_of_misplaced.extend(listed(&entry, &file));
                listing.misplaced.push(entry.path);
            }
            Err(Error::NotAnArchive(_)) if !is_placed => listing.foreign.push(entry.path),
            Err(error) => listing.errors.push(error),
        }
    }
    // Of two copies, that in its place is read.
    listing.reports.extend(reports_of_misplaced);
    listing.reports.sort_by(|one, other| {
        let key = |listed: &ListedReport| (listed.report.as_of, listed.report.accounts.clone());
        key(one).cmp(&key(other))
    });
    // Without a lock, as on S3, two writers may both have added a report.
    let mut seen = BTreeSet::new();
    let mut is_new = |listed: &ListedReport| seen.insert((listed.report.as_of, listed.report.sha256.clone()));
    listing.reports.retain(|listed| is_new(listed));
    for listed in &mut listing.reports {
        listed.details = details.contains(&listed.report.sha256);
    }
    Ok(listing)
}

/// The reports of those of these files that may have reports of a day, in the order of the files, and the errors of files
/// that are damaged.
pub(super) fn reports_of_day(
    store: &dyn Store,
    files: &[StoredFile],
    as_of: Timestamp,
) -> (Vec<ReportMeta>, Vec<Error>) {
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    for entry in files {
        if !FileName::parse(&entry.path).is_some_and(|name| name.may_have(as_of)) {
            continue;
        }
        match ArchiveFile::open(store, &entry.path) {
            Ok(file) => reports.extend_from_slice(file.reports()),
            Err(error) => errors.push(error),
        }
    }
    (reports, errors)
}

/// Whether a file that is not named like one of an archive is read as one: a scan goes by the same signs.
pub(super) fn is_archived(store: &dyn Store, path: &str) -> bool {
    let is_named = Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "parquet");
    is_named && store.read(path).is_ok_and(|bytes| bytes.is_parquet())
}

/// The reports of a file.
fn listed(entry: &StoredFile, file: &ArchiveFile) -> Vec<ListedReport> {
    let count = file.reports().len();
    let reports = file.reports().iter().enumerate();
    let listed = reports.map(|(index, report)| ListedReport {
        file: entry.path.clone(),
        size: entry.size,
        index,
        reports: count,
        report: report.clone(),
        details: false,
    });
    listed.collect()
}

//! Lists the reports of an archive.

use std::collections::BTreeSet;

use super::error::Error;
use super::file::ArchiveFile;
use super::layout::FileName;
use super::meta::ReportMeta;
use super::store::Store;
use crate::output::archive::ArchivedReport;

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
        }
    }
}

/// The reports of an archive in the order of their as-of, each once, and the errors of files that could not be read.
/// Reads only the metadata: [`verify`](super::verify::verify) reads everything.
pub fn list(store: &dyn Store) -> Result<(Vec<ListedReport>, Vec<Error>), Error> {
    let (mut reports, errors) = reports_below(store, "", ArchiveFile::open_unchecked)?;
    reports.sort_by(|one, other| {
        let key = |listed: &ListedReport| (listed.report.as_of, listed.report.accounts.clone());
        key(one).cmp(&key(other))
    });
    // Without a lock, as on S3, two writers may both have added a report.
    let mut seen = BTreeSet::new();
    reports.retain(|listed| seen.insert((listed.report.as_of, listed.report.sha256.clone())));
    Ok((reports, errors))
}

/// The reports of the files whose path has this prefix, in the order of the files, and the errors of `open`.
pub(super) fn reports_below(
    store: &dyn Store,
    prefix: &str,
    open: fn(&dyn Store, &str) -> Result<ArchiveFile, Error>,
) -> Result<(Vec<ListedReport>, Vec<Error>), Error> {
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    for entry in store.list(prefix)? {
        if FileName::parse(&entry.path).is_none() {
            continue;
        }
        let file = match open(store, &entry.path) {
            Ok(file) => file,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let count = file.reports().len();
        let listed = file.reports().iter().enumerate();
        reports.extend(listed.map(|(index, report)| ListedReport {
            file: entry.path.clone(),
            size: entry.size,
            index,
            reports: count,
            report: report.clone(),
        }));
    }
    Ok((reports, errors))
}

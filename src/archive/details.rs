//! The details of archived reports, in files of their own beside the Parquet files. They are written once, after their
//! report: a run that ends in between leaves a report without details, and adding the report again adds them.

use std::sync::Arc;

use super::add::Added;
use super::error::Error;
use super::meta::ReportMeta;
use super::store::Store;
use crate::engine::Input;
use crate::finding::Code;
use crate::io::archived_details::{TOO_LARGE, parse};
pub use crate::io::archived_details::{path_of, report_of};
use crate::io::inputs::Limits;
use crate::io::write_once::WriteOutcome;
use crate::report::details::Details;

/// Why details are left as they are.
const OTHERS: &str = "the archive has other details of this report, which were added first and are kept";

/// Puts the details of a report into an archive. None if the archive has others of this report, which stay as they are.
pub fn put(store: &dyn Store, details: &Details) -> Result<Option<WriteOutcome>, Error> {
    let path = path_of(&details.report_sha256);
    if report_of(&path).is_none() {
        let message = "not added: the details do not have the SHA-256 of their report";
        return Err(Error::Refused(message.to_owned()));
    }
    store.put_once(details.to_json().as_bytes(), &path)
}

/// Reads and checks the details of the report with this SHA-256: their bytes.
pub fn read(store: &dyn Store, sha256: &str) -> Result<Vec<u8>, Error> {
    let path = path_of(sha256);
    let unusable = |why: String| Error::UnusableDetails(store.shown(&path), why);
    let cannot = || Error::io(format!("cannot read {}", store.shown(&path)));
    let file = store.read(&path)?;
    let most = Limits::default().held as u64;
    let length = file.length().map_err(cannot())?;
    if length > most {
        return Err(unusable(TOO_LARGE.to_owned()));
    }
    let bytes = file.read(0..length).map_err(cannot())?;
    match parse(&bytes, sha256) {
        Ok(_) => Ok(bytes),
        Err(why) => Err(unusable(why)),
    }
}

/// Adds the details of a report that is in the archive.
pub(super) fn add(
    store: &dyn Store,
    path: &str,
    details: &Details,
    outcome: &mut Added,
) -> Result<(), Error> {
    match put(store, details)? {
        Some(WriteOutcome::Written) => outcome.details += 1,
        Some(WriteOutcome::AlreadyThere) => {}
        None => outcome.notes.push((path.to_owned(), OTHERS.to_owned())),
    }
    Ok(())
}

/// The details that came with a report, and notes on those that cannot be used.
pub(super) fn of_input(input: &Input, notes: &mut Vec<(String, String)>) -> Option<Arc<Details>> {
    let diagnostics = input.account.diagnostics.iter();
    let unused = diagnostics.filter(|diagnostic| diagnostic.code == Code::DetailsNotUsed);
    notes.extend(unused.map(|diagnostic| (input.path.clone(), diagnostic.message.clone())));
    input.account.details.clone()
}

/// The details if they are those of this report. Those beside a file may be of the file, and not of the CSV in it.
pub(super) fn of_report(
    details: Option<Arc<Details>>,
    report: &ReportMeta,
    notes: &mut Vec<(String, String)>,
) -> Option<Arc<Details>> {
    let details = details?;
    if details.report_sha256 == report.sha256 {
        return Some(details);
    }
    let message = "its details were not added, because they were fetched with another report";
    notes.push((report.path.clone(), message.to_owned()));
    None
}

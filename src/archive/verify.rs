//! Verifies an archive: every byte is read and checked.

use std::collections::BTreeMap;

use super::csv::ReportCsv;
use super::encode::sha256;
use super::error::Error;
use super::file::ArchiveFile;
use super::layout::{FileName, partition};
use super::store::Store;
pub use crate::output::archive::{Problem, Verified};
use crate::report::time::Timestamp;

/// Reads every file of an archive, and checks that its bytes are unchanged, that every report gives back the bytes that
/// were added, that it is in the right directory, and that the archive has no other files.
pub fn verify(store: &dyn Store) -> Result<Verified, Error> {
    let mut verified = Verified::default();
    let mut seen: BTreeMap<(Timestamp, String), String> = BTreeMap::new();
    for entry in store.list("")? {
        let path = &entry.path;
        let problem = |message: String| Problem {
            path: path.clone(),
            message,
        };
        let Some(name) = FileName::parse(path) else {
            verified.problems.push(problem(
                "not a file of the archive: credlens did not write it; move it away".to_owned(),
            ));
            continue;
        };
        verified.files += 1;
        let mut file = match ArchiveFile::open(store, path) {
            Ok(file) => file,
            Err(error) => {
                verified.problems.push(problem(error.to_string()));
                continue;
            }
        };
        let metas = file.reports().to_vec();
        for (number, meta) in (1..).zip(&metas) {
            if partition(meta.as_of) != partition(name.as_of) {
                let message = format!("its report as of {} is of another day", meta.as_of);
                verified.problems.push(problem(message));
            }
            match hash_of(&mut file, number - 1) {
                Ok(hash) if hash == meta.sha256 => verified.reports += 1,
                Ok(_) => {
                    let message = format!("its report {number} does not give back the bytes that were added");
                    verified.problems.push(problem(message));
                }
                Err(error) => verified.problems.push(problem(error.to_string())),
            }
            if let Some(other) = seen.insert((meta.as_of, meta.sha256.clone()), path.clone()) {
                let message = format!("its report {number} is also in {other}; it is read once");
                verified.notes.push(problem(message));
            }
        }
    }
    Ok(verified)
}

/// The SHA-256 of the CSV of a report.
fn hash_of(file: &mut ArchiveFile, report: usize) -> Result<String, Error> {
    let csv = ReportCsv::new(file, report)?;
    sha256(csv).map_err(|error| Error::Refused(error.to_string()))
}

//! Whether an archive is whole.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use super::csv::ReportCsv;
use super::encode::hex;
use super::error::Error;
use super::file::ArchiveFile;
use super::layout::{FileName, partition};
use super::store::Store;
pub use crate::output::archive::{Problem, Verified};
use crate::report::time::Timestamp;

/// Reads every file of the archive: that its bytes are those that were written, that every report gives back the
/// bytes that were added, that it lies where it belongs, and that nothing else lies there.
///
/// # Errors
/// Where the archive cannot be listed.
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
                "no file of the archive: no run of credlens has put it there; move it away".to_owned(),
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
        for (index, meta) in metas.iter().enumerate() {
            if partition(meta.as_of) != partition(name.as_of) {
                let message = format!("its report as of {} belongs to another day", meta.as_of);
                verified.problems.push(problem(message));
            }
            match hash_of(&mut file, index) {
                Ok(hash) if hash == meta.sha256 => verified.reports += 1,
                Ok(_) => {
                    let message = format!(
                        "its report {} does not give back the bytes that were added",
                        index + 1
                    );
                    verified.problems.push(problem(message));
                }
                Err(error) => verified.problems.push(problem(error.to_string())),
            }
            if let Some(other) = seen.insert((meta.as_of, meta.sha256.clone()), path.clone()) {
                let message = format!("its report {} also lies in {other}; it is read once", index + 1);
                verified.notes.push(problem(message));
            }
        }
    }
    Ok(verified)
}

/// SHA-256 of a report's CSV as the file gives it back.
fn hash_of(file: &mut ArchiveFile, report: usize) -> Result<String, Error> {
    let mut csv = ReportCsv::new(file, report)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = csv.read(&mut buffer);
        match read.map_err(|error: io::Error| Error::Refused(error.to_string()))? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

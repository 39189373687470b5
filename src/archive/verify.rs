//! Verifies an archive: every byte is read and checked.

use std::collections::{BTreeMap, BTreeSet};

use super::csv::ReportCsv;
use super::details::{self, report_of};
use super::error::Error;
use super::file::ArchiveFile;
use super::layout::FileName;
use super::list::is_archived;
use super::store::Store;
use crate::io::hashing::sha256_of;
pub use crate::output::archive::{Problem, Verified};
use crate::report::time::Timestamp;

/// Reads every file of an archive, and checks that its bytes are unchanged, that every report gives back the bytes that
/// were added, that it has the right name in the right directory, and that the archive has no other files.
pub fn verify(store: &dyn Store) -> Result<Verified, Error> {
    let paths = store.list("")?.into_iter().map(|entry| entry.path);
    let mut verifier = Verifier {
        store,
        paths: paths.collect(),
        seen: BTreeMap::new(),
        verified: Verified::default(),
    };
    let (details, files): (Vec<_>, Vec<_>) = {
        let paths = verifier.paths.clone().into_iter();
        paths.partition(|path| report_of(path).is_some())
    };
    for path in files {
        verifier.file(&path);
    }
    for path in details {
        verifier.details(&path);
    }
    Ok(verifier.verified)
}

struct Verifier<'a> {
    store: &'a dyn Store,
    paths: BTreeSet<String>,
    /// The reports so far, and the files that have them.
    seen: BTreeMap<(Timestamp, String), String>,
    verified: Verified,
}

impl Verifier<'_> {
    fn problem(&mut self, path: &str, message: String) {
        self.verified.problems.push(problem(path, message));
    }

    fn file(&mut self, path: &str) {
        let name = FileName::parse(path);
        let foreign = "not a file of the archive: credlens did not write it; move it away";
        if name.is_none() && !is_archived(self.store, path) {
            return self.problem(path, foreign.to_owned());
        }
        // The problem names the path.
        let bytes = self.store.read(path).map_err(|error| {
            let error = error.to_string();
            Error::Refused(error.replacen(&self.store.shown(path), "it", 1))
        });
        let file = bytes.and_then(|bytes| ArchiveFile::from_bytes(bytes, "it".to_owned(), name.clone()));
        let mut file = match file {
            Err(Error::NotAnArchive(_)) if name.is_none() => return self.problem(path, foreign.to_owned()),
            Err(error) => {
                self.verified.files += 1;
                return self.problem(path, error.to_string());
            }
            Ok(file) => file,
        };
        self.verified.files += 1;
        let of_day = match &name {
            Some(name) => Ok(name.clone()),
            None => self.misplaced(path, &file),
        };
        match of_day {
            Ok(name) => self.reports(path, &mut file, &name),
            Err(error) => self.problem(path, error.to_string()),
        }
    }

    /// Checks the details of a report, after all reports.
    fn details(&mut self, path: &str) {
        let sha256 = report_of(path).unwrap_or_default();
        if let Err(error) = details::read(self.store, sha256) {
            // The problem names the path.
            let error = error.to_string().replacen(&self.store.shown(path), "it", 1);
            return self.problem(path, error);
        }
        self.verified.details += 1;
        if !self.seen.keys().any(|(_, report)| report == sha256) {
            let message = "details of a report that is not in a readable file of the archive; they are not used until it is \
                           added, and may be deleted";
            self.verified.notes.push(problem(path, message.to_owned()));
        }
    }

    /// Says where a file belongs that was renamed or moved; its right name.
    fn misplaced(&mut self, path: &str, file: &ArchiveFile) -> Result<FileName, Error> {
        let name = file.name()?;
        let right = name.path();
        self.problem(
            path,
            if self.paths.contains(&right) {
                format!("a copy of {right} under another name; delete it")
            } else {
                format!("renamed or misplaced: its name should be {right}; rename it")
            },
        );
        Ok(name)
    }

    /// Checks the reports of a file that should have this name.
    fn reports(&mut self, path: &str, file: &mut ArchiveFile, name: &FileName) {
        let metas = file.reports().to_vec();
        for (number, meta) in (1..).zip(&metas) {
            if !name.may_have(meta.as_of) {
                let span = if name.compacted { "month" } else { "day" };
                self.problem(
                    path,
                    format!("its report as of {} is of another {span}", meta.as_of),
                );
            }
            match hash_of(file, number - 1) {
                Ok(hash) if hash == meta.sha256 => match file.check_columns(number - 1) {
                    Ok(()) => self.verified.reports += 1,
                    Err(error) => self.problem(path, error.to_string()),
                },
                Ok(_) => {
                    let message = format!("its report {number} does not give back the bytes that were added");
                    self.problem(path, message);
                }
                Err(error) => self.problem(path, error.to_string()),
            }
            let report = (meta.as_of, meta.sha256.clone());
            if let Some(other) = self.seen.insert(report, path.to_owned()) {
                let message = format!("its report {number} is also in {other}; it is read once");
                self.verified.notes.push(problem(path, message));
            }
        }
    }
}

fn problem(path: &str, message: String) -> Problem {
    Problem {
        path: path.to_owned(),
        message,
    }
}

/// The SHA-256 of the CSV of a report.
fn hash_of(file: &mut ArchiveFile, report: usize) -> Result<String, Error> {
    let csv = ReportCsv::new(file, report)?;
    sha256_of(csv).map_err(|error| Error::Refused(error.to_string()))
}

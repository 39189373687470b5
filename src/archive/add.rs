//! Adds reports to an archive.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::details;
use super::encode::ReportEncoder;
use super::error::Error;
use super::layout::{month, partition};
use super::list::reports_of_day;
use super::meta::{ReportMeta, RowOrder};
use super::store::{Store, StoredFile};
use super::writer::{FileWriter, ROWS_PER_GROUP};
use crate::engine::{Input, ReportId, SequentialSource, Source};
use crate::finding::PassedOver;
use crate::io::error::ROWS_READ;
use crate::report::details::Details;
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// How many files, one per day, are open at once. Reports are sorted by time, or are all of a day or two.
const MOST_OPEN_DAYS: usize = 4;

/// Details wait in memory for the end of their report's file, which ends after this many of their users: some 64 MiB.
const MOST_DETAILED_USERS: usize = 200_000;

/// The outcome of adding reports.
#[derive(Debug, Default)]
pub struct Added {
    /// The reports that were added.
    pub added: Vec<ReportMeta>,
    /// The reports that were there already.
    pub known: Vec<ReportMeta>,
    /// Files in directories that are not reports.
    pub passed_over: Vec<PassedOver>,
    /// Of how many reports details were added.
    pub details: usize,
    /// The paths of reports whose details were not added, and why not.
    pub notes: Vec<(String, String)>,
    /// Inputs that were not added, and why not.
    pub failed: Vec<(String, String)>,
    /// The paths of reports that contradict another report of the same account and as-of, and a message.
    pub conflicts: Vec<(String, String)>,
    /// The paths of the files that were written, below the archive.
    pub files: Vec<String>,
    /// The errors of files of the archive that could not be read.
    pub unreadable: Vec<Error>,
}

/// Adds all reports of a source, in one file per day: a run over an organization adds one file. A report that is there
/// already is not added again. After an error, `outcome` has what was added before.
pub fn add(store: &dyn Store, source: &mut dyn Source, outcome: &mut Added) -> Result<(), Error> {
    add_noting(store, source, outcome, &mut |_| {})
}

/// [`add`], which calls `archived` with the path of each report as soon as it is in the archive.
pub fn add_noting(
    store: &dyn Store,
    source: &mut dyn Source,
    outcome: &mut Added,
    archived: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let _lock = store.lock()?;
    let mut adder = Adder {
        store,
        days: BTreeMap::new(),
        months: BTreeMap::new(),
        known: BTreeMap::new(),
        outcome,
        archived,
    };
    let mut text = Vec::new();
    // The report that is being read; none if it was refused.
    let mut current: Option<(ReportId, Option<PendingReport>)> = None;
    let mut blocks = SequentialSource::new(source);
    while let Some(block) = blocks.next(&mut text) {
        let (input, last) = match block {
            Ok(block) => block,
            Err((path, error)) => {
                current = None;
                let error = error.to_string().replace(ROWS_READ, "the report was not added");
                adder.outcome.failed.push((path, error));
                continue;
            }
        };
        let (_, mut report) = match current.take() {
            Some(current) if current.0 == input.id => current,
            _ => (input.id, adder.begin(&input)),
        };
        if let Some(report) = &mut report {
            report.add_block(store, &input.header, &text, last)?;
        }
        if !last {
            current = Some((input.id, report));
        } else if let Some(report) = report {
            adder.end(report, &input.header)?;
        }
    }
    adder.outcome.passed_over = blocks.passed_over();
    adder.finish()
}

/// A report that is being read.
struct PendingReport {
    encoder: ReportEncoder,
    /// A file of its own, for a large report.
    own_file: Option<FileWriter>,
    /// What came with it.
    details: Option<Arc<Details>>,
}

/// A file that is being written, and the details of its reports, with the paths of these.
struct OpenFile {
    writer: FileWriter,
    details: Vec<(String, Arc<Details>)>,
}

impl OpenFile {
    fn of(writer: FileWriter) -> Self {
        Self {
            writer,
            details: Vec::new(),
        }
    }

    fn add_report(&mut self, report: ReportMeta, details: Option<Arc<Details>>) {
        let path = report.path.clone();
        self.details.extend(details.map(|details| (path, details)));
        self.writer.add_report(report);
    }

    /// Whether the details take much memory.
    fn has_many_details(&self) -> bool {
        let users = self.details.iter().map(|(_, details)| details.users.len());
        users.sum::<usize>() >= MOST_DETAILED_USERS
    }
}

impl PendingReport {
    fn add_block(
        &mut self,
        store: &dyn Store,
        header: &Header,
        text: &[u8],
        last: bool,
    ) -> Result<(), Error> {
        self.encoder.add_block(header, text, last);
        if self.encoder.row_count() < ROWS_PER_GROUP {
            return Ok(());
        }
        let file = match &mut self.own_file {
            Some(file) => file,
            none => none.insert(FileWriter::new(store, RowOrder::Report)?),
        };
        file.add_rows(self.encoder.take_rows())
    }
}

struct Adder<'a> {
    store: &'a dyn Store,
    /// Files that are being written, by partition.
    days: BTreeMap<String, OpenFile>,
    /// The files that the archive had, by month, for the months asked for so far.
    months: BTreeMap<String, Vec<StoredFile>>,
    /// The reports that the archive has, by partition, for the partitions read so far.
    known: BTreeMap<String, Vec<ReportMeta>>,
    outcome: &'a mut Added,
    /// Called with the path of each report that is in the archive.
    archived: &'a mut dyn FnMut(&str),
}

impl Adder<'_> {
    fn begin(&mut self, input: &Input) -> Option<PendingReport> {
        let failed = |error: Error| self.outcome.failed.push((input.path.clone(), error.to_string()));
        let encoder = ReportEncoder::new(input).map_err(failed).ok()?;
        Some(PendingReport {
            encoder,
            own_file: None,
            details: details::of_input(input, &mut self.outcome.notes),
        })
    }

    fn end(&mut self, report: PendingReport, header: &Header) -> Result<(), Error> {
        let (meta, rows) = report.encoder.finish(header);
        let details = details::of_report(report.details, &meta, &mut self.outcome.notes);
        let day = partition(meta.as_of);
        let known = self.known_on(&day, meta.as_of)?;
        let same_instant = || known.iter().filter(|known| known.as_of == meta.as_of);
        if same_instant().any(|known| known.sha256 == meta.sha256) {
            if let Some(details) = details {
                details::add(self.store, &meta.path, &details, self.outcome)?;
            }
            (self.archived)(&meta.path);
            self.outcome.known.push(meta);
            return Ok(());
        }
        let shares = |known: &&ReportMeta| {
            meta.accounts
                .iter()
                .find(|&account| known.accounts.contains(account))
        };
        let conflict = same_instant().find_map(|known| Some((known.path.clone(), shares(&known)?.clone())));
        known.push(meta.clone());
        if let Some((path, account)) = conflict {
            let message = format!(
                "contradicts the report of account {account} as of {} that was added from {path}; both are stored, \
                 but at most one is right",
                meta.as_of
            );
            self.outcome.conflicts.push((meta.path.clone(), message));
        }
        if let Some(mut writer) = report.own_file {
            writer.add_rows(rows)?;
            let mut file = OpenFile::of(writer);
            file.add_report(meta, details);
            return self.close(file);
        }
        let mut file = self.open_day(&day)?;
        file.writer.add_rows(rows)?;
        file.add_report(meta, details);
        if file.has_many_details() {
            return self.close(file);
        }
        self.days.insert(day, file);
        Ok(())
    }

    /// The file of a day that is being written, or a new one.
    fn open_day(&mut self, day: &str) -> Result<OpenFile, Error> {
        if let Some(file) = self.days.remove(day) {
            return Ok(file);
        }
        while self.days.len() >= MOST_OPEN_DAYS
            && let Some((_, earliest)) = self.days.pop_first()
        {
            self.close(earliest)?;
        }
        Ok(OpenFile::of(FileWriter::new(self.store, RowOrder::Report)?))
    }

    /// The reports that the archive has of a day, including those of this run.
    fn known_on(&mut self, day: &str, as_of: Timestamp) -> Result<&mut Vec<ReportMeta>, Error> {
        if !self.known.contains_key(day) {
            let month = month(as_of);
            let files = match self.months.entry(month.clone()) {
                Entry::Occupied(files) => files.into_mut(),
                Entry::Vacant(place) => place.insert(self.store.list(&month)?),
            };
            let (known, unreadable) = reports_of_day(self.store, files, as_of);
            // A run that saves several batches finds them more than once.
            for error in unreadable {
                let text = error.to_string();
                if self
                    .outcome
                    .unreadable
                    .iter()
                    .all(|known| known.to_string() != text)
                {
                    self.outcome.unreadable.push(error);
                }
            }
            self.known.insert(day.to_owned(), known);
        }
        Ok(self.known.get_mut(day).expect("invariant: inserted above"))
    }

    /// Ends a file. Its reports are in the archive then, and their details follow.
    fn close(&mut self, file: OpenFile) -> Result<(), Error> {
        let reports = file.writer.reports().to_vec();
        let name = match file.writer.finish(self.store) {
            Err(Error::Refused(why)) => {
                let failed = reports.into_iter().map(|report| (report.path, why.clone()));
                self.outcome.failed.extend(failed);
                return Ok(());
            }
            finished => finished?,
        };
        self.outcome.files.push(name.path());
        self.outcome.added.extend_from_slice(&reports);
        for (path, details) in file.details {
            details::add(self.store, &path, &details, self.outcome)?;
        }
        for report in &reports {
            (self.archived)(&report.path);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Error> {
        while let Some((_, file)) = self.days.pop_first() {
            self.close(file)?;
        }
        Ok(())
    }
}

//! Reads one file of an archive: its metadata, and its rows group by group.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::content::FileContent;
use super::csv_format::CsvFormat;
use super::error::Error;
use super::layout::FileName;
use super::meta::{ReportMeta, RowOrder};
use super::place::{Pick, Place};
use super::row_group::RowGroup;
use super::rows::ArchivedRows;
use super::store::Store;
use crate::engine::ReportAccounts;
use crate::finding::digest::hex;
use crate::io::container::FileBytes;
use crate::report::chunk::Chunk;
use crate::report::header::Header;
use crate::report::schema::Column;

/// A file of an archive.
pub struct ArchiveFile {
    content: Arc<FileContent>,
    /// The row groups that were used and may be needed again: the next report often begins in the last one, and in a
    /// compacted file each report has rows in all of those of its accounts.
    groups: Vec<Option<Arc<RowGroup>>>,
    /// In a compacted file, the rows of each report.
    picks: Option<Vec<Arc<[Pick]>>>,
}

impl ArchiveFile {
    /// Opens a file and checks that its bytes are unchanged.
    pub fn open(store: &dyn Store, path: &str) -> Result<Self, Error> {
        let shown = store.shown(path);
        Self::from_bytes(store.read(path)?, shown, FileName::parse(path))
    }

    /// The same for bytes from elsewhere. `shown` is what errors call the file.
    pub(super) fn from_bytes(data: FileBytes, shown: String, name: Option<FileName>) -> Result<Self, Error> {
        let file = Self::unchecked(data, shown, name)?;
        file.content.check()?;
        Ok(file)
    }

    /// The same; the bytes are checked before rows are read. Where no name has the hash of the bytes, the seal has; in a
    /// file without one, each report is checked now.
    pub(super) fn unchecked(data: FileBytes, shown: String, name: Option<FileName>) -> Result<Self, Error> {
        let mut file = Self::parse(data, shown, name)?;
        if !file.content.has_hash() {
            file.content.check()?;
            (0..file.reports().len()).try_for_each(|report| file.check_report(report))?;
        }
        Ok(file)
    }

    /// Checks that a report gives back the bytes that were added, and that its rows have its as-of, which is not among
    /// those bytes. A row group at a time is in memory.
    pub(super) fn check_report(&mut self, report: usize) -> Result<(), Error> {
        let ReportMeta {
            as_of, ref sha256, ..
        } = self.reports()[report];
        let sha256 = sha256.clone();
        let damaged = |path: &str, why: &str| {
            let why = format!("its report {} {why}", report + 1);
            Err(Error::Damaged(path.to_owned(), why))
        };
        let Ok(header) = self.complete_header(report) else {
            return damaged(
                &self.content.path,
                "cannot be checked, because columns of it are missing",
            );
        };
        let mut hash = Sha256::new_with_prefix(header);
        let mut text = Vec::new();
        for rows in self.rows(report)? {
            if !rows.is_as_of(as_of)? {
                return damaged(&self.content.path, "has another as-of than its rows");
            }
            text.clear();
            rows.append_to(&mut text)?;
            hash.update(&text);
        }
        if hex(&hash.finalize()) != sha256 {
            return Err(Error::other_bytes(&self.content.path, report));
        }
        Ok(())
    }

    /// Opens a file and reads only its metadata, without a check of its pages.
    pub(super) fn open_unchecked(store: &dyn Store, path: &str) -> Result<Self, Error> {
        Self::parse(store.read(path)?, store.shown(path), FileName::parse(path))
    }

    fn parse(data: FileBytes, path: String, name: Option<FileName>) -> Result<Self, Error> {
        let content = FileContent::parse(data, path, name)?;
        Ok(Self {
            groups: vec![None; content.ends.len()],
            content: Arc::new(content),
            picks: None,
        })
    }

    /// The name that a file with its bytes has in an archive.
    pub(super) fn name(&self) -> Result<FileName, Error> {
        let as_of = self.content.meta.reports.iter().map(|report| report.as_of).min();
        let Some(as_of) = as_of else {
            let why = "it has no reports".to_owned();
            return Err(Error::Damaged(self.content.path.clone(), why));
        };
        let compacted = self.content.meta.order == RowOrder::User;
        Ok(FileName::new(as_of, &self.content.sha256()?, compacted))
    }

    /// Its reports.
    pub fn reports(&self) -> &[ReportMeta] {
        &self.content.meta.reports
    }

    /// The rows of a report.
    fn range(&self, report: usize) -> Range<usize> {
        let count = |report: &ReportMeta| usize::try_from(report.rows).unwrap_or(usize::MAX);
        let start = self.content.meta.reports[..report].iter().map(count).sum();
        start..start + count(&self.content.meta.reports[report])
    }

    /// The header of a report, without the columns that the file has lost.
    pub(super) fn header(&self, report: usize) -> Result<Vec<u8>, Error> {
        let written = &self.content.meta.reports[report].header.0;
        if self.content.lost.is_empty() {
            return Ok(written.clone());
        }
        let header = self.parse_header(written)?;
        let is_kept =
            |name: &&String| Column::from_name(name).is_none_or(|column| !self.content.lost.contains(column));
        let kept: Vec<_> = header.names().iter().filter(is_kept).collect();
        if kept.len() == header.width() {
            return Ok(written.clone());
        }
        let mut csv = csv::WriterBuilder::new();
        let mut csv = csv.delimiter(header.delimiter()).from_writer(Vec::new());
        csv.write_record(kept).expect("invariant: a vector takes all");
        Ok(csv.into_inner().expect("invariant: a vector takes all"))
    }

    fn parse_header(&self, header: &[u8]) -> Result<Header, Error> {
        let damaged = |error| {
            Error::Damaged(
                self.content.path.clone(),
                format!("a header in its metadata {error}"),
            )
        };
        Header::parse(header).map_err(damaged)
    }

    /// The header of a report as it was added; an error if the file has lost columns of it.
    pub(super) fn complete_header(&self, report: usize) -> Result<Vec<u8>, Error> {
        let header = self.header(report)?;
        if header == self.content.meta.reports[report].header.0 {
            return Ok(header);
        }
        let lost: Vec<_> = self.content.lost.iter().map(Column::name).collect();
        Err(Error::LostColumns(self.content.path.clone(), lost.join(", ")))
    }

    /// A row group. In the order of reports only the last one that was used is kept.
    fn group(&mut self, number: usize) -> Arc<RowGroup> {
        if self.content.meta.order == RowOrder::Report {
            let others = self
                .groups
                .iter_mut()
                .enumerate()
                .filter(|(other, _)| *other != number);
            others.for_each(|(_, group)| *group = None);
        }
        let group = self.groups[number].get_or_insert_with(|| Arc::new(RowGroup::new(&self.content, number)));
        Arc::clone(group)
    }

    /// The rows of a report, in one block per row group and at least one.
    pub fn rows(&mut self, report: usize) -> Result<Vec<ArchivedRows>, Error> {
        let meta = &self.content.meta.reports[report];
        let header = self.parse_header(&self.header(report)?)?;
        let format = Arc::new(CsvFormat::new(&header, self.content.columns, meta.style));
        let meta = Arc::new(meta.clone());
        let places = match self.content.meta.order {
            RowOrder::Report => self.ranges(report),
            RowOrder::User => vec![self.picked(report)?],
        };
        let last = places.len() - 1;
        let mut before = (0, None);
        let mut rows = Vec::new();
        for (at, place) in places.into_iter().enumerate() {
            let next = (before.0 + place.len() as u64, Some(place.clone()));
            let before = std::mem::replace(&mut before, next);
            rows.push(ArchivedRows::new(
                (&format, &header, &meta),
                place,
                before,
                at == last,
            ));
        }
        Ok(rows)
    }

    /// Where its rows are, by row group.
    fn ranges(&mut self, report: usize) -> Vec<Place> {
        let rows = self.range(report);
        let mut places = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let number = self.content.ends.partition_point(|&end| end <= row);
            let start = number
                .checked_sub(1)
                .map_or(0, |before| self.content.ends[before]);
            let end = self.content.ends[number].min(rows.end);
            places.push(Place::range(self.group(number), row - start..end - start));
            row = end;
        }
        if places.is_empty() {
            places.push(Place::nowhere());
        }
        places
    }

    /// Where its rows are, in a compacted file.
    fn picked(&mut self, report: usize) -> Result<Place, Error> {
        let groups: Vec<_> = (0..self.groups.len()).map(|number| self.group(number)).collect();
        let picks = match self.picks.take() {
            Some(picks) => picks,
            None => Pick::by_report(&groups, &self.content.meta)?,
        };
        let place = Place::picked(&groups, &picks[report]);
        self.picks = Some(picks);
        Ok(place)
    }

    /// Whether its rows say all that is read from them now.
    pub(super) fn is_current(&self) -> bool {
        self.content.is_current()
    }

    /// The accounts of a report's rows, if the file says them as they would be found now.
    pub(super) fn accounts(&self, report: usize) -> Option<ReportAccounts> {
        let facts = self.reports()[report].facts.as_ref()?;
        // That a report has no rows is an error once it is read.
        let has_rows = self.reports()[report].rows > 0;
        (has_rows && self.is_current()).then(|| facts.surveyed())
    }

    /// Checks that what a scan reads from the columns of a report fits what the metadata say about its rows.
    pub(super) fn check_columns(&mut self, report: usize) -> Result<(), Error> {
        let (mut chunk, mut found) = (Chunk::default(), ReportAccounts::default());
        let all = Column::ALL.into_iter().collect();
        for rows in self.rows(report)? {
            let Some(columns) = rows.columns(all)? else {
                return Ok(());
            };
            chunk.store(&rows.header, columns.block, all);
            found.add(&rows.header, &chunk, false);
        }
        let facts = self.reports()[report]
            .facts
            .clone()
            .unwrap_or_default()
            .surveyed();
        if (found.accounts, found.has_other_rows) == (facts.accounts, facts.has_other_rows) {
            return Ok(());
        }
        let why = format!(
            "its report {} has other accounts than its metadata say",
            report + 1
        );
        Err(Error::Damaged(self.content.path.clone(), why))
    }

    /// The order of its rows.
    pub(super) fn order(&self) -> RowOrder {
        self.content.meta.order
    }
}

//! Reads one file of an archive: its metadata, and its rows group by group.

use std::io::{self, Cursor};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use polars::prelude::ArrowSchema;
use polars::prelude::PolarsResult;
use polars_buffer::Buffer;
use polars_io::SerReader as _;
use polars_io::mmap::MmapBytesReader;
use polars_io::parquet::read::{FileMetadata, ParquetReader};
use sha2::{Digest as _, Sha256};

use super::columns::{AS_WRITTEN, RECORD, archived_name};
use super::csv_format::CsvFormat;
use super::error::Error;
use super::guard::{guarded, unreadable};
use super::layout::FileName;
use super::meta::{FileMeta, HASH_KEY, KEY, ReportMeta, RowOrder, VERSION};
use super::place::{Pick, Place};
use super::row_group::RowGroup;
use super::rows::ArchivedRows;
use super::seal::{self, Seal};
use super::sizes::{are_sound_pages, is_sound_footer};
use super::store::Store;
use crate::engine::ReportAccounts;
use crate::finding::digest::{hex, sha256};
use crate::io::container::FileBytes;
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet};

/// Bytes up to which a file is held in memory while it is read.
const HELD: u64 = 32 << 20;

/// What is wrong with a damaged file that has its name.
const OTHER_BYTES: &str = "its bytes do not match the hash in its name";

/// A file of an archive.
pub struct ArchiveFile {
    content: Arc<FileContent>,
    /// The row groups that were used and may be needed again: the next report often begins in the last one, and in a
    /// compacted file each report has rows in all of those of its accounts.
    groups: Vec<Option<Arc<RowGroup>>>,
    /// In a compacted file, the rows of each report.
    picks: Option<Vec<Arc<[Pick]>>>,
}

/// What a file has. Several threads read it at the same time.
pub(super) struct FileContent {
    pub(super) path: String,
    data: FileBytes,
    /// By which its bytes are checked; else by the seal, or by the sizes that it claims.
    name: Option<FileName>,
    seal: Option<Seal>,
    pub(super) footer: Arc<FileMetadata>,
    pub(super) schema: Arc<ArrowSchema>,
    pub(super) meta: FileMeta,
    /// Its typed columns.
    pub(super) columns: ColumnSet,
    /// Those of them that it lacks, because another program rewrote it. A report with such a column is read as one
    /// without it, so that its cells are absent or unknown as [`Column::OPTIONAL`] says.
    lost: ColumnSet,
    /// Where each row group ends.
    ends: Vec<usize>,
    /// Whether its bytes are unchanged, and a small file itself, once it was read.
    checked: OnceLock<Result<Option<Buffer<u8>>, String>>,
}

impl FileContent {
    /// Checks once that the bytes are those that were written.
    pub(super) fn check(&self) -> Result<Option<&Buffer<u8>>, Error> {
        let checked = self
            .checked
            .get_or_init(|| self.read_and_check().map_err(|error| error.to_string()));
        match checked {
            Ok(held) => Ok(held.as_ref()),
            Err(error) => Err(Error::Refused(error.clone())),
        }
    }

    fn read_and_check(&self) -> Result<Option<Buffer<u8>>, Error> {
        let cannot = || Error::io(format!("cannot read {}", self.path));
        let length = self.data.length().map_err(cannot())?;
        let held = if length <= HELD {
            Some(self.data.read(0..length).map_err(cannot())?)
        } else {
            None
        };
        if let Some(name) = &self.name {
            let hash = match &held {
                Some(held) => hex(&Sha256::digest(held)),
                None => hash_of(&self.data, &self.path)?,
            };
            if !hash.starts_with(&name.hash) {
                return Err(Error::Damaged(self.path.clone(), OTHER_BYTES.to_owned()));
            }
        } else {
            let is_sound = match &self.seal {
                Some(seal) => seal.fits_pages(&self.data),
                None => are_sound_pages(&self.data, &self.footer),
            };
            if !is_sound.map_err(cannot())? {
                return Err(Error::Unreadable(self.path.clone()));
            }
        }
        Ok(held.map(Buffer::from_vec))
    }

    /// The bytes of a range.
    pub(super) fn bytes(&self, range: Range<u64>) -> io::Result<Buffer<u8>> {
        let held = self.check().map_err(io::Error::other)?;
        match held {
            Some(held) => {
                let [start, end] =
                    [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
                let is_in = start <= end && end <= held.len();
                let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
                is_in.then(|| held.clone().sliced(start..end)).ok_or_else(cut_off)
            }
            None => Ok(Buffer::from_vec(self.data.read(range)?)),
        }
    }

    /// Whether its columns say all that is read from its rows now, and are those that credlens wrote.
    pub(super) fn is_current(&self) -> bool {
        let is_ours = self.name.is_some() || self.seal.is_some();
        is_ours && self.lost.is_empty() && self.meta.is_current()
    }

    /// Runs the Parquet decoder, which may panic on damaged bytes.
    pub(super) fn decoded<T>(&self, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        decoded(&self.path, decode)
    }
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
        if file.content.name.is_none() && file.content.seal.is_none() {
            file.content.check()?;
            (0..file.reports().len()).try_for_each(|report| file.check_report(report))?;
        }
        Ok(file)
    }

    /// Checks that a report gives back the bytes that were added, and that its rows have its as-of, which is not among
    /// those bytes. A row group at a time is in memory.
    fn check_report(&mut self, report: usize) -> Result<(), Error> {
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
            return damaged(&self.content.path, "does not give back the bytes that were added");
        }
        Ok(())
    }

    /// Opens a file and reads only its metadata, without a check of its pages.
    pub(super) fn open_unchecked(store: &dyn Store, path: &str) -> Result<Self, Error> {
        Self::parse(store.read(path)?, store.shown(path), FileName::parse(path))
    }

    /// Reads the metadata.
    fn parse(data: FileBytes, path: String, name: Option<FileName>) -> Result<Self, Error> {
        let hash = name.as_ref().map(|name| (data.clone(), name.hash.clone()));
        let parsed = Self::parse_footer(data, path.clone(), name);
        match (parsed, hash) {
            (Err(Error::Unreadable(_)), Some((data, hash))) if !hash_of(&data, &path)?.starts_with(&hash) => {
                Err(Error::Damaged(path, OTHER_BYTES.to_owned()))
            }
            (parsed, _) => parsed,
        }
    }

    fn parse_footer(data: FileBytes, path: String, name: Option<FileName>) -> Result<Self, Error> {
        let seal = check_footer(&data, &path)?;
        let (footer, schema) = decoded(&path, || {
            let mut reader = parquet(&data)?;
            Ok((Arc::clone(reader.get_metadata()?), reader.schema()?))
        })?;
        let mut end = 0;
        let ends = footer.row_groups.iter().map(|group| {
            end = group.num_rows().saturating_add(end);
            end
        });
        let ends = ends.collect::<Vec<_>>();
        let rows = ends.last().copied().unwrap_or_default();
        let meta = match read_meta(&footer, rows as u64, &path)? {
            Some(meta) => meta,
            None if schema.contains(AS_WRITTEN) && schema.contains(RECORD) => {
                return Err(Error::Damaged(path, "its metadata is missing".to_owned()));
            }
            None => return Err(Error::NotAnArchive(path)),
        };
        let columns = meta.typed();
        let is_lost = |&column: &Column| !schema.contains(archived_name(column));
        let content = FileContent {
            path,
            data,
            name,
            seal,
            lost: columns.iter().filter(is_lost).collect(),
            columns,
            schema,
            meta,
            ends,
            footer,
            checked: OnceLock::new(),
        };
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
        Ok(FileName::new(
            as_of,
            &hash_of(&self.content.data, &self.content.path)?,
            compacted,
        ))
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
        // A report without rows is none: reading it says so.
        let has_rows = self.reports()[report].rows > 0;
        (has_rows && self.is_current()).then(|| facts.surveyed())
    }

    /// The order of its rows.
    pub(super) fn order(&self) -> RowOrder {
        self.content.meta.order
    }
}

fn parquet(bytes: &FileBytes) -> PolarsResult<ParquetReader<Box<dyn MmapBytesReader>>> {
    Ok(ParquetReader::new(match bytes {
        FileBytes::File(file) => Box::new(file.try_clone()?),
        FileBytes::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
    }))
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

/// Checks a footer before it is parsed: by the seal, which is returned, or by the lengths in it.
fn check_footer(data: &FileBytes, path: &str) -> Result<Option<Seal>, Error> {
    let cannot = || Error::io(format!("cannot read {path}"));
    let footer = seal::footer(data).map_err(cannot())?;
    let footer = footer.ok_or_else(|| Error::Unreadable(path.to_owned()))?;
    let seal = Seal::before(&footer, data).map_err(cannot())?;
    let is_sound = match &seal {
        Some(seal) => seal.fits_footer(&footer),
        None => is_sound_footer(&footer),
    };
    if !is_sound {
        return Err(Error::Unreadable(path.to_owned()));
    }
    Ok(seal)
}

/// The metadata in the footer of a file with this many rows; none if it is not a file of an archive.
fn read_meta(footer: &FileMetadata, rows: u64, path: &str) -> Result<Option<FileMeta>, Error> {
    let damaged = |why: &str| Error::Damaged(path.to_owned(), why.to_owned());
    let pairs = footer.key_value_metadata().as_deref().unwrap_or_default();
    let value = |key| {
        let pair = pairs.iter().find(|pair| pair.key == key);
        pair.and_then(|pair| pair.value.as_deref())
    };
    let Some(json) = value(KEY) else {
        return Ok(None);
    };
    if value(HASH_KEY).is_some_and(|hash| hash != sha256(json)) {
        return Err(damaged("its metadata does not match its hash"));
    }
    let version = serde_json::from_str(json).map(|Version { version }| version);
    if let Ok(version) = version
        && version > VERSION
    {
        return Err(Error::Newer(path.to_owned(), version, VERSION));
    }
    let meta: FileMeta = serde_json::from_str(json).map_err(|_| damaged("its metadata cannot be read"))?;
    meta.check(rows).map_err(|why| damaged(&why))?;
    Ok(Some(meta))
}

/// The SHA-256 of the bytes of a file.
fn hash_of(data: &FileBytes, shown: &str) -> Result<String, Error> {
    data.sha256().map_err(Error::io(format!("cannot read {shown}")))
}

/// Runs the Parquet decoder, which may panic on damaged bytes. What it says about them is of no use to a reader.
fn decoded<T>(path: &str, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
    let decoded = guarded(decode).map_err(|panic| unreadable(path, panic))?;
    decoded.map_err(|_| Error::Unreadable(path.to_owned()))
}

//! Reads one file of an archive: its metadata, and its rows group by group.

use std::io::Cursor;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use polars::prelude::PolarsResult;
use polars_io::SerReader as _;
use polars_io::mmap::MmapBytesReader;
use polars_io::parquet::read::{FileMetadata, ParallelStrategy, ParquetReader};
use sha2::{Digest as _, Sha256};

use super::columns::{AS_WRITTEN, RECORD, archived_name};
use super::csv::CsvChunk;
use super::csv_format::CsvFormat;
use super::decoded::DecodedRows;
use super::error::Error;
use super::guard::{guarded, unreadable};
use super::layout::FileName;
use super::meta::{FileMeta, HASH_KEY, KEY, ReportMeta, VERSION, columns};
use super::seal::{self, Seal};
use super::sizes::{are_sound_pages, is_sound_footer};
use super::store::Store;
use crate::finding::digest::{hex, sha256};
use crate::io::container::FileBytes;
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet};

/// A file of an archive.
pub struct ArchiveFile {
    path: String,
    data: FileBytes,
    meta: FileMeta,
    /// The typed columns of its version.
    columns: ColumnSet,
    /// Those of them that it lacks, because another program rewrote it. A report with such a column is read as one
    /// without it, so that its cells are absent or unknown as [`Column::OPTIONAL`] says.
    lost: ColumnSet,
    /// Where each row group ends.
    groups: Vec<usize>,
    /// The row group that was used last: the next report often begins in it.
    group: Option<(usize, Arc<RowGroup>)>,
}

/// A file, and by what its pages are checked.
struct Parsed {
    file: ArchiveFile,
    seal: Option<Seal>,
    footer: Arc<FileMetadata>,
}

/// A row group. It is decoded when it is needed, and as a whole, because its pages are compressed.
pub(super) struct RowGroup {
    path: String,
    data: FileBytes,
    start: usize,
    length: usize,
    decoded: OnceLock<Result<DecodedRows, String>>,
}

impl ArchiveFile {
    /// Opens a file and checks that its bytes are unchanged.
    pub fn open(store: &dyn Store, path: &str) -> Result<Self, Error> {
        let shown = store.shown(path);
        Self::from_bytes(store.read(path)?, shown, FileName::parse(path).as_ref())
    }

    /// The same for bytes from elsewhere. `shown` is what errors call the file. Where no name has the hash of the bytes,
    /// its seal has; in a file without one, each report is checked instead.
    pub(super) fn from_bytes(data: FileBytes, shown: String, name: Option<&FileName>) -> Result<Self, Error> {
        if let Some(name) = name {
            if !hash_of(&data, &shown)?.starts_with(&name.hash) {
                let why = "its bytes do not match the hash in its name";
                return Err(Error::Damaged(shown, why.to_owned()));
            }
            return Ok(Self::parse(data, shown)?.file);
        }
        let Parsed {
            mut file,
            seal,
            footer,
        } = Self::parse(data, shown)?;
        let cannot = Error::io(format!("cannot read {}", file.path));
        let is_sound = match &seal {
            Some(seal) => seal.fits_pages(&file.data),
            None => are_sound_pages(&file.data, &footer),
        };
        if !is_sound.map_err(cannot)? {
            return Err(Error::Unreadable(file.path));
        }
        if seal.is_none() {
            (0..file.meta.reports.len()).try_for_each(|report| file.check_report(report))?;
            file.group = None;
        }
        Ok(file)
    }

    /// Checks that a report gives back the bytes that were added, and that its rows have its as-of, which is not among
    /// those bytes. A row group at a time is in memory.
    fn check_report(&mut self, report: usize) -> Result<(), Error> {
        let ReportMeta {
            as_of, ref sha256, ..
        } = self.meta.reports[report];
        let sha256 = sha256.clone();
        let damaged = |path: &str, why: &str| {
            let why = format!("its report {} {why}", report + 1);
            Err(Error::Damaged(path.to_owned(), why))
        };
        let Ok(header) = self.complete_header(report) else {
            return damaged(&self.path, "cannot be checked, because columns of it are missing");
        };
        let mut hash = Sha256::new_with_prefix(header);
        let mut text = Vec::new();
        for chunk in self.chunks(report)? {
            if !chunk.is_as_of(as_of)? {
                return damaged(&self.path, "has another as-of than its rows");
            }
            text.clear();
            chunk.append_to(&mut text)?;
            hash.update(&text);
        }
        if hex(&hash.finalize()) != sha256 {
            return damaged(&self.path, "does not give back the bytes that were added");
        }
        Ok(())
    }

    /// Opens a file and reads only its metadata, without a check of its pages.
    pub(super) fn open_unchecked(store: &dyn Store, path: &str) -> Result<Self, Error> {
        Ok(Self::parse(store.read(path)?, store.shown(path))?.file)
    }

    /// Reads the metadata.
    fn parse(data: FileBytes, path: String) -> Result<Parsed, Error> {
        let seal = check_footer(&data, &path)?;
        let footer = decoded(&path, || {
            let mut reader = parquet(&data)?;
            Ok((Arc::clone(reader.get_metadata()?), reader.schema()?))
        })?;
        let (footer, schema) = footer;
        let mut end = 0;
        let groups = footer.row_groups.iter().map(|group| {
            end = group.num_rows().saturating_add(end);
            end
        });
        let groups = groups.collect::<Vec<_>>();
        let rows = groups.last().copied().unwrap_or_default();
        let meta = match read_meta(&footer, rows as u64, &path)? {
            Some(meta) => meta,
            None if schema.contains(AS_WRITTEN) && schema.contains(RECORD) => {
                return Err(Error::Damaged(path, "its metadata is missing".to_owned()));
            }
            None => return Err(Error::NotAnArchive(path)),
        };
        let columns = columns(meta.version);
        let is_lost = |&column: &Column| !schema.contains(archived_name(column));
        let file = Self {
            path,
            data,
            columns,
            lost: columns.iter().filter(is_lost).collect(),
            meta,
            groups,
            group: None,
        };
        Ok(Parsed { file, seal, footer })
    }

    /// The name that a file with its bytes has in an archive.
    pub(super) fn name(&self) -> Result<FileName, Error> {
        let as_of = self.meta.reports.iter().map(|report| report.as_of).min();
        let Some(as_of) = as_of else {
            let why = "it has no reports".to_owned();
            return Err(Error::Damaged(self.path.clone(), why));
        };
        Ok(FileName::new(as_of, &hash_of(&self.data, &self.path)?))
    }

    /// Its reports.
    pub fn reports(&self) -> &[ReportMeta] {
        &self.meta.reports
    }

    /// The rows of a report.
    fn range(&self, report: usize) -> Range<usize> {
        let count = |report: &ReportMeta| usize::try_from(report.rows).unwrap_or(usize::MAX);
        let start = self.meta.reports[..report].iter().map(count).sum();
        start..start + count(&self.meta.reports[report])
    }

    /// The header of a report, without the columns that the file has lost.
    pub(super) fn header(&self, report: usize) -> Result<Vec<u8>, Error> {
        let written = &self.meta.reports[report].header.0;
        if self.lost.is_empty() {
            return Ok(written.clone());
        }
        let header = self.parse_header(written)?;
        let is_kept =
            |name: &&String| Column::from_name(name).is_none_or(|column| !self.lost.contains(column));
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
        let damaged = |error| Error::Damaged(self.path.clone(), format!("a header in its metadata {error}"));
        Header::parse(header).map_err(damaged)
    }

    /// The header of a report as it was added; an error if the file has lost columns of it.
    pub(super) fn complete_header(&self, report: usize) -> Result<Vec<u8>, Error> {
        let header = self.header(report)?;
        if header == self.meta.reports[report].header.0 {
            return Ok(header);
        }
        let lost: Vec<_> = self.lost.iter().map(Column::name).collect();
        Err(Error::LostColumns(self.path.clone(), lost.join(", ")))
    }

    /// The row group of a row.
    fn group(&mut self, row: usize) -> Arc<RowGroup> {
        let number = self.groups.partition_point(|&end| end <= row);
        if let Some((_, group)) = self.group.as_ref().filter(|(last, _)| *last == number) {
            return Arc::clone(group);
        }
        let start = number.checked_sub(1).map_or(0, |before| self.groups[before]);
        let group = Arc::new(RowGroup {
            path: self.path.clone(),
            data: self.data.clone(),
            start,
            length: self.groups[number] - start,
            decoded: OnceLock::new(),
        });
        self.group = Some((number, Arc::clone(&group)));
        group
    }

    /// The rows of a report, in one chunk per row group and at least one.
    pub fn chunks(&mut self, report: usize) -> Result<Vec<CsvChunk>, Error> {
        let rows = self.range(report);
        let meta = &self.meta.reports[report];
        let header = self.parse_header(&self.header(report)?)?;
        let format = Arc::new(CsvFormat::new(&header, self.columns, meta.style));
        let (tail, ends_line) = (meta.tail.0.clone(), meta.ends_line);
        let mut chunks = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let group = self.group(row);
            let first = row - group.start;
            let end = group.length.min(rows.end - group.start);
            row = group.start + end;
            chunks.push(CsvChunk::new(&format, Some((group, first..end))));
        }
        if chunks.is_empty() {
            chunks.push(CsvChunk::new(&format, None));
        }
        if let Some(last) = chunks.last_mut() {
            last.end(tail, ends_line);
        }
        Ok(chunks)
    }
}

impl RowGroup {
    /// Its rows. They are decoded once.
    pub(super) fn decoded(&self) -> Result<&DecodedRows, Error> {
        let decode = || {
            let frame = decoded(&self.path, || {
                parquet(&self.data)?
                    .with_slice(Some((self.start, self.length)))
                    .read_parallel(ParallelStrategy::None)
                    .finish()
            });
            let rows = frame.and_then(|frame| {
                let rows = decoded(&self.path, || Ok(DecodedRows::of(&frame)))?;
                rows.map_err(|why| Error::Damaged(self.path.clone(), why))
            });
            rows.map_err(|error| error.to_string())
        };
        self.decoded
            .get_or_init(decode)
            .as_ref()
            .map_err(|error| Error::Refused(error.clone()))
    }

    /// The error that its cells as written cannot be parsed.
    pub(super) fn damaged(&self) -> Error {
        let why = "its cells as written cannot be read";
        Error::Damaged(self.path.clone(), why.to_owned())
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

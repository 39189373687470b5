//! One file of an archive, read.

use std::cell::Cell;
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Once, OnceLock};

use polars::io::SerReader as _;
use polars::io::mmap::MmapBytesReader;
use polars::prelude::{ParallelStrategy, ParquetReader, PolarsResult};
use sha2::{Digest as _, Sha256};

use super::csv::CsvChunk;
use super::csv_format::CsvFormat;
use super::decoded::DecodedRows;
use super::encode::hex;
use super::error::Error;
use super::layout::FileName;
use super::meta::{FileMeta, KEY, ReportMeta, VERSION};
use super::store::Store;
use crate::io::container::FileBytes;
use crate::report::header::Header;

/// A file of an archive.
pub struct ArchiveFile {
    path: String,
    data: FileBytes,
    meta: FileMeta,
    /// Where each row group ends.
    groups: Vec<usize>,
    /// The row group that was asked for last: the reports of a file follow each other.
    group: Option<(usize, Arc<RowGroup>)>,
}

/// A row group, decoded once it is needed: its pages have to be unpacked whole.
pub(super) struct RowGroup {
    path: String,
    data: FileBytes,
    start: usize,
    length: usize,
    decoded: OnceLock<Result<DecodedRows, String>>,
}

impl ArchiveFile {
    /// Opens a file, and makes sure that its bytes are those that were written.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, or none of an archive.
    pub fn open(store: &dyn Store, path: &str) -> Result<Self, Error> {
        let shown = format!("{}/{path}", store.name());
        Self::from_bytes(store.read(path)?, shown, FileName::parse(path).as_ref())
    }

    /// The same of bytes that are there already; `name` is the place that they are from, if it is one of an
    /// archive.
    ///
    /// # Errors
    /// Where they cannot be read, are damaged, or none of an archive.
    pub(super) fn from_bytes(data: FileBytes, shown: String, name: Option<&FileName>) -> Result<Self, Error> {
        if let Some(name) = name {
            check_hash(&data, name, &shown)?;
        }
        Self::of(data, shown)
    }

    /// Opens a file without reading more than its metadata.
    pub(super) fn open_unchecked(store: &dyn Store, path: &str) -> Result<Self, Error> {
        Self::of(store.read(path)?, format!("{}/{path}", store.name()))
    }

    /// Reads the metadata.
    fn of(data: FileBytes, path: String) -> Result<Self, Error> {
        let footer = guarded(&path, || {
            let mut reader = parquet(&data)?;
            let footer = reader.get_metadata()?;
            let pairs = footer.key_value_metadata().clone().unwrap_or_default();
            let json = pairs.into_iter().find(|pair| pair.key == KEY);
            let mut end = 0;
            let groups = footer.row_groups.iter().map(|group| {
                end = group.num_rows().saturating_add(end);
                end
            });
            Ok((groups.collect::<Vec<_>>(), json.and_then(|pair| pair.value)))
        })?;
        let (groups, Some(json)) = footer else {
            return Err(Error::NotAnArchive(path));
        };
        let rows = groups.last().copied().unwrap_or_default();
        let version = serde_json::from_str(&json).map(|Version { version }| version);
        if let Ok(version) = version
            && version > VERSION
        {
            return Err(Error::Newer(path, version, VERSION));
        }
        let meta: FileMeta = serde_json::from_str(&json).map_err(|error| {
            Error::Damaged(path.clone(), format!("its metadata cannot be read ({error})"))
        })?;
        meta.check(rows as u64)
            .map_err(|why| Error::Damaged(path.clone(), why))?;
        Ok(Self {
            path,
            data,
            meta,
            groups,
            group: None,
        })
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

    /// The rows of a report in chunks, one a row group and one at least.
    ///
    /// # Errors
    /// Where its header is none.
    pub fn chunks(&mut self, report: usize) -> Result<Vec<CsvChunk>, Error> {
        let rows = self.range(report);
        let meta = &self.meta.reports[report];
        let header = Header::parse(&meta.header.0).map_err(|error| {
            Error::Damaged(self.path.clone(), format!("a header in its metadata {error}"))
        })?;
        let format = Arc::new(CsvFormat::new(&header, meta.utc, meta.line_end, meta.quotes));
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
    /// Its rows.
    pub(super) fn decoded(&self) -> Result<&DecodedRows, Error> {
        let decode = || {
            let frame = guarded(&self.path, || {
                parquet(&self.data)?
                    .with_slice(Some((self.start, self.length)))
                    .read_parallel(ParallelStrategy::None)
                    .finish()
            });
            let decoded = frame.and_then(|frame| guarded(&self.path, || DecodedRows::of(&frame)));
            decoded.map_err(|error| error.to_string())
        };
        self.decoded
            .get_or_init(decode)
            .as_ref()
            .map_err(|error| Error::Refused(error.clone()))
    }

    /// That its cells as written are none.
    pub(super) fn damaged(&self, error: &serde_json::Error) -> Error {
        let why = format!("its cells as written cannot be read ({error})");
        Error::Damaged(self.path.clone(), why)
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

fn check_hash(data: &FileBytes, name: &FileName, shown: &str) -> Result<(), Error> {
    let hash = hash_of(data).map_err(Error::io(format!("cannot read {shown}")))?;
    if hash.starts_with(&name.hash) {
        return Ok(());
    }
    let why = "its bytes are not those that its name was made of";
    Err(Error::Damaged(shown.to_owned(), why.to_owned()))
}

/// SHA-256 of all bytes, in hexadecimal.
fn hash_of(data: &FileBytes) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = match data {
        FileBytes::Memory(bytes) => {
            hash.update(bytes);
            return Ok(hex(&hash.finalize()));
        }
        FileBytes::File(file) => &**file,
    };
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

thread_local! {
    /// Whether a panic of this thread is caught, and told as what it means.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// Runs the Parquet decoder, which may fail and even panic on bytes that no writer wrote.
fn guarded<T>(path: &str, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
    let damaged = |why: String| Error::Damaged(path.to_owned(), why);
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(false);
    match result {
        Ok(result) => result.map_err(|error| damaged(error.to_string())),
        Err(_) => Err(damaged("it is no valid Parquet".to_owned())),
    }
}

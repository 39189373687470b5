//! One file of an archive, read.

use std::collections::HashMap;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::SerReader as _;
use polars::prelude::{
    BinaryChunked, BooleanChunked, DataFrame, DataType, Int64Chunked, ParallelStrategy, ParquetReader,
    PolarsResult, StringChunked,
};
use sha2::{Digest as _, Sha256};

use super::columns::{AS_WRITTEN, MICROSECONDS, RECORD, name_of};
use super::error::Error;
use super::layout::Name;
use super::meta::{FileMeta, KEY, ReportMeta, VERSION};
use super::report::hex;
use super::spelling::{FLAGS, Row, Spelling, TEXTS, TIMES};
use super::store::{Data, Store};
use crate::report::header::Header;
use crate::report::schema::Column;

/// What every Parquet file begins and ends with.
pub const MAGIC: &[u8] = b"PAR1";

/// Stands for null among times.
const NULL: i64 = i64::MIN;

/// How many different [`AS_WRITTEN`] are remembered.
const REMEMBERED: usize = 1_000;

/// A file of an archive.
pub struct ArchiveFile {
    path: String,
    data: Data,
    meta: FileMeta,
    /// Where each row group ends.
    groups: Vec<usize>,
    cached: Option<(usize, Decoded)>,
}

/// Some rows, decoded: a column each, empty where the file lacks it.
#[derive(Default)]
struct Decoded {
    times: [Vec<i64>; TIMES],
    flags: [Vec<Option<bool>>; FLAGS],
    texts: [Texts; TEXTS],
    as_written: Texts,
    record: Texts,
}

/// A column of texts or bytes.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where each ends, and whether it is one.
    ends: Vec<(usize, bool)>,
}

impl Texts {
    fn of<'a>(cells: impl Iterator<Item = Option<&'a [u8]>>) -> Self {
        let mut texts = Self::default();
        for cell in cells {
            texts.bytes.extend_from_slice(cell.unwrap_or_default());
            texts.ends.push((texts.bytes.len(), cell.is_some()));
        }
        texts
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
        let &(end, is_some) = self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before].0);
        is_some.then(|| &self.bytes[start..end])
    }
}

impl ArchiveFile {
    /// Opens a file, and makes sure that its bytes are those that were written.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, or none of an archive.
    pub fn open(store: &dyn Store, path: &str) -> Result<Self, Error> {
        let shown = format!("{}/{path}", store.name());
        Self::of_data(store.read(path)?, shown, Name::parse(path).as_ref())
    }

    /// The same of bytes that are there already; `name` is the place that they are from, if it is one of an
    /// archive.
    ///
    /// # Errors
    /// Where they cannot be read, are damaged, or none of an archive.
    pub(super) fn of_data(mut data: Data, shown: String, name: Option<&Name>) -> Result<Self, Error> {
        if let Some(name) = name {
            check_hash(&mut data, name, &shown)?;
        }
        Self::of(data, shown)
    }

    /// Opens a file without reading more than its metadata.
    pub(super) fn open_unchecked(store: &dyn Store, path: &str) -> Result<Self, Error> {
        Self::of(store.read(path)?, format!("{}/{path}", store.name()))
    }

    /// Reads the metadata.
    fn of(mut data: Data, path: String) -> Result<Self, Error> {
        let footer = guarded(&path, || {
            let mut reader = ParquetReader::new(&mut data);
            let footer = reader.get_metadata()?;
            let pairs = footer.key_value_metadata().clone().unwrap_or_default();
            let json = pairs.into_iter().find(|pair| pair.key == KEY);
            let mut end = 0;
            let groups = footer.row_groups.iter().map(|group| {
                end += group.num_rows();
                end
            });
            Ok((groups.collect::<Vec<_>>(), json.and_then(|pair| pair.value)))
        })?;
        let (groups, Some(json)) = footer else {
            return Err(Error::Foreign(path));
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
        let told: u64 = meta.reports.iter().map(|report| report.rows).sum();
        if told != rows as u64 {
            let why = format!("it holds {rows} rows, but its metadata tells of {told}");
            return Err(Error::Damaged(path, why));
        }
        Ok(Self {
            path,
            data,
            meta,
            groups,
            cached: None,
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

    /// The decoded rows among which this one is, and its place there: a row group, since the pages of one have
    /// to be unpacked whole.
    fn decoded(&mut self, row: usize) -> Result<(&Decoded, usize), Error> {
        let group = self.groups.partition_point(|&end| end <= row);
        let start = group.checked_sub(1).map_or(0, |before| self.groups[before]);
        if self.cached.as_ref().is_none_or(|&(cached, _)| cached != group) {
            let length = self.groups[group] - start;
            let data = &mut self.data;
            let frame = guarded(&self.path, || {
                ParquetReader::new(data)
                    .with_slice(Some((start, length)))
                    .read_parallel(ParallelStrategy::None)
                    .finish()
            })?;
            let decoded = guarded(&self.path, || Decoded::of(&frame))?;
            self.cached = Some((group, decoded));
        }
        let (_, decoded) = self.cached.as_ref().expect("invariant: decoded above");
        Ok((decoded, row - start))
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

fn check_hash(data: &mut Data, name: &Name, shown: &str) -> Result<(), Error> {
    let hash = hash_of(data).map_err(Error::io(format!("cannot read {shown}")))?;
    if hash.starts_with(&name.hash) {
        return Ok(());
    }
    let why = "its bytes are not those that its name was made of";
    Err(Error::Damaged(shown.to_owned(), why.to_owned()))
}

/// SHA-256 of all bytes, in hexadecimal.
fn hash_of(data: &mut Data) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match data.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    data.seek(SeekFrom::Start(0))?;
    Ok(hex(&hash.finalize()))
}

/// Runs the Parquet decoder, which may fail and even panic on bytes that no writer wrote.
fn guarded<T>(path: &str, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
    let damaged = |why: String| Error::Damaged(path.to_owned(), why);
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(|error| damaged(error.to_string())),
        Err(_) => Err(damaged("it is no valid Parquet".to_owned())),
    }
}

impl Decoded {
    fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let mut decoded = Self::default();
        let column = |name: &str| {
            frame
                .column(name)
                .ok()
                .map(polars::prelude::Column::as_materialized_series)
        };
        for kind in Column::ALL {
            let Some(series) = column(name_of(kind)) else {
                continue;
            };
            match kind {
                Column::Time(time) => {
                    let physical = series.cast(&DataType::Int64)?;
                    decoded.times[time as usize] = times(physical.i64()?);
                }
                Column::Flag(flag) => decoded.flags[flag as usize] = flags(series.bool()?),
                Column::Text(text) => decoded.texts[text as usize] = texts(series.str()?),
            }
        }
        if let Some(series) = column(AS_WRITTEN) {
            decoded.as_written = texts(series.str()?);
        }
        if let Some(series) = column(RECORD) {
            decoded.record = bytes(series.binary()?);
        }
        Ok(decoded)
    }

    fn row(&self, row: usize) -> Row<'_> {
        Row {
            times: std::array::from_fn(|column| {
                let time = self.times[column].get(row).copied();
                time.filter(|&time| time != NULL)
            }),
            flags: std::array::from_fn(|column| self.flags[column].get(row).copied().flatten()),
            texts: std::array::from_fn(|column| self.texts[column].get(row)),
        }
    }
}

fn times(column: &Int64Chunked) -> Vec<i64> {
    let seconds = |time: Option<i64>| time.map_or(NULL, |time| time.div_euclid(MICROSECONDS));
    column.iter().map(seconds).collect()
}

fn flags(column: &BooleanChunked) -> Vec<Option<bool>> {
    column.iter().collect()
}

fn texts(column: &StringChunked) -> Texts {
    Texts::of(column.iter().map(|text| text.map(str::as_bytes)))
}

fn bytes(column: &BinaryChunked) -> Texts {
    Texts::of(column.iter())
}

/// The CSV of an archived report, as it was added.
pub struct Csv {
    file: Arc<Mutex<ArchiveFile>>,
    spelling: Spelling,
    rows: Range<usize>,
    ends_line: bool,
    /// Bytes that were made and not read yet, and how many of them were.
    made: Vec<u8>,
    read: usize,
    /// What comes behind the last row.
    tail: Option<Vec<u8>>,
    /// What values of [`AS_WRITTEN`] say.
    remembered: HashMap<Vec<u8>, Written>,
}

/// The cells that are written otherwise than their typed cells spell, by place; empty where none is.
type Written = Vec<Option<Box<[u8]>>>;

/// How many bytes are made at once, about.
const MADE: usize = 64 * 1024;

impl Csv {
    /// Of a report of this file.
    ///
    /// # Errors
    /// Where its header is none.
    pub fn new(file: &Arc<Mutex<ArchiveFile>>, report: usize) -> Result<Self, Error> {
        let opened = file.lock().unwrap_or_else(PoisonError::into_inner);
        let meta = &opened.reports()[report];
        let header = Header::parse(&meta.header.0).map_err(|error| {
            Error::Damaged(opened.path.clone(), format!("a header in its metadata {error}"))
        })?;
        Ok(Self {
            spelling: Spelling::new(&header, meta.utc, meta.line_end, meta.quotes),
            rows: opened.range(report),
            ends_line: meta.ends_line,
            made: meta.header.0.clone(),
            read: 0,
            tail: Some(meta.tail.0.clone()),
            remembered: HashMap::new(),
            file: Arc::clone(file),
        })
    }

    /// Makes the next bytes.
    fn make(&mut self) -> Result<(), Error> {
        self.made.clear();
        self.read = 0;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        while self.made.len() < MADE
            && let Some(row) = self.rows.next()
        {
            let (decoded, row) = file.decoded(row)?;
            if let Some(record) = decoded.record.get(row) {
                self.made.extend_from_slice(record);
                continue;
            }
            let json = decoded.as_written.get(row).unwrap_or_default();
            if !self.remembered.contains_key(json) {
                if self.remembered.len() >= REMEMBERED {
                    self.remembered.clear();
                }
                let written = written(&self.spelling, json);
                self.remembered.insert(json.to_vec(), written);
            }
            self.spelling
                .spell(&decoded.row(row), &self.remembered[json], &mut self.made);
        }
        if self.rows.is_empty()
            && let Some(tail) = self.tail.take()
        {
            self.made.extend_from_slice(&tail);
            if !self.ends_line {
                let end = self.spelling.line_end.bytes().len();
                self.made.truncate(self.made.len().saturating_sub(end));
            }
        }
        Ok(())
    }
}

/// The cells of [`AS_WRITTEN`], by place.
fn written(spelling: &Spelling, json: &[u8]) -> Written {
    let mut cells: HashMap<String, String> = serde_json::from_slice(json).unwrap_or_default();
    if cells.is_empty() {
        return Vec::new();
    }
    let of_place = |name: &String| cells.remove(name).map(|cell| cell.into_bytes().into());
    spelling.names().iter().map(of_place).collect()
}

impl Read for Csv {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.made.len() {
            self.make().map_err(io::Error::other)?;
        }
        let count = into.len().min(self.made.len() - self.read);
        into[..count].copy_from_slice(&self.made[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

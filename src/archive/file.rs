//! One file of an archive, read.

use std::collections::HashMap;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use polars::io::SerReader as _;
use polars::prelude::{
    BinaryChunked, BooleanChunked, DataFrame, DataType, Int64Chunked, ParallelStrategy, PolarsResult,
    StringChunked,
};
use sha2::{Digest as _, Sha256};

use super::columns::{AS_WRITTEN, MICROSECONDS, RECORD, name_of};
use super::error::Error;
use super::layout::Name;
use super::meta::{FileMeta, KEY, ReportMeta, VERSION};
use super::report::hex;
use super::spelling::{Cells, FLAGS, RUNS, Spelling, TEXTS, TIMES};
use super::store::{Data, Store};
use crate::report::header::Header;
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};

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
    /// The row group that was asked for last: the reports of a file follow each other.
    group: Option<(usize, Arc<Group>)>,
}

/// A row group, decoded once it is needed: its pages have to be unpacked whole.
struct Group {
    path: String,
    data: Data,
    start: usize,
    length: usize,
    decoded: OnceLock<Result<Decoded, String>>,
}

/// Some rows, decoded: a column each, empty where the file lacks it.
#[derive(Default)]
struct Decoded {
    times: [Vec<i64>; TIMES],
    flags: [Vec<Option<bool>>; FLAGS],
    texts: [StringChunked; TEXTS],
    as_written: StringChunked,
    record: BinaryChunked,
    /// Of each of [`RUNS`], by row, whether it says that there is nothing.
    quiet: [Vec<bool>; RUNS.len()],
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
    pub(super) fn of_data(data: Data, shown: String, name: Option<&Name>) -> Result<Self, Error> {
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
    fn of(data: Data, path: String) -> Result<Self, Error> {
        let footer = guarded(&path, || {
            let mut reader = data.reader()?;
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
    fn group(&mut self, row: usize) -> Arc<Group> {
        let number = self.groups.partition_point(|&end| end <= row);
        if let Some((_, group)) = self.group.as_ref().filter(|(last, _)| *last == number) {
            return Arc::clone(group);
        }
        let start = number.checked_sub(1).map_or(0, |before| self.groups[before]);
        let group = Arc::new(Group {
            path: self.path.clone(),
            data: self.data.clone(),
            start,
            length: self.groups[number] - start,
            decoded: OnceLock::new(),
        });
        self.group = Some((number, Arc::clone(&group)));
        group
    }

    /// The rows of a report in pieces, one a row group and one at least.
    ///
    /// # Errors
    /// Where its header is none.
    pub fn pieces(&mut self, report: usize) -> Result<Vec<Piece>, Error> {
        let rows = self.range(report);
        let meta = &self.meta.reports[report];
        let header = Header::parse(&meta.header.0).map_err(|error| {
            Error::Damaged(self.path.clone(), format!("a header in its metadata {error}"))
        })?;
        let spelling = Arc::new(Spelling::new(&header, meta.utc, meta.line_end, meta.quotes));
        let (tail, ends_line) = (meta.tail.0.clone(), meta.ends_line);
        let mut pieces = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let group = self.group(row);
            let first = row - group.start;
            let end = group.length.min(rows.end - group.start);
            row = group.start + end;
            pieces.push(Piece {
                spelling: Arc::clone(&spelling),
                rows: Some((group, first..end)),
                behind: Vec::new(),
                cut: 0,
            });
        }
        if pieces.is_empty() {
            pieces.push(Piece {
                spelling: Arc::clone(&spelling),
                rows: None,
                behind: Vec::new(),
                cut: 0,
            });
        }
        if let Some(last) = pieces.last_mut() {
            last.behind = tail;
            last.cut = if ends_line {
                0
            } else {
                spelling.line_end.bytes().len()
            };
        }
        Ok(pieces)
    }
}

impl Group {
    fn decoded(&self) -> Result<&Decoded, Error> {
        let decode = || {
            let frame = guarded(&self.path, || {
                self.data
                    .reader()?
                    .with_slice(Some((self.start, self.length)))
                    .read_parallel(ParallelStrategy::None)
                    .finish()
            });
            let decoded = frame.and_then(|frame| guarded(&self.path, || Decoded::of(&frame)));
            decoded.map_err(|error| error.to_string())
        };
        self.decoded
            .get_or_init(decode)
            .as_ref()
            .map_err(|error| Error::Refused(error.clone()))
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

fn check_hash(data: &Data, name: &Name, shown: &str) -> Result<(), Error> {
    let hash = hash_of(data).map_err(Error::io(format!("cannot read {shown}")))?;
    if hash.starts_with(&name.hash) {
        return Ok(());
    }
    let why = "its bytes are not those that its name was made of";
    Err(Error::Damaged(shown.to_owned(), why.to_owned()))
}

/// SHA-256 of all bytes, in hexadecimal.
fn hash_of(data: &Data) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = match data {
        Data::Bytes(bytes) => {
            hash.update(bytes);
            return Ok(hex(&hash.finalize()));
        }
        Data::File(file) => &**file,
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
                Column::Text(text) => decoded.texts[text as usize] = series.str()?.clone(),
            }
        }
        if let Some(series) = column(AS_WRITTEN) {
            decoded.as_written = series.str()?.clone();
        }
        if let Some(series) = column(RECORD) {
            decoded.record = series.binary()?.clone();
        }
        decoded.quiet = RUNS.map(|columns| decoded.is_quiet(frame.height(), columns));
        Ok(decoded)
    }

    /// By row, whether one of [`RUNS`] says that there is nothing.
    fn is_quiet(&self, rows: usize, columns: &[Column]) -> Vec<bool> {
        let mut quiet = vec![true; rows];
        for &column in columns {
            match column {
                Column::Time(time) => {
                    let times = &self.times[time as usize];
                    quiet.truncate(times.len());
                    for (quiet, &time) in quiet.iter_mut().zip(times) {
                        *quiet &= time == NULL;
                    }
                }
                Column::Flag(flag) => {
                    let flags = &self.flags[flag as usize];
                    quiet.truncate(flags.len());
                    for (quiet, &flag) in quiet.iter_mut().zip(flags) {
                        *quiet &= flag == Some(false);
                    }
                }
                Column::Text(text) => {
                    let texts = &self.texts[text as usize];
                    if texts.null_count() < texts.len() {
                        for (quiet, is_null) in quiet.iter_mut().zip(texts.is_null().iter()) {
                            *quiet &= is_null == Some(true);
                        }
                    }
                }
            }
        }
        quiet
    }
}

/// A row of those that were decoded.
struct At<'a> {
    decoded: &'a Decoded,
    row: usize,
}

impl Cells for At<'_> {
    fn time(&self, column: TimeColumn) -> Option<i64> {
        let time = self.decoded.times[column as usize].get(self.row).copied();
        time.filter(|&time| time != NULL)
    }

    fn flag(&self, column: FlagColumn) -> Option<bool> {
        self.decoded.flags[column as usize]
            .get(self.row)
            .copied()
            .flatten()
    }

    fn text(&self, column: TextColumn) -> Option<&[u8]> {
        self.decoded.texts[column as usize]
            .get(self.row)
            .map(str::as_bytes)
    }

    fn is_quiet(&self, run: usize) -> bool {
        self.decoded.quiet[run].get(self.row) == Some(&true)
    }
}

fn times(column: &Int64Chunked) -> Vec<i64> {
    let seconds = |time: i64| time.div_euclid(MICROSECONDS);
    let mut times = Vec::with_capacity(column.len());
    for array in column.downcast_iter() {
        let values = array.values().iter().map(|&time| seconds(time));
        match array.validity() {
            None => times.extend(values),
            Some(valid) => {
                let cells = values.zip(valid.iter());
                times.extend(cells.map(|(time, is_valid)| if is_valid { time } else { NULL }));
            }
        }
    }
    times
}

fn flags(column: &BooleanChunked) -> Vec<Option<bool>> {
    column.iter().collect()
}

/// Bytes of a row, about.
const USUAL: usize = 256;

/// Whether a column has a cell that is not null.
fn has_any<T: polars::prelude::PolarsDataType>(column: &polars::prelude::ChunkedArray<T>) -> bool {
    column.null_count() < column.len()
}

/// Rows of an archived report that follow each other.
pub struct Piece {
    spelling: Arc<Spelling>,
    rows: Option<(Arc<Group>, Range<usize>)>,
    /// What comes behind the last row.
    behind: Vec<u8>,
    /// How many bytes too many that makes.
    cut: usize,
}

impl Piece {
    /// Puts them behind what is there, as they were added.
    ///
    /// # Errors
    /// Where they cannot be decoded.
    pub fn make(self, text: &mut Vec<u8>) -> Result<(), Error> {
        if let Some((group, rows)) = self.rows {
            let decoded = group.decoded()?;
            let mut remembered = Remembered::default();
            let (has_records, has_written) = (has_any(&decoded.record), has_any(&decoded.as_written));
            text.reserve(rows.len() * USUAL);
            for row in rows {
                if has_records && let Some(record) = decoded.record.get(row) {
                    text.extend_from_slice(record);
                } else {
                    let json = has_written.then(|| decoded.as_written.get(row)).flatten();
                    let json = json.unwrap_or_default();
                    let written = remembered.of(&self.spelling, json);
                    self.spelling.spell(&At { decoded, row }, written, text);
                }
            }
        }
        text.extend_from_slice(&self.behind);
        text.truncate(text.len().saturating_sub(self.cut));
        Ok(())
    }
}

/// The cells that are written otherwise than their typed cells spell, by place; empty where none is.
type Written = Vec<Option<Box<[u8]>>>;

/// What values of [`AS_WRITTEN`] say: there are few different ones.
#[derive(Default)]
struct Remembered(HashMap<String, Written, xxhash_rust::xxh3::Xxh3DefaultBuilder>);

impl Remembered {
    fn of(&mut self, spelling: &Spelling, json: &str) -> &[Option<Box<[u8]>>] {
        if json.is_empty() {
            return &[];
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        if !self.0.contains_key(json) {
            self.0.insert(json.to_owned(), written(spelling, json));
        }
        &self.0[json]
    }
}

/// The cells of [`AS_WRITTEN`], by place.
fn written(spelling: &Spelling, json: &str) -> Written {
    let mut cells: HashMap<String, String> = serde_json::from_str(json).unwrap_or_default();
    let of_place = |name: &String| cells.remove(name).map(|cell| cell.into_bytes().into());
    spelling.names().iter().map(of_place).collect()
}

/// The CSV of an archived report, as it was added.
pub struct Csv {
    made: Vec<u8>,
    read: usize,
    pieces: std::vec::IntoIter<Piece>,
}

impl Csv {
    /// Of a report of this file.
    ///
    /// # Errors
    /// Where its header is none.
    pub fn new(file: &mut ArchiveFile, report: usize) -> Result<Self, Error> {
        Ok(Self {
            made: file.meta.reports[report].header.0.clone(),
            read: 0,
            pieces: file.pieces(report)?.into_iter(),
        })
    }
}

impl Read for Csv {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.made.len() {
            let Some(piece) = self.pieces.next() else {
                return Ok(0);
            };
            self.made.clear();
            self.read = 0;
            piece.make(&mut self.made).map_err(io::Error::other)?;
        }
        let count = into.len().min(self.made.len() - self.read);
        into[..count].copy_from_slice(&self.made[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

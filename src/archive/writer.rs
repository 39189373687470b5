//! Writes one file of an archive.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::prelude::{CompatLevel, DataFrame, PolarsError, PolarsResult, SchemaExt as _};
use polars_arrow::array::Array;
use polars_parquet::read::fallible_streaming_iterator;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter as ParquetWriter,
    KeyValue, ParquetType, StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns, compress,
};
use sha2::{Digest as _, Sha256};

use super::columns::{ARN, RECORD, REPORT, REPORT_ROW, RowBuilder, USER_NAME, is_time, schema};
use super::error::Error;
use super::guard::guarded;
use super::layout::FileName;
use super::meta::{FileMeta, HASH_KEY, KEY, ReportMeta, RowOrder};
use super::seal::{footer_length, seal};
use super::store::Store;
use crate::finding::digest::{hex, sha256};
use crate::io::temporary::TemporaryFile;

/// Rows of a row group: enough to compress well, few enough to read in little memory.
pub(super) const ROWS_PER_GROUP: usize = 131_072;

/// The level of zstd. Higher ones take many times as long for a tenth less.
const LEVEL: i32 = 6;

/// A file that is being written.
pub(super) struct FileWriter {
    parquet: ParquetWriter<SharedFile>,
    file: SharedFile,
    order: RowOrder,
    reports: Vec<ReportMeta>,
    /// Rows that are not in a row group yet.
    waiting: Option<DataFrame>,
    /// What errors say: `cannot write into the archive ar`.
    attempt: String,
}

/// The file, and the hash of the bytes written to it.
struct HashedFile {
    file: TemporaryFile,
    hash: Sha256,
    /// What the Parquet writer ends the file with, which is written after the seal. None until then.
    end: Option<Vec<u8>>,
    /// Why a write failed. The Parquet writer hides the error of the file system.
    error: Option<io::Error>,
}

/// A shared handle, because the Parquet writer does not return its output.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<HashedFile>>);

impl HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        match &written {
            Ok(written) => self.hash.update(&bytes[..*written]),
            Err(error) => self.error = Some(io::Error::new(error.kind(), error.to_string())),
        }
        written
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes what ends the file, with the seal before the footer.
    fn write_end(&mut self) -> io::Result<()> {
        let end = self.end.take().unwrap_or_default();
        let footer = footer_length(&end).and_then(|length| usize::try_from(length).ok());
        let start = footer.and_then(|length| end.len().checked_sub(length));
        let start = start.ok_or(io::ErrorKind::InvalidData)?;
        let (indexes, footer) = end.split_at(start);
        self.write_all(indexes)?;
        self.write_all(&seal(self.hash.clone(), footer))?;
        self.write_all(footer)
    }
}

impl SharedFile {
    fn lock(&self) -> MutexGuard<'_, HashedFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error of the file system, if there was one; else that of the Parquet writer.
    fn explain(&self, attempt: &str, error: &PolarsError) -> Error {
        let io = self.lock().error.take();
        io.map_or_else(|| failed(attempt, error), Error::unwritable(attempt))
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut hashed = self.lock();
        if let Some(end) = &mut hashed.end {
            end.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        hashed.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().file.flush()
    }
}

impl FileWriter {
    /// Starts a file for this store, with rows in this order.
    pub(super) fn new(store: &dyn Store, order: RowOrder) -> Result<Self, Error> {
        let file = SharedFile(Arc::new(Mutex::new(HashedFile {
            file: store.temporary()?,
            hash: Sha256::new(),
            end: None,
            error: None,
        })));
        let attempt = format!("cannot write into the archive {}", store.name());
        let parquet = watched(&attempt, || {
            let schema = schema().to_arrow(CompatLevel::newest());
            ParquetWriter::try_new(file.clone(), schema, options()?)
        })?;
        let parquet = parquet.map_err(|error| failed(&attempt, &error))?;
        Ok(Self {
            attempt,
            parquet,
            file,
            order,
            reports: Vec::new(),
            waiting: None,
        })
    }

    /// Adds rows of the report that is added next.
    pub(super) fn add_rows(&mut self, rows: RowBuilder) -> Result<(), Error> {
        let report = self.reports.len() + 1;
        let rows = watched(&self.attempt, || rows.finish(report))?;
        self.add_frame(&rows)
    }

    /// Adds rows of any of its reports.
    pub(super) fn add_frame(&mut self, rows: &DataFrame) -> Result<(), Error> {
        let before = self.waiting.take();
        let joined = watched(&self.attempt, || match before {
            None => Ok(rows.clone()),
            Some(waiting) => waiting.vstack(rows),
        })?;
        let waiting = joined.map_err(|error| failed(&self.attempt, &error))?;
        if waiting.height() >= ROWS_PER_GROUP {
            self.write_group(waiting)
        } else {
            self.waiting = Some(waiting);
            Ok(())
        }
    }

    /// Adds the report whose rows were added.
    pub(super) fn add_report(&mut self, report: ReportMeta) {
        self.reports.push(report);
    }

    /// Runs a part of the library that prepares rows.
    pub(super) fn watched<T>(&self, run: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        watched(&self.attempt, run)?.map_err(|error| failed(&self.attempt, &error))
    }

    /// The reports that were added.
    pub(super) fn reports(&self) -> &[ReportMeta] {
        &self.reports
    }

    fn write_group(&mut self, mut rows: DataFrame) -> Result<(), Error> {
        let (order, parquet) = (self.order, &mut self.parquet);
        let written = watched(&self.attempt, || {
            rows.rechunk_mut_par();
            let group = encoded(&rows, order, parquet)?;
            let columns = group.iter().map(|pages| {
                let pages = pages.iter().map(PolarsResult::Ok);
                Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(
                    pages,
                )))
            });
            parquet.write(rows.height() as u64, DynIter::new(columns))
        })?;
        written.map_err(|error| self.file.explain(&self.attempt, &error))
    }

    /// Completes the file and stores it.
    pub(super) fn finish(mut self, store: &dyn Store) -> Result<FileName, Error> {
        if let Some(waiting) = self.waiting.take().filter(|waiting| waiting.height() > 0) {
            self.write_group(waiting)?;
        }
        let earliest = self.reports.iter().map(|report| report.as_of).min();
        let earliest = earliest.expect("invariant: a file has a report");
        let attempt = std::mem::take(&mut self.attempt);
        let ended = watched(&attempt, || self.write_footer())?;
        ended.map_err(|error| self.file.explain(&attempt, &error))?;
        drop(self.parquet);
        let hashed =
            Arc::into_inner(self.file.0).expect("invariant: only the Parquet writer, now dropped, shared it");
        let HashedFile { mut file, hash, .. } = hashed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let name = FileName::new(earliest, &hex(&hash.finalize()), self.order == RowOrder::User);
        file.flush()
            .map_err(Error::unwritable("cannot write a temporary file"))?;
        store.put(file, &name.path())?;
        Ok(name)
    }

    fn write_footer(&mut self) -> PolarsResult<()> {
        let meta = FileMeta::new(self.order, std::mem::take(&mut self.reports));
        let json = serde_json::to_string(&meta).expect("invariant: metadata is plain data");
        let hash = sha256(&json);
        let pair = |key: &str, value| KeyValue::new(key.to_owned(), Some(value));
        self.file.lock().end = Some(Vec::new());
        self.parquet
            .end(Some(vec![pair(KEY, json), pair(HASH_KEY, hash)]))?;
        Ok(self.file.lock().write_end()?)
    }
}

fn options() -> PolarsResult<WriteOptions> {
    Ok(WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(Some(ZstdLevel::try_new(LEVEL)?)),
        data_page_size: None,
    })
}

/// How a column is encoded. Report by report most times and names are there once; by user, all are there from day to day.
fn encoding(column: &str, order: RowOrder) -> Encoding {
    let is_numbered = [REPORT, REPORT_ROW].contains(&column);
    match order {
        _ if is_numbered => Encoding::DeltaBinaryPacked,
        RowOrder::Report if is_time(column) => Encoding::DeltaBinaryPacked,
        RowOrder::Report if [USER_NAME, ARN, RECORD].contains(&column) => Encoding::Plain,
        RowOrder::Report | RowOrder::User => Encoding::RleDictionary,
    }
}

/// The pages of a column.
fn compressed(
    array: &dyn Array,
    field: &ParquetType,
    encoding: Encoding,
    options: WriteOptions,
) -> PolarsResult<Vec<CompressedPage>> {
    let mut compressed = Vec::new();
    for pages in array_to_columns(array, field.clone(), options, &[encoding])? {
        for page in pages {
            compressed.push(compress(page?, Vec::new(), options.compression)?);
        }
    }
    Ok(compressed)
}

/// How many bytes the data of pages are, and how many they were before they were compressed.
fn sizes(pages: &[CompressedPage]) -> (usize, usize) {
    let sizes = pages.iter().filter_map(|page| match page {
        CompressedPage::Data(page) => Some((page.compressed_size(), page.uncompressed_size())),
        CompressedPage::Dict(_) => None,
    });
    sizes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

/// The pages of each column, compressed.
fn encoded(
    rows: &DataFrame,
    order: RowOrder,
    parquet: &ParquetWriter<SharedFile>,
) -> PolarsResult<Vec<Vec<CompressedPage>>> {
    let options = parquet.options();
    let fields = parquet.parquet_schema().fields();
    let column = |(column, field): (&polars::prelude::Column, &ParquetType)| {
        let array = column.as_materialized_series().to_arrow(0, CompatLevel::newest());
        let encoding = encoding(column.name(), order);
        let mut compressed = compressed(&*array, field, encoding, options)?;
        // What is hardly smaller is not worth the time of every reader.
        let (compressed_size, size) = sizes(&compressed);
        if compressed_size * 10 > size * 9 {
            let options = WriteOptions {
                compression: CompressionOptions::Uncompressed,
                ..options
            };
            compressed = self::compressed(&*array, field, encoding, options)?;
        }
        Ok(compressed)
    };
    rows.columns().iter().zip(fields).map(column).collect()
}

/// Runs a part of the Parquet writer, which may panic where memory or threads run out.
fn watched<T>(attempt: &str, run: impl FnOnce() -> T) -> Result<T, Error> {
    guarded(run).map_err(|panic| Error::Stopped(attempt.to_owned(), panic))
}

/// Wraps an error of the Parquet writer, which usually comes from the file system.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of a library's errors are its own"
)]
fn failed(attempt: &str, error: &PolarsError) -> Error {
    let kind = match error {
        PolarsError::IO { error, .. } => error.kind(),
        _ => io::ErrorKind::Other,
    };
    Error::unwritable(attempt)(io::Error::new(kind, error.to_string()))
}

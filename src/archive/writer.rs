//! Writes one file of an archive.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{DataFrame, PolarsError, PolarsResult};
use polars_io::parquet::write::{
    BatchedWriter, KeyValueMetadata, ParquetCompression, ParquetMetadataContext, ParquetWriter,
};
use sha2::{Digest as _, Sha256};

use super::columns::{RowBuilder, schema};
use super::error::Error;
use super::guard::guarded;
use super::layout::FileName;
use super::meta::{FileMeta, HASH_KEY, KEY, ReportMeta, VERSION};
use super::seal::{footer_length, seal};
use super::store::Store;
use crate::finding::digest::{hex, sha256};
use crate::io::temporary::TemporaryFile;

/// Rows of a row group: enough to compress well, few enough to read in little memory.
pub(super) const ROWS_PER_GROUP: usize = 131_072;

/// The level of zstd. Files are a tenth smaller than at level 3; higher levels take many times as long for little.
const LEVEL: i32 = 12;

/// A file that is being written.
pub(super) struct FileWriter {
    parquet: BatchedWriter<SharedFile>,
    file: SharedFile,
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
    /// Starts a file for this store.
    pub(super) fn new(store: &dyn Store) -> Result<Self, Error> {
        let file = SharedFile(Arc::new(Mutex::new(HashedFile {
            file: store.temporary()?,
            hash: Sha256::new(),
            end: None,
            error: None,
        })));
        let attempt = format!("cannot write into the archive {}", store.name());
        let parquet = watched(&attempt, || {
            let level = ZstdLevel::try_new(LEVEL)?;
            ParquetWriter::new(file.clone())
                .with_compression(ParquetCompression::Zstd(Some(level)))
                .batched(&schema())
        })?;
        let parquet = parquet.map_err(|error| failed(&attempt, &error))?;
        Ok(Self {
            attempt,
            parquet,
            file,
            reports: Vec::new(),
            waiting: None,
        })
    }

    /// Adds rows of the report that is added next.
    pub(super) fn add_rows(&mut self, rows: RowBuilder) -> Result<(), Error> {
        let before = self.waiting.take();
        let joined = watched(&self.attempt, || match before {
            None => Ok(rows.finish()),
            Some(waiting) => waiting.vstack(&rows.finish()),
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

    /// The reports that were added.
    pub(super) fn reports(&self) -> &[ReportMeta] {
        &self.reports
    }

    fn write_group(&mut self, mut rows: DataFrame) -> Result<(), Error> {
        let written = watched(&self.attempt, || {
            rows.rechunk_mut_par();
            self.parquet.write_batch(&rows)
        })?;
        written.map_err(|error| self.file.explain(&self.attempt, &error))
    }

    /// Completes the file and stores it. All of its reports are of one day.
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
        let name = FileName::new(earliest, &hex(&hash.finalize()));
        file.flush()
            .map_err(Error::unwritable("cannot write a temporary file"))?;
        store.put(file, &name.path())?;
        Ok(name)
    }

    fn write_footer(&mut self) -> PolarsResult<()> {
        let meta = FileMeta {
            version: VERSION,
            reports: std::mem::take(&mut self.reports),
        };
        let json = serde_json::to_string(&meta).expect("invariant: metadata is plain data");
        let hash = sha256(&json);
        let pairs = vec![(KEY.to_owned(), json), (HASH_KEY.to_owned(), hash)];
        let pairs = KeyValueMetadata::from_static(pairs);
        let pairs = pairs.collect(ParquetMetadataContext { arrow_schema: "" })?;
        self.file.lock().end = Some(Vec::new());
        let writer = self.parquet.get_writer();
        writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(Some(pairs))?;
        Ok(self.file.lock().write_end()?)
    }
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

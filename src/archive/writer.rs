//! One file of an archive on its way to its place.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::parquet::write::{BatchedWriter, KeyValueMetadata, ParquetMetadataContext};
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{DataFrame, ParquetCompression, ParquetWriter, PolarsError, PolarsResult};
use sha2::{Digest as _, Sha256};

use super::columns::{RowBuilder, schema};
use super::encode::hex;
use super::error::Error;
use super::layout::FileName;
use super::meta::{FileMeta, KEY, ReportMeta, VERSION};
use super::store::Store;
use crate::io::temporary::TemporaryFile;

/// RowBuilder of a row group: enough to pack well, and to be read in little memory.
pub(super) const ROWS_PER_GROUP: usize = 131_072;

/// Of zstd. Twelve takes a tenth off what three gives; more takes many times as long for little.
const LEVEL: i32 = 12;

/// A file that is being written.
pub(super) struct FileWriter {
    parquet: BatchedWriter<SharedFile>,
    file: SharedFile,
    reports: Vec<ReportMeta>,
    /// RowBuilder that no row group holds yet.
    waiting: Option<DataFrame>,
}

/// The file, and the hash of what was written to it.
struct HashedFile {
    file: TemporaryFile,
    hash: Sha256,
    /// Why a write failed: the Parquet writer tells it in words of its own.
    error: Option<io::Error>,
}

/// The Parquet writer does not give its output back, so it gets one that is shared.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<HashedFile>>);

impl SharedFile {
    /// What the file system said, where that is why.
    fn explain(&self, error: PolarsError) -> Error {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner).error.take();
        match said {
            Some(said) => Error::io("cannot write a file of the archive")(said),
            None => failed(error),
        }
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut hashed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = hashed.file.write(bytes);
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                hashed.error = Some(io::Error::new(error.kind(), error.to_string()));
                return Err(error);
            }
        };
        hashed.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl FileWriter {
    /// Of a file that will lie in this store.
    pub(super) fn new(store: &dyn Store) -> Result<Self, Error> {
        let file = SharedFile(Arc::new(Mutex::new(HashedFile {
            file: store.temporary()?,
            hash: Sha256::new(),
            error: None,
        })));
        let level = ZstdLevel::try_new(LEVEL).map_err(failed)?;
        let parquet = ParquetWriter::new(file.clone())
            .with_compression(ParquetCompression::Zstd(Some(level)))
            .batched(&schema())
            .map_err(failed)?;
        Ok(Self {
            parquet,
            file,
            reports: Vec::new(),
            waiting: None,
        })
    }

    /// Adds rows. They belong to the report that is added next.
    pub(super) fn rows(&mut self, rows: RowBuilder) -> Result<(), Error> {
        let rows = rows.finish();
        let waiting = match self.waiting.take() {
            None => rows,
            Some(mut waiting) => {
                waiting.vstack_mut(&rows).map_err(failed)?;
                waiting
            }
        };
        if waiting.height() >= ROWS_PER_GROUP {
            self.group(waiting)
        } else {
            self.waiting = Some(waiting);
            Ok(())
        }
    }

    /// Adds the report whose rows were added.
    pub(super) fn report(&mut self, report: ReportMeta) {
        self.reports.push(report);
    }

    /// The reports that were added.
    pub(super) fn reports(&self) -> &[ReportMeta] {
        &self.reports
    }

    fn group(&mut self, mut rows: DataFrame) -> Result<(), Error> {
        rows.rechunk_mut_par();
        let written = self.parquet.write_batch(&rows);
        written.map_err(|error| self.file.explain(error))
    }

    /// Ends the file and puts it into its place. Its reports have one day.
    pub(super) fn finish(mut self, store: &dyn Store) -> Result<FileName, Error> {
        if let Some(waiting) = self.waiting.take().filter(|waiting| waiting.height() > 0) {
            self.group(waiting)?;
        }
        let earliest = self.reports.iter().map(|report| report.as_of).min();
        let earliest = earliest.expect("invariant: a file has a report");
        let ended = self.footer();
        ended.map_err(|error| self.file.explain(error))?;
        drop(self.parquet);
        let hashed =
            Arc::into_inner(self.file.0).expect("invariant: the Parquet writer, dropped, was the only other");
        let HashedFile { mut file, hash, .. } = hashed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let name = FileName::new(earliest, &hex(&hash.finalize()));
        file.flush().map_err(Error::io("cannot write a temporary file"))?;
        store.put(file, &name.path())?;
        Ok(name)
    }

    fn footer(&mut self) -> PolarsResult<()> {
        let meta = FileMeta {
            version: VERSION,
            reports: std::mem::take(&mut self.reports),
        };
        let json = serde_json::to_string(&meta).expect("invariant: metadata is plain data");
        let pairs = KeyValueMetadata::from_static(vec![(KEY.to_owned(), json)]);
        let pairs = pairs.collect(ParquetMetadataContext { arrow_schema: "" })?;
        let writer = self.parquet.get_writer();
        writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(Some(pairs))?;
        Ok(())
    }
}

/// Writing fails where the file system does.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of a library's errors are its own"
)]
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn failed(error: PolarsError) -> Error {
    let kind = match &error {
        PolarsError::IO { error, .. } => error.kind(),
        _ => io::ErrorKind::Other,
    };
    let error = io::Error::new(kind, error.to_string());
    Error::Io {
        what: "cannot write a file of the archive".to_owned(),
        error,
    }
}

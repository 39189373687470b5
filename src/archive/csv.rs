//! Writes the CSV of an archived report again, byte for byte as it was added.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use super::columns::MICROSECONDS;
use super::csv_format::CsvFormat;
use super::decoded::DecodedRow;
use super::error::Error;
use super::file::{ArchiveFile, RowGroup};
use crate::report::time::Timestamp;

/// How many different values of `as_written` are cached.
const CACHED: usize = 1_000;

/// Bytes of a typical row.
const ROW_BYTES: usize = 256;

/// Whether a column has a cell that is not null.
fn has_any<T: polars::prelude::PolarsDataType>(column: &polars::prelude::ChunkedArray<T>) -> bool {
    column.null_count() < column.len()
}

/// Consecutive rows of an archived report.
pub struct CsvChunk {
    format: Arc<CsvFormat>,
    rows: Option<(Arc<RowGroup>, Range<usize>)>,
    /// The bytes after the last row.
    tail: Vec<u8>,
    /// How many bytes to cut off at the end.
    cut: usize,
}

impl CsvChunk {
    /// These rows of a row group, or none of a report without rows.
    pub(super) fn new(format: &Arc<CsvFormat>, rows: Option<(Arc<RowGroup>, Range<usize>)>) -> Self {
        Self {
            format: Arc::clone(format),
            rows,
            tail: Vec::new(),
            cut: 0,
        }
    }

    /// Ends the report after these rows.
    pub(super) fn end(&mut self, tail: Vec<u8>, ends_line: bool) {
        self.tail = tail;
        if !ends_line {
            self.cut = self.format.style.line_end.bytes().len();
        }
    }

    /// Whether the rows say themselves that their report is as of this instant.
    pub(super) fn is_as_of(&self, as_of: Timestamp) -> Result<bool, Error> {
        let Some((group, rows)) = &self.rows else {
            return Ok(true);
        };
        let stored = group.decoded()?.as_of.get(rows.clone());
        Ok(stored.is_some_and(|stored| stored.iter().all(|&time| time == as_of.0 * MICROSECONDS)))
    }

    /// Appends their CSV to `text`.
    pub fn append_to(self, text: &mut Vec<u8>) -> Result<(), Error> {
        if let Some((group, rows)) = self.rows {
            let decoded = group.decoded()?;
            let mut cache = AsWrittenCache::default();
            let (has_records, has_written) = (has_any(&decoded.record), has_any(&decoded.as_written));
            text.reserve(rows.len() * ROW_BYTES);
            for row in rows {
                if has_records && let Some(record) = decoded.record.get(row) {
                    text.extend_from_slice(record);
                } else {
                    let json = has_written.then(|| decoded.as_written.get(row)).flatten();
                    let json = json.unwrap_or_default();
                    let written = cache.of(&self.format, json);
                    let written = written.map_err(|_| group.damaged())?;
                    self.format.write_row(&DecodedRow { decoded, row }, written, text);
                }
            }
        }
        text.extend_from_slice(&self.tail);
        text.truncate(text.len().saturating_sub(self.cut));
        Ok(())
    }
}

/// By position, the cells that differ from the CSV of their typed cells; empty if none does.
type WrittenCells = Vec<Option<Box<[u8]>>>;

/// The parsed values of `as_written`, of which there are few different ones.
#[derive(Default)]
struct AsWrittenCache(HashMap<String, WrittenCells, xxhash_rust::xxh3::Xxh3DefaultBuilder>);

impl AsWrittenCache {
    fn of(&mut self, format: &CsvFormat, json: &str) -> serde_json::Result<&[Option<Box<[u8]>>]> {
        if json.is_empty() {
            return Ok(&[]);
        }
        if self.0.len() >= CACHED {
            self.0.clear();
        }
        if !self.0.contains_key(json) {
            self.0.insert(json.to_owned(), written(format, json)?);
        }
        Ok(&self.0[json])
    }
}

/// Parses a value of `as_written`. One that cannot be parsed is an error: otherwise an unknown cell would become an
/// absent one.
fn written(format: &CsvFormat, json: &str) -> serde_json::Result<WrittenCells> {
    let mut cells: HashMap<String, String> = serde_json::from_str(json)?;
    let cell = |name: &String| cells.remove(name).map(|cell| cell.into_bytes().into());
    Ok(format.names().iter().map(cell).collect())
}

/// A reader of the CSV of an archived report, as it was added.
pub struct ReportCsv {
    block: Cursor<Vec<u8>>,
    chunks: std::vec::IntoIter<CsvChunk>,
}

impl ReportCsv {
    /// Reads a report of this file; an error if the file has lost columns of it.
    pub fn new(file: &mut ArchiveFile, report: usize) -> Result<Self, Error> {
        Ok(Self {
            block: Cursor::new(file.complete_header(report)?),
            chunks: file.chunks(report)?.into_iter(),
        })
    }
}

impl Read for ReportCsv {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(chunk) = self.chunks.next() else {
                return Ok(0);
            };
            self.block.set_position(0);
            self.block.get_mut().clear();
            chunk.append_to(self.block.get_mut()).map_err(io::Error::other)?;
        }
    }
}

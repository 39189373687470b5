//! The CSV of an archived report, made again.

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::csv_format::CsvFormat;
use super::decoded::DecodedRow;
use super::error::Error;
use super::file::{ArchiveFile, RowGroup};

/// How many different [`AS_WRITTEN`] are cache.
const CACHED: usize = 1_000;

/// Bytes of a row, about.
const USUAL: usize = 256;

/// Whether a column has a cell that is not null.
fn has_any<T: polars::prelude::PolarsDataType>(column: &polars::prelude::ChunkedArray<T>) -> bool {
    column.null_count() < column.len()
}

/// Rows of an archived report that follow each other.
pub struct CsvChunk {
    format: Arc<CsvFormat>,
    rows: Option<(Arc<RowGroup>, Range<usize>)>,
    /// What comes behind the last row.
    behind: Vec<u8>,
    /// How many bytes too many that makes.
    cut: usize,
}

impl CsvChunk {
    /// These rows of a row group; without any, what comes behind none.
    pub(super) fn new(format: &Arc<CsvFormat>, rows: Option<(Arc<RowGroup>, Range<usize>)>) -> Self {
        Self {
            format: Arc::clone(format),
            rows,
            behind: Vec::new(),
            cut: 0,
        }
    }

    /// Ends the report behind them.
    pub(super) fn end(&mut self, tail: Vec<u8>, ends_line: bool) {
        self.behind = tail;
        if !ends_line {
            self.cut = self.format.line_end.bytes().len();
        }
    }

    /// Puts them behind what is there, as they were added.
    ///
    /// # Errors
    /// Where they cannot be decoded.
    pub fn append_to(self, text: &mut Vec<u8>) -> Result<(), Error> {
        if let Some((group, rows)) = self.rows {
            let decoded = group.decoded()?;
            let mut cache = AsWrittenCache::default();
            let (has_records, has_written) = (has_any(&decoded.record), has_any(&decoded.as_written));
            text.reserve(rows.len() * USUAL);
            for row in rows {
                if has_records && let Some(record) = decoded.record.get(row) {
                    text.extend_from_slice(record);
                } else {
                    let json = has_written.then(|| decoded.as_written.get(row)).flatten();
                    let json = json.unwrap_or_default();
                    let written = cache.of(&self.format, json);
                    let written = written.map_err(|error| group.damaged(&error))?;
                    self.format.write_row(&DecodedRow { decoded, row }, written, text);
                }
            }
        }
        text.extend_from_slice(&self.behind);
        text.truncate(text.len().saturating_sub(self.cut));
        Ok(())
    }
}

/// The cells that are written otherwise than their typed cells spell, by place; empty where none is.
type WrittenCells = Vec<Option<Box<[u8]>>>;

/// What values of [`AS_WRITTEN`] say: there are few different ones.
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

/// The cells of [`AS_WRITTEN`], by place. What cannot be read is an error: without it a cell that says nothing would
/// be spelled as one that is absent.
fn written(format: &CsvFormat, json: &str) -> serde_json::Result<WrittenCells> {
    let mut cells: HashMap<String, String> = serde_json::from_str(json)?;
    let column_at = |name: &String| cells.remove(name).map(|cell| cell.into_bytes().into());
    Ok(format.names().iter().map(column_at).collect())
}

/// The CSV of an archived report, as it was added.
pub struct ReportCsv {
    made: Vec<u8>,
    read: usize,
    chunks: std::vec::IntoIter<CsvChunk>,
}

impl ReportCsv {
    /// Of a report of this file.
    ///
    /// # Errors
    /// Where its header is none.
    pub fn new(file: &mut ArchiveFile, report: usize) -> Result<Self, Error> {
        Ok(Self {
            made: file.reports()[report].header.0.clone(),
            read: 0,
            chunks: file.chunks(report)?.into_iter(),
        })
    }
}

impl Read for ReportCsv {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.made.len() {
            let Some(chunk) = self.chunks.next() else {
                return Ok(0);
            };
            self.made.clear();
            self.read = 0;
            chunk.append_to(&mut self.made).map_err(io::Error::other)?;
        }
        let count = into.len().min(self.made.len() - self.read);
        into[..count].copy_from_slice(&self.made[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

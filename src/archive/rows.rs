//! Rows of an archived report, and their CSV, byte for byte as it was added.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use polars_arrow::array::{PrimitiveArray, StaticArray as _};

use super::columns::{ACCOUNT_ID, AS_OF, MICROSECONDS};
use super::csv_format::{CsvFormat, WrittenCells};
use super::decoded::{DecodedRow, DecodedRows};
use super::error::Error;
use super::meta::ReportMeta;
use super::place::Place;
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// How many different values of `as_written` are cached.
const CACHED: usize = 1_000;

/// Bytes of a typical row.
const ROW_BYTES: usize = 256;

/// Consecutive rows of an archived report.
pub struct ArchivedRows {
    pub(super) format: Arc<CsvFormat>,
    pub(super) header: Header,
    pub(super) meta: Arc<ReportMeta>,
    pub(super) place: Place,
    /// How many rows of the report are before these.
    pub(super) before: u64,
    /// The last of them, if there are any.
    pub(super) last_before: Option<Place>,
    /// Whether the report ends with them.
    pub(super) is_last: bool,
}

impl ArchivedRows {
    /// Rows of the report with this format, header and metadata.
    pub(super) fn new(
        (format, header, meta): (&Arc<CsvFormat>, &Header, &Arc<ReportMeta>),
        place: Place,
        (before, last_before): (u64, Option<Place>),
        is_last: bool,
    ) -> Self {
        Self {
            format: Arc::clone(format),
            header: header.clone(),
            meta: Arc::clone(meta),
            place,
            before,
            last_before,
            is_last,
        }
    }

    /// Whether the rows say themselves that their report is as of this instant.
    pub(super) fn is_as_of(&self, as_of: Timestamp) -> Result<bool, Error> {
        let Some(stored) = self.place.columns::<PrimitiveArray<i64>>(AS_OF)? else {
            return Ok(self.place.len() == 0);
        };
        let mut is_as_of = true;
        self.place.visit(|group, row| {
            is_as_of &= stored[group].get(row) == Some(as_of.0 * MICROSECONDS);
        });
        Ok(is_as_of)
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.place.len()
    }

    /// The least and the greatest of the accounts in their row group, if each row there has one.
    pub(super) fn accounts(&self) -> Option<[Vec<u8>; 2]> {
        match self.place.groups() {
            [group] => group.bounds(ACCOUNT_ID),
            _ => None,
        }
    }

    /// Appends their CSV to `text`.
    pub fn append_to(&self, text: &mut Vec<u8>) -> Result<(), Error> {
        let decoded = DecodedRows::of(&self.place, &self.format)?;
        let mut cache = AsWrittenCache::default();
        let mut error = None;
        text.reserve(self.place.len() * ROW_BYTES);
        self.place.visit(|group, row| {
            if let Some(record) = decoded.record(group, row) {
                text.extend_from_slice(record);
                return;
            }
            match cache.of(&self.format, decoded.as_written(group, row)) {
                Ok(written) => {
                    let row = DecodedRow {
                        decoded: &decoded,
                        group,
                        row,
                    };
                    self.format.write_row(&row, written, text);
                }
                Err(_) => error = Some(group),
            }
        });
        if let Some(group) = error {
            return Err(self.place.groups()[group].damaged("its cells as written cannot be read"));
        }
        if self.is_last {
            text.extend_from_slice(&self.meta.tail.0);
            if !self.meta.ends_line {
                let cut = self.format.style.line_end.bytes().len();
                text.truncate(text.len().saturating_sub(cut));
            }
        }
        Ok(())
    }
}

/// The parsed values of `as_written`, of which there are few different ones.
#[derive(Default)]
pub(super) struct AsWrittenCache(HashMap<String, WrittenCells, xxhash_rust::xxh3::Xxh3DefaultBuilder>);

impl AsWrittenCache {
    pub(super) fn of(&mut self, format: &CsvFormat, json: &str) -> serde_json::Result<&[Option<Box<[u8]>>]> {
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

/// A cell in `as_written`: text, or bytes that are not UTF-8.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum WrittenCell<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Bytes(Vec<u8>),
}

/// Parses a value of `as_written`. One that cannot be parsed is an error: otherwise an unknown cell would become an
/// absent one.
fn written(format: &CsvFormat, json: &str) -> serde_json::Result<WrittenCells> {
    let mut cells: HashMap<String, WrittenCell<'_>> = serde_json::from_str(json)?;
    let cell = |name: &String| {
        Some(match cells.remove(name)? {
            WrittenCell::Text(text) => text.as_bytes().into(),
            WrittenCell::Bytes(bytes) => bytes.into(),
        })
    };
    Ok(format.names().iter().map(cell).collect())
}

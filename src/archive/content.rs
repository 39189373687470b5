//! The content of an archived file, which several threads read at the same time: its metadata, and its bytes, which are
//! checked before any of them is decoded.

use std::io::{self, Cursor};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use polars::prelude::{ArrowSchema, PolarsResult};
use polars_buffer::Buffer;
use polars_io::SerReader as _;
use polars_io::mmap::MmapBytesReader;
use polars_io::parquet::read::{FileMetadata, ParquetReader};
use sha2::{Digest as _, Sha256};

use super::columns::{AS_WRITTEN, RECORD, archived_name};
use super::error::Error;
use super::guard::{guarded, unreadable};
use super::layout::FileName;
use super::meta::{FileMeta, HASH_KEY, KEY, VERSION};
use super::seal::{self, Seal};
use super::sizes::{are_sound_pages, is_sound_footer};
use crate::finding::digest::{hex, sha256};
use crate::io::container::FileBytes;
use crate::report::schema::{Column, ColumnSet};

/// Bytes up to which a file is held in memory while it is read.
const HELD: u64 = 32 << 20;

/// What is wrong with a damaged file that has its name.
const OTHER_BYTES: &str = "its bytes do not match the hash in its name";

/// What a file has. Several threads read it at the same time.
pub(super) struct FileContent {
    pub(super) path: String,
    data: FileBytes,
    /// By which its bytes are checked; else by the seal, or by the sizes that it claims.
    name: Option<FileName>,
    seal: Option<Seal>,
    pub(super) footer: Arc<FileMetadata>,
    pub(super) schema: Arc<ArrowSchema>,
    pub(super) meta: FileMeta,
    /// Its typed columns.
    pub(super) columns: ColumnSet,
    /// Those of them that it lacks, because another program rewrote it. A report with such a column is read as one
    /// without it, so that its cells are absent or unknown as [`Column::OPTIONAL`] says.
    pub(super) lost: ColumnSet,
    /// Where each row group ends.
    pub(super) ends: Vec<usize>,
    /// Whether its bytes are unchanged, and a small file itself, once it was read.
    checked: OnceLock<Result<Option<Buffer<u8>>, String>>,
}

impl FileContent {
    /// Reads the metadata.
    pub(super) fn parse(data: FileBytes, path: String, name: Option<FileName>) -> Result<Self, Error> {
        let hash = name.as_ref().map(|name| (data.clone(), name.hash.clone()));
        let parsed = Self::parse_footer(data, path.clone(), name);
        match (parsed, hash) {
            (Err(Error::Unreadable(_)), Some((data, hash))) if !hash_of(&data, &path)?.starts_with(&hash) => {
                Err(Error::Damaged(path, OTHER_BYTES.to_owned()))
            }
            (parsed, _) => parsed,
        }
    }

    fn parse_footer(data: FileBytes, path: String, name: Option<FileName>) -> Result<Self, Error> {
        let seal = check_footer(&data, &path)?;
        let (footer, schema) = decoded(&path, || {
            let mut reader = parquet(&data)?;
            Ok((Arc::clone(reader.get_metadata()?), reader.schema()?))
        })?;
        let mut end = 0;
        let ends = footer.row_groups.iter().map(|group| {
            end = group.num_rows().saturating_add(end);
            end
        });
        let ends = ends.collect::<Vec<_>>();
        let rows = ends.last().copied().unwrap_or_default();
        let meta = match read_meta(&footer, rows as u64, &path)? {
            Some(meta) => meta,
            None if schema.contains(AS_WRITTEN) && schema.contains(RECORD) => {
                return Err(Error::Damaged(path, "its metadata is missing".to_owned()));
            }
            None => return Err(Error::NotAnArchive(path)),
        };
        let columns = meta.typed();
        let is_lost = |&column: &Column| !schema.contains(archived_name(column));
        Ok(Self {
            path,
            data,
            name,
            seal,
            lost: columns.iter().filter(is_lost).collect(),
            columns,
            schema,
            meta,
            ends,
            footer,
            checked: OnceLock::new(),
        })
    }

    /// Checks once that the bytes are those that were written.
    pub(super) fn check(&self) -> Result<Option<&Buffer<u8>>, Error> {
        let checked = self
            .checked
            .get_or_init(|| self.read_and_check().map_err(|error| error.to_string()));
        match checked {
            Ok(held) => Ok(held.as_ref()),
            Err(error) => Err(Error::Refused(error.clone())),
        }
    }

    fn read_and_check(&self) -> Result<Option<Buffer<u8>>, Error> {
        let cannot = || Error::io(format!("cannot read {}", self.path));
        let length = self.data.length().map_err(cannot())?;
        let held = if length <= HELD {
            Some(self.data.read(0..length).map_err(cannot())?)
        } else {
            None
        };
        if let Some(name) = &self.name {
            let hash = match &held {
                Some(held) => hex(&Sha256::digest(held)),
                None => hash_of(&self.data, &self.path)?,
            };
            if !hash.starts_with(&name.hash) {
                return Err(Error::Damaged(self.path.clone(), OTHER_BYTES.to_owned()));
            }
        } else {
            let is_sound = match &self.seal {
                Some(seal) => seal.fits_pages(&self.data),
                None => are_sound_pages(&self.data, &self.footer),
            };
            if !is_sound.map_err(cannot())? {
                return Err(Error::Unreadable(self.path.clone()));
            }
        }
        Ok(held.map(Buffer::from_vec))
    }

    /// The bytes of a range.
    pub(super) fn bytes(&self, range: Range<u64>) -> io::Result<Buffer<u8>> {
        let held = self.check().map_err(io::Error::other)?;
        match held {
            Some(held) => {
                let [start, end] =
                    [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
                let is_in = start <= end && end <= held.len();
                let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
                is_in.then(|| held.clone().sliced(start..end)).ok_or_else(cut_off)
            }
            None => Ok(Buffer::from_vec(self.data.read(range)?)),
        }
    }

    /// Whether its name or its seal has a hash of its bytes, so that they are those that credlens wrote.
    pub(super) fn has_hash(&self) -> bool {
        self.name.is_some() || self.seal.is_some()
    }

    /// The SHA-256 of its bytes.
    pub(super) fn sha256(&self) -> Result<String, Error> {
        hash_of(&self.data, &self.path)
    }

    /// Whether its columns say all that is read from its rows now, and are those that credlens wrote.
    pub(super) fn is_current(&self) -> bool {
        self.has_hash() && self.lost.is_empty() && self.meta.is_current()
    }

    /// Runs the Parquet decoder, which may panic on damaged bytes.
    pub(super) fn decoded<T>(&self, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        decoded(&self.path, decode)
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

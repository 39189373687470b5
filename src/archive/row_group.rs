//! A row group of an archived file, decoded column by column as its columns are needed.

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use polars::prelude::{
    BinaryChunked, BooleanChunked, DataType, Int64Chunked, PolarsResult, Series, StringChunked,
};
use polars_parquet::read::{BasicDecompressor, PageReader, column_iter_to_arrays};

use super::error::Error;
use super::file::FileContent;

/// A row group. Its pages are compressed, so a column of it is decoded as a whole, and once.
pub(super) struct RowGroup {
    file: Arc<FileContent>,
    number: usize,
    rows: usize,
    columns: Vec<OnceLock<Result<DecodedColumn, String>>>,
}

/// A column of one array.
pub(super) enum DecodedColumn {
    /// Times in microseconds, or numbers.
    Numbers(Int64Chunked),
    Flags(BooleanChunked),
    Texts(StringChunked),
    Bytes(BinaryChunked),
}

/// What a column is meant to have.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Numbers,
    Flags,
    Texts,
    Bytes,
}

impl RowGroup {
    pub(super) fn new(file: &Arc<FileContent>, number: usize) -> Self {
        let group = &file.footer.row_groups[number];
        Self {
            file: Arc::clone(file),
            number,
            rows: group.num_rows(),
            columns: group.parquet_columns().iter().map(|_| OnceLock::new()).collect(),
        }
    }

    pub(super) fn file(&self) -> &FileContent {
        &self.file
    }

    /// A column; none if the file lacks it.
    pub(super) fn column(&self, name: &str, kind: Kind) -> Result<Option<&DecodedColumn>, Error> {
        let Some(index) = self.file.schema.index_of(name) else {
            return Ok(None);
        };
        self.file.check()?;
        let decoded = self.columns[index].get_or_init(|| {
            let decoded = self.file.decoded(|| self.decode(index, kind));
            let whole = decoded.and_then(|decoded| self.checked(name, decoded));
            whole.map_err(|error| error.to_string())
        });
        match decoded {
            Ok(decoded) => Ok(Some(decoded)),
            Err(error) => Err(Error::Refused(error.clone())),
        }
    }

    /// The column, if it is of the type that was meant and has a value in each row.
    fn checked(&self, name: &str, decoded: Option<DecodedColumn>) -> Result<DecodedColumn, Error> {
        let damaged = |why: String| Error::Damaged(self.file.path.clone(), why);
        let decoded = decoded.ok_or_else(|| damaged(format!("its column {name} has another type")))?;
        let length = match &decoded {
            DecodedColumn::Numbers(column) => column.len(),
            DecodedColumn::Flags(column) => column.len(),
            DecodedColumn::Texts(column) => column.len(),
            DecodedColumn::Bytes(column) => column.len(),
        };
        if length == self.rows {
            Ok(decoded)
        } else {
            Err(damaged(format!("its column {name} does not have a value in every row")))
        }
    }

    /// None if the column has another type.
    fn decode(&self, index: usize, kind: Kind) -> PolarsResult<Option<DecodedColumn>> {
        let column = &self.file.footer.row_groups[self.number].parquet_columns()[index];
        let (_, field) = self.file.schema.get_at_index(index).expect("invariant: an index of it");
        let bytes = self.file.bytes(column.byte_range())?;
        let pages = PageReader::new(Cursor::new(bytes), column, Vec::new(), usize::MAX);
        let pages = vec![BasicDecompressor::new(pages, Vec::new())];
        let types = vec![&column.descriptor().descriptor.primitive_type];
        let (arrays, _) = column_iter_to_arrays(pages, types, field.clone(), None)?;
        let series = Series::try_from((field, arrays))?.rechunk();
        Ok(match kind {
            Kind::Numbers => {
                let numbers = series.cast(&DataType::Int64)?;
                numbers.i64().ok().map(|numbers| DecodedColumn::Numbers(numbers.clone()))
            }
            Kind::Flags => series.bool().ok().map(|flags| DecodedColumn::Flags(flags.clone())),
            Kind::Texts => series.str().ok().map(|texts| DecodedColumn::Texts(texts.clone())),
            Kind::Bytes => series.binary().ok().map(|bytes| DecodedColumn::Bytes(bytes.clone())),
        })
    }
}

impl RowGroup {
    /// The error that something in the file cannot be.
    pub(super) fn damaged(&self, why: &str) -> Error {
        Error::Damaged(self.file.path.clone(), why.to_owned())
    }
}

impl DecodedColumn {
    /// Whether any value is not null.
    pub(super) fn has_any(&self) -> bool {
        let (nulls, length) = match self {
            Self::Numbers(column) => (column.null_count(), column.len()),
            Self::Flags(column) => (column.null_count(), column.len()),
            Self::Texts(column) => (column.null_count(), column.len()),
            Self::Bytes(column) => (column.null_count(), column.len()),
        };
        nulls < length
    }

    /// A time in microseconds, or a number.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Option<i64> {
        match self {
            Self::Numbers(column) => column.get(row),
            Self::Flags(_) | Self::Texts(_) | Self::Bytes(_) => None,
        }
    }

    #[inline]
    pub(super) fn flag(&self, row: usize) -> Option<bool> {
        match self {
            Self::Flags(column) => column.get(row),
            Self::Numbers(_) | Self::Texts(_) | Self::Bytes(_) => None,
        }
    }

    #[inline]
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Texts(column) => column.get(row),
            Self::Numbers(_) | Self::Flags(_) | Self::Bytes(_) => None,
        }
    }

    #[inline]
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Bytes(column) => column.get(row),
            Self::Numbers(_) | Self::Flags(_) | Self::Texts(_) => None,
        }
    }
}

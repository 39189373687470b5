//! A row group of an archived file, decoded column by column as its columns are needed.

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use polars::prelude::{DataType, PolarsResult, Series};
use polars_arrow::array::{Array, BinaryViewArray, BooleanArray, PrimitiveArray, Utf8ViewArray};
use polars_parquet::parquet::statistics::Statistics;
use polars_parquet::read::{BasicDecompressor, PageReader, column_iter_to_arrays};

use super::content::FileContent;
use super::error::Error;

/// A row group. Its pages are compressed, so a column of it is decoded as a whole, and once.
pub(super) struct RowGroup {
    file: Arc<FileContent>,
    number: usize,
    rows: usize,
    columns: Vec<OnceLock<Result<Box<dyn Array>, String>>>,
}

/// The arrays that columns are read as: times in microseconds and numbers, flags, texts, bytes.
pub(super) trait ArchivedArray: Array + Clone {
    /// The only array of a series; none if the column has another type.
    fn of(series: &Series) -> Option<Self>;
}

impl ArchivedArray for PrimitiveArray<i64> {
    fn of(series: &Series) -> Option<Self> {
        let numbers = series.cast(&DataType::Int64).ok()?;
        numbers.i64().ok()?.downcast_iter().next().cloned()
    }
}

impl ArchivedArray for BooleanArray {
    fn of(series: &Series) -> Option<Self> {
        series.bool().ok()?.downcast_iter().next().cloned()
    }
}

impl ArchivedArray for Utf8ViewArray {
    fn of(series: &Series) -> Option<Self> {
        series.str().ok()?.downcast_iter().next().cloned()
    }
}

impl ArchivedArray for BinaryViewArray {
    fn of(series: &Series) -> Option<Self> {
        series.binary().ok()?.downcast_iter().next().cloned()
    }
}

impl RowGroup {
    pub(super) fn new(file: &Arc<FileContent>, number: usize) -> Self {
        let group = &file.footer.row_groups[number];
        Self {
            file: Arc::clone(file),
            number,
            rows: group.num_rows(),
            columns: (0..file.schema.len()).map(|_| OnceLock::new()).collect(),
        }
    }

    pub(super) fn file(&self) -> &FileContent {
        &self.file
    }

    /// A column; none if the file lacks it.
    pub(super) fn column<A: ArchivedArray>(&self, name: &str) -> Result<Option<&A>, Error> {
        let Some(index) = self.file.schema.index_of(name) else {
            return Ok(None);
        };
        self.file.check()?;
        let decoded = self.columns[index].get_or_init(|| {
            let decoded = self.file.decoded(|| self.decode::<A>(index));
            let whole = decoded.and_then(|decoded| self.checked(name, decoded));
            whole
                .map(|array| -> Box<dyn Array> { Box::new(array) })
                .map_err(|error| error.to_string())
        });
        let decoded = decoded.as_ref().map_err(|error| Error::Refused(error.clone()))?;
        Ok(decoded.as_any().downcast_ref())
    }

    /// The column, if it is of the type that was meant and has a value in each row.
    fn checked<A: ArchivedArray>(&self, name: &str, decoded: Option<A>) -> Result<A, Error> {
        let decoded = decoded.ok_or_else(|| self.damaged(&format!("its column {name} has another type")))?;
        if decoded.len() == self.rows {
            Ok(decoded)
        } else {
            Err(self.damaged(&format!("its column {name} does not have a value in every row")))
        }
    }

    /// None if the column has another type.
    fn decode<A: ArchivedArray>(&self, index: usize) -> PolarsResult<Option<A>> {
        let (name, field) = self
            .file
            .schema
            .get_at_index(index)
            .expect("invariant: an index of it");
        let group = &self.file.footer.row_groups[self.number];
        let mut columns = group.columns_under_root_iter(name).into_iter().flatten();
        let (Some(column), None) = (columns.next(), columns.next()) else {
            return Ok(None);
        };
        let bytes = self.file.bytes(column.byte_range())?;
        let pages = PageReader::new(Cursor::new(bytes), column, Vec::new(), usize::MAX);
        let pages = vec![BasicDecompressor::new(pages, Vec::new())];
        let types = vec![&column.descriptor().descriptor.primitive_type];
        let (arrays, _) = column_iter_to_arrays(pages, types, field.clone(), None)?;
        Ok(A::of(&Series::try_from((field, arrays))?.rechunk()))
    }

    /// The least and the greatest text of a column, if no row is without one.
    pub(super) fn bounds(&self, name: &str) -> Option<[Vec<u8>; 2]> {
        let group = &self.file.footer.row_groups[self.number];
        let column = group.columns_under_root_iter(name)?.next()?;
        let statistics = column.statistics(&self.file.footer.footer_buf)?.ok()?;
        let Statistics::Binary(of_column) = statistics else {
            return None;
        };
        let bounds = [of_column.min_value?, of_column.max_value?];
        // Longer ones may be cut off.
        let is_sound = bounds[0] <= bounds[1] && bounds.iter().all(|bound| bound.len() < 32);
        (of_column.null_count == Some(0) && is_sound).then_some(bounds)
    }

    /// The error that something in the file cannot be.
    pub(super) fn damaged(&self, why: &str) -> Error {
        Error::Damaged(self.file.path.clone(), why.to_owned())
    }
}

/// Whether any value is not null.
pub(super) fn has_any(array: &dyn Array) -> bool {
    array.null_count() < array.len()
}

//! The records of one block: split from text, or stored as columns. What reads them need not know which.

use std::ops::Range;

use super::gaps::Gaps;
use super::header::Header;
use super::rows::Rows;
use super::schema::Column;
use super::stored::StoredRows;

/// The records of a block.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Those that were split from text, unless there are stored ones.
    split: Rows,
    pub(super) stored: Option<StoredRows>,
}

impl Records {
    /// The text, to be filled with whole records before they are split.
    pub fn text_mut(&mut self) -> &mut Vec<u8> {
        self.split_mut().text_mut()
    }

    /// The records of a text, to be split.
    pub fn split_mut(&mut self) -> &mut Rows {
        self.stored = None;
        &mut self.split
    }

    /// The records of the text.
    pub(super) fn split(&self) -> &Rows {
        &self.split
    }

    /// Number of records.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.stored {
            None => self.split.len(),
            Some(stored) => stored.len(),
        }
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records whose fields cannot be matched to columns, ascending.
    pub fn ragged(&self) -> &[u32] {
        match &self.stored {
            None => self.split.ragged(),
            Some(stored) => &stored.ragged,
        }
    }

    fn left_out(&self) -> &Gaps {
        match &self.stored {
            None => self.split.left_out(),
            Some(stored) => &stored.left_out,
        }
    }

    /// How many data rows of the block are before this record, including those that were left out.
    #[inline]
    pub fn data_rows_before(&self, record: usize) -> usize {
        self.left_out().data_rows_before(record)
    }

    /// The record that is this data row of the block, from 0; none if the row was left out.
    pub fn record_of_data_row(&self, row: usize) -> Option<usize> {
        self.left_out().record_of_data_row(row, self.len())
    }

    /// How many data rows the block has, including those that were left out.
    pub fn data_rows(&self) -> usize {
        self.data_rows_before(self.len())
    }

    /// The field at this position of this record, without the blanks around it.
    pub fn field(&self, row: usize, position: usize) -> &[u8] {
        match &self.stored {
            None => self.split.field(row, position),
            Some(stored) => stored.field(row, position),
        }
    }

    /// The fields at this position of these records, as written.
    #[inline]
    pub fn fields(&self, records: Range<usize>, position: usize) -> impl Iterator<Item = &[u8]> {
        match &self.stored {
            None => Fields::Split(self.split.fields(records, position)),
            Some(stored) => Fields::Stored(stored.fields(records, position)),
        }
    }

    /// Whether the text of a time cell may be another than that of its time.
    pub(super) fn may_be_unusual(&self, row: usize, position: usize) -> bool {
        self.stored
            .as_ref()
            .is_none_or(|stored| stored.is_exception(row, position))
    }

    /// The cell of this column, without the blanks around it; none where the report lacks the column.
    pub fn cell(&self, header: &Header, row: usize, column: impl Into<Column>) -> Option<&[u8]> {
        header
            .position(column.into())
            .map(|position| self.field(row, position))
    }

    /// The block as it was read; nothing of stored records.
    pub fn block(&self) -> &[u8] {
        match &self.stored {
            None => self.split.block(),
            Some(_) => &[],
        }
    }

    /// The block up to the line on which this record starts.
    pub fn before(&self, record: usize) -> &[u8] {
        match &self.stored {
            None => self.split.before(record),
            Some(_) => &[],
        }
    }
}

/// Fields of records.
enum Fields<S, C> {
    Split(S),
    Stored(C),
}

impl<'a, S: Iterator<Item = &'a [u8]>, C: Iterator<Item = &'a [u8]>> Iterator for Fields<S, C> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Self::Split(fields) => fields.next(),
            Self::Stored(fields) => fields.next(),
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, &'a [u8]) -> B>(self, init: B, each: F) -> B {
        match self {
            Self::Split(fields) => fields.fold(init, each),
            Self::Stored(fields) => fields.fold(init, each),
        }
    }
}

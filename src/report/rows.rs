//! The records of one block, split into fields: one text, and the end of each field in it.
//!
//! A record that is not plain (quoted, repaired, ragged) is rewritten in plain form after the block, so that everything
//! after the split sees only one form.

use std::ops::Range;

use super::gaps::Gaps;
use super::header::Header;
use super::schema::{Column, TextColumn};

/// A block of records and the positions of their fields.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The block as read, then the rewritten records.
    text: Vec<u8>,
    /// The text of the rewritten records, until all are known.
    rewritten: Vec<u8>,
    /// The indexes of the rewritten records, ascending.
    rewritten_records: Vec<u32>,
    /// Where each of them was in the block.
    origins: Vec<u32>,
    /// Where the record is that is being rewritten.
    origin: u32,
    /// Where the rewritten records will start in `text`.
    block_length: usize,
    /// Where each record starts in `text`.
    starts: Vec<u32>,
    /// Where each field ends in `text`, `width` for each record; the next field starts one byte later.
    ends: Vec<u32>,
    width: usize,
    /// Records whose fields cannot be matched to columns; of their cells only user and ARN are stored, as a hint.
    ragged: Vec<u32>,
    left_out: Gaps,
}

impl Rows {
    /// The text, to be filled with whole records before they are split.
    pub fn text_mut(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// The text: the block, and the rewritten records after it.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Clears all records and prepares for records of `width` fields.
    pub(super) fn start(&mut self, width: usize) {
        self.block_length = self.text.len();
        self.rewritten.clear();
        self.rewritten_records.clear();
        self.origins.clear();
        self.origin = 0;
        self.starts.clear();
        self.ends.clear();
        self.ragged.clear();
        self.left_out.clear();
        self.width = width;
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Says of which records, ascending, the fields cannot be matched to columns: all their cells are unknown.
    pub(crate) fn mark_ragged(&mut self, records: &[u32]) {
        self.ragged.clear();
        self.ragged.extend_from_slice(records);
    }

    /// The records whose fields cannot be matched to columns, ascending.
    pub fn ragged(&self) -> &[u32] {
        &self.ragged
    }

    /// The rows that were left out.
    pub(super) fn left_out(&self) -> &Gaps {
        &self.left_out
    }

    /// How many data rows the block has, including those that were left out.
    pub fn data_rows(&self) -> usize {
        self.left_out.data_rows_before(self.len())
    }

    /// The field at this position of this record, without the blanks around it.
    pub fn field(&self, row: usize, position: usize) -> &[u8] {
        let ends = &self.ends[row * self.width..(row + 1) * self.width];
        let start = match position {
            0 => self.starts[row],
            _ => ends[position - 1] + 1,
        };
        trim(&self.text[start as usize..ends[position] as usize])
    }

    /// The fields at this position of these records, as written.
    #[inline]
    pub fn fields(&self, records: Range<usize>, position: usize) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends(records.clone()).chunks_exact(self.width.max(1));
        self.starts[records].iter().zip(ends).map(move |(&record, ends)| {
            let start = match position {
                0 => record,
                _ => ends[position - 1] + 1,
            };
            &self.text[start as usize..ends[position] as usize]
        })
    }

    /// The ends of these records' fields; each record has as many as the header.
    #[inline]
    pub(super) fn ends(&self, records: Range<usize>) -> &[u32] {
        &self.ends[records.start * self.width..records.end * self.width]
    }

    /// Those of these records that were rewritten, whose fields may contain a delimiter.
    pub(super) fn rewritten(&self, records: Range<usize>) -> &[u32] {
        let before = |end: usize| {
            self.rewritten_records
                .partition_point(|&record| (record as usize) < end)
        };
        &self.rewritten_records[before(records.start)..before(records.end)]
    }

    /// The cell of this column, without the blanks around it; none where the report lacks the column.
    pub fn cell(&self, header: &Header, row: usize, column: impl Into<Column>) -> Option<&[u8]> {
        header
            .position(column.into())
            .map(|position| self.field(row, position))
    }

    /// Takes the block back and appends the rewritten records.
    pub(super) fn put_before_rewritten(&mut self, block: Vec<u8>) {
        self.text = block;
        self.text.extend_from_slice(&self.rewritten);
    }

    /// Adds field ends.
    pub(super) fn add_ends(&mut self, ends: &[u32]) {
        self.ends.extend_from_slice(ends);
    }

    /// The field ends of the next record to be finished, if all are known.
    #[inline]
    pub(super) fn next_ends(&self) -> Option<&[u32]> {
        let start = self.starts.len() * self.width;
        self.ends.get(start..start + self.width)
    }

    /// Whether fewer field ends are left than a record has.
    pub(super) fn is_finished(&self) -> bool {
        self.next_ends().is_none()
    }

    /// Adds the record that the next field ends belong to.
    #[inline]
    pub(super) fn finish_record(&mut self, start: usize) {
        self.starts.push(offset(start));
    }

    /// Removes the records after the first `records`, but not their field ends.
    pub(super) fn truncate(&mut self, records: usize) {
        self.starts.truncate(records);
    }

    /// Removes field ends that do not belong to a finished record.
    pub(super) fn drop_unfinished(&mut self) {
        self.ends.truncate(self.starts.len() * self.width);
    }

    /// The records that are rewritten from here on were at this position of the block.
    pub(super) fn rewrite_from(&mut self, start: usize) {
        self.origin = offset(start);
    }

    /// The block up to the line on which this record starts.
    pub fn before(&self, record: usize) -> &[u8] {
        let rewritten = self.rewritten_records.binary_search(&offset(record));
        let start = rewritten.map_or(self.starts[record], |at| self.origins[at]) as usize;
        let block = &self.text[..self.block_length];
        // Empty lines before a record are read with it.
        let rest = block[start..].iter();
        let empty = rest.take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        &block[..start + empty]
    }

    /// The block as it was read.
    pub fn block(&self) -> &[u8] {
        &self.text[..self.block_length]
    }

    /// Adds a record in plain form.
    pub(super) fn push<'a>(&mut self, fields: impl IntoIterator<Item = &'a [u8]>) {
        self.rewritten_records.push(offset(self.starts.len()));
        self.origins.push(self.origin);
        self.starts.push(offset(self.block_length + self.rewritten.len()));
        for field in fields {
            self.rewritten.extend_from_slice(field);
            self.ends.push(offset(self.block_length + self.rewritten.len()));
            self.rewritten.push(b'\n');
        }
        debug_assert_eq!(
            self.ends.len(),
            self.starts.len() * self.width,
            "every record has its width"
        );
    }

    /// Counts a row that is left out.
    pub(super) fn leave_out(&mut self) {
        self.left_out.leave_out(self.starts.len(), 1);
    }

    /// Adds a record of which only the probable user and ARN are known.
    pub(super) fn push_ragged(&mut self, header: &Header, user: &[u8], arn: &[u8]) {
        self.ragged.push(offset(self.starts.len()));
        let at = |column: TextColumn| header.position(Column::Text(column));
        let (user_at, arn_at) = (at(TextColumn::User), at(TextColumn::Arn));
        self.push((0..header.width()).map(|position| match Some(position) {
            position if position == user_at => user,
            position if position == arn_at => arn,
            _ => b"",
        }));
    }
}

/// A position in a block. Blocks are far smaller than 4 GiB, and rewriting at most doubles them.
pub(super) fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("invariant: a block and its rewritten records stay below 4 GiB")
}

/// The text without the blanks (space, tab) at both ends.
#[inline]
pub(super) fn trim(text: &[u8]) -> &[u8] {
    match text {
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => trim_blanks(text),
    }
}

fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

//! The records of one block, split into fields: one text, and where each field ends in it.
//!
//! A record that is not plain (quoted, repaired, ragged) is written once more behind the block in plain form,
//! so that everything after the split sees one shape only.

use std::ops::Range;

use super::header::Header;
use super::schema::{Column, TextColumn};

/// A block of records and where their fields lie.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The block as read, then the records that had to be rewritten.
    text: Vec<u8>,
    /// The rewritten records, until all are known.
    rewritten: Vec<u8>,
    /// Which records these are, ascending.
    rewritten_records: Vec<u32>,
    /// Where the rewritten records will start in `text`.
    block_length: usize,
    /// Where each record starts in `text`.
    starts: Vec<u32>,
    /// Where each field ends in `text`, `width` a record; the next field starts one byte later.
    ends: Vec<u32>,
    width: usize,
    /// Records whose fields cannot be told apart; only their user and ARN were kept, as a hint for people.
    ragged: Vec<u32>,
    /// Records before which others were left out, ascending, and how many were up to there.
    left_out: Vec<(u32, u32)>,
}

impl Rows {
    /// The text to be filled with whole records before they are split.
    pub fn text_mut(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// The text: the block, and records rewritten behind it.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Forgets all records, and gets ready for ones of this many fields.
    pub(super) fn start(&mut self, width: usize) {
        self.block_length = self.text.len();
        self.rewritten.clear();
        self.rewritten_records.clear();
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

    /// The records whose fields cannot be told apart, ascending.
    pub fn ragged(&self) -> &[u32] {
        &self.ragged
    }

    /// How many data rows of the block stand before this record, those that were left out included.
    #[inline]
    pub fn data_rows_before(&self, record: usize) -> usize {
        if self.left_out.is_empty() {
            return record;
        }
        let gaps = self.left_out.partition_point(|&(at, _)| at as usize <= record);
        let left_out = gaps.checked_sub(1).map_or(0, |gap| self.left_out[gap].1);
        record + left_out as usize
    }

    /// How many data rows the block has, those that were left out included.
    pub fn data_rows(&self) -> usize {
        self.data_rows_before(self.len())
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

    /// The fields at this position, of these records in order, as they stand.
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

    /// Where the fields of these records end, as many a record as the header has.
    #[inline]
    pub(super) fn ends(&self, records: Range<usize>) -> &[u32] {
        &self.ends[records.start * self.width..records.end * self.width]
    }

    /// Those of these records that had to be rewritten, in which a field may hold a delimiter.
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

    /// Takes the block back and puts the rewritten records behind it.
    pub(super) fn put_before_rewritten(&mut self, block: Vec<u8>) {
        self.text = block;
        self.text.extend_from_slice(&self.rewritten);
    }

    /// Adds field ends.
    pub(super) fn add_ends(&mut self, ends: &[u32]) {
        self.ends.extend_from_slice(ends);
    }

    /// The field ends of the record to be finished next, if all are known.
    #[inline]
    pub(super) fn next_ends(&self) -> Option<&[u32]> {
        let start = self.starts.len() * self.width;
        self.ends.get(start..start + self.width)
    }

    /// Whether fewer field ends are left than a record has.
    pub(super) fn is_through(&self) -> bool {
        self.next_ends().is_none()
    }

    /// Makes a record of the next field ends.
    #[inline]
    pub(super) fn finish_record(&mut self, start: usize) {
        self.starts.push(offset(start));
    }

    /// Forgets the records behind so many, but not their field ends.
    pub(super) fn truncate(&mut self, records: usize) {
        self.starts.truncate(records);
    }

    /// Forgets field ends that belong to no finished record.
    pub(super) fn forget_unfinished(&mut self) {
        self.ends.truncate(self.starts.len() * self.width);
    }

    /// Adds a record in plain form.
    pub(super) fn push<'a>(&mut self, fields: impl IntoIterator<Item = &'a [u8]>) {
        self.rewritten_records.push(offset(self.starts.len()));
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

    /// Counts a record that is left out.
    pub(super) fn leave_out(&mut self) {
        let record = offset(self.starts.len());
        match self.left_out.last_mut() {
            Some((at, count)) if *at == record => *count += 1,
            last => {
                let before = last.map_or(0, |&mut (_, count)| count);
                self.left_out.push((record, before + 1));
            }
        }
    }

    /// Adds a record of which only what may be its user and ARN is known.
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

/// Blocks are bounded far below 4 GiB, and rewriting at most doubles them.
pub(super) fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("invariant: a block and its rewritten records stay below 4 GiB")
}

/// Without the blanks (space, tab) at both ends.
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

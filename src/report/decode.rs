//! Decodes fields into typed cells, many at a time.
//!
//! The loops of this module read the forms that AWS writes, without branches that the processor would have to predict.
//! Any other cell is [`UNKNOWN`] to them and is read again by [`cell`], which defines what a cell means.

#![expect(
    clippy::inline_always,
    reason = "functions called from `Work::run` must be compiled with it for its instruction set"
)]

use std::ops::Range;

use super::cell::{self, ABSENT, Flag, UNKNOWN};
use super::chunk::{Flags, Times};
use super::fixed_form::{self, LONGEST};
use super::header::Header;
use super::rows::Rows;
use super::schema::{Column, ColumnSet, FlagColumn, TimeColumn};
use super::wide::Work;

/// How many records are decoded together, column by column: their text fits into the first-level cache.
const TILE: usize = 64;

/// How many times are computed at once.
const LANES: usize = 8;

/// The decoding of a split block.
pub(super) struct Decoding<'a> {
    pub(super) rows: &'a Rows,
    pub(super) header: &'a Header,
    pub(super) wanted: ColumnSet,
    pub(super) times: &'a mut [Times; TimeColumn::COUNT],
    pub(super) flags: &'a mut [Flags; FlagColumn::COUNT],
}

impl Work for Decoding<'_> {
    /// The newest time of an event in the past.
    type Output = Option<i64>;

    #[inline(always)]
    fn run(self) -> Option<i64> {
        self.times.iter_mut().for_each(Times::clear);
        self.flags.iter_mut().for_each(Flags::clear);
        let mut newest = ABSENT;
        let mut present = Present::default();
        for first in (0..self.rows.len()).step_by(TILE) {
            let tile = Tile::new(self.rows, self.header, first..self.rows.len().min(first + TILE));
            for column in Column::ALL.into_iter().chain(Column::DETAILS) {
                let Some(position) = self
                    .header
                    .position(column)
                    .filter(|_| self.wanted.contains(column))
                else {
                    continue;
                };
                match column {
                    Column::Time(time) => {
                        let in_tile = self.times[time as usize].add(&tile, position, &mut present);
                        // The next rotation of a password is the only time in the future.
                        if time != TimeColumn::PasswordNextRotation {
                            newest = newest.max(in_tile);
                        }
                    }
                    Column::Flag(flag) => self.flags[flag as usize].add(&tile, position),
                    Column::Text(_) => {}
                }
            }
        }
        (newest != ABSENT).then_some(newest)
    }
}

/// Consecutive records.
struct Tile<'a> {
    rows: &'a Rows,
    records: Range<usize>,
    text: &'a [u8],
    /// The ends of these records' fields.
    ends: &'a [u32],
    width: usize,
    delimiter: u8,
    /// The records that were rewritten, whose fields may contain a delimiter.
    rewritten: &'a [u32],
}

impl<'a> Tile<'a> {
    fn new(rows: &'a Rows, header: &Header, records: Range<usize>) -> Self {
        Self {
            rows,
            text: rows.text(),
            ends: rows.ends(records.clone()),
            width: header.width(),
            delimiter: header.delimiter(),
            rewritten: rows.rewritten(records.clone()),
            records,
        }
    }

    /// The ends of the fields at this position.
    #[inline(always)]
    fn ends_at(&self, position: usize) -> impl Iterator<Item = u32> {
        let (ends, width) = (self.ends, self.width);
        // By index: iterating over the slice takes longer, as each step waits for the one before.
        (0..self.records.len()).map_while(move |record| ends.get(record * width + position).copied())
    }

    /// The start and end of a field. None for a record's first field, which is never a time.
    #[inline(always)]
    fn bounds(&self, record: usize, position: usize) -> Option<(usize, usize)> {
        let at = record * self.width + position.checked_sub(1)?;
        match self.ends.get(at..at + 2) {
            Some(&[before, end]) => Some((before as usize + 1, end as usize)),
            _ => None,
        }
    }

    /// Reads cells again that are unknown, or whose record was rewritten.
    #[inline(always)]
    fn reread<T: Copy + PartialEq>(
        &self,
        position: usize,
        cells: &mut [T],
        unknown: T,
        read: fn(&[u8]) -> T,
    ) {
        for &record in self.rewritten {
            cells[record as usize - self.records.start] = unknown;
        }
        let fields = self.rows.fields(self.records.clone(), position);
        for (cell, field) in cells.iter_mut().zip(fields) {
            if *cell == unknown {
                *cell = read(field);
            }
        }
    }
}

/// The last bytes before the end of a field, which may begin before the field; zeros at the start of the text.
#[inline(always)]
fn last_bytes<const N: usize>(text: &[u8], end: u32) -> [u8; N] {
    let start = (end as usize).wrapping_sub(N) & (u32::MAX as usize);
    let bytes = text.get(start..start + N).and_then(|bytes| bytes.first_chunk());
    bytes.copied().unwrap_or([0; N])
}

/// The cells of a time column that are not `N/A`.
struct Present {
    /// Their records, counted from the first of the tile.
    records: [u32; TILE],
    lengths: [u64; TILE],
    words: [[u64; TILE]; 4],
    seconds: [i64; TILE],
}

impl Default for Present {
    fn default() -> Self {
        Self {
            records: [0; TILE],
            lengths: [0; TILE],
            words: [[0; TILE]; 4],
            seconds: [0; TILE],
        }
    }
}

impl Present {
    /// Finds them, and returns how many there are.
    #[inline(always)]
    fn find(&mut self, tile: &Tile<'_>, position: usize) -> usize {
        let absent = [tile.delimiter, b'N', b'/', b'A'];
        let mut count = 0;
        for (record, end) in (0..).zip(tile.ends_at(position)) {
            let Some(slot) = self.records.get_mut(count) else {
                break;
            };
            *slot = record;
            count += usize::from(last_bytes(tile.text, end) != absent);
        }
        count
    }

    /// Loads the bytes of the first `count` of them.
    #[inline(always)]
    fn load(&mut self, tile: &Tile<'_>, position: usize, count: usize) {
        let [a, b, c, d] = &mut self.words;
        let words = a.iter_mut().zip(b).zip(c).zip(d);
        let lanes = self.records[..count].iter().zip(&mut self.lengths).zip(words);
        for ((&record, length), (((a, b), c), d)) in lanes {
            let bounds = tile.bounds(record as usize, position);
            let bytes = bounds.and_then(|(start, _)| tile.text.get(start..start + LONGEST));
            match (bounds, bytes.and_then(|bytes| bytes.first_chunk())) {
                (Some((start, end)), Some(bytes)) => {
                    *length = (end - start) as u64;
                    [*a, *b, *c, *d] = fixed_form::words(bytes);
                }
                // The last cells of the text.
                _ => *length = 0,
            }
        }
    }

    /// Computes the instants of the first `count` of them.
    #[inline(always)]
    fn compute(&mut self, count: usize) {
        let [a, b, c, d] = self.words.each_ref().map(|words| words.as_chunks::<LANES>().0);
        let words = a.iter().zip(b).zip(c).zip(d);
        let lengths = self.lengths.as_chunks::<LANES>().0;
        let seconds = self.seconds.as_chunks_mut::<LANES>().0;
        for ((seconds, lengths), (((a, b), c), d)) in seconds
            .iter_mut()
            .zip(lengths)
            .zip(words)
            .take(count.div_ceil(LANES))
        {
            for lane in 0..LANES {
                let words = [a[lane], b[lane], c[lane], d[lane]];
                // A zero time is read again, as any unusual cell.
                let time = fixed_form::seconds(lengths[lane], words).unwrap_or(UNKNOWN);
                seconds[lane] = if cell::is_zero(time) { UNKNOWN } else { time };
            }
        }
    }
}

impl Times {
    fn clear(&mut self) {
        self.cells.clear();
        self.any_unknown = false;
        self.any_stand_in = false;
    }

    /// Adds the cells of a tile, and returns the newest one.
    #[inline(always)]
    fn add(&mut self, tile: &Tile<'_>, position: usize, present: &mut Present) -> i64 {
        let before = self.cells.len();
        self.cells.resize(before + tile.records.len(), ABSENT);
        let cells = &mut self.cells[before..];
        let count = present.find(tile, position);
        present.load(tile, position, count);
        present.compute(count);
        let mut newest = ABSENT;
        for (&record, &seconds) in present.records[..count].iter().zip(&present.seconds) {
            cells[record as usize] = seconds;
            newest = newest.max(seconds);
        }
        if newest == UNKNOWN || !tile.rewritten.is_empty() {
            tile.reread(position, cells, UNKNOWN, cell::time);
            self.any_unknown |= cells.contains(&UNKNOWN);
            let fields = tile.rows.fields(tile.records.clone(), position);
            // Only absent cells can be stand-ins: the others need not be parsed again.
            let mut absent = fields.zip(cells.iter()).filter(|&(_, &time)| time == ABSENT);
            self.any_stand_in |= absent.any(|(field, _)| cell::stands_in(field).is_some());
            let known = cells.iter().filter(|&&time| time != UNKNOWN);
            newest = known.fold(ABSENT, |newest, &time| newest.max(time));
        }
        newest
    }
}

impl Flags {
    fn clear(&mut self) {
        self.cells.clear();
        self.any_unknown = false;
    }

    /// Adds the cells of a tile.
    #[inline(always)]
    fn add(&mut self, tile: &Tile<'_>, position: usize) {
        let delimiter = tile.delimiter;
        let yes = u64::from_le_bytes([delimiter, b't', b'r', b'u', b'e', 0, 0, 0]);
        let no = u64::from_le_bytes([delimiter, b'f', b'a', b'l', b's', b'e', 0, 0]);
        let before = self.cells.len();
        self.cells.resize(before + tile.records.len(), Flag::Unknown);
        let cells = &mut self.cells[before..];
        let mut all_known = true;
        for (cell, end) in cells.iter_mut().zip(tile.ends_at(position)) {
            let word = u64::from_le_bytes(last_bytes(tile.text, end));
            let (is_true, is_false) = (word >> 24 == yes, word >> 16 == no);
            all_known &= is_true | is_false;
            *cell = if is_true {
                Flag::True
            } else if is_false {
                Flag::False
            } else {
                Flag::Unknown
            };
        }
        if !all_known || !tile.rewritten.is_empty() {
            tile.reread(position, cells, Flag::Unknown, cell::flag);
            self.any_unknown |= cells.contains(&Flag::Unknown);
        }
    }
}

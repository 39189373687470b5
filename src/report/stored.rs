//! The records of one block that come from stored columns, not from text. Their typed cells are in the chunk; a cell is
//! written as text when something asks for it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cell::{self, Flag};
use super::chunk::{Flags, Times};
use super::gaps::Gaps;
use super::header::Header;
use super::rows::{offset, trim};
use super::schema::{Column, FlagColumn, TextColumn, TimeColumn};
use super::time::Timestamp;

/// What an absent cell is written as.
const ABSENT: &[u8] = b"N/A";

/// The time cells of a block by column; those of a column that was not decoded are empty.
pub type TimeCells = Arc<[Times; TimeColumn::COUNT]>;

/// Likewise its flag cells.
pub type FlagCells = Arc<[Flags; FlagColumn::COUNT]>;

/// The cells of a text column, as written.
#[derive(Clone, Debug, Default)]
pub struct TextCells {
    bytes: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<u32>,
}

impl TextCells {
    /// No cells, with room for this many of this many bytes in all.
    pub fn with_capacity(cells: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(cells),
        }
    }

    /// This many cells that are not there.
    pub fn absent(cells: usize) -> Self {
        Self {
            bytes: ABSENT.repeat(cells),
            ends: (1..=cells).map(|cell| offset(cell * ABSENT.len())).collect(),
        }
    }

    /// Adds a cell; one that is not there is `N/A`.
    pub fn push(&mut self, cell: Option<&[u8]>) {
        self.bytes.extend_from_slice(cell.unwrap_or(ABSENT));
        self.ends.push(offset(self.bytes.len()));
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[row] as usize]
    }
}

/// The cells that are not written as their typed cells would be, and those of columns that no credential report has: by
/// record and position.
pub type Exceptions = BTreeMap<(u32, usize), Box<[u8]>>;

/// A block of stored columns.
#[derive(Debug, Default)]
pub struct StoredBlock {
    /// Number of records.
    pub count: usize,
    /// The columns that were decoded, by kind.
    pub times: [Times; TimeColumn::COUNT],
    /// See [`times`](Self::times).
    pub flags: [Flags; FlagColumn::COUNT],
    /// None of those that were not decoded.
    pub texts: [Option<TextCells>; TextColumn::COUNT],
    /// The cells that are written in another way.
    pub exceptions: Exceptions,
    /// How times end: `Z` or `+00:00`.
    pub utc: &'static str,
    /// Records whose fields cannot be matched to columns, ascending.
    pub ragged: Vec<u32>,
    /// The rows that were left out.
    pub left_out: Gaps,
}

/// Its records.
#[derive(Clone, Debug)]
pub(super) struct StoredRows {
    count: usize,
    /// By position, the column of the report.
    columns: Arc<[Option<Column>]>,
    times: TimeCells,
    flags: FlagCells,
    texts: Arc<[Option<TextCells>; TextColumn::COUNT]>,
    exceptions: Arc<Exceptions>,
    utc: &'static str,
    pub(super) ragged: Vec<u32>,
    pub(super) left_out: Gaps,
    /// The records that were written as text.
    written: Arc<[OnceLock<Box<WrittenRow>>]>,
}

/// A record as text.
#[derive(Debug)]
struct WrittenRow(TextCells);

impl StoredRows {
    /// The records of a block, and its typed cells.
    pub(super) fn new(header: &Header, block: StoredBlock) -> Self {
        let mut columns = vec![None; header.width()];
        for column in Column::ALL {
            if let Some(position) = header.position(column) {
                columns[position] = Some(column);
            }
        }
        Self {
            count: block.count,
            columns: columns.into(),
            times: Arc::new(block.times),
            flags: Arc::new(block.flags),
            texts: Arc::new(block.texts),
            exceptions: Arc::new(block.exceptions),
            utc: block.utc,
            ragged: block.ragged,
            left_out: block.left_out,
            written: (0..block.count).map(|_| OnceLock::new()).collect(),
        }
    }

    pub(super) fn typed(&self) -> (TimeCells, FlagCells) {
        (Arc::clone(&self.times), Arc::clone(&self.flags))
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether the cell is not written as its typed cell would be.
    pub(super) fn is_exception(&self, row: usize, position: usize) -> bool {
        self.exceptions.contains_key(&(offset(row), position))
    }

    /// The field at this position of a record, without the blanks around it.
    pub(super) fn field(&self, row: usize, position: usize) -> &[u8] {
        match self.columns[position] {
            Some(Column::Text(column)) => self.texts(column).get(row),
            None => self
                .exceptions
                .get(&(offset(row), position))
                .map_or(b"", |cell| trim(cell)),
            Some(Column::Time(_) | Column::Flag(_)) => self.written[row]
                .get_or_init(|| Box::new(self.write(row)))
                .0
                .get(position),
        }
    }

    /// The fields at this position of these records, of a text column.
    pub(super) fn fields(&self, records: Range<usize>, position: usize) -> impl Iterator<Item = &[u8]> {
        let texts = match self.columns[position] {
            // Of no records there are no texts.
            Some(Column::Text(column)) if !records.is_empty() => Some(self.texts(column)),
            Some(Column::Text(_) | Column::Time(_) | Column::Flag(_)) | None => None,
        };
        records.map(move |row| match texts {
            Some(texts) => texts.get(row),
            None => self.field(row, position),
        })
    }

    fn texts(&self, column: TextColumn) -> &TextCells {
        let texts = self.texts[column as usize].as_ref();
        texts.expect("invariant: a sink that reads cells gets all columns")
    }

    /// Writes the times and flags of a record.
    fn write(&self, row: usize) -> WrittenRow {
        let mut cells = TextCells::with_capacity(self.columns.len(), self.columns.len() * 8);
        let mut time = [0; 32];
        for (position, column) in self.columns.iter().enumerate() {
            let exception = self
                .exceptions
                .get(&(offset(row), position))
                .map(|cell| trim(cell));
            let typed = match column {
                Some(Column::Time(column)) => cell::known(self.times[*column as usize].cells[row])
                    .map(|known| written_time(known, self.utc, &mut time)),
                Some(Column::Flag(column)) => match self.flags[*column as usize].cells[row] {
                    Flag::True => Some(&b"true"[..]),
                    Flag::False => Some(&b"false"[..]),
                    Flag::NotSupported | Flag::Unknown => None,
                },
                Some(Column::Text(_)) | None => Some(&b""[..]),
            };
            cells.push(exception.or(typed));
        }
        WrittenRow(cells)
    }
}

fn written_time<'a>(time: Timestamp, utc: &str, buffer: &'a mut [u8; 32]) -> &'a [u8] {
    let length = 19 + utc.len();
    buffer[..19].copy_from_slice(&time.digits());
    buffer[19..length].copy_from_slice(utc.as_bytes());
    &buffer[..length]
}

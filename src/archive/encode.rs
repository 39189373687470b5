//! A report on its way into the archive: block by block into rows that give its bytes back.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::columns::RowBuilder;
use super::csv_format::{
    CsvColumn, CsvFormat, FLAGS, LineEnd, Quotes, TEXTS, TIMES, TypedRow, UtcSuffix, flag_word,
};
use super::error::Error;
use super::meta::{RawBytes, ReportMeta};
use crate::engine::Input;
use crate::finding::AsOfSource;
use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::cut::is_closed;
use crate::report::header::Header;
use crate::report::schema::{Column, TextColumn};
use crate::report::split::Splitter;

/// How many lines are looked through for the end of a record, and how many records for the next row.
const AHEAD: usize = 64;

/// A report that is being read.
pub(super) struct ReportEncoder {
    meta: ReportMeta,
    accounts: BTreeSet<String>,
    /// Known once the first block is there.
    format: Option<CsvFormat>,
    splitter: Splitter,
    chunk: Chunk,
    /// RawBytes behind the last row that belong to none yet.
    pending: Vec<u8>,
    hash: Sha256,
    rows: RowBuilder,
    spelled: Vec<u8>,
}

impl ReportEncoder {
    /// Of this input.
    pub(super) fn new(input: &Input) -> Result<Self, Error> {
        if input.as_of_source == AsOfSource::Now {
            return Err(Error::Refused(
                "nothing tells when it was made, and a wrong date would spoil every comparison; name the file \
                 after its date (2026-11-21.csv), or give --as-of"
                    .to_owned(),
            ));
        }
        let mut hash = Sha256::new();
        hash.update(input.header.written());
        let meta = ReportMeta {
            accounts: Vec::new(),
            account_name: input.account.name.clone(),
            as_of: input.as_of,
            as_of_source: input.as_of_source,
            generated: input.generated,
            path: input.path.clone(),
            rows: 0,
            bytes: input.header.written().len() as u64,
            sha256: String::new(),
            header: RawBytes(input.header.written().to_vec()),
            utc: UtcSuffix::Letter,
            line_end: LineEnd::LineFeed,
            quotes: Quotes::Needed,
            ends_line: true,
            tail: RawBytes::default(),
        };
        Ok(Self {
            meta,
            accounts: BTreeSet::new(),
            format: None,
            splitter: Splitter::default(),
            chunk: Chunk::default(),
            pending: Vec::new(),
            hash,
            rows: RowBuilder::new(),
            spelled: Vec::new(),
        })
    }

    /// Takes the next block.
    pub(super) fn add_block(&mut self, header: &Header, text: &[u8], last: bool) {
        self.hash.update(text);
        self.meta.bytes += text.len() as u64;
        let block = self.chunk.rows.text_mut();
        block.clear();
        block.extend_from_slice(text);
        self.splitter.split(&mut self.chunk.rows, header, &mut Vec::new());
        self.chunk.decode(header, Column::ALL.into_iter().collect());
        let format = match self.format.take() {
            Some(format) => format,
            None => format_of(header, &self.chunk),
        };
        let mut ended = Vec::new();
        let mut text = text;
        if last && text.last().is_some_and(|&byte| byte != b'\n') {
            self.meta.ends_line = false;
            ended = [text, format.line_end.bytes()].concat();
            text = &ended;
        }
        self.add_rows(header, &format, text);
        drop(ended);
        self.format = Some(format);
    }

    fn add_rows(&mut self, header: &Header, format: &CsvFormat, text: &[u8]) {
        let mut at = 0;
        for row in 0..self.chunk.rows.len() {
            let (cells, written) = typed(&self.chunk, header, format, row);
            self.spelled.clear();
            format.write_row(&cells, &written, &mut self.spelled);
            let is_text = cells
                .texts
                .iter()
                .flatten()
                .all(|text| str::from_utf8(text).is_ok());
            let json = as_written(format, &written);
            let told =
                is_text && self.pending.is_empty() && text[at..].starts_with(&self.spelled) && json.is_ok();
            let length = if told {
                self.spelled.len()
            } else {
                length_of(&text[at..], &self.spelled, header.delimiter())
            };
            let record =
                (!told).then(|| [&std::mem::take(&mut self.pending)[..], &text[at..at + length]].concat());
            at += length;
            let account = cells.texts[TextColumn::Arn as usize].and_then(cell::account_of);
            let account = account.and_then(|account| str::from_utf8(account).ok());
            if let Some(account) = account.filter(|&account| !self.accounts.contains(account)) {
                self.accounts.insert(account.to_owned());
            }
            let place = (self.meta.as_of.0, account);
            self.rows
                .push(place, &cells, json.ok().flatten().as_deref(), record.as_deref());
        }
        self.meta.rows += self.chunk.rows.len() as u64;
        self.pending.extend_from_slice(&text[at..]);
    }

    /// How many rows there are that were not taken yet.
    pub(super) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Takes the rows so far.
    pub(super) fn take_rows(&mut self) -> RowBuilder {
        std::mem::replace(&mut self.rows, RowBuilder::new())
    }

    /// The report, once its last block was taken, and the rows that were not.
    pub(super) fn finish(mut self, header: &Header) -> (ReportMeta, RowBuilder) {
        let format = self
            .format
            .unwrap_or_else(|| format_of(header, &Chunk::default()));
        self.meta.utc = format.utc;
        self.meta.line_end = format.line_end;
        self.meta.quotes = format.quotes;
        self.meta.tail = RawBytes(self.pending);
        self.meta.accounts = self.accounts.into_iter().collect();
        self.meta.sha256 = hex(&self.hash.finalize());
        (self.meta, self.rows)
    }
}

/// In hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("invariant: writing to a string cannot fail");
        hex
    })
}

/// How most rows of this report are spelled, told from its header and the first rows.
fn format_of(header: &Header, chunk: &Chunk) -> CsvFormat {
    let written = header.written();
    let line_end = if written.ends_with(b"\r\n") {
        LineEnd::CarriageReturn
    } else {
        LineEnd::LineFeed
    };
    let quotes = if written.starts_with(b"\"") {
        Quotes::Always
    } else {
        Quotes::Needed
    };
    let times = Column::ALL
        .into_iter()
        .filter(|column| matches!(column, Column::Time(_)));
    let mut places = times.filter_map(|column| header.position(column));
    let utc = places.find_map(|place| {
        chunk
            .rows
            .fields(0..chunk.rows.len(), place)
            .find_map(UtcSuffix::of)
    });
    CsvFormat::new(header, utc.unwrap_or(UtcSuffix::Letter), line_end, quotes)
}

/// A row's typed cells, and by place those that are written otherwise than these spell.
fn typed<'a>(
    chunk: &'a Chunk,
    header: &Header,
    format: &CsvFormat,
    row: usize,
) -> (TypedRow<'a>, Vec<Option<Box<[u8]>>>) {
    let mut cells = TypedRow {
        times: [None; TIMES],
        flags: [None; FLAGS],
        texts: [None; TEXTS],
    };
    let mut written = Vec::new();
    let mut spelled = Vec::with_capacity(32);
    for (place, what) in format.columns().iter().enumerate() {
        let field = chunk.rows.field(row, place);
        let is_spelled = match *what {
            CsvColumn::Typed(Column::Time(column)) => {
                let known = chunk.times(column).cells[row];
                let known = (known != cell::ABSENT && known != cell::UNKNOWN).then_some(known);
                cells.times[column as usize] = known;
                spelled.clear();
                match known {
                    Some(seconds) => format.write_time(seconds, &mut spelled),
                    None => spelled.extend_from_slice(super::csv_format::ABSENT),
                }
                field == spelled
            }
            CsvColumn::Typed(Column::Flag(column)) => {
                let known = match chunk.flags(column).cells[row] {
                    Flag::True => Some(true),
                    Flag::False => Some(false),
                    Flag::NotSupported | Flag::Unknown => None,
                };
                cells.flags[column as usize] = known;
                field == flag_word(known)
            }
            CsvColumn::Typed(Column::Text(column)) => {
                cells.texts[column as usize] = (field != super::csv_format::ABSENT).then_some(field);
                true
            }
            CsvColumn::AsWritten => false,
        };
        if !is_spelled {
            written.resize(format.columns().len(), None);
            written[place] = Some(Box::from(field));
        }
    }
    debug_assert_eq!(header.width(), format.columns().len(), "a format is its header's");
    (cells, written)
}

/// The cells that are written otherwise, as JSON; an error where one of them is not UTF-8.
fn as_written(
    format: &CsvFormat,
    written: &[Option<Box<[u8]>>],
) -> Result<Option<String>, std::str::Utf8Error> {
    if written.is_empty() {
        return Ok(None);
    }
    let mut cells = Map::new();
    for (name, cell) in format.names().iter().zip(written) {
        if let Some(cell) = cell {
            cells.insert(name.clone(), Value::from(str::from_utf8(cell)?));
        }
    }
    Ok(Some(Value::Object(cells).to_string()))
}

/// How many bytes of `text` belong to a row that is not told by its cells: up to the end of the record that is
/// spelled so, where lines that are no rows stand before it; else one record.
fn length_of(text: &[u8], spelled: &[u8], delimiter: u8) -> usize {
    let mut at = 0;
    for _ in 0..AHEAD {
        if !spelled.is_empty() && text[at..].starts_with(spelled) {
            return at + spelled.len();
        }
        match first_record(&text[at..], delimiter) {
            0 => break,
            length => at += length,
        }
    }
    first_record(text, delimiter)
}

/// Length of the first record, its line end included.
fn first_record(text: &[u8], delimiter: u8) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', text).map(|end| end + 1);
    let Some(line) = ends.next() else {
        return text.len();
    };
    if is_closed(&text[..line], delimiter) {
        return line;
    }
    let closed = |&end: &usize| is_closed(&text[..end], delimiter);
    ends.take(AHEAD).find(closed).unwrap_or(line)
}

//! Encodes a report for the archive, block by block, into rows that reproduce its bytes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::columns::{RowBuilder, RowFacts};
use super::csv_format::{
    ABSENT, CsvFormat, CsvStyle, LineEnd, Quotes, TypedRow, UtcSuffix, WrittenCells, flag_word,
};
use super::error::Error;
use super::issues;
use super::meta::{RawBytes, ReportMeta, RowsFacts};
use super::usual_arn::usual_arn;
use crate::engine::{Input, ReportAccounts};
use crate::finding::AsOfSource;
use crate::finding::digest::hex;
use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::cut::is_closed;
use crate::report::header::Header;
use crate::report::issue::RowIssue;
use crate::report::schema::{Column, ColumnSet, TextColumn};
use crate::report::split::Splitter;
use crate::report::time::Timestamp;

/// How many lines to search for the end of a record, and how many records for the next row.
const AHEAD: usize = 64;

/// A report that is being encoded.
pub(super) struct ReportEncoder {
    meta: ReportMeta,
    accounts: BTreeSet<String>,
    surveyed: ReportAccounts,
    /// Whether no row so far gives a diagnostic of its own; and the newest time in them.
    is_quiet: bool,
    newest: Option<Timestamp>,
    /// Data rows so far, including those that were left out.
    data_rows: u64,
    /// The columns that the report lacks, so that their cells are unknown.
    lacks: ColumnSet,
    /// Whether each ARN so far is the usual one of its row.
    usual_arns: bool,
    /// The last set of unknown cells, as text.
    unknown: (ColumnSet, String),
    /// Known after the first block.
    format: Option<CsvFormat>,
    splitter: Splitter,
    chunk: Chunk,
    /// Those of the chunk.
    issues: Vec<RowIssue>,
    /// What was left out after the last row, as text.
    issues_before: String,
    /// The bytes after the last row. They become part of the next row's record, or the tail.
    pending: Vec<u8>,
    hash: Sha256,
    rows: RowBuilder,
    /// The CSV of the current row's typed cells; reused.
    csv: Vec<u8>,
}

impl ReportEncoder {
    /// Starts a report.
    pub(super) fn new(input: &Input) -> Result<Self, Error> {
        if input.as_of_source == AsOfSource::Now {
            return Err(Error::Refused(
                "its date is not known, and a wrong one would spoil every comparison; name the file after its date \
                 (2026-11-21.csv), or give --as-of"
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
            style: CsvStyle {
                utc: UtcSuffix::Letter,
                line_end: LineEnd::LineFeed,
                quotes: Quotes::Needed,
            },
            ends_line: true,
            tail: RawBytes::default(),
            facts: None,
        };
        Ok(Self {
            meta,
            accounts: BTreeSet::new(),
            surveyed: ReportAccounts::default(),
            // What is in columns of other programs may be unclear.
            is_quiet: !input.header.has_extras(),
            newest: None,
            data_rows: 0,
            lacks: input.lacks(),
            usual_arns: true,
            unknown: Default::default(),
            format: None,
            splitter: Splitter::default(),
            chunk: Chunk::default(),
            issues: Vec::new(),
            issues_before: String::new(),
            pending: Vec::new(),
            hash,
            rows: RowBuilder::new(),
            csv: Vec::new(),
        })
    }

    /// Encodes the next block.
    pub(super) fn add_block(&mut self, header: &Header, text: &[u8], last: bool) {
        self.hash.update(text);
        self.meta.bytes += text.len() as u64;
        let block = self.chunk.rows.text_mut();
        block.clear();
        block.extend_from_slice(text);
        self.splitter
            .split(self.chunk.rows.split_mut(), header, &mut self.issues);
        self.chunk.decode(header, Column::ALL.into_iter().collect());
        self.surveyed.add(header, &self.chunk, false);
        self.is_quiet &= self.issues.is_empty() && self.chunk.bad_cells().count == 0;
        self.newest = self.newest.max(self.chunk.newest().map(Timestamp));
        let format = match self.format.take() {
            Some(format) => format,
            None => format_of(header, &self.chunk),
        };
        let mut ended = Vec::new();
        let mut text = text;
        if last && text.last().is_some_and(|&byte| byte != b'\n') {
            self.meta.ends_line = false;
            ended = [text, format.style.line_end.bytes()].concat();
            text = &ended;
        }
        self.add_rows(header, &format, text);
        drop(ended);
        self.format = Some(format);
    }

    fn add_rows(&mut self, header: &Header, format: &CsvFormat, text: &[u8]) {
        let mut at = 0;
        let issues = std::mem::take(&mut self.issues);
        let mut issues = issues.iter().peekable();
        for row in 0..self.chunk.rows.len() {
            let (cells, mut written) = typed_cells(&self.chunk, format, row);
            self.csv.clear();
            format.write_row(&cells, &written, &mut self.csv);
            let is_text = cells
                .texts
                .iter()
                .flatten()
                .all(|text| str::from_utf8(text).is_ok());
            if !is_text {
                keep_bytes(&cells, format, &mut written);
            }
            let is_reproduced =
                is_text && self.pending.is_empty() && text[at..].starts_with(&self.csv) && are_text(&written);
            let length = if is_reproduced {
                self.csv.len()
            } else {
                length_of(&text[at..], &self.csv, header.delimiter())
            };
            let record = (!is_reproduced)
                .then(|| [&std::mem::take(&mut self.pending)[..], &text[at..at + length]].concat());
            at += length;
            let in_block = self.chunk.rows.data_rows_before(row);
            let report_row = self.data_rows + in_block as u64 + 1;
            let mut issue_text = std::mem::take(&mut self.issues_before);
            while let Some(issue) = issues.next_if(|issue| issue.row as usize <= in_block) {
                let number = self.data_rows + u64::from(issue.row) + 1;
                issues::write(&issue.issue, number, report_row, &mut issue_text);
            }
            note_unknown(&self.chunk, row, self.lacks, &mut self.unknown);
            let arn = self.chunk.text(header, row, TextColumn::Arn).unwrap_or_default();
            let account = self
                .chunk
                .account(header, row)
                .and_then(|account| str::from_utf8(account).ok());
            if let Some(account) = account.filter(|&account| !self.accounts.contains(account)) {
                self.accounts.insert(account.to_owned());
            }
            let [user, as_is] =
                [TextColumn::User, TextColumn::Arn].map(|column| cells.texts[column as usize]);
            let usual = user.zip(as_is).and_then(|(user, arn)| usual_arn(arn, user));
            self.usual_arns &= usual.is_some();
            let json = as_written(format, &written);
            let facts = RowFacts {
                as_of: self.meta.as_of.0,
                account,
                as_written: json.as_deref(),
                record: record.as_deref(),
                report_row,
                partition: str::from_utf8(cell::partition_of(arn))
                    .ok()
                    .filter(|text| !text.is_empty()),
                path: cell::path_of(arn).and_then(|path| str::from_utf8(path).ok()),
                is_root: self.chunk.root()[row],
                unknown_cells: Some(&*self.unknown.1).filter(|text| !text.is_empty()),
                issues: Some(&*issue_text).filter(|text| !text.is_empty()),
            };
            self.rows.push(&facts, &cells);
        }
        let data_rows = self.chunk.rows.data_rows() as u64;
        for issue in issues {
            let number = self.data_rows + u64::from(issue.row) + 1;
            issues::write(&issue.issue, number, 0, &mut self.issues_before);
        }
        self.data_rows += data_rows;
        self.meta.rows += self.chunk.rows.len() as u64;
        self.pending.extend_from_slice(&text[at..]);
    }

    /// Number of rows since `take_rows`.
    pub(super) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Takes the rows encoded so far.
    pub(super) fn take_rows(&mut self) -> RowBuilder {
        std::mem::replace(&mut self.rows, RowBuilder::new())
    }

    /// The report's metadata after its last block, and the rows since `take_rows`.
    pub(super) fn finish(mut self, header: &Header) -> (ReportMeta, RowBuilder) {
        let format = self
            .format
            .unwrap_or_else(|| format_of(header, &Chunk::default()));
        self.meta.style = format.style;
        self.meta.tail = RawBytes(self.pending);
        self.meta.accounts = self.accounts.into_iter().collect();
        self.meta.sha256 = hex(&self.hash.finalize());
        let newest = self.newest.unwrap_or(self.meta.as_of);
        self.surveyed.quiet_from = self.is_quiet.then_some(newest);
        self.meta.facts = Some(RowsFacts {
            data_rows: self.data_rows,
            issues_after: self.issues_before,
            usual_arns: self.usual_arns,
            ..RowsFacts::of(self.surveyed)
        });
        (self.meta, self.rows)
    }
}

/// The format of most rows of a report, by its header and first rows.
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
    let mut positions = times.filter_map(|column| header.position(column));
    let utc = positions.find_map(|position| {
        let mut cells = chunk.rows.fields(0..chunk.rows.len(), position);
        cells.find_map(UtcSuffix::of)
    });
    let style = CsvStyle {
        utc: utc.unwrap_or(UtcSuffix::Letter),
        line_end,
        quotes,
    };
    CsvFormat::new(header, Column::ALL.into_iter().collect(), style)
}

/// The typed cells of a row and, by position, the cells that differ from the CSV of these.
fn typed_cells<'a>(chunk: &'a Chunk, format: &CsvFormat, row: usize) -> (TypedRow<'a>, WrittenCells) {
    let mut cells = TypedRow::default();
    let mut written = Vec::new();
    let mut time = Vec::with_capacity(32);
    for (position, column) in format.columns().iter().enumerate() {
        let field = chunk.rows.field(row, position);
        let is_reproduced = match *column {
            Some(Column::Time(column)) => {
                let known = cell::known(chunk.times(column).cells[row]).map(|time| time.0);
                cells.times[column as usize] = known;
                time.clear();
                match known {
                    Some(seconds) => format.write_time(seconds, &mut time),
                    None => time.extend_from_slice(ABSENT),
                }
                field == time
            }
            Some(Column::Flag(column)) => {
                let known = match chunk.flags(column).cells[row] {
                    Flag::True => Some(true),
                    Flag::False => Some(false),
                    Flag::NotSupported | Flag::Unknown => None,
                };
                cells.flags[column as usize] = known;
                field == flag_word(known)
            }
            Some(Column::Text(column)) => {
                cells.texts[column as usize] = (field != ABSENT).then_some(field);
                true
            }
            None => false,
        };
        if !is_reproduced {
            written.resize(format.columns().len(), None);
            written[position] = Some(Box::from(field));
        }
    }
    (cells, written)
}

/// Sets `unknown` to the columns whose cells are unknown in this row, and their names.
fn note_unknown(chunk: &Chunk, row: usize, lacks: ColumnSet, unknown: &mut (ColumnSet, String)) {
    let index = u32::try_from(row).unwrap_or(u32::MAX);
    let of_row = if chunk.rows.ragged().binary_search(&index).is_ok() {
        Column::ALL.into_iter().collect()
    } else {
        lacks.union(chunk.unknown_cells(row))
    };
    if of_row != unknown.0 {
        let names = of_row.iter().map(Column::name);
        let names = names.fold(String::new(), |text, name| text + "," + name);
        *unknown = (of_row, if names.is_empty() { names } else { names + "," });
    }
}

/// Adds the bytes of text that is not UTF-8, which its columns do not store.
fn keep_bytes(cells: &TypedRow<'_>, format: &CsvFormat, written: &mut WrittenCells) {
    written.resize(format.columns().len(), None);
    for (cell, column) in written.iter_mut().zip(format.columns()) {
        if let Some(Column::Text(column)) = column
            && let Some(text) = cells.texts[*column as usize]
            && str::from_utf8(text).is_err()
        {
            *cell = Some(Box::from(text));
        }
    }
}

fn are_text(written: &WrittenCells) -> bool {
    let mut cells = written.iter().flatten();
    cells.all(|cell| str::from_utf8(cell).is_ok())
}

/// The cells as written, as JSON: a text, or the numbers of bytes that are not UTF-8.
fn as_written(format: &CsvFormat, written: &WrittenCells) -> Option<String> {
    if written.is_empty() {
        return None;
    }
    let mut cells = Map::new();
    for (name, cell) in format.names().iter().zip(written) {
        if let Some(cell) = cell {
            let text = str::from_utf8(cell).map_or_else(|_| Value::from(&**cell), Value::from);
            cells.insert(name.clone(), text);
        }
    }
    Some(Value::Object(cells).to_string())
}

/// The length of a row that its cells do not reproduce: up to the end of the record with this CSV, if there are only
/// lines that are not rows before it; else one record.
fn length_of(text: &[u8], csv: &[u8], delimiter: u8) -> usize {
    let mut at = 0;
    for _ in 0..AHEAD {
        if !csv.is_empty() && text[at..].starts_with(csv) {
            return at + csv.len();
        }
        match first_record(&text[at..], delimiter) {
            0 => break,
            length => at += length,
        }
    }
    first_record(text, delimiter)
}

/// The length of the first record, including its line end.
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

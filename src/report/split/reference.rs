//! Reads one record at a time with the state machine of the `csv` crate: the reference, which the fast way uses for
//! records that are not plain.

use csv_core::ReadRecordResult;

use super::super::cut::is_closed;
use super::super::header::Header;
use super::super::repair::{Repair, examine, repeats_header};
use super::super::rows::{Rows, trim};
use super::MOST_RAGGED;
use crate::report::issue::{Issue, RowIssue};

/// Reads records one by one, and repairs those that need it.
#[derive(Debug)]
pub(super) struct Reader {
    delimiter: u8,
    core: csv_core::Reader,
    record: Vec<u8>,
    ends: Vec<usize>,
}

impl Reader {
    pub(super) fn new(delimiter: u8) -> Self {
        let mut reader = Self {
            delimiter,
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            record: vec![0; 1 << 10],
            ends: vec![0; 64],
        };
        reader.restart();
        reader
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Adds the first record of the text to `rows` in plain form, if there is one. Returns the bytes read.
    pub(super) fn add_first(
        &mut self,
        text: &[u8],
        header: &Header,
        rows: &mut Rows,
        issues: &mut Vec<RowIssue>,
    ) -> usize {
        let (mut read, mut fields) = self.read(text);
        if read == text.len() && !is_closed(text, self.delimiter) {
            // Such a quote would swallow all users after it, so it ends with its line.
            note(rows, issues, Issue::UnclosedQuote);
            (read, fields) = self.read(&text[..line_end(text)]);
        }
        if let Some(fields) = fields {
            let fields: Vec<&[u8]> = (0..fields)
                .map(|field| {
                    let start = field.checked_sub(1).map_or(0, |before| self.ends[before]);
                    &self.record[start..self.ends[field]]
                })
                .collect();
            add(&fields, header, rows, issues);
        }
        read
    }

    /// The first record: how many bytes it takes, and its number of fields if there is one.
    fn read(&mut self, text: &[u8]) -> (usize, Option<usize>) {
        let (mut read, mut written, mut fields) = (0, 0, 0);
        loop {
            let (result, bytes, output, ends) = self.core.read_record(
                &text[read..],
                &mut self.record[written..],
                &mut self.ends[fields..],
            );
            read += bytes;
            written += output;
            fields += ends;
            match result {
                ReadRecordResult::Record if read < text.len() => return (read, Some(fields)),
                // Without input the state machine ends the record that is open, and then itself.
                ReadRecordResult::Record => {
                    self.restart();
                    return (read, Some(fields));
                }
                ReadRecordResult::End => {
                    self.restart();
                    return (read, None);
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.record.resize(self.record.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    /// The state machine would remove a byte order mark from its first bytes, so these are an empty line.
    fn restart(&mut self) {
        self.core.reset();
        let (result, ..) = self.core.read_record(b"\n", &mut self.record, &mut self.ends);
        debug_assert!(
            matches!(result, ReadRecordResult::InputEmpty),
            "an empty line is not a record"
        );
    }
}

/// Where the first line that is not empty ends.
pub(super) fn line_end(text: &[u8]) -> usize {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = text.iter().position(|byte| !is_end(byte)).unwrap_or(text.len());
    let length = text[start..].iter().position(is_end);
    length.map_or(text.len(), |length| start + length)
}

/// Notes an issue of the record to be added next.
pub(super) fn note(rows: &Rows, issues: &mut Vec<RowIssue>, issue: Issue) {
    let row = u32::try_from(rows.data_rows()).expect("invariant: a block has fewer than 4 G records");
    issues.push(RowIssue { row, issue });
}

/// Adds a record to `rows` in plain form, repaired where it needs that.
pub(super) fn add(fields: &[&[u8]], header: &Header, rows: &mut Rows, issues: &mut Vec<RowIssue>) {
    if fields
        .iter()
        .any(|field| field.contains(&b'\n') || field.contains(&b'\r'))
    {
        note(rows, issues, Issue::LineBreak);
    }
    if fields.len() == header.width() && fields.iter().any(|field| !trim(field).is_empty()) {
        if repeats_header(fields, header) {
            return note(rows, issues, Issue::RepeatedHeader);
        }
        return rows.push(fields.iter().copied());
    }
    match examine(fields, header) {
        Repair::Blank => {}
        Repair::Commas(whole) => {
            note(rows, issues, Issue::UnquotedCommas);
            rows.push(whole.iter().map(Vec::as_slice));
        }
        Repair::GluedHeader(whole) => {
            note(rows, issues, Issue::GluedHeader);
            rows.push(whole.iter().map(Vec::as_slice));
        }
        Repair::Glued(glued) => {
            for row in glued {
                note(rows, issues, Issue::GluedRow);
                rows.push(row.iter().map(Vec::as_slice));
            }
        }
        Repair::Ragged { .. } if rows.ragged().len() >= MOST_RAGGED => {
            if issues.last().is_none_or(|last| last.issue != Issue::LeftOut) {
                note(rows, issues, Issue::LeftOut);
            }
            rows.leave_out();
        }
        Repair::Ragged { user, arn } => {
            note(rows, issues, Issue::Ragged(fields.len()));
            rows.push_ragged(header, &user, &arn);
        }
    }
}

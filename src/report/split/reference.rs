//! One record at a time, by the `csv` crate: the reference for the fast way, and what it turns to for a
//! record that is not plain.

use super::super::header::Header;
use super::super::repair::{Odd, examine, repeats_header};
use super::super::rows::Rows;
use super::{Oddity, OddityKind};

/// Reads records with the `csv` crate, and repairs those that need it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    header: &'a Header,
    record: csv::ByteRecord,
}

impl<'a> Reader<'a> {
    pub(super) fn new(header: &'a Header) -> Self {
        Self {
            header,
            record: csv::ByteRecord::new(),
        }
    }

    /// Adds the first record of the text to `rows` in plain form, if there is one. Returns the bytes read.
    pub(super) fn add_first(&mut self, text: &[u8], rows: &mut Rows, oddities: &mut Vec<Oddity>) -> usize {
        let mut reader = self.reader(text);
        if self.read(&mut reader) {
            self.add(rows, oddities);
        }
        usize::try_from(reader.position().byte()).unwrap_or(text.len())
    }

    /// Adds all records of the text.
    #[cfg(test)]
    pub(super) fn add_all(&mut self, text: &[u8], rows: &mut Rows, oddities: &mut Vec<Oddity>) {
        let mut reader = self.reader(text);
        while self.read(&mut reader) {
            self.add(rows, oddities);
        }
    }

    fn reader<'t>(&self, text: &'t [u8]) -> csv::Reader<&'t [u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.header.delimiter())
            .buffer_capacity(1 << 10)
            .from_reader(text)
    }

    fn read(&mut self, reader: &mut csv::Reader<&[u8]>) -> bool {
        let read = reader.read_byte_record(&mut self.record);
        read.expect("invariant: reading memory cannot fail")
    }

    fn add(&mut self, rows: &mut Rows, oddities: &mut Vec<Oddity>) {
        let row = u32::try_from(rows.len()).expect("invariant: a block has fewer than 4 G records");
        let mut note = |kind| oddities.push(Oddity { row, kind });
        let fields: Vec<&[u8]> = self.record.iter().collect();
        if fields.len() == self.header.width() {
            if repeats_header(&fields, self.header) {
                return note(OddityKind::RepeatedHeader);
            }
            return rows.push(fields);
        }
        match examine(&fields, self.header) {
            Odd::Blank => {}
            Odd::Commas(whole) => {
                rows.push(whole.iter().map(Vec::as_slice));
                note(OddityKind::Repaired);
            }
            Odd::GluedHeader(whole) => {
                rows.push(whole.iter().map(Vec::as_slice));
                note(OddityKind::GluedHeader);
            }
            Odd::Ragged { user, arn } => {
                rows.push_ragged(self.header, &user, &arn);
                note(OddityKind::Ragged(fields.len()));
            }
        }
    }
}

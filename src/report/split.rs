//! A block of whole records into fields, by the `csv` crate: the reference for every faster way.

use super::header::Header;
use super::repair::{Odd, examine, repeats_header};
use super::rows::Rows;

/// A record that was not read as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Record in the block, from 0; for [`OddityKind::RepeatedHeader`] the one that follows.
    pub row: u32,
    /// What was done about it.
    pub kind: OddityKind,
}

/// What was done about an odd record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// Unquoted commas in the user name were put back.
    Repaired,
    /// The next report's header was cut off its last cell.
    GluedHeader,
    /// It repeats the header, and is no user.
    RepeatedHeader,
    /// It has this many fields, and they cannot be told apart: its cells are unknown.
    Ragged(usize),
}

/// Splits the text of `rows` into records and fields. Notes what was odd.
pub fn split(rows: &mut Rows, header: &Header, oddities: &mut Vec<Oddity>) {
    rows.start(header.width);
    oddities.clear();
    let block = std::mem::take(rows.text_mut());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(header.delimiter)
        .from_reader(block.as_slice());
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .expect("invariant: reading memory cannot fail")
    {
        add(rows, header, &record, oddities);
    }
}

/// Adds one record, repaired where it needs that.
fn add(rows: &mut Rows, header: &Header, record: &csv::ByteRecord, oddities: &mut Vec<Oddity>) {
    let row = u32::try_from(rows.len()).expect("invariant: a block has fewer than 4 G records");
    let mut note = |kind| oddities.push(Oddity { row, kind });
    let fields: Vec<&[u8]> = record.iter().collect();
    if fields.len() == header.width {
        if repeats_header(&fields, header) {
            return note(OddityKind::RepeatedHeader);
        }
        return rows.push(fields);
    }
    match examine(&fields, header) {
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
            rows.push_ragged(header, &user, &arn);
            note(OddityKind::Ragged(fields.len()));
        }
    }
}

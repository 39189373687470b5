//! `csv`: one user, key or certificate per record, with a header, for spreadsheets.

use super::column::{Cell, ListColumn};
use super::{ItemStream, ItemWriter};
use crate::engine::ItemRef;
use crate::output::csv_text::{write_cell, write_record};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::write_number;

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "csv",
    "for spreadsheets",
    Readers::Program,
    ItemWriter::Stream(|| Box::new(Records)),
);

/// Writes items as records.
#[derive(Debug)]
struct Records;

impl ItemStream for Records {
    fn opening(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_record(
            ListColumn::ALL.into_iter().map(|column| column.name().to_owned()),
            &mut out,
        );
        out
    }

    fn item(&mut self, item: &ItemRef<'_>, out: &mut Vec<u8>) {
        for (position, column) in ListColumn::ALL.into_iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            match column.cell(item) {
                Cell::Null => {}
                Cell::Text(text) => write_cell(text, out),
                Cell::Word(word) => out.extend_from_slice(word.as_bytes()),
                Cell::Time(time) => super::lines::write_time(time, out),
                Cell::Number(number) => write_number(number, out),
                Cell::Flag(flag) => out.extend_from_slice(super::lines::flag(flag)),
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

//! `ndjson`: one user, key or certificate per line, `credlens.list/v1`.
//!
//! Lines are written by hand, column by column, as those of findings are. A test compares every line with that of serde.

use super::column::{Cell, ListColumn};
use super::{ItemStream, ItemWriter};
use crate::engine::ItemRef;
use crate::finding::ListItem;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::{write_number, write_text};

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "ndjson",
    "one line of JSON each",
    Readers::Program,
    ItemWriter::Stream(|| Box::new(Lines)),
);

/// Writes items as lines of JSON.
#[derive(Debug)]
struct Lines;

impl ItemStream for Lines {
    fn item(&mut self, item: &ItemRef<'_>, out: &mut Vec<u8>) {
        write_object(item, out);
        out.push(b'\n');
    }
}

/// Appends one item as a JSON object, without an end of line.
pub(super) fn write_object(item: &ItemRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"schema":""#);
    out.extend_from_slice(ListItem::SCHEMA.as_bytes());
    out.push(b'"');
    for column in ListColumn::ALL {
        if column == ListColumn::SourcePath {
            out.extend_from_slice(br#","source":{"path":"#);
        } else if column == ListColumn::SourceRow {
            out.extend_from_slice(br#","row":"#);
        } else {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(column.name().as_bytes());
            out.extend_from_slice(b"\":");
        }
        write_value(column.cell(item), out);
    }
    out.extend_from_slice(b"}}");
}

fn write_value(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(text) => write_text(text, out),
        Cell::Word(word) => {
            out.push(b'"');
            out.extend_from_slice(word.as_bytes());
            out.push(b'"');
        }
        Cell::Time(time) => {
            out.push(b'"');
            super::lines::write_time(time, out);
            out.push(b'"');
        }
        Cell::Number(number) => write_number(number, out),
        Cell::Flag(flag) => out.extend_from_slice(super::lines::flag(flag)),
    }
}

//! `csv`: one user, key or certificate per record, with a header, for spreadsheets.

use super::column::{Cell, ListColumn};
use super::{ItemStream, ItemWriter};
use crate::engine::{ItemRef, ReportId};
use crate::output::csv_text::{write_cell, write_record};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::write_number;
use crate::output::shared_part::SharedPart;
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "csv",
    "for spreadsheets",
    Readers::Program,
    ItemWriter::Stream(|| Box::new(Records::default())),
);

/// Writes items as records. A million of them have the same as-of and input, and many have two times that are the same.
#[derive(Debug, Default)]
struct Records {
    /// `as_of` and `source_path`.
    input: SharedPart<ReportId>,
    time: SharedPart<Timestamp>,
}

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
            if column == ListColumn::AsOf {
                let input = item.input();
                let part = self.input.get(Some(input.id), |part| {
                    super::lines::write_time(input.as_of, part);
                    part.push(b',');
                    write_cell(input.path.as_bytes(), part);
                });
                out.extend_from_slice(part);
                continue;
            }
            if column == ListColumn::SourcePath {
                // It is written with the as-of.
                out.pop();
                continue;
            }
            match column.cell(item) {
                Cell::Null => {}
                Cell::Text(text) => write_cell(text, out),
                Cell::Word(word) => out.extend_from_slice(word.as_bytes()),
                Cell::Time(time) => {
                    let part = self
                        .time
                        .get(Some(time), |part| super::lines::write_time(time, part));
                    out.extend_from_slice(part);
                }
                Cell::Number(number) => write_number(number, out),
                Cell::Flag(flag) => out.extend_from_slice(super::lines::flag(flag)),
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

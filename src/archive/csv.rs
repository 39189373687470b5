//! Writes the CSV of an archived report again, byte for byte as it was added.

use std::io::{self, Cursor, Read};

use super::error::Error;
use super::file::ArchiveFile;
use super::rows::ArchivedRows;

/// A reader of the CSV of an archived report, as it was added.
pub struct ReportCsv {
    block: Cursor<Vec<u8>>,
    rows: std::vec::IntoIter<ArchivedRows>,
}

impl ReportCsv {
    /// Reads a report of this file; an error if the file has lost columns of it.
    pub fn new(file: &mut ArchiveFile, report: usize) -> Result<Self, Error> {
        Ok(Self {
            block: Cursor::new(file.complete_header(report)?),
            rows: file.rows(report)?.into_iter(),
        })
    }
}

impl Read for ReportCsv {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(rows) = self.rows.next() else {
                return Ok(0);
            };
            self.block.set_position(0);
            self.block.get_mut().clear();
            rows.append_to(self.block.get_mut()).map_err(io::Error::other)?;
        }
    }
}

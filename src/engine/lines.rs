//! The numbers of lines in files, for people who look up a row.

use std::cell::Cell;

use super::source::{Input, ReportId};
use crate::report::cut::line_ends;
use crate::report::records::Records;

/// The lines of an input before a block, which come from the blocks and headers before it.
#[derive(Debug, Default)]
pub(super) struct LinesBefore {
    /// The report of the last block.
    report: Option<ReportId>,
    lines: Option<u64>,
    /// Whether the last block ended with a carriage return, so that a line feed after it is not another line end.
    after_return: bool,
}

/// The line ends of a block, counted before its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineEnds {
    count: u64,
    starts_with_feed: bool,
    ends_with_return: bool,
}

impl LineEnds {
    pub(super) fn of(block: &[u8]) -> Self {
        Self {
            count: line_ends(block),
            starts_with_feed: block.first() == Some(&b'\n'),
            ends_with_return: block.last() == Some(&b'\r'),
        }
    }
}

impl LinesBefore {
    /// The lines before this block; none if its rows are not lines of a file.
    pub(super) fn pass(&mut self, input: &Input, block: LineEnds) -> Option<u64> {
        if self.report != Some(input.id) {
            let is_same_file = self.report.is_some_and(|before| before.input == input.id.input);
            let before = if is_same_file { self.lines } else { Some(0) };
            self.lines = before
                .zip(input.file.lines_before)
                .map(|(before, between)| before + between);
            self.after_return = false;
            self.report = Some(input.id);
        }
        let is_half = self.after_return && block.starts_with_feed;
        let before = self.lines.map(|lines| lines - u64::from(is_half));
        self.lines = before.map(|lines| lines + block.count);
        self.after_return = block.ends_with_return;
        before
    }
}

/// The lines of a block. Records are asked for in ascending order, so that each byte is counted once.
#[derive(Debug, Default)]
pub(super) struct LinesOfBlock {
    /// The lines of the file before the block.
    before: Option<u64>,
    /// Bytes of the block that were counted, and the line ends in them.
    counted: Cell<(usize, u64)>,
}

impl LinesOfBlock {
    pub(super) fn new(before: Option<u64>) -> Self {
        Self {
            before,
            counted: Cell::default(),
        }
    }

    /// The line on which this record starts, from 1.
    pub(super) fn line(&self, rows: &Records, record: usize) -> Option<u64> {
        let before = self.before?;
        let text = rows.before(record);
        let (counted, lines) = match self.counted.get() {
            (counted, lines) if counted <= text.len() => (counted, lines),
            _ => (0, 0),
        };
        let lines = lines + line_ends(&text[counted..]);
        self.counted.set((text.len(), lines));
        Some(before + lines + 1)
    }
}

//! Where the engine gets its blocks from.

use std::sync::Arc;

use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet, TextColumn};
use crate::report::time::Timestamp;

/// Inputs, block by block, in the order in which their findings are to come.
pub trait Source: Send {
    /// Puts the next block of records (whole ones, without the header) into `text`, and says whose it is.
    /// None when all inputs are through.
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event>;
}

/// What comes next.
#[derive(Debug)]
pub enum Event {
    /// A block of this input. An input without records gives one empty block.
    Block {
        /// Whose it is.
        input: Arc<Input>,
        /// Whether it is the input's last one.
        last: bool,
    },
    /// An input, or the rest of one, that could not be read.
    Failed {
        /// As named on the command line.
        path: String,
        /// Why not, and what to do.
        error: String,
    },
}

/// One input, as far as it is known before its records are read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Position among the inputs, from 0.
    pub index: usize,
    /// As named on the command line.
    pub path: String,
    /// What it is: `csv`, `json`, …, with `+gzip` or `+zstd` where it is compressed.
    pub kind: String,
    /// Its columns.
    pub header: Header,
    /// The instant at which its ages are judged.
    pub as_of: Timestamp,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS made the report, where the input says so.
    pub generated: Option<Timestamp>,
}

impl Input {
    /// The columns whose lack makes cells unknown. That nothing is said of additional credentials is no lack.
    pub fn lacks(&self) -> ColumnSet {
        let says_nothing = ColumnSet::from_iter([Column::Text(TextColumn::AdditionalCredentials)]);
        self.header.missing().minus(says_nothing)
    }
}

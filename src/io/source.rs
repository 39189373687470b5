//! What the engine reads from: blocks of records, one input after the other.

use std::sync::Arc;

use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::time::Timestamp;

/// A sequence of inputs, read block by block.
pub trait Source: Send {
    /// Puts the next block of records (whole records only, header taken off) into `text`, whose content is
    /// dropped and whose capacity is reused, and says what it is; none at the end.
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event>;
}

/// What comes next.
#[derive(Debug)]
pub enum Event {
    /// A block of one input.
    Block {
        /// Where it comes from; the blocks of an input follow each other.
        input: Arc<Input>,
        /// Whether it is the input's last one. It may be empty: every input that is read to its end has one
        /// last block, however few rows it has.
        last: bool,
    },
    /// An input, or the rest of the input whose blocks came before, that could not be read.
    Failed {
        /// As named on the command line.
        path: String,
        /// Why.
        error: InputError,
    },
}

/// One report that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its place among the inputs whose header could be read, from 0.
    pub index: usize,
    /// As named on the command line; `-` for standard input.
    pub path: String,
    /// What it is: `csv`, `json`, `text`, `base64` or `yaml`, with `+gzip` or `+zstd` for every layer of
    /// compression, the inner one first.
    pub kind: String,
    /// Its header.
    pub header: Header,
    /// The instant at which its ages are judged.
    pub as_of: Timestamp,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS made the report, where the input says so.
    pub generated: Option<Timestamp>,
}

/// Why an input could not be read. Each message is complete but for the path: it becomes a diagnostic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It does not exist, or may not be read.
    #[error("cannot be opened: {0}")]
    Open(std::io::Error),
    /// Reading stopped half-way.
    #[error("cannot be read to its end: {0}; what was read before is judged")]
    Read(std::io::Error),
    /// A directory in which no file lies.
    #[error("holds no file; name a file, or a directory with reports (hidden files in it are not read)")]
    EmptyDirectory,
    /// Standard input named twice.
    #[error("standard input can be read only once; name '-' once")]
    StdinTwice,
    /// Compressed data that ends early or is damaged.
    #[error(
        "its {compression} data is damaged or cut off ({reason}); what was read before is judged; \
         fetch or pack it again"
    )]
    Corrupt {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// Compressed data that unpacks to far more than a report can be.
    #[error(
        "its {compression} data unpacks to more than {unpacked_mib} MiB from {packed_kib} KiB; \
         what was read before is judged; if it is a report, unpack it first and name the unpacked file"
    )]
    Bomb {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// Compressed size read, in KiB.
        packed_kib: u64,
        /// The bound that was passed, in MiB.
        unpacked_mib: u64,
    },
    /// Compressed more than twice over.
    #[error("is compressed more than {0} times over; unpack it first")]
    Nested(usize),
    /// A JSON, YAML, base64 or UTF-16 file too large to be held in memory.
    #[error(
        "is larger than {0} MiB, the most that is read of a report that is not a plain CSV; save it as CSV"
    )]
    TooLarge(usize),
    /// A record without end.
    #[error(
        "a record is longer than {0} MiB, probably by a quote that is never closed; \
         what stands before it is judged; mend the file"
    )]
    RecordTooLong(usize),
    /// Something else than a credential report.
    #[error("{0}")]
    NotAReport(#[from] NotAReport),
}

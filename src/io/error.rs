//! The reasons why an input cannot be read, in the words of its diagnostic.

use crate::report::not_a_report::NotAReport;

/// What becomes of the rows before an error. An archive takes whole reports only and replaces these words.
pub const ROWS_READ: &str = "rows read until then are evaluated";

/// Why an input could not be read. Each message is a sentence whose subject is the path: the diagnostic puts it in
/// front.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file does not exist, or permission is missing.
    #[error("cannot be opened: {0}")]
    Open(std::io::Error),
    /// Reading failed part-way.
    #[error("cannot be read to its end: {0}; {rows}", rows = ROWS_READ)]
    Read(std::io::Error),
    /// A remote object that cannot be read.
    #[error("{0}")]
    Remote(Box<dyn std::error::Error + Send + Sync>),
    /// A remote object, in a build without AWS.
    #[error(
        "cannot be read: this credlens was built without the feature aws; build it with that feature, or copy the \
         reports with `aws s3 cp --recursive` first"
    )]
    NoRemote,
    /// A directory without files.
    #[error("contains no files; name a file, or a directory with reports (hidden files are not read)")]
    EmptyDirectory,
    /// Standard input is named twice.
    #[error("standard input can be read only once; name '-' once")]
    StdinTwice,
    /// Compressed data that is damaged or ends early.
    #[error(
        "its {compression} data is damaged or cut off ({reason}); {rows}; fetch or compress it again",
        rows = ROWS_READ
    )]
    Corrupt {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// The decoder's message.
        reason: String,
    },
    /// Compressed data that is far larger decompressed than a report can be.
    #[error(
        "its {compression} data decompresses to more than {unpacked_mib} MiB from {packed_kib} KiB; \
         {rows}; if it is a report, decompress it and name the decompressed file",
        rows = ROWS_READ
    )]
    Bomb {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// Compressed bytes read, in KiB.
        packed_kib: u64,
        /// The limit that was exceeded, in MiB.
        unpacked_mib: u64,
    },
    /// Too many layers of compression.
    #[error("is compressed more than {0} times over; decompress it first")]
    Nested(usize),
    /// A JSON, YAML, base64 or UTF-16 file that is too large to hold in memory.
    #[error("is larger than {0} MiB, the limit for reports that are not plain CSV; save it as CSV")]
    TooLarge(usize),
    /// A record that does not end.
    #[error(
        "has a record longer than {0} MiB, probably because a quote is never closed; \
         {rows}; correct the file",
        rows = ROWS_READ
    )]
    RecordTooLong(usize),
    /// A Parquet file of another program.
    #[error("is a Parquet file, but credlens did not write it; do not name it")]
    ForeignParquet,
    /// A file of an archive that cannot be read.
    #[error("{0}")]
    Archive(crate::engine::SourceError),
    /// The number after `#` in the path of an archived file exceeds its number of reports.
    #[error("is not a report of the file, whose reports are numbered from 1 to {0}")]
    NoSuchReport(usize),
    /// Not a credential report.
    #[error("{0}")]
    NotAReport(#[from] NotAReport),
}

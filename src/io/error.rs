//! Why inputs cannot be read.

use crate::report::not_a_report::NotAReport;

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
    /// It is elsewhere, and cannot be had from there.
    #[error("{0}")]
    Remote(Box<dyn std::error::Error + Send + Sync>),
    /// It is elsewhere, and nothing here goes there.
    #[error(
        "cannot be read by this credlens, which was built without the feature aws; build it with that feature, or copy \
         the reports first, by `aws s3 cp --recursive`"
    )]
    NoRemote,
    /// A directory in which no file lies.
    #[error("holds no file; name a file, or a directory with reports (hidden files in it are not read)")]
    EmptyDirectory,
    /// Standard input named twice.
    #[error("standard input can be read only once; name '-' once")]
    StdinTwice,
    /// Compressed data that ends early or is damaged.
    #[error(
        "its {compression} data is damaged or cut off ({reason}); what was read before is evaluated; \
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
         what was read before is evaluated; if it is a report, unpack it first and name the unpacked file"
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
         what stands before it is evaluated; correct the file"
    )]
    RecordTooLong(usize),
    /// A file of an archive that cannot be read.
    #[error("{0}")]
    Archive(crate::engine::SourceError),
    /// A number behind the path of an archived file that leads to none of its reports.
    #[error("is no report: that file of an archive holds {0}")]
    NoSuchReport(usize),
    /// Something else than a credential report.
    #[error("{0}")]
    NotAReport(#[from] NotAReport),
}

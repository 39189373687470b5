//! The errors of an archive.

use std::io;

/// Why an operation on an archive failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the file system or of S3.
    #[error("{what}: {error}")]
    Io {
        /// What failed, such as `cannot read archive/x.parquet`.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// A file of the archive cannot be written.
    #[error("{what}: {error}")]
    Unwritable {
        /// What failed, such as `cannot write into the archive ar`.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// A part of the Parquet library stopped, as it does where memory or threads run out.
    #[error(
        "{0}: the Parquet library stopped ({1}); where memory is limited (ulimit -v, a container), allow more of it, or set \
         POLARS_MAX_THREADS=1 and --threads 1"
    )]
    Stopped(String, String),
    /// A Parquet file that credlens did not write.
    #[error(
        "{0} is a Parquet file, but credlens did not write it; move it out of the archive, or do not name it"
    )]
    NotAnArchive(String),
    /// Something with the name of an archived file that is not a file.
    #[error("{0} is {1}, not a file of the archive; move it away")]
    NotAFile(String, &'static str),
    /// A file of a newer version of the archive.
    #[error(
        "{0} was written by a newer credlens (archive version {1}; this one reads up to {2}); install the newer one"
    )]
    Newer(String, u32, u32),
    /// A file whose bytes or content changed since it was written.
    #[error(
        "{0} is damaged: {1}; restore it from a backup, or add its reports again and delete it if this error stays"
    )]
    Damaged(String, String),
    /// A file that is not a whole Parquet file.
    #[error(
        "{0} is damaged or cut off; restore it from a backup, or add its reports again and delete it if this error stays"
    )]
    Unreadable(String),
    /// A file that lacks columns of its version.
    #[error(
        "{0} has lost columns of its reports ({1}): a scan treats them as missing from the report, but its CSV cannot be \
         exported; restore the file from a backup, or delete it and add its reports again"
    )]
    LostColumns(String, String),
    /// A file that should have the details of a report.
    #[error(
        "{0} is not used: {1}; restore it from a backup, or delete it and add its report with its details again"
    )]
    UnusableDetails(String, String),
    /// A report that cannot be archived.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// The error that a report, by its number in the file from 0, does not give back what was added.
    pub(super) fn other_bytes(path: &str, report: usize) -> Self {
        let why = format!(
            "its report {} does not give back the bytes that were added",
            report + 1
        );
        Self::Damaged(path.to_owned(), why)
    }

    /// Adds what failed to an error of the file system.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io {
            what: what.into(),
            error,
        }
    }

    /// The same, where the archive is written.
    pub(super) fn unwritable(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Unwritable {
            what: what.into(),
            error,
        }
    }
}

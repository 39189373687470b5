//! What can go wrong with an archive.

use std::io;

/// Why something could not be done with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system, or S3.
    #[error("{what}: {error}")]
    Io {
        /// What was tried, such as `cannot read archive/x.parquet`.
        what: String,
        /// How it failed.
        error: io::Error,
    },
    /// A Parquet file that this program did not write.
    #[error("{0} is a Parquet file, but none of an archive of credlens; keep such files out of the way")]
    NotAnArchive(String),
    /// Something that is named like a file of the archive and is none.
    #[error("{0} is {1}, and no file of an archive of credlens; move it away")]
    NotAFile(String, &'static str),
    /// A file of a later version of the archive.
    #[error(
        "{0} was written by a newer credlens (archive version {1}); this one reads up to version {2}: install the newer one"
    )]
    Newer(String, u32, u32),
    /// A file whose bytes are not those that were written.
    #[error(
        "{0} is damaged: {1}; restore it from a backup, or add its reports again and, if it is still told then, delete it"
    )]
    Damaged(String, String),
    /// A report that cannot be archived.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// Of the file system, while doing something.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io {
            what: what.into(),
            error,
        }
    }
}

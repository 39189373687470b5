//! Writes a file once: an existing file is never changed.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::temporary::{TemporaryFile, directory, has_content, sync_directory};

/// Whether a file had to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It was written.
    Written,
    /// It was there already, with the same bytes.
    AlreadyThere,
}

/// Whether these bytes are at this path already.
///
/// # Errors
/// Those of the file system, and when the path is taken by a file with other bytes or by something that is not a file.
pub fn is_there(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    match has_content(path, bytes.len() as u64, bytes)? {
        Some(true) => Ok(true),
        Some(false) => Err(other()),
        None => Ok(false),
    }
}

/// Writes bytes to a new file: whole, or not at all. The umask decides who may read it. A file that has the same bytes is
/// left as it is.
///
/// # Errors
/// As [`is_there`].
pub fn write_once(path: &Path, bytes: &[u8]) -> io::Result<WriteOutcome> {
    write_new(path, bytes, TemporaryFile::new)
}

/// The same for a file that only its owner may read.
///
/// # Errors
/// As [`write_once`].
pub fn write_once_private(path: &Path, bytes: &[u8]) -> io::Result<WriteOutcome> {
    write_new(path, bytes, TemporaryFile::private)
}

fn write_new(
    path: &Path,
    bytes: &[u8],
    create: fn(&Path, &str) -> io::Result<TemporaryFile>,
) -> io::Result<WriteOutcome> {
    if is_there(path, bytes)? {
        return Ok(WriteOutcome::AlreadyThere);
    }
    let directory = directory(path);
    let mut file = create(directory, ".credlens-")?;
    file.write_all(bytes)?;
    // None: another process wrote a different file in the meantime.
    let written = file.persist_new(path)?.ok_or_else(other)?;
    // The file is in place. Unreadable directories and some network shares cannot be synced.
    drop(sync_directory(directory));
    Ok(written)
}

pub(super) fn other() -> io::Error {
    let message = "a file with other content is in the way; move it away, or name another path";
    io::Error::new(ErrorKind::AlreadyExists, message)
}

//! Files that are written once: what is there already is never changed.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::temporary::{TemporaryFile, directory, has_content, sync_directory};

/// How bytes came to be in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// They were written.
    Written,
    /// They were there.
    AlreadyThere,
}

/// Puts bytes into a new file that its owner alone may read: whole, or not at all. A file that holds the same
/// bytes is left as it is.
///
/// # Errors
/// Those of the file system, and that a file is there with other bytes, or something that is no file.
pub fn write_once(path: &Path, bytes: &[u8]) -> io::Result<WriteOutcome> {
    let other = || {
        io::Error::new(
            ErrorKind::AlreadyExists,
            "a file with other content is there; move it away first",
        )
    };
    match has_content(path, bytes.len() as u64, bytes)? {
        Some(true) => return Ok(WriteOutcome::AlreadyThere),
        Some(false) => return Err(other()),
        None => {}
    }
    let directory = directory(path);
    let mut file = TemporaryFile::new(directory, ".credlens-", None)?;
    file.write_all(bytes)?;
    // None: somebody was faster.
    let kept = file.persist_new(path)?.ok_or_else(other)?;
    // The file is there. Directories that may not be listed, and some network shares, cannot be told to sync.
    drop(sync_directory(directory));
    Ok(kept)
}

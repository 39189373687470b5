//! Files that are written once: what is there already is never changed.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::temporary::Temporary;

/// How bytes came to be in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// They were written.
    Written,
    /// They were there.
    WasThere,
}

/// Puts bytes into a new file that its owner alone may read: whole, or not at all. A file that holds the same
/// bytes is left as it is.
///
/// # Errors
/// Those of the file system, and that a file is there with other bytes.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<Kept> {
    if let Some(kept) = compare(path, bytes)? {
        return Ok(kept);
    }
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // A temporary file is its owner's alone, and stays so.
    let mut builder = tempfile::Builder::new();
    let mut file = Temporary::make(builder.prefix(".credlens-").suffix(".tmp"), directory)?;
    file.file().write_all(bytes)?;
    match file.put_new(path) {
        Ok(()) => Ok(Kept::Written),
        // Somebody was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => compare(path, bytes)?.ok_or(error),
        Err(error) => Err(error),
    }
}

/// None where there is no such file.
fn compare(path: &Path, bytes: &[u8]) -> io::Result<Option<Kept>> {
    match fs::read(path) {
        Ok(there) if there == bytes => Ok(Some(Kept::WasThere)),
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "a file with other content is there; move it away first",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

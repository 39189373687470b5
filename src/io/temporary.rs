//! Files that are written beside their place, and take it once they are whole. They are known by name, so that a run
//! that ends at once leaves none behind.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType, Permissions};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::write_once::WriteOutcome;

/// What their names end in.
pub const SUFFIX: &str = ".tmp";

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is gone again unless it is put in a place.
#[derive(Debug)]
pub struct TemporaryFile {
    /// None once it is in its place.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl TemporaryFile {
    /// In this directory, with a name that begins so. Its owner alone may read it, unless permissions are given, of
    /// which the umask takes off what it does.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(directory: &Path, prefix: &str, permissions: Option<Permissions>) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).suffix(SUFFIX);
        if let Some(permissions) = permissions {
            builder.permissions(permissions);
        }
        // Under the lock, so that none is made that `discard` does not know.
        let mut pending = pending();
        let file = builder.tempfile_in(directory)?;
        let path = file.path().to_owned();
        pending.insert(path.clone());
        Ok(Self {
            file: Some(file),
            path,
        })
    }

    /// The file, to be read as well as written.
    pub fn file(&mut self) -> &mut File {
        let file = self.file.as_mut();
        file.expect("invariant: there until it is put in its place")
            .as_file_mut()
    }

    /// Puts it where another file may be. Its bytes may still be on their way to the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn replace(mut self, target: &Path) -> io::Result<()> {
        self.persist(|file| file.persist(target))
    }

    /// Puts it where no file may be but one of the same bytes, once its bytes are on the disk. None, and it is still
    /// to be put, where other bytes are there.
    ///
    /// # Errors
    /// Those of the file system, and that something else than a file is there.
    pub fn persist_new(&mut self, target: &Path) -> io::Result<Option<WriteOutcome>> {
        self.file().sync_all()?;
        match self.persist(|file| file.persist_noclobber(target)) {
            Ok(()) => Ok(Some(WriteOutcome::Written)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = self.file();
                file.seek(SeekFrom::Start(0))?;
                let length = file.metadata()?.len();
                let is_same = has_content(target, length, BufReader::new(file))?.ok_or(error)?;
                Ok(is_same.then_some(WriteOutcome::AlreadyThere))
            }
            Err(error) => Err(error),
        }
    }

    fn persist(
        &mut self,
        persist: impl FnOnce(NamedTempFile) -> Result<File, tempfile::PersistError>,
    ) -> io::Result<()> {
        let _pending = pending();
        match self.file.take().map(persist) {
            Some(Err(failed)) => {
                self.file = Some(failed.file);
                Err(failed.error)
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        pending().remove(&self.path);
    }
}

/// Removes all temporary files, for the end of the process: from here on, who makes one or puts one in its
/// place waits for ever.
pub fn discard() {
    let pending = pending();
    for path in pending.iter() {
        drop(fs::remove_file(path));
    }
    std::mem::forget(pending);
}

/// The directory that a path lies in.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Makes sure that what a directory lists survives a crash of the machine.
///
/// # Errors
/// Those of the file system.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}

/// Whether the file at this path holds these bytes, of which there are so many; none where nothing is there. Pipes
/// and devices are not read: that could wait, or go on, for ever.
pub(super) fn has_content(path: &Path, length: u64, bytes: impl BufRead) -> io::Result<Option<bool>> {
    let there = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return Err(in_the_way("a symlink that leads nowhere"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        there => there?,
    };
    if !there.is_file() {
        return Err(in_the_way(file_kind(there.file_type())));
    }
    let is_same = there.len() == length && are_same(BufReader::new(File::open(path)?), bytes)?;
    Ok(Some(is_same))
}

fn in_the_way(what: &str) -> io::Error {
    let message = format!("{what} is in the way; move it away, or name another path");
    io::Error::new(ErrorKind::AlreadyExists, message)
}

/// What is no regular file, in words.
pub fn file_kind(of: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if of.is_fifo() {
            return "a named pipe";
        }
        if of.is_socket() {
            return "a socket";
        }
    }
    if of.is_symlink() {
        "a symlink"
    } else if of.is_dir() {
        "a directory"
    } else {
        "a device"
    }
}

/// Whether both give the same bytes to their ends.
///
/// # Errors
/// Those of reading.
pub fn are_same(mut one: impl BufRead, mut other: impl BufRead) -> io::Result<bool> {
    loop {
        let (ones, others) = (one.fill_buf()?, other.fill_buf()?);
        let common = ones.len().min(others.len());
        if common == 0 || ones[..common] != others[..common] {
            return Ok(ones.is_empty() && others.is_empty());
        }
        one.consume(common);
        other.consume(common);
    }
}

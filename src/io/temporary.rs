//! Temporary files that are renamed to their target when they are complete. The process knows all of them, so that it
//! can remove them when a signal ends it.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::scaffold::take_back_all;
use super::write_once::WriteOutcome;

/// How their names end.
pub const SUFFIX: &str = ".tmp";

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is removed when dropped, unless it was renamed to a target.
#[derive(Debug)]
pub struct TemporaryFile {
    /// None once it was renamed.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl TemporaryFile {
    /// Creates one in this directory, with this prefix of its name. As of every new file, the umask decides who may
    /// read it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(directory: &Path, prefix: &str) -> io::Result<Self> {
        Self::create(directory, prefix, 0o666)
    }

    /// The same for a file that only its owner may read, in a directory that others use, too.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn private(directory: &Path, prefix: &str) -> io::Result<Self> {
        Self::create(directory, prefix, 0o600)
    }

    fn create(directory: &Path, prefix: &str, mode: u32) -> io::Result<Self> {
        // Under the lock, so that `discard` knows every file.
        let mut pending = pending();
        let mut code = None;
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(prefix).suffix(SUFFIX).make_in(directory, |path| {
            let file = create_new(path, mode);
            code = file.as_ref().err().and_then(io::Error::raw_os_error);
            file
        });
        // The error names the temporary file, which the user does not know.
        let file = file.map_err(|error| code.map_or(error, io::Error::from_raw_os_error))?;
        let path = file.path().to_owned();
        pending.insert(path.clone());
        Ok(Self {
            file: Some(file),
            path,
        })
    }

    /// The file, for reading and writing.
    pub fn file(&mut self) -> &mut File {
        let file = self.file.as_mut();
        file.expect("invariant: there until it is renamed").as_file_mut()
    }

    /// Renames it to a target, which it replaces. Does not sync it to disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn replace(mut self, target: &Path) -> io::Result<()> {
        self.persist(|file| file.persist(target))
    }

    /// Syncs it to disk and renames it to a target that does not exist, or is a file with the same bytes. Returns
    /// `None` and stays as it is when the target has other bytes.
    ///
    /// # Errors
    /// Those of the file system, and when the target is not a file.
    pub fn persist_new(&mut self, target: &Path) -> io::Result<Option<WriteOutcome>> {
        self.file().sync_all()?;
        match self.persist(|file| file.persist_noclobber(target)) {
            Ok(()) => Ok(Some(WriteOutcome::Written)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = self.file();
                file.rewind()?;
                let length = file.metadata()?.len();
                let is_same = has_content(target, length, BufReader::new(file))?.ok_or(error)?;
                Ok(is_same.then_some(WriteOutcome::AlreadyThere))
            }
            Err(error) => Err(error),
        }
    }

    /// Syncs it to disk, renames it to a target that does not exist, and gives it for further writing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn persist_open(mut self, target: &Path) -> io::Result<File> {
        self.file().sync_all()?;
        let _pending = pending();
        let file = self.file.take().expect("invariant: there until it is renamed");
        file.persist_noclobber(target).map_err(|failed| {
            self.file = Some(failed.file);
            failed.error
        })
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
        // Under the lock: a signal between the two would leave the file.
        let mut pending = pending();
        drop(self.file.take());
        pending.remove(&self.path);
    }
}

/// Creates a file with this mode, less the umask. That of systems without modes inherits what its directory says.
fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Removes all temporary files at the end of the process, and locks of archives without reports. Keeps the lock: a thread that creates or renames one from
/// here on waits forever.
pub fn discard() {
    let pending = pending();
    for path in pending.iter() {
        drop(fs::remove_file(path));
    }
    std::mem::forget(pending);
    take_back_all();
}

/// The directory that contains a path.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Syncs the entries of a directory to disk, so that a new file survives a crash of the machine.
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

/// Whether the file at this path has exactly these `length` bytes; `None` if nothing is there. Pipes and devices are an
/// error: reading them might never end.
pub(super) fn has_content(path: &Path, length: u64, bytes: impl BufRead) -> io::Result<Option<bool>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return Err(in_the_way("a broken symlink"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if !metadata.is_file() {
        return Err(in_the_way(file_kind(metadata.file_type())));
    }
    let is_same = metadata.len() == length && are_same(BufReader::new(File::open(path)?), bytes)?;
    Ok(Some(is_same))
}

fn in_the_way(what: &str) -> io::Error {
    let message = format!("{what} is in the way; move it away, or name another path");
    io::Error::new(ErrorKind::AlreadyExists, message)
}

/// Names the kind of something that is not a regular file.
pub fn file_kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    if kind.is_symlink() {
        "a symlink"
    } else if kind.is_dir() {
        "a directory"
    } else {
        "a device"
    }
}

/// Whether two readers give the same bytes up to their ends.
///
/// # Errors
/// Those of the readers.
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

//! Where an archive lies.

#![expect(clippy::disallowed_methods, reason = "an archive is files")]

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::error::Error;
use super::layout::FileName;
use crate::io::container::FileBytes;
use crate::io::temporary::{self, TemporaryFile, sync_directory};
use crate::io::write_once::WriteOutcome;

/// What lies in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredFile {
    /// Its path below the archive, with `/`.
    pub path: String,
    /// Its bytes.
    pub size: u64,
}

/// Where an archive lies: files that are written once, whole or not at all.
pub trait Store: Send {
    /// What the archive is called: a directory, or an `s3://` URL.
    fn name(&self) -> String;

    /// All files whose path begins so, in the byte order of paths; hidden ones are none.
    ///
    /// # Errors
    /// Where it cannot be listed. An archive that is not there yet is an empty one.
    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, path: &str) -> Result<FileBytes, Error>;

    /// A temporary file that [`put`](Self::put) takes.
    ///
    /// # Errors
    /// Where there can be none.
    fn temporary(&self) -> Result<TemporaryFile, Error>;

    /// Puts a file into its place. What is there is never changed, unless it is damaged.
    ///
    /// # Errors
    /// Where it cannot be written; then nothing is there.
    fn put(&self, file: TemporaryFile, path: &str) -> Result<WriteOutcome, Error>;

    /// Keeps others from adding until it is dropped; waits while others do.
    ///
    /// # Errors
    /// Where there can be no lock.
    fn lock(&self) -> Result<Box<dyn Send>, Error>;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Called once where a lock is waited for.
    waiting: fn(&str),
}

/// What files that are being written begin with. Hidden, so that no engine reads them.
const TEMPORARY: &str = ".credlens-archive-";
const LOCK: &str = ".credlens.lock";

/// How often a lock is tried before it is told that it is waited for, about a second, and how long after each time.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

impl Directory {
    /// An archive in this directory, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            waiting: |_| {},
        }
    }

    /// Whether this directory is an archive, into which a run has written.
    pub fn is_at(path: &Path) -> bool {
        path.join(LOCK).exists()
    }

    /// The same, which tells by its name that it waits for another run.
    #[must_use]
    pub fn on_wait(self, waiting: fn(&str)) -> Self {
        Self { waiting, ..self }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    fn shown(&self, path: &str) -> String {
        self.at(path).display().to_string()
    }

    /// Adds the files below a directory to those found.
    fn walk(&self, below: &str, found: &mut Vec<StoredFile>) -> io::Result<()> {
        let entries = match fs::read_dir(self.at(below)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() {
                name.clone()
            } else {
                format!("{below}/{name}")
            };
            if name.starts_with('.') {
                continue;
            }
            // What has no name in UTF-8, or that of a file, is told, and not gone into.
            let is_named = entry.file_name().to_str().is_some() && FileName::parse(&path).is_none();
            if is_named && entry.file_type()?.is_dir() {
                self.walk(&path, found)?;
            } else {
                let size = entry.metadata()?.len();
                found.push(StoredFile { path, size });
            }
        }
        Ok(())
    }

    /// Waits for the lock, and says so where it takes long.
    fn wait_for(&self, lock: &File) -> io::Result<()> {
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => sleep(LOCK_PAUSE),
            }
        }
        (self.waiting)(&self.name());
        lock.lock()
    }

    /// Removes what interrupted runs left over; only who holds the lock may.
    fn clean(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_ours = name.starts_with(TEMPORARY) && name.ends_with(temporary::SUFFIX);
            if is_ours && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Store for Directory {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error> {
        let mut found = Vec::new();
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        self.walk(below, &mut found)
            .map_err(Error::io(format!("cannot list the archive {}", self.name())))?;
        found.retain(|entry| entry.path.starts_with(prefix));
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<FileBytes, Error> {
        let cannot = || Error::io(format!("cannot read {}", self.shown(path)));
        let kind = fs::metadata(self.at(path)).map_err(cannot())?.file_type();
        if !kind.is_file() {
            // To open a pipe would wait for who writes into it.
            return Err(Error::NotAFile(self.shown(path), temporary::file_kind(kind)));
        }
        let file = File::open(self.at(path)).map_err(cannot())?;
        Ok(FileBytes::File(Arc::new(file)))
    }

    fn temporary(&self) -> Result<TemporaryFile, Error> {
        TemporaryFile::new(&self.path, TEMPORARY, None)
            .map_err(Error::io(format!("cannot write into {}", self.name())))
    }

    fn put(&self, file: TemporaryFile, path: &str) -> Result<WriteOutcome, Error> {
        let put = || -> io::Result<WriteOutcome> {
            let mut file = file;
            let to = self.at(path);
            let directory = to.parent().unwrap_or(&self.path);
            fs::create_dir_all(directory)?;
            if fs::symlink_metadata(directory)?.is_symlink() {
                return Err(io::Error::other(
                    "its directory is a symlink, which is not followed",
                ));
            }
            let put = file.persist_new(&to)?;
            if put.is_none() {
                // A name is made of the bytes, so other bytes of that name are damage, and are mended.
                file.replace(&to)?;
            }
            sync_directory(directory)?;
            sync_directory(&self.path)?;
            if let Some(above) = self.path.parent().filter(|above| *above != Path::new("")) {
                sync_directory(above)?;
            }
            Ok(put.unwrap_or(WriteOutcome::Written))
        };
        put().map_err(Error::io(format!("cannot write {}", self.shown(path))))
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        // To open a pipe would wait for who reads from it, and a symlink leads out of the archive.
        if let Ok(there) = fs::symlink_metadata(self.at(LOCK))
            && !there.is_file()
        {
            return Err(Error::NotAFile(
                self.shown(LOCK),
                temporary::file_kind(there.file_type()),
            ));
        }
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&self.path)?;
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.at(LOCK))?;
            self.wait_for(&file)?;
            self.clean()?;
            Ok(file)
        };
        let file = lock().map_err(Error::io(format!("cannot lock the archive {}", self.name())))?;
        Ok(Box::new(file))
    }
}

//! The storage of an archive: the [`Store`] trait, and its implementation for a directory.

#![expect(clippy::disallowed_methods, reason = "an archive is a directory of files")]

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::error::Error;
use super::layout::FileName;
use crate::io::container::FileBytes;
use crate::io::scaffold::LockFile;
use crate::io::temporary::{self, TemporaryFile, sync_directory};
use crate::io::write_once::WriteOutcome;

/// A file in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredFile {
    /// Its path below the archive, with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The storage of an archive: files that are written once, whole or not at all.
pub trait Store: Send {
    /// The name of the archive: the path of a directory, or an `s3://` URL.
    fn name(&self) -> String;

    /// The name of a file in messages, by its path below the archive.
    fn shown(&self, path: &str) -> String;

    /// Whether there is a sign, besides its files, that this is an archive, be it an empty one.
    fn is_marked(&self) -> bool;

    /// The files whose path has this prefix, in the byte order of their paths, without hidden ones. An archive that
    /// does not exist yet is empty.
    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error>;

    /// The bytes of a file.
    fn read(&self, path: &str) -> Result<FileBytes, Error>;

    /// Creates a temporary file for [`put`](Self::put).
    fn temporary(&self) -> Result<TemporaryFile, Error>;

    /// Stores a temporary file at this path. An existing file is not changed, unless it is damaged.
    /// After an error, the path is as it was.
    fn put(&self, file: TemporaryFile, path: &str) -> Result<(), Error>;

    /// Stores bytes at a path that has no file yet, for its owner alone to read. What was done; none if the path has a file
    /// with other bytes, which stays as it is.
    fn put_once(&self, bytes: &[u8], path: &str) -> Result<Option<WriteOutcome>, Error>;

    /// Removes a file whose reports other files have.
    fn remove(&self, path: &str) -> Result<(), Error>;

    /// Waits for those who [read](Directory::begin_reading) the archive, and keeps others from beginning until the guard
    /// is dropped.
    fn lock_out_readers(&self) -> Result<Box<dyn Send>, Error>;

    /// Finds out whether the archive can be listed and written, before anything is done for it. Nothing is left of a new
    /// archive that cannot.
    fn check(&self) -> Result<(), Error>;

    /// Locks the archive against other writers until the guard is dropped; waits for them first. Where nothing was
    /// stored until then, nothing of a new archive is left.
    fn lock(&self) -> Result<Box<dyn Send>, Error>;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Called with the name of the archive when waiting for the lock takes long.
    on_wait: fn(&str),
}

/// The prefix of temporary files: hidden, so that no engine reads them.
const TEMPORARY: &str = ".credlens-archive-";
const LOCK: &str = ".credlens.lock";

/// The number of attempts to lock before `on_wait` is called, and the pause between them: together about a second.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How many bytes a check writes.
const PROBE: usize = 16 * 1024;

impl Directory {
    /// An archive in this directory, which need not exist yet.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            on_wait: |_| {},
        }
    }

    /// Whether this directory is an archive that was written to.
    pub fn is_at(path: &Path) -> bool {
        path.join(LOCK).exists()
    }

    /// Keeps the files of archives from being removed until the guards are dropped, so that what is read again or later is
    /// still there: of the archives in this directory or below it, and of one that this path is in. Waits for a run that
    /// removes files. Empty where directories cannot be locked.
    pub fn begin_reading(path: &Path) -> Vec<File> {
        let above = path
            .ancestors()
            .skip(1)
            .take(2)
            .filter(|above| *above != Path::new(""));
        let mut archives: Vec<PathBuf> = above
            .filter(|above| Self::is_at(above))
            .map(Path::to_owned)
            .collect();
        let mut directories = vec![path.to_owned()];
        while let Some(directory) = directories.pop() {
            if Self::is_at(&directory) {
                archives.push(directory);
                continue;
            }
            let entries = fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .filter_map(Result::ok);
            let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            directories.extend(below.map(|entry| entry.path()));
        }
        let lock = |archive: PathBuf| {
            let directory = File::open(archive).ok()?;
            directory.lock_shared().ok()?;
            Some(directory)
        };
        archives.into_iter().filter_map(lock).collect()
    }

    /// Sets a function to call with the name of the archive when waiting for another run takes long.
    #[must_use]
    pub fn on_wait(self, on_wait: fn(&str)) -> Self {
        Self { on_wait, ..self }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Adds the files below a directory to `found`.
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
            // A directory whose name is not UTF-8, or is that of an archived file, is listed as a file, so that it is
            // reported as a problem.
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

    /// Stores a file in its directory, which is created, and syncs both.
    fn store<T>(&self, path: &str, store: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Error> {
        let target = self.at(path);
        let directory = target.parent().unwrap_or(&self.path);
        let is_new = !directory.exists();
        let put = || -> io::Result<T> {
            fs::create_dir_all(directory)?;
            if fs::symlink_metadata(directory)?.is_symlink() {
                return Err(io::Error::other(
                    "its directory is a symlink, which is not followed",
                ));
            }
            let stored = store(&target)?;
            sync_directory(directory)?;
            sync_directory(&self.path)?;
            if let Some(parent) = self.path.parent().filter(|parent| *parent != Path::new("")) {
                sync_directory(parent)?;
            }
            Ok(stored)
        };
        put().map_err(|error| {
            if is_new {
                // If it is empty.
                drop(fs::remove_dir(directory));
            }
            Error::unwritable(format!("cannot write {}", self.shown(path)))(error)
        })
    }

    /// Waits for the lock.
    fn wait_for(&self, lock: &File) -> io::Result<()> {
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => sleep(LOCK_PAUSE),
            }
        }
        (self.on_wait)(&self.name());
        lock.lock()
    }

    /// Removes the temporary files of interrupted runs. The lock must be held.
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

    fn shown(&self, path: &str) -> String {
        self.at(path).display().to_string()
    }

    fn is_marked(&self) -> bool {
        Self::is_at(&self.path)
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
            // Opening a pipe would wait for its writer.
            return Err(Error::NotAFile(self.shown(path), temporary::file_kind(kind)));
        }
        let file = File::open(self.at(path)).map_err(cannot())?;
        Ok(FileBytes::File(Arc::new(file)))
    }

    fn temporary(&self) -> Result<TemporaryFile, Error> {
        TemporaryFile::new(&self.path, TEMPORARY).map_err(Error::unwritable(format!(
            "cannot write into the archive {}",
            self.name()
        )))
    }

    fn put(&self, mut file: TemporaryFile, path: &str) -> Result<(), Error> {
        self.store(path, |target| match file.persist_new(target)? {
            Some(_) => Ok(()),
            // The name has the hash of the bytes, so a file with other bytes is damaged.
            None => file.replace(target),
        })
    }

    fn put_once(&self, bytes: &[u8], path: &str) -> Result<Option<WriteOutcome>, Error> {
        self.store(path, |target| {
            let mut file = TemporaryFile::private(&self.path, TEMPORARY)?;
            file.write_all(bytes)?;
            file.persist_new(target)
        })
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        let remove = || -> io::Result<()> {
            fs::remove_file(self.at(path))?;
            if let Some(directory) = self.at(path).parent() {
                sync_directory(directory)?;
                // If it is empty.
                drop(fs::remove_dir(directory));
            }
            sync_directory(&self.path)
        };
        remove().map_err(Error::unwritable(format!("cannot remove {}", self.shown(path))))
    }

    fn lock_out_readers(&self) -> Result<Box<dyn Send>, Error> {
        // Where a directory cannot be locked, readers do not lock it either.
        let Ok(directory) = File::open(&self.path) else {
            return Ok(Box::new(()));
        };
        match self.wait_for(&directory) {
            Ok(()) => Ok(Box::new(directory)),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(Error::unwritable(format!(
                "cannot lock the archive {}",
                self.name()
            ))(error)),
            Err(_) => Ok(Box::new(())),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let _lock = self.lock()?;
        let mut file = self.temporary()?;
        // A disk that is full takes a file, but no bytes.
        let written = file.write_all(&[0; PROBE]).and_then(|()| file.flush());
        written.map_err(Error::unwritable(format!(
            "cannot write into the archive {}",
            self.name()
        )))
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        // Opening a pipe would wait for its reader, and a symlink could lead out of the archive.
        if let Ok(metadata) = fs::symlink_metadata(self.at(LOCK))
            && !metadata.is_file()
        {
            let kind = temporary::file_kind(metadata.file_type());
            return Err(Error::NotAFile(self.shown(LOCK), kind));
        }
        let lock = || -> io::Result<LockFile> {
            let mut tries = 0;
            loop {
                tries += 1;
                let lock = match LockFile::open(&self.at(LOCK)) {
                    // Another run may have taken back the directory in between.
                    Err(error) if error.kind() == ErrorKind::NotFound && tries < LOCK_TRIES => continue,
                    lock => lock?,
                };
                self.wait_for(lock.file())?;
                if lock.is_current()? {
                    self.clean()?;
                    return Ok(lock);
                }
            }
        };
        let file = lock().map_err(Error::unwritable(format!(
            "cannot lock the archive {}",
            self.name()
        )))?;
        Ok(Box::new(file))
    }
}

//! What a run creates to work in: a lock, and the directory in which it is. Both are taken back at the end, also where
//! a signal ends the run, unless something was put beside the lock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those of this process, by the path of the lock.
static CREATED: Mutex<BTreeMap<PathBuf, Created>> = Mutex::new(BTreeMap::new());

fn created() -> MutexGuard<'static, BTreeMap<PathBuf, Created>> {
    CREATED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Created {
    lock: Arc<File>,
    /// From the innermost.
    directories: Vec<PathBuf>,
}

/// A file for a lock, which the caller takes. What was created for it is taken back when this is dropped.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    lock: Arc<File>,
    is_new: bool,
}

impl LockFile {
    /// Opens the file, or creates it and the directories that contain it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Under the lock, so that `take_back_all` knows everything.
        let mut created = created();
        let parents = path.ancestors().skip(1);
        let parents = parents.take_while(|parent| *parent != Path::new("") && !parent.exists());
        let directories = parents.map(Path::to_owned).collect::<Vec<_>>();
        let opened = create(path);
        let (lock, is_new) = opened.inspect_err(|_| remove_directories(&directories))?;
        let lock = Arc::new(lock);
        if is_new {
            let lock = Arc::clone(&lock);
            created.insert(path.to_owned(), Created { lock, directories });
        }
        Ok(Self {
            path: path.to_owned(),
            lock,
            is_new,
        })
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.lock
    }

    /// Whether the path still names this file. Another run may have taken it back while this one waited for it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn is_current(&self) -> io::Result<bool> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
            match fs::symlink_metadata(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                at_path => Ok(identity(at_path?) == identity(self.lock.metadata()?)),
            }
        }
        // Elsewhere nothing is taken back.
        #[cfg(not(unix))]
        Ok(true)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if self.is_new {
            let mut created = created();
            if let Some(own) = created.remove(&self.path) {
                take_back(&self.path, &own);
            }
        }
    }
}

/// Opens or creates a file, and says which.
fn create(path: &Path) -> io::Result<(File, bool)> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
    let mut options = File::options();
    options.write(true);
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok((options.open(path)?, false)),
        created => Ok((created?, true)),
    }
}

/// Takes back what is left at the end of the process. Keeps the lock: a thread that creates something from here on
/// waits forever.
pub(super) fn take_back_all() {
    let created = created();
    for (path, own) in created.iter() {
        take_back(path, own);
    }
    std::mem::forget(created);
}

fn take_back(path: &Path, created: &Created) {
    // Another run may hold the lock by now.
    if cfg!(unix) && created.lock.try_lock().is_ok() && is_alone(path) && fs::remove_file(path).is_ok() {
        remove_directories(&created.directories);
    }
}

/// Whether a file is all that its directory has.
fn is_alone(path: &Path) -> bool {
    let entries = path.parent().map(fs::read_dir);
    entries.is_some_and(|entries| entries.is_ok_and(|entries| entries.count() == 1))
}

/// Removes those that are empty.
fn remove_directories(directories: &[PathBuf]) {
    for directory in directories {
        drop(fs::remove_dir(directory));
    }
}

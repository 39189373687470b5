//! Temporary files, known by name, so that a run that ends at once leaves none behind.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, NamedTempFile};

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is gone again unless it is put in a place.
pub(super) struct Temporary {
    /// None once it is in its place.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Temporary {
    pub(super) fn make(builder: &Builder<'_, '_>, directory: &Path) -> io::Result<Self> {
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

    pub(super) fn file(&mut self) -> &mut File {
        let file = self.file.as_mut();
        file.expect("invariant: there until it is put in its place")
            .as_file_mut()
    }

    /// Puts it where another file may be.
    pub(super) fn replace(mut self, target: &Path) -> io::Result<()> {
        self.put(|file| file.persist(target))
    }

    /// Puts it where no file may be.
    pub(super) fn put_new(mut self, target: &Path) -> io::Result<()> {
        self.put(|file| file.persist_noclobber(target))
    }

    fn put(
        &mut self,
        persist: impl FnOnce(NamedTempFile) -> Result<File, tempfile::PersistError>,
    ) -> io::Result<()> {
        let _pending = pending();
        match self.file.take().map(persist) {
            Some(Err(error)) => Err(error.error),
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

impl Drop for Temporary {
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

//! The file of a journal: whole from its first moment, then only ever longer, and on the disk after every record.
//!
//! A lock of the file itself, which ends with the process, keeps a second run out.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

use super::temporary::{TemporaryFile, directory, sync_directory};
use crate::remedy::{Entry, Record, Recorder};
use crate::report::time::Timestamp;

/// A journal that is written to.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    /// Whether the file ends with a whole line. A record that could not be written may have left a part of itself.
    is_at_line_start: bool,
}

impl JournalFile {
    /// Writes a new journal with its first record, which only its owner may read.
    ///
    /// # Errors
    /// Those of the file system, also if there is a file of this name: then it is not touched.
    pub fn create(path: &Path, first: &Record) -> io::Result<Self> {
        let place = directory(path);
        let mut file = TemporaryFile::private(place, ".credlens-")?;
        file.write_all(&line(first)?)?;
        // Before anyone can open it by its name.
        lock(file.file())?;
        let file = file.persist_open(path)?;
        match sync_directory(place) {
            Ok(()) => {}
            // Some network shares cannot do this.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            file,
            is_at_line_start: true,
        })
    }

    /// Opens a journal to go on with it, and reads what it has.
    ///
    /// # Errors
    /// Those of the file system, and if another run is writing to it.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<u8>)> {
        let mut file = File::options().read(true).append(true).open(path)?;
        lock(&file)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let journal = Self {
            file,
            is_at_line_start: text.last().is_none_or(|&byte| byte == b'\n'),
        };
        Ok((journal, text))
    }
}

impl Recorder for JournalFile {
    fn record(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        let mut bytes = line(&Record::new(at, entry))?;
        if !self.is_at_line_start {
            bytes.insert(0, b'\n');
        }
        self.is_at_line_start = false;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.is_at_line_start = true;
        Ok(())
    }
}

fn line(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let message = "another run is writing to it; wait for its end, or end it";
            io::Error::new(ErrorKind::ResourceBusy, message)
        }
        TryLockError::Error(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::{End, JournalText};
    use std::fs;

    fn record() -> Record {
        Record::new(Timestamp(0), Entry::End(End::default()))
    }

    fn read(path: &Path) -> usize {
        let text = fs::read_to_string(path).unwrap();
        JournalText::whole(&text).unwrap().len()
    }

    #[test]
    fn a_journal_is_new_private_and_of_one_run() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("j.ndjson");
        let mut journal = JournalFile::create(&path, &record()).unwrap();
        journal.record(Timestamp(1), record().entry).unwrap();
        assert_eq!(read(&path), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let busy = JournalFile::open(&path).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::ResourceBusy);
        let exists = JournalFile::create(&path, &record()).unwrap_err();
        assert_eq!(exists.kind(), ErrorKind::AlreadyExists);
        assert_eq!(read(&path), 2);
        drop(journal);
        let (mut journal, text) = JournalFile::open(&path).unwrap();
        assert_eq!(text, fs::read(&path).unwrap());
        journal.record(Timestamp(1), record().entry).unwrap();
        assert_eq!(read(&path), 3);
        // Nothing else is left behind.
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_cut_off_ends_before_the_next_record() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("j.ndjson");
        let whole = line(&record()).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let (mut journal, _) = JournalFile::open(&path).unwrap();
        journal.record(Timestamp(1), record().entry).unwrap();
        assert_eq!(read(&path), 2);
    }
}

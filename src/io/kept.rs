//! The contents of small remote inputs that are read twice, so that most are downloaded once. Files are in the system's
//! cache already.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are kept at most: 64 MiB.
const MOST: usize = 64 << 20;

/// Contents of inputs, by path. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KeptInputs(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    contents: BTreeMap<PathBuf, Content>,
    /// How many bytes were kept so far.
    bytes: usize,
    /// Whether the next one is kept. Those that are not are the last ones, in a row, so that they can be read ahead.
    is_full: bool,
}

impl KeptInputs {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of an input, if it is kept.
    pub(super) fn get(&self, path: &Path) -> Option<Cursor<Content>> {
        self.lock().contents.get(path).cloned().map(Cursor::new)
    }

    /// A reader that keeps what is read, if that has at most `most` bytes.
    pub(super) fn keeping(
        &self,
        path: &Path,
        reader: Box<dyn Read + Send>,
        most: usize,
    ) -> Box<dyn Read + Send> {
        if self.lock().is_full {
            return reader;
        }
        Box::new(Keeping {
            reader,
            most,
            read: Some((path.to_owned(), Vec::new())),
            kept: self.clone(),
        })
    }

    fn keep(&self, path: PathBuf, content: Vec<u8>) {
        let mut kept = self.lock();
        kept.bytes += content.len();
        kept.is_full |= kept.bytes > MOST;
        if !kept.is_full {
            kept.contents.insert(path, Content(Arc::new(content)));
        }
    }
}

/// The bytes of an input.
#[derive(Clone, Debug)]
pub(super) struct Content(Arc<Vec<u8>>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct Keeping {
    reader: Box<dyn Read + Send>,
    most: usize,
    /// The path and what was read so far; none where it is not kept, or is already.
    read: Option<(PathBuf, Vec<u8>)>,
    kept: KeptInputs,
}

impl Read for Keeping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let Some((path, mut content)) = self.read.take() else {
            return Ok(count);
        };
        content.extend_from_slice(&buffer[..count]);
        if count == 0 && !buffer.is_empty() {
            self.kept.keep(path, content);
        } else if content.len() <= self.most {
            self.read = Some((path, content));
        }
        Ok(count)
    }
}

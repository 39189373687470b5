//! Files that hold several reports (the Parquet files of an archive), and paths such as `FILE.parquet#3` that name one
//! report of such a file. The archive layer decodes them; this one only knows the traits that it implements.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InputError;
use super::hashing::sha256_of;
use super::remote::{Remote, is_remote};
use super::walk::FoundFile;
use crate::engine::{AccountInfo, DeferredBlock, FileDigest, SourceError};
use crate::finding::AsOfSource;
use crate::report::time::Timestamp;

/// The first bytes of a Parquet file.
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

/// Separates the path of a file from the number of a report in it, from 1.
const NUMBER_SEPARATOR: char = '#';

/// The bytes of a file, which several threads may read at the same time.
#[derive(Clone, Debug)]
pub enum FileBytes {
    /// A file on disk.
    File(Arc<File>),
    /// In memory.
    Memory(Arc<[u8]>),
}

impl FileBytes {
    /// How many there are.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Whether they begin as Parquet does.
    pub fn is_parquet(&self) -> bool {
        let magic = 0..PARQUET_MAGIC.len() as u64;
        self.read(magic).is_ok_and(|magic| magic == PARQUET_MAGIC)
    }

    /// The SHA-256 of all of them, read in pieces. Moves the position at which a file is read.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sha256(&self) -> io::Result<String> {
        match self {
            Self::File(file) => {
                let mut file = &**file;
                file.rewind()?;
                sha256_of(file)
            }
            Self::Memory(bytes) => sha256_of(&**bytes),
        }
    }

    /// Those of a range; fewer where it goes beyond the end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let file = match self {
            Self::File(file) => file,
            Self::Memory(bytes) => {
                let [start, end] =
                    [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
                let end = end.min(bytes.len());
                return Ok(bytes[start.min(end)..end].to_vec());
            }
        };
        let there = file.metadata()?.len().saturating_sub(range.start);
        let mut read = vec![0; length.min(usize::try_from(there).unwrap_or(usize::MAX))];
        let mut done = 0;
        while done < read.len() {
            match read_at(file, &mut read[done..], range.start + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        read.truncate(done);
        Ok(read)
    }
}

/// Reads from a place in a file, wherever others read it at the same time.
#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

/// Opens Parquet files.
pub trait ContainerFormat: Send {
    /// Opens a file.
    ///
    /// # Errors
    /// When the file is not part of an archive, or is damaged.
    fn open(&mut self, path: &Path, bytes: FileBytes) -> Result<Box<dyn Container>, InputError>;
}

/// Stands in for the archive in a build without it.
pub(super) struct NoArchives;

impl ContainerFormat for NoArchives {
    fn open(&mut self, _: &Path, _: FileBytes) -> Result<Box<dyn Container>, InputError> {
        let why = "is a Parquet file, and this credlens was built without the feature archive";
        Err(InputError::Archive(why.into()))
    }
}

/// A file that holds reports.
pub trait Container: Send {
    /// Its reports, in order.
    fn reports(&self) -> Vec<ContainedReport>;

    /// The rows of a report, in at least one block. Blocks can be decoded independently and in parallel.
    ///
    /// # Errors
    /// When the file is damaged.
    fn rows(&mut self, report: usize) -> Result<Vec<DeferredBlock>, SourceError>;
}

/// A report in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainedReport {
    /// Equal for reports with equal bytes.
    pub hash: String,
    /// The bytes before its first row.
    pub header: Vec<u8>,
    /// The instant at which it is evaluated.
    pub as_of: Timestamp,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS generated it, if that is known.
    pub generated: Option<Timestamp>,
    /// What is known of its account.
    pub account: AccountInfo,
}

/// A container whose reports are being read, one after the other.
pub(super) struct ContainerCursor {
    path: PathBuf,
    container: Box<dyn Container>,
    /// That of the file.
    pub(super) digest: FileDigest,
    reports: Vec<ContainedReport>,
    next: usize,
    end: usize,
}

/// Where the next report is.
pub(super) enum ReportLocation {
    /// In a file of its own, or on standard input.
    File(FoundFile),
    /// In the container that is open: the path that names it, its number, and what the container says about it.
    Contained(PathBuf, usize, ContainedReport),
}

impl ContainerCursor {
    /// Opens a path that names a Parquet file or a report in one; `None` for any other path. A file that is already
    /// open is not opened again.
    pub(super) fn of(
        path: &Path,
        (open, hashed): (Option<Self>, u64),
        format: &mut dyn ContainerFormat,
        remote: &mut dyn Remote,
    ) -> Result<Option<Self>, InputError> {
        let (file, number) = match number_of(path) {
            Some((file, number)) if is_remote(path) || !path.exists() => (file, Some(number)),
            _ => (path.to_owned(), None),
        };
        let mut opened = match open.filter(|open| open.path == file) {
            Some(open) => open,
            None => match content(&file, remote)? {
                Some(content) => Self::new(file, (content, hashed), format)?,
                None => return Ok(None),
            },
        };
        let count = opened.reports.len();
        (opened.next, opened.end) = match number {
            None => (0, count),
            Some(number) if (1..=count).contains(&number) => (number - 1, number),
            Some(_) => return Err(InputError::NoSuchReport(count)),
        };
        Ok(Some(opened))
    }

    fn new(
        path: PathBuf,
        (content, hashed): (FileBytes, u64),
        format: &mut dyn ContainerFormat,
    ) -> Result<Self, InputError> {
        let digest = FileDigest::default();
        // Parquet is not read from beginning to end, so this is a read of its own, before any other.
        let length = content.length().map_err(InputError::Read)?;
        if length <= hashed {
            digest.set(Some(content.sha256().map_err(InputError::Read)?));
        }
        let container = format.open(&path, content)?;
        Ok(Self {
            reports: container.reports(),
            path,
            container,
            digest,
            next: 0,
            end: 0,
        })
    }

    /// The next report.
    pub(super) fn next(&mut self) -> Option<ReportLocation> {
        let number = self.next;
        if number >= self.end {
            return None;
        }
        self.next += 1;
        let mut path = self.path.clone();
        if self.reports.len() > 1 {
            path.as_mut_os_string()
                .push(format!("{NUMBER_SEPARATOR}{}", number + 1));
        }
        Some(ReportLocation::Contained(
            path,
            number,
            self.reports[number].clone(),
        ))
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The rows of a report.
    pub(super) fn rows(&mut self, number: usize) -> Result<Vec<DeferredBlock>, InputError> {
        self.container.rows(number).map_err(InputError::Archive)
    }
}

/// Splits `a.parquet#3` into path and number.
fn number_of(path: &Path) -> Option<(PathBuf, usize)> {
    let name = path.to_str()?;
    let (file, number) = name.rsplit_once(NUMBER_SEPARATOR)?;
    let file = Path::new(file);
    is_named_parquet(file).then_some(())?;
    Some((file.to_owned(), number.parse().ok()?))
}

/// The file that a path names, without the number of a report.
pub(super) fn file_of(path: PathBuf) -> PathBuf {
    match number_of(&path) {
        Some((file, _)) if !path.exists() => file,
        _ => path,
    }
}

/// Whether a path names one report of an archived file.
pub(super) fn is_numbered(path: &Path) -> bool {
    number_of(path).is_some()
}

fn is_named_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// The content of a file, if it is Parquet. Only files named `.parquet` are checked, because opening every report twice
/// would cost time.
fn content(path: &Path, remote: &mut dyn Remote) -> Result<Option<FileBytes>, InputError> {
    if !is_named_parquet(path) {
        return Ok(None);
    }
    if is_remote(path) {
        let mut bytes = Vec::new();
        let mut reader = remote.open(&path.to_string_lossy())?;
        reader.read_to_end(&mut bytes).map_err(InputError::Read)?;
        return Ok(Some(FileBytes::Memory(bytes.into())));
    }
    // The bytes of a pipe can be read only once.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(None);
    }
    let bytes = FileBytes::File(Arc::new(File::open(path).map_err(InputError::Open)?));
    Ok(bytes.is_parquet().then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::finding::digest::sha256;

    #[test]
    fn the_digest_of_a_file_of_many_pieces() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let file = FileBytes::File(Arc::new(file));
        assert_eq!(file.sha256().unwrap(), sha256(&bytes));
        // Where a file is read next does not matter.
        assert_eq!(file.sha256().unwrap(), sha256(&bytes));
        assert_eq!(
            FileBytes::Memory(bytes.clone().into()).sha256().unwrap(),
            sha256(&bytes)
        );
    }
}

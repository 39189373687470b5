//! Files that hold several reports, which this layer cannot read itself: those of an archive.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InputError;
use super::remote::{Remote, is_remote};
use crate::engine::{Account, SourceError, Text};
use crate::finding::AsOfSource;
use crate::report::time::Timestamp;

/// What a Parquet file begins with.
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

/// What stands between the path of a file and the number of a report in it, from 1.
const NUMBER_SEPARATOR: char = '#';

/// The bytes of a file, which several threads may read at the same time.
#[derive(Clone, Debug)]
pub enum FileBytes {
    /// A file on disk.
    File(Arc<File>),
    /// In memory.
    Memory(Arc<[u8]>),
}

/// Opens Parquet files.
pub trait ContainerFormat: Send {
    /// The reports of a file.
    ///
    /// # Errors
    /// Where it is none of an archive, or damaged.
    fn open(&mut self, path: &Path, content: FileBytes) -> Result<Box<dyn Container>, SourceError>;
}

/// A program without archives.
pub(super) struct NoArchives;

impl ContainerFormat for NoArchives {
    fn open(&mut self, _: &Path, _: FileBytes) -> Result<Box<dyn Container>, SourceError> {
        Err("is a Parquet file, and this credlens was built without the feature archive".into())
    }
}

/// A file that holds reports.
pub trait Container: Send {
    /// What is known of its reports, in order.
    fn reports(&self) -> Vec<ContainedReport>;

    /// The rows of a report, in pieces that can be made one by one and at the same time.
    ///
    /// # Errors
    /// Where it is damaged.
    fn rows(&mut self, report: usize) -> Result<Vec<Text>, SourceError>;
}

/// A report in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainedReport {
    /// The same for the same bytes.
    pub hash: String,
    /// All before its first row.
    pub header: Vec<u8>,
    /// The instant at which it is to be judged.
    pub as_of: Timestamp,
    /// Where that comes from.
    pub as_of_source: AsOfSource,
    /// When AWS made it, where that is known.
    pub generated: Option<Timestamp>,
    /// What is known of its account.
    pub account: Account,
}

/// A container that is being read.
pub(super) struct ContainerCursor {
    path: PathBuf,
    container: Box<dyn Container>,
    reports: Vec<ContainedReport>,
    next: usize,
    end: usize,
}

/// Where a report is.
pub(super) enum ReportLocation {
    /// In a file of its own, or on standard input.
    File(PathBuf),
    /// In the container that is open: its path and number, and what is known of it.
    Contained(PathBuf, usize, ContainedReport),
}

impl ContainerCursor {
    /// Opens a path that leads to a Parquet file, or to a report in one; none where it does not. The file that is
    /// open already is not opened again.
    pub(super) fn of(
        path: &Path,
        open: Option<Self>,
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
                Some(content) => Self::new(file, content, format)?,
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

    fn new(path: PathBuf, content: FileBytes, format: &mut dyn ContainerFormat) -> Result<Self, InputError> {
        let container = format.open(&path, content).map_err(InputError::Archive)?;
        Ok(Self {
            reports: container.reports(),
            path,
            container,
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
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            path.set_file_name(format!("{name}{NUMBER_SEPARATOR}{}", number + 1));
        }
        Some(ReportLocation::Contained(
            path,
            number,
            self.reports[number].clone(),
        ))
    }

    /// Its rows.
    pub(super) fn rows(&mut self, number: usize) -> Result<Vec<Text>, InputError> {
        self.container.rows(number).map_err(InputError::Archive)
    }
}

/// `a.parquet#3` as path and number.
fn number_of(path: &Path) -> Option<(PathBuf, usize)> {
    let name = path.to_str()?;
    let (file, number) = name.rsplit_once(NUMBER_SEPARATOR)?;
    let file = Path::new(file);
    is_named_parquet(file).then_some(())?;
    Some((file.to_owned(), number.parse().ok()?))
}

/// The file that a path leads into.
pub(super) fn file_of(path: PathBuf) -> PathBuf {
    match number_of(&path) {
        Some((file, _)) if !path.exists() => file,
        _ => path,
    }
}

/// Whether a path leads to one report of an archived file.
pub(super) fn is_numbered(path: &Path) -> bool {
    number_of(path).is_some()
}

fn is_named_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// The content of a file, if it is one of Parquet. Only names that say so are looked at: to open every report twice
/// would cost.
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
    // What a pipe gives is gone once it is looked at.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(InputError::Open)?;
    let mut magic = [0; PARQUET_MAGIC.len()];
    let read = file.read_exact(&mut magic);
    Ok((read.is_ok() && magic == *PARQUET_MAGIC).then_some(FileBytes::File(Arc::new(file))))
}

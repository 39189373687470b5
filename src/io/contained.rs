//! Files that hold several reports, which this layer cannot read itself: those of an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::InputError;
use crate::engine::Account;
use crate::finding::AsOfSource;
use crate::report::time::Timestamp;

/// What a Parquet file begins with.
const PARQUET: &[u8; 4] = b"PAR1";

/// What stands between the path of a file and the number of a report in it, from 1.
const SEPARATOR: char = '#';

/// An error of any kind, complete but for the path.
pub type OpenError = Box<dyn std::error::Error + Send + Sync>;

/// Opens Parquet files.
pub trait Containers: Send {
    /// The reports of a file.
    ///
    /// # Errors
    /// Where it is none of an archive, or damaged.
    fn open(&mut self, path: &Path, file: File) -> Result<Box<dyn Container>, OpenError>;
}

/// A program without archives.
pub(super) struct NoArchives;

impl Containers for NoArchives {
    fn open(&mut self, _: &Path, _: File) -> Result<Box<dyn Container>, OpenError> {
        Err("is a Parquet file, and this credlens was built without the feature archive".into())
    }
}

/// A file that holds reports.
pub trait Container: Send {
    /// What is known of its reports, in order.
    fn reports(&self) -> Vec<Contained>;

    /// The CSV of a report.
    ///
    /// # Errors
    /// Where it is damaged.
    fn csv(&mut self, report: usize) -> Result<Box<dyn Read + Send>, OpenError>;
}

/// A report in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contained {
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
pub(super) struct Opened {
    path: PathBuf,
    container: Box<dyn Container>,
    reports: Vec<Contained>,
    next: usize,
    end: usize,
}

/// Where a report is.
pub(super) enum Place {
    /// In a file of its own, or on standard input.
    File(PathBuf),
    /// In the container that is open: its path and number, and what is known of it.
    Contained(PathBuf, usize, Contained),
}

impl Opened {
    /// Opens a path that leads to a Parquet file, or to a report in one; none where it does not.
    pub(super) fn of(path: &Path, containers: &mut dyn Containers) -> Result<Option<Self>, InputError> {
        let (file, number) = match number_of(path) {
            Some((file, number)) if !path.exists() => (file, Some(number)),
            _ => (path.to_owned(), None),
        };
        let Some(opened) = parquet(&file).map_err(InputError::Open)? else {
            return Ok(None);
        };
        let container = containers.open(&file, opened).map_err(InputError::Archive)?;
        let reports = container.reports();
        let (next, end) = match number {
            None => (0, reports.len()),
            Some(number) if (1..=reports.len()).contains(&number) => (number - 1, number),
            Some(_) => return Err(InputError::NoSuchReport(reports.len())),
        };
        Ok(Some(Self {
            path: file,
            container,
            reports,
            next,
            end,
        }))
    }

    /// The next report.
    pub(super) fn next(&mut self) -> Option<Place> {
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
            path.set_file_name(format!("{name}{SEPARATOR}{}", number + 1));
        }
        Some(Place::Contained(path, number, self.reports[number].clone()))
    }

    /// Its CSV.
    pub(super) fn csv(&mut self, number: usize) -> Result<Box<dyn Read + Send>, InputError> {
        self.container.csv(number).map_err(InputError::Archive)
    }
}

/// `a.parquet#3` as path and number.
fn number_of(path: &Path) -> Option<(PathBuf, usize)> {
    let name = path.file_name()?.to_str()?;
    let (name, number) = name.rsplit_once(SEPARATOR)?;
    Some((path.with_file_name(name), number.parse().ok()?))
}

/// The file, if it is one of Parquet. Only names that say so are looked at: to open every report twice would cost.
fn parquet(path: &Path) -> io::Result<Option<File>> {
    if path.extension().is_none_or(|extension| extension != "parquet") {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let mut magic = [0; PARQUET.len()];
    let read = file.read_exact(&mut magic);
    Ok((read.is_ok() && magic == *PARQUET).then_some(file))
}

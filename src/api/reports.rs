//! Which reports are read.

use std::io::{self, Cursor};
use std::path::PathBuf;

use crate::io::inputs::{InputOptions, Inputs, Limits};
use crate::report::time::Timestamp;

/// Credential reports to read: bytes or files, in any envelope that AWS and other tools write (CSV, gzip, zstd, JSON or YAML
/// of the AWS CLI, base64).
#[derive(Clone, Debug)]
pub struct Reports {
    source: ReportSource,
    as_of: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum ReportSource {
    Bytes(Vec<u8>),
    Files(Vec<PathBuf>),
}

impl Reports {
    /// A report in memory.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(ReportSource::Bytes(bytes.into()))
    }

    /// A report in a file, or all reports of a folder.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self::from_paths([path])
    }

    /// Reports in files and folders.
    pub fn from_paths(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        Self::new(ReportSource::Files(paths.collect()))
    }

    fn new(source: ReportSource) -> Self {
        Self { source, as_of: None }
    }

    /// The instant at which they are evaluated. Without it, it is when AWS generated each report, if its envelope says so,
    /// or else the date in the name of its file; if neither dates a report, that is an error. No clock is read.
    #[must_use]
    pub fn as_of(self, as_of: Timestamp) -> Self {
        Self {
            as_of: Some(as_of),
            ..self
        }
    }

    fn options(&self, compared: bool) -> InputOptions {
        InputOptions {
            as_of: self.as_of,
            // What nothing dates is refused.
            now: Timestamp(0),
            compared,
            hashed: 0,
            limits: Limits::default(),
        }
    }

    pub(super) fn open(self, compared: bool) -> Inputs {
        let options = self.options(compared);
        match self.source {
            ReportSource::Bytes(bytes) => {
                Inputs::new(vec![PathBuf::from("-")], Box::new(Cursor::new(bytes)), options)
            }
            ReportSource::Files(files) => with_archives(Inputs::new(files, Box::new(io::empty()), options)),
        }
    }

    /// The same in the order of their as-of.
    pub(super) fn open_in_time_order(self) -> Inputs {
        let options = self.options(true);
        match self.source {
            ReportSource::Bytes(_) => self.open(true),
            ReportSource::Files(_) => {
                let files = self.open(true).in_time_order();
                with_archives(Inputs::of_files(files, Box::new(io::empty()), options))
            }
        }
    }
}

/// Reads the files of archives, too.
fn with_archives(inputs: Inputs) -> Inputs {
    #[cfg(feature = "archive")]
    let inputs = inputs.with_container_format(Box::new(crate::archive::inputs::ArchiveFormat));
    inputs
}

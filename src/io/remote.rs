//! Inputs in an object store, named by `s3://` URLs. The caller provides the code that reads them.

use std::io::Read;
use std::path::Path;

use super::error::InputError;

const S3: &str = "s3://";

/// Whether an argument is the URL of something in an object store.
pub fn is_remote(argument: &Path) -> bool {
    argument.as_os_str().as_encoded_bytes().starts_with(S3.as_bytes())
}

/// Reads inputs named by URLs such as `s3://bucket/key`.
pub trait Remote: Send {
    /// The URLs of the reports that a URL stands for, in order: itself, or those below it. There may be none.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&mut self, url: &str) -> Result<Vec<String>, InputError>;

    /// Opens a report.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open(&mut self, url: &str) -> Result<Box<dyn Read + Send>, InputError>;

    /// Opens what belongs to a report, such as its details: the reports that are read ahead stay as they are.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open_aside(&mut self, url: &str) -> Result<Box<dyn Read + Send>, InputError> {
        self.open(url)
    }
}

/// Stands in for the object store in a build without one.
pub(super) struct NoRemote;

impl Remote for NoRemote {
    fn list(&mut self, _: &str) -> Result<Vec<String>, InputError> {
        Err(InputError::NoRemote)
    }

    fn open(&mut self, _: &str) -> Result<Box<dyn Read + Send>, InputError> {
        Err(InputError::NoRemote)
    }
}

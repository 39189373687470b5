//! Inputs that are no files: who calls brings what reads them.

use std::io::Read;
use std::path::Path;

use super::error::InputError;

/// What the address of an input in a store of objects begins with.
const S3: &str = "s3://";

/// Whether an argument names something in a store of objects.
pub fn is_remote(argument: &Path) -> bool {
    argument.as_os_str().as_encoded_bytes().starts_with(S3.as_bytes())
}

/// Reads what arguments such as `s3://bucket/key` name.
pub trait Remote: Send {
    /// The addresses of the reports that this one stands for, in their order: itself, or those below it.
    ///
    /// # Errors
    /// Why they cannot be listed. None at all is no error here.
    fn list(&mut self, url: &str) -> Result<Vec<String>, InputError>;

    /// Opens a report.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn open(&mut self, url: &str) -> Result<Box<dyn Read + Send>, InputError>;
}

/// Of a program that reads no store of objects.
pub(super) struct NoRemote;

impl Remote for NoRemote {
    fn list(&mut self, _: &str) -> Result<Vec<String>, InputError> {
        Err(InputError::NoRemote)
    }

    fn open(&mut self, _: &str) -> Result<Box<dyn Read + Send>, InputError> {
        Err(InputError::NoRemote)
    }
}

//! An archive in S3. At the end it prints what S3 denied, and the policy that would allow it.

use std::path::Path;

use credlens::archive::bucket::Bucket;
use credlens::archive::store::Store;
use credlens::aws::{InvalidS3Url, S3, S3Access};

use crate::cli::aws::{LocationArgs, print_policy};
use crate::cli::failure::{Attempt as _, Failure};
use crate::cli::progress::print_waiting;

/// Opens the archive at an `s3://` address, to add to it or only to read it.
pub(super) fn open(
    path: &Path,
    location: &LocationArgs,
    adds: bool,
    quiet: bool,
) -> Result<Box<dyn Store>, Failure> {
    let at = path.to_string_lossy().parse();
    let at = at.map_err(|error: InvalidS3Url| Failure::Usage(format!("{}: {error}", path.display())))?;
    let s3 = S3::connect(&location.settings()?).attempt(String::new)?;
    let s3 = if quiet { s3 } else { s3.on_wait(print_waiting) };
    let access = if adds { S3Access::Add } else { S3Access::Read };
    Ok(Box::new(Bucket::new(s3, at, access, print_policy)))
}

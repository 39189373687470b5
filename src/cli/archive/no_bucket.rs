//! Takes the place of `bucket.rs` in a build without the feature `aws`.

use std::path::Path;

use credlens::archive::store::Store;

use crate::cli::aws::LocationArgs;
use crate::cli::failure::Failure;

pub(super) fn open(
    path: &Path,
    _location: &LocationArgs,
    _adds: bool,
    _quiet: bool,
) -> Result<Box<dyn Store>, Failure> {
    Err(Failure::Usage(format!(
        "{} is in S3, and this credlens was built without the feature aws",
        path.display()
    )))
}

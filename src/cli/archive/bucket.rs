//! An archive in S3. At the end it prints what S3 denied, and the policy that would allow it.

use std::path::Path;

use credlens::archive::bucket::Bucket;
use credlens::archive::error::Error;
use credlens::archive::store::{Store, StoredFile};
use credlens::aws::{InvalidS3Url, S3};
use credlens::io::container::FileBytes;
use credlens::io::temporary::TemporaryFile;

use crate::cli::aws::{LocationArgs, print_policies};
use crate::cli::failure::{Attempt as _, Failure};

struct ReportingBucket {
    bucket: Bucket,
    s3: S3,
}

/// Opens the archive at an `s3://` address.
pub(super) fn open(path: &Path, location: &LocationArgs) -> Result<Box<dyn Store>, Failure> {
    let at = path.to_string_lossy().parse();
    let at = at.map_err(|error: InvalidS3Url| Failure::Usage(format!("{}: {error}", path.display())))?;
    let s3 = S3::connect(&location.settings()?).attempt(String::new)?;
    let bucket = Bucket::new(s3.clone(), at);
    Ok(Box::new(ReportingBucket { bucket, s3 }))
}

impl Drop for ReportingBucket {
    fn drop(&mut self) {
        print_policies(&self.s3.missing_permissions(), "");
    }
}

impl Store for ReportingBucket {
    fn name(&self) -> String {
        self.bucket.name()
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error> {
        self.bucket.list(prefix)
    }

    fn read(&self, path: &str) -> Result<FileBytes, Error> {
        self.bucket.read(path)
    }

    fn temporary(&self) -> Result<TemporaryFile, Error> {
        self.bucket.temporary()
    }

    fn put(&self, file: TemporaryFile, path: &str) -> Result<(), Error> {
        self.bucket.put(file, path)
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        self.bucket.lock()
    }
}

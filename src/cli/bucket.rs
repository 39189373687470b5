//! An archive in S3, of which is told at the end what S3 refused, and what would allow it.

use credlens::archive::bucket::Bucket;
use credlens::archive::error::Error;
use credlens::archive::store::{Data, Entry, Store};
use credlens::aws::{S3, S3Url};
use credlens::io::keep::Kept;
use credlens::io::temporary::Temporary;

use super::live::tell_remedies;

pub(super) struct ReportingBucket {
    bucket: Bucket,
    s3: S3,
}

impl ReportingBucket {
    pub(super) fn new(s3: S3, at: S3Url) -> Self {
        Self {
            bucket: Bucket::new(s3.clone(), at),
            s3,
        }
    }
}

impl Drop for ReportingBucket {
    fn drop(&mut self) {
        tell_remedies(&self.s3.missing_permissions(), "");
    }
}

impl Store for ReportingBucket {
    fn name(&self) -> String {
        self.bucket.name()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>, Error> {
        self.bucket.list(prefix)
    }

    fn read(&self, path: &str) -> Result<Data, Error> {
        self.bucket.read(path)
    }

    fn temporary(&self) -> Result<Temporary, Error> {
        self.bucket.temporary()
    }

    fn put(&self, file: Temporary, path: &str) -> Result<Kept, Error> {
        self.bucket.put(file, path)
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        self.bucket.lock()
    }
}

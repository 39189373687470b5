//! The storage of an archive in S3.

use std::env;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::sync::Arc;

use super::error::Error;
use super::store::{Store, StoredFile};
use crate::aws::{self, S3, S3Access, S3Url, SuggestedPolicy, s3_policy};
use crate::io::container::FileBytes;
use crate::io::temporary::{TemporaryFile, are_same};
use crate::io::write_once::WriteOutcome;

/// An object that shows that the archive can be written. It is written once; its name is hidden, as that of a lock.
const MARK: &str = ".credlens";
const MARK_TEXT: &[u8] = b"Below this prefix is an archive of credlens.\n";

/// An archive below an `s3://` URL. There is no lock: two writers may both add a report, which is then read once.
pub struct Bucket {
    s3: S3,
    /// Its key is empty or ends in `/`.
    root: S3Url,
    /// What is done with it.
    access: S3Access,
    /// Receives the policy that would allow what S3 denied, at the end.
    on_denied: fn(&SuggestedPolicy),
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let [first, ..] = &*self.s3.missing_permissions()
            && let Some(policy) = s3_policy(first.action, &[self.s3.need(&self.root, self.access)])
        {
            (self.on_denied)(&policy);
        }
    }
}

impl Bucket {
    /// An archive below this URL, which may be empty. `on_denied` gets the policy for this access if a permission was
    /// missing.
    pub fn new(s3: S3, at: S3Url, access: S3Access, on_denied: fn(&SuggestedPolicy)) -> Self {
        let mut key = at.key.trim_end_matches('/').to_owned();
        if !key.is_empty() {
            key.push('/');
        }
        Self {
            s3,
            root: S3Url { key, ..at },
            access,
            on_denied,
        }
    }

    fn at(&self, path: &str) -> S3Url {
        S3Url {
            bucket: self.root.bucket.clone(),
            key: format!("{}{path}", self.root.key),
        }
    }
}

impl Store for Bucket {
    fn name(&self) -> String {
        self.at("").to_string().trim_end_matches('/').to_owned()
    }

    fn shown(&self, path: &str) -> String {
        self.at(path).to_string()
    }

    fn is_marked(&self) -> bool {
        false
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error> {
        let objects = self
            .s3
            .list(&self.at(prefix))
            .map_err(failed(format!("cannot list the archive {}", self.name())))?;
        let entry = |object: aws::S3Object| {
            let path = object.key.strip_prefix(&self.root.key)?.to_owned();
            let is_hidden = path
                .split('/')
                .any(|part| part.is_empty() || part.starts_with('.'));
            (!is_hidden).then_some(StoredFile {
                path,
                size: object.size,
            })
        };
        Ok(objects.into_iter().filter_map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<FileBytes, Error> {
        let at = self.at(path);
        let mut object = self.s3.read(&at).map_err(failed(format!("cannot read {at}")))?;
        // Parquet is read from its end, and objects may be large, so the object is downloaded to an unnamed file.
        let mut file = tempfile::tempfile().map_err(Error::io("cannot create a temporary file"))?;
        io::copy(&mut object, &mut file).map_err(Error::io(format!("cannot read {at}")))?;
        Ok(FileBytes::File(Arc::new(file)))
    }

    fn temporary(&self) -> Result<TemporaryFile, Error> {
        TemporaryFile::private(&env::temp_dir(), ".credlens-")
            .map_err(Error::io("cannot create a temporary file"))
    }

    fn put(&self, mut file: TemporaryFile, path: &str) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let mut read = || {
            file.file().rewind()?;
            file.file().read_to_end(&mut bytes)
        };
        read().map_err(Error::io("cannot read a temporary file"))?;
        if self.put_once(&bytes, path)?.is_some() {
            return Ok(());
        }
        let at = self.at(path);
        Err(Error::Refused(format!(
            "not added: the bytes of {at} do not match the hash in its name, and objects are not replaced; delete it, \
             then add this report again"
        )))
    }

    fn put_once(&self, bytes: &[u8], path: &str) -> Result<Option<WriteOutcome>, Error> {
        let at = self.at(path);
        let is_new = self.s3.put_new(&at, bytes);
        let unwritable = Error::unwritable(format!("cannot write {at}"));
        if is_new.map_err(|error| unwritable(io::Error::other(error)))? {
            return Ok(Some(WriteOutcome::Written));
        }
        let existing = self.s3.read(&at);
        let existing = BufReader::new(existing.map_err(failed(format!("cannot read {at}")))?);
        let is_same = are_same(existing, bytes).map_err(Error::io(format!("cannot read {at}")))?;
        Ok(is_same.then_some(WriteOutcome::AlreadyThere))
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        Err(Error::Refused(format!(
            "{} is not removed: files of an archive in S3 are never replaced",
            self.at(path)
        )))
    }

    fn lock_out_readers(&self) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(()))
    }

    /// The object that is written stays, as an archive in a directory keeps its lock: to delete it would take another
    /// permission.
    fn check(&self) -> Result<(), Error> {
        let listed = self.s3.can_list(&self.at(""));
        let cannot_list = Error::unwritable(format!("cannot list the archive {}", self.name()));
        listed.map_err(|error| cannot_list(io::Error::other(error)))?;
        let written = self.s3.put_new(&self.at(MARK), MARK_TEXT);
        let cannot_write = Error::unwritable(format!("cannot write into the archive {}", self.name()));
        written.map_err(|error| cannot_write(io::Error::other(error)))?;
        Ok(())
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(()))
    }
}

fn failed(what: String) -> impl FnOnce(aws::Error) -> Error {
    move |error| Error::io(what)(io::Error::other(error))
}

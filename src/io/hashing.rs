//! The SHA-256 of an input, computed while it is read.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::engine::FileDigest;
use crate::finding::digest::hex;

/// Hashes the bytes that are read through it, as they are in the file.
pub(super) struct HashingReader {
    inner: Box<dyn Read + Send>,
    /// None once there were too many bytes.
    hash: Option<Sha256>,
    read: u64,
    /// The size of a file when it was opened: small files are not read beyond it.
    size: Option<u64>,
    most: u64,
    digest: FileDigest,
}

impl HashingReader {
    /// Inputs of more than `most` bytes get no digest, which costs nothing where their size is known.
    pub(super) fn new(
        inner: Box<dyn Read + Send>,
        (size, most): (Option<u64>, u64),
        digest: FileDigest,
    ) -> Self {
        Self {
            inner,
            hash: size.is_none_or(|size| size <= most).then(Sha256::new),
            read: 0,
            size,
            most,
            digest,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let Some(hash) = &mut self.hash else { return };
        self.read += bytes.len() as u64;
        hash.update(bytes);
        if self.read > self.most {
            self.hash = None;
            self.digest.set(None);
        } else if bytes.is_empty() || self.size == Some(self.read) {
            self.digest.set(Some(hex(&hash.clone().finalize())));
        } else {
            // A file that grew while it was read.
            self.digest.set(None);
        }
    }
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if !buffer.is_empty() {
            self.add(&buffer[..count]);
        }
        Ok(count)
    }
}

/// The SHA-256 of everything that is read, piece by piece.
///
/// # Errors
/// Those of the reader.
pub fn sha256_of(mut bytes: impl Read) -> io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match bytes.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn read(size: Option<u64>, most: u64, wanted: usize) -> Option<String> {
        let digest = FileDigest::default();
        let mut reader = HashingReader::new(Box::new(&b"abc"[..]), (size, most), digest.clone());
        let mut buffer = vec![0; wanted];
        while reader.read(&mut buffer).unwrap() > 0 && size.is_none() {}
        digest.get()
    }

    #[test]
    fn known_digest_at_any_size_of_reads() {
        for wanted in [1, 2, 3, 64] {
            assert_eq!(read(None, 3, wanted).as_deref(), Some(ABC));
        }
        // A file is not read beyond its size.
        assert_eq!(read(Some(3), 3, 64).as_deref(), Some(ABC));
        assert_eq!(sha256_of(&b"abc"[..]).unwrap(), ABC);
    }

    #[test]
    fn no_digest_of_too_much_or_of_a_part() {
        assert_eq!(read(None, 2, 64), None);
        assert_eq!(read(Some(3), 2, 64), None);
        assert_eq!(read(Some(3), 64, 2), None);
    }
}

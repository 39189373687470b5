//! The seal of an archived file: hashes of its bytes, by which it is checked before any of it is decoded, whatever its
//! name. It stands between the pages and the footer, where readers of Parquet, which follow offsets, do not look. A
//! file that another program wrote again has none, and neither has one of an earlier release.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::io::container::FileBytes;

/// How a seal begins.
const MARK: &[u8; 16] = b"credlens.sealed1";
const HASH: usize = 32;
pub(super) const LENGTH: usize = MARK.len() + 2 * HASH;

/// What follows the footer: its length, and Parquet's mark.
const END: usize = 8;

/// Bytes that are hashed at once.
const BUFFER: u64 = 64 * 1024;

/// A seal, and where it is.
pub(super) struct Seal {
    start: u64,
    pages: [u8; HASH],
    footer: [u8; HASH],
}

/// The seal of a file with this hash of the bytes before the seal, and these bytes after it.
pub(super) fn seal(pages: Sha256, footer: &[u8]) -> [u8; LENGTH] {
    let mut seal = [0; LENGTH];
    seal[..MARK.len()].copy_from_slice(MARK);
    seal[MARK.len()..][..HASH].copy_from_slice(&pages.finalize());
    seal[MARK.len() + HASH..].copy_from_slice(&Sha256::digest(footer));
    seal
}

/// The length of the footer and of what follows it, by the bytes at the end of a file.
pub(super) fn footer_length(end: &[u8]) -> Option<u64> {
    let (_, end) = end.split_at_checked(end.len().checked_sub(END)?)?;
    let length = end.first_chunk::<4>()?;
    Some(u64::from(u32::from_le_bytes(*length)) + END as u64)
}

/// The footer of a file and what follows it; none if the file is too short for it.
pub(super) fn footer(bytes: &FileBytes) -> io::Result<Option<Vec<u8>>> {
    let length = bytes.length()?;
    let end = bytes.read(length.saturating_sub(END as u64)..length)?;
    let start = footer_length(&end).and_then(|footer| length.checked_sub(footer));
    start.map(|start| bytes.read(start..length)).transpose()
}

impl Seal {
    /// The seal before this footer, if the file has one.
    pub(super) fn before(footer: &[u8], bytes: &FileBytes) -> io::Result<Option<Self>> {
        let start = bytes.length()?.checked_sub((footer.len() + LENGTH) as u64);
        let Some(start) = start else {
            return Ok(None);
        };
        let seal = bytes.read(start..start + LENGTH as u64)?;
        let hashes = seal
            .strip_prefix(MARK)
            .and_then(|hashes| hashes.split_first_chunk());
        Ok(hashes.and_then(|(&pages, footer)| {
            let footer = *footer.first_chunk()?;
            Some(Self { start, pages, footer })
        }))
    }

    pub(super) fn fits_footer(&self, footer: &[u8]) -> bool {
        Sha256::digest(footer)[..] == self.footer
    }

    /// Whether it fits the bytes before it, which are all read.
    pub(super) fn fits_pages(&self, bytes: &FileBytes) -> io::Result<bool> {
        let mut hash = Sha256::new();
        let mut at = 0;
        while at < self.start {
            let end = self.start.min(at + BUFFER);
            hash.update(bytes.read(at..end)?);
            at = end;
        }
        Ok(hash.finalize()[..] == self.pages)
    }
}

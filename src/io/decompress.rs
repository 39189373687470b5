//! Decompresses gzip and zstd inputs as a stream, within limits that stop decompression bombs.

use std::error::Error;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::error::InputError;
use super::inputs::Limits;

const MIB: u64 = 1 << 20;

/// A supported compression format, recognised by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// One or more gzip members.
    Gzip,
    /// One or more zstd frames.
    Zstd,
}

impl Compression {
    /// The compression of bytes that begin with `prefix`, if any.
    pub(super) fn of(prefix: &[u8]) -> Option<Self> {
        match prefix {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or the skippable frame that parallel compressors write first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name that outputs show.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Decompresses `packed`. Errors are [`InputError`]s inside [`io::Error`]s, except those of the operating system.
    pub(super) fn decompress(
        self,
        packed: impl Read + Send + 'static,
        limits: Limits,
    ) -> io::Result<Decompressed> {
        let count = Arc::new(AtomicU64::new(0));
        let packed = CountingReader {
            inner: packed,
            count: Arc::clone(&count),
        };
        let inner: Box<dyn Read + Send> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::Decoder::new(packed)?),
        };
        Ok(Decompressed {
            inner,
            compression: self,
            packed: count,
            total: 0,
            limits,
        })
    }
}

/// Counts the bytes that are read through it.
struct CountingReader<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Decompressed data, within the limits.
pub(super) struct Decompressed {
    inner: Box<dyn Read + Send>,
    compression: Compression,
    /// Compressed bytes read so far.
    packed: Arc<AtomicU64>,
    /// Bytes decompressed so far.
    total: u64,
    limits: Limits,
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| self.explain(error))?;
        self.total += read as u64;
        self.check().map_err(io::Error::other)?;
        Ok(read)
    }
}

impl Decompressed {
    fn check(&self) -> Result<(), InputError> {
        let packed = self.packed.load(Ordering::Relaxed);
        let ratio_bound = packed.saturating_mul(self.limits.ratio);
        let most = ratio_bound.max(self.limits.ratio_floor).min(self.limits.unpacked);
        if self.total <= most {
            return Ok(());
        }
        Err(InputError::Bomb {
            compression: self.compression.name(),
            packed_kib: packed.div_ceil(1024),
            unpacked_mib: most / MIB,
        })
    }

    fn explain(&self, error: io::Error) -> io::Error {
        let is_explained = error
            .get_ref()
            .is_some_and(<dyn Error + Send + Sync>::is::<InputError>);
        let is_of_system = error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted;
        if is_explained || is_of_system {
            return error;
        }
        io::Error::other(InputError::Corrupt {
            compression: self.compression.name(),
            reason: error.to_string(),
        })
    }
}

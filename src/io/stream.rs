//! The bytes of one input, read only as far as needed.

use std::io::{self, Cursor, ErrorKind, Read};

use super::decompress::Compression;
use super::error::InputError;
use super::hashing::HashingReader;
use super::inputs::Limits;
use super::report_reader::HeaderCache;
use crate::engine::FileDigest;
use crate::report::envelope;
use crate::report::header::{self, Header};

/// How many layers of compression are undone.
const MOST_LAYERS: usize = 2;

/// Bytes of the first read if the size of the input is unknown.
const FIRST_READ: usize = 64 * 1024;

/// A reader, and how it ended once it has.
pub(super) struct InputStream {
    reader: Box<dyn Read + Send>,
    /// The size of a file when it was opened.
    size: Option<usize>,
    pub(super) end: Option<Result<(), InputError>>,
}

impl InputStream {
    /// A stream of unknown size.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self::with_size(reader, None)
    }

    /// A stream that is expected to have this many bytes.
    pub(super) fn with_size(reader: Box<dyn Read + Send>, size: Option<u64>) -> Self {
        // Generated files, as in `/proc`, have content but the size 0.
        let size = size.and_then(|size| usize::try_from(size).ok());
        Self {
            reader,
            size: size.filter(|&size| size > 0),
            end: None,
        }
    }

    /// The same stream, which sets the digest of its bytes when they end, if they are at most `most`; 0 for none.
    pub(super) fn hashed(self, most: u64, digest: &FileDigest) -> Self {
        if most == 0 {
            return self;
        }
        let size = self.size.map(|size| size as u64);
        let reader = HashingReader::new(self.reader, (size, most), digest.clone());
        Self {
            reader: Box::new(reader),
            ..self
        }
    }

    /// Reads until `text` has `most` bytes or the stream ends. Bytes read before an error stay in `text`.
    pub(super) fn fill(&mut self, text: &mut Vec<u8>, most: usize) {
        let wanted = most.saturating_sub(text.len());
        if wanted == 0 || self.end.is_some() {
            return;
        }
        let filled = read(&mut self.reader, text, (self.size, most));
        self.end = match filled {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(explained(error))),
        };
    }

    /// Reads to the end; more than `most` bytes are an error.
    pub(super) fn read_all(&mut self, text: &mut Vec<u8>, most: usize) -> Result<(), InputError> {
        self.fill(text, most.saturating_add(1));
        self.end.take().unwrap_or(Err(InputError::TooLarge(most >> 20)))
    }

    /// The header at the beginning of a CSV, and its length in bytes.
    pub(super) fn take_header(
        &mut self,
        text: &[u8],
        known: &HeaderCache,
    ) -> Result<(Header, usize), InputError> {
        if let Some(header) = known.starting(text) {
            let length = header.written().len();
            return Ok((header, length));
        }
        let csv = envelope::without_byte_order_mark(text);
        match (Header::split(csv), self.end.take()) {
            (Ok((header, rows)), end) => {
                known.remember(&header);
                self.end = end;
                Ok((header, text.len() - rows.len()))
            }
            (Err(_), Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// Reads until `text` has `most` bytes, and returns whether there may be more.
fn read(
    reader: &mut Box<dyn Read + Send>,
    text: &mut Vec<u8>,
    (size, most): (Option<usize>, usize),
) -> io::Result<bool> {
    if text.is_empty() {
        read_once(reader, text, most.min(size.unwrap_or(FIRST_READ)))?;
        // One read is enough for a small file.
        if size == Some(text.len()) {
            return Ok(false);
        }
    }
    let wanted = most.saturating_sub(text.len());
    let read = reader.by_ref().take(wanted as u64).read_to_end(text)?;
    Ok(read == wanted)
}

/// Reads once into an empty `text`, enough for a small file: `read_to_end` would begin with a few KiB.
fn read_once(reader: &mut Box<dyn Read + Send>, text: &mut Vec<u8>, length: usize) -> io::Result<()> {
    text.resize(length, 0);
    let read = loop {
        match reader.read(text) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    text.truncate(read.as_ref().copied().unwrap_or(0));
    read.map(drop)
}

/// Bytes from which the shape of an input and its header can be recognised.
pub(super) fn first_read(limits: Limits) -> usize {
    limits.block.max(header::LONGEST + 8)
}

/// Decompresses the beginning of an input into `text`. Also returns its layers of compression, such as `+gzip`, the
/// innermost first.
pub(super) fn decompress(
    mut stream: InputStream,
    text: &mut Vec<u8>,
    limits: Limits,
) -> Result<(InputStream, String), InputError> {
    let mut layers = String::new();
    for _ in 0..=MOST_LAYERS {
        stream.fill(text, first_read(limits));
        let Some(compression) = Compression::of(text) else {
            return Ok((stream, layers));
        };
        if let Some(Err(error)) = stream.end {
            return Err(error);
        }
        let begun = Cursor::new(text.clone());
        // A file that was read to its end is closed here.
        let packed: Box<dyn Read + Send> = match stream.end {
            Some(_) => Box::new(begun),
            None => Box::new(begun.chain(stream.reader)),
        };
        let unpacked = compression.decompress(packed, limits).map_err(InputError::Read)?;
        stream = InputStream::new(Box::new(unpacked));
        text.clear();
        layers.insert_str(0, &format!("+{}", compression.name()));
    }
    Err(InputError::Nested(MOST_LAYERS))
}

fn explained(error: io::Error) -> InputError {
    error.downcast::<InputError>().unwrap_or_else(InputError::Read)
}

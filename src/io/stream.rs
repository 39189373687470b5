//! The bytes of one input, as far as they are needed.

use std::io::{self, Cursor, ErrorKind, Read};

use super::decompress::Compression;
use super::error::InputError;
use super::inputs::Limits;
use super::report_reader::HeaderCache;
use crate::report::envelope;
use crate::report::header::{self, Header};

/// How often over an input may be compressed.
const LAYERS: usize = 2;

/// Bytes that are read first where it is not known how many there are.
const PIECE: usize = 64 * 1024;

/// Bytes, and how they ended once they have.
pub(super) struct InputStream {
    reader: Box<dyn Read + Send>,
    /// Of a file, how large it was when it was opened.
    size: Option<usize>,
    pub(super) end: Option<Result<(), InputError>>,
}

impl InputStream {
    /// Of what is read.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self::with_size(reader, None)
    }

    /// Of what is read, of which so many bytes are expected.
    pub(super) fn with_size(reader: Box<dyn Read + Send>, size: Option<u64>) -> Self {
        // Files without a size may have content all the same: those that a system makes up.
        let size = size.and_then(|size| usize::try_from(size).ok());
        Self {
            reader,
            size: size.filter(|&size| size > 0),
            end: None,
        }
    }

    /// Reads until `text` holds `most` bytes or there is no more. What was read before an error stays.
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

    /// Reads all the rest.
    pub(super) fn read_all(&mut self, text: &mut Vec<u8>, most: usize) -> Result<(), InputError> {
        self.fill(text, most.saturating_add(1));
        self.end.take().unwrap_or(Err(InputError::TooLarge(most >> 20)))
    }

    /// Takes the header off the beginning of a CSV.
    pub(super) fn take_header(
        &mut self,
        text: &mut Vec<u8>,
        known: &HeaderCache,
    ) -> Result<Header, InputError> {
        if let Some(header) = known.starting(text) {
            text.drain(..header.written().len());
            return Ok(header);
        }
        let csv = envelope::without_byte_order_mark(text);
        match (Header::split(csv), self.end.take()) {
            (Ok((header, rows)), end) => {
                text.drain(..text.len() - rows.len());
                known.remember(&header);
                self.end = end;
                Ok(header)
            }
            (Err(_), Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// Reads until `text` holds `most` bytes, and says whether there may be more.
fn read(
    reader: &mut Box<dyn Read + Send>,
    text: &mut Vec<u8>,
    (size, most): (Option<usize>, usize),
) -> io::Result<bool> {
    if text.is_empty() {
        first_piece(reader, text, most.min(size.unwrap_or(PIECE)))?;
        // A small file is through with one read.
        if size == Some(text.len()) {
            return Ok(false);
        }
    }
    let wanted = most.saturating_sub(text.len());
    let read = reader.by_ref().take(wanted as u64).read_to_end(text)?;
    Ok(read == wanted)
}

/// Reads once, into nothing, so much that a small file is through with it: reading to the end begins with a few KiB.
fn first_piece(reader: &mut Box<dyn Read + Send>, text: &mut Vec<u8>, piece: usize) -> io::Result<()> {
    text.resize(piece, 0);
    let read = loop {
        match reader.read(text) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    text.truncate(read.as_ref().copied().unwrap_or(0));
    read.map(drop)
}

/// Enough to see what an input is, its header included.
pub(super) fn first_read(limits: Limits) -> usize {
    limits.block.max(header::LONGEST + 8)
}

/// Reads the beginning of an input into `text`, unpacked; also tells its layers of compression, such as
/// `+gzip`, the inner one first.
pub(super) fn unpack(
    mut stream: InputStream,
    text: &mut Vec<u8>,
    limits: Limits,
) -> Result<(InputStream, String), InputError> {
    let mut layers = String::new();
    for _ in 0..=LAYERS {
        stream.fill(text, first_read(limits));
        let Some(compression) = Compression::of(text) else {
            return Ok((stream, layers));
        };
        if let Some(Err(error)) = stream.end {
            return Err(error);
        }
        let begun = Cursor::new(text.clone());
        // What is in memory wholly does not keep its file open.
        let packed: Box<dyn Read + Send> = match stream.end {
            Some(_) => Box::new(begun),
            None => Box::new(begun.chain(stream.reader)),
        };
        let unpacked = compression.decompress(packed, limits).map_err(InputError::Read)?;
        stream = InputStream::new(Box::new(unpacked));
        text.clear();
        layers.insert_str(0, &format!("+{}", compression.name()));
    }
    Err(InputError::Nested(LAYERS))
}

fn explained(error: io::Error) -> InputError {
    error.downcast::<InputError>().unwrap_or_else(InputError::Read)
}

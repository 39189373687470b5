//! Reads one report: from the bytes of its file to blocks of whole records.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::InputError;
use super::inputs::{InputOptions, Limits};
use super::stream::{InputStream, decompress, first_read};
use crate::engine::{AccountInfo, Input, Source, SourceEvent};
use crate::finding::{AsOfSource, Code, Diagnostic};
use crate::report::as_of::{from_directory_name, from_file_name};
use crate::report::cut::whole_records;
use crate::report::envelope::{self, Envelope, Generated, Shape};
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// A report that nothing was read of yet.
pub(super) struct UnreadReport {
    /// Its index among the inputs.
    pub(super) index: usize,
    pub(super) path: PathBuf,
    /// The bytes of its file.
    pub(super) stream: InputStream,
    /// Whether other reports are read at the same time, so that it has to wait if it takes much memory.
    pub(super) waits: bool,
    pub(super) options: InputOptions,
    pub(super) header_cache: Arc<HeaderCache>,
}

/// The header that was read last: the next report usually has the same one.
#[derive(Debug, Default)]
pub(super) struct HeaderCache(Mutex<Option<Header>>);

impl HeaderCache {
    /// The cached header, if the text begins with exactly its bytes.
    pub(super) fn starting(&self, text: &[u8]) -> Option<Header> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|header| text.starts_with(header.written()))
            .cloned()
    }

    /// Caches a header. Only a header line with a line end and without quotes means the same whatever follows it; any
    /// other is not cached.
    pub(super) fn remember(&self, header: &Header) {
        let line = header.written();
        if !line.ends_with(b"\n") || line.contains(&b'"') {
            return;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(header.clone());
    }
}

/// A report that is being read: the source of its blocks.
pub(super) enum ReportReader {
    Unread(UnreadReport),
    /// One that must be held whole, and the bytes read so far.
    Large(SniffedReport, Vec<u8>),
    Open(OpenReport),
    Finished,
}

/// Bytes up to which several reports may be held whole at the same time: about a hundred thousand users.
const SMALL: usize = 4 << 20;

/// A report whose shape was recognised from its first bytes.
pub(super) struct SniffedReport {
    report: UnreadReport,
    layers: String,
    shape: Shape,
}

/// A report whose header was read.
pub(super) struct OpenReport {
    pub(super) input: Arc<Input>,
    stream: InputStream,
    /// Bytes read after the last whole record.
    tail: Vec<u8>,
    limits: Limits,
}

impl Source for ReportReader {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        text.clear();
        let (path, opened) = match std::mem::replace(self, Self::Finished) {
            Self::Unread(report) => {
                let (path, waits) = (report.path.clone(), report.waits);
                match report.sniff(text) {
                    Ok(sniffed) if waits && sniffed.is_large() => {
                        *self = Self::Large(sniffed, std::mem::take(text));
                        return Some(SourceEvent::LargeBlockAhead);
                    }
                    sniffed => (path, sniffed.and_then(|sniffed| sniffed.open(text))),
                }
            }
            Self::Large(sniffed, held) => {
                *text = held;
                (sniffed.report.path.clone(), sniffed.open(text))
            }
            Self::Open(mut open) => {
                text.append(&mut open.tail);
                (PathBuf::new(), Ok(open))
            }
            Self::Finished => return None,
        };
        let mut open = match opened {
            Ok(open) => open,
            Err(error) => return Some(failed(&path, error, text)),
        };
        Some(match open.next_block(text) {
            Ok(last) => {
                let input = Arc::clone(&open.input);
                if !last {
                    *self = Self::Open(open);
                }
                SourceEvent::Block { input, last }
            }
            Err(error) => failed(Path::new(&open.input.path), error, text),
        })
    }
}

/// The event that an input, or the rest of it, could not be read.
pub(super) fn failed(path: &Path, error: InputError, text: &mut Vec<u8>) -> SourceEvent {
    text.clear();
    SourceEvent::Failed {
        path: path.to_string_lossy().into_owned(),
        error: Box::new(error),
    }
}

impl UnreadReport {
    /// Decompresses its beginning into `text`, and recognises its shape. A small report that must be held whole is read
    /// to its end.
    pub(super) fn sniff(mut self, text: &mut Vec<u8>) -> Result<SniffedReport, InputError> {
        let compressed = std::mem::replace(&mut self.stream, InputStream::new(Box::new(io::empty())));
        let (mut stream, layers) = decompress(compressed, text, self.options.limits)?;
        let shape = envelope::sniff(text);
        if shape != Shape::Csv {
            stream.fill(text, SMALL.min(self.options.limits.held));
        }
        self.stream = stream;
        Ok(SniffedReport {
            report: self,
            layers,
            shape,
        })
    }
}

impl SniffedReport {
    /// Whether it must be held whole and was not read to its end yet.
    fn is_large(&self) -> bool {
        self.shape != Shape::Csv && self.report.stream.end.is_none()
    }

    /// Reads the header. `text` has the bytes read so far, and has the first rows afterwards.
    pub(super) fn open(self, text: &mut Vec<u8>) -> Result<OpenReport, InputError> {
        let Self {
            report,
            layers,
            shape,
        } = self;
        let (limits, mut stream) = (report.options.limits, report.stream);
        let mut kind = Envelope::Csv;
        let mut generated = Generated::Missing;
        if shape != Shape::Csv {
            stream.read_all(text, limits.held)?;
            let mut opened = envelope::open(shape, text);
            if let Some(error) = opened.error {
                return Err(error.into());
            }
            let opened = opened.reports.remove(0);
            (kind, generated) = (opened.kind, opened.generated);
            text.clear();
            stream = InputStream::new(Box::new(Cursor::new(opened.csv)));
            stream.fill(text, first_read(limits));
        }
        let header = stream.take_header(text, &report.header_cache)?;
        let (as_of, as_of_source) = report.options.as_of(&report.path, generated.time());
        let path = report.path.to_string_lossy().into_owned();
        let input = Arc::new(Input {
            index: report.index,
            kind: format!("{}{layers}", kind.name()),
            header,
            as_of,
            as_of_source,
            generated: generated.time(),
            account: AccountInfo {
                diagnostics: unreadable(&path, generated).into_iter().collect(),
                ..AccountInfo::default()
            },
            path,
        });
        Ok(OpenReport {
            input,
            stream,
            tail: Vec::new(),
            limits,
        })
    }
}

/// The diagnostic for a GeneratedTime that is not a valid time.
fn unreadable(path: &str, generated: Generated) -> Option<Diagnostic> {
    let Generated::Unreadable(written) = generated else {
        return None;
    };
    let message = "its GeneratedTime is not a valid time, so its as-of comes from elsewhere; give --as-of if that is \
                   wrong";
    Some(
        Diagnostic::new(Code::UnreadableTime, message)
            .in_path(path)
            .with_value(written),
    )
}

impl InputOptions {
    /// The as-of of the report at this path, and where it comes from.
    fn as_of(&self, path: &Path, generated: Option<Timestamp>) -> (Timestamp, AsOfSource) {
        let in_name = || {
            let in_file = from_file_name(&path.file_name()?.to_string_lossy());
            let mut above = path.parent()?.iter().rev();
            in_file.or_else(|| above.find_map(|name| from_directory_name(&name.to_string_lossy())))
        };
        if let Some(time) = self.as_of {
            (time, AsOfSource::Argument)
        } else if let Some(time) = generated {
            (time, AsOfSource::Generated)
        } else if let Some(time) = in_name() {
            (time, AsOfSource::FileName)
        } else {
            (self.now, AsOfSource::Now)
        }
    }
}

impl OpenReport {
    /// Continues reading into `text`, leaves only whole records there, and returns whether they are the last ones.
    fn next_block(&mut self, text: &mut Vec<u8>) -> Result<bool, InputError> {
        let mut most = self.limits.block;
        loop {
            self.stream.fill(text, most);
            if matches!(self.stream.end, Some(Ok(()))) {
                return Ok(true);
            }
            if let Some(whole) = whole_records(text, self.input.header.delimiter()) {
                self.tail.extend_from_slice(&text[whole..]);
                text.truncate(whole);
                return Ok(false);
            }
            if let Some(Err(error)) = self.stream.end.take() {
                return Err(error);
            }
            if most >= self.limits.record {
                return Err(InputError::RecordTooLong(self.limits.record >> 20));
            }
            most = most.saturating_mul(2).min(self.limits.record);
        }
    }
}

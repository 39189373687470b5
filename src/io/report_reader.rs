//! Reads one input: from the first bytes of its file, which say what it is, to the blocks of its reports.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::InputError;
use super::found::{is_details, is_passed_over};
use super::inputs::InputOptions;
use super::open_input::OpenInput;
use super::stream::{InputStream, decompress};
use super::walk::FoundFile;
use crate::engine::{AccountInfo, FileDigest, Source, SourceEvent};
use crate::finding::PassedOver;
use crate::report::envelope::{self, Shape};
use crate::report::header::Header;

/// A report that nothing was read of yet.
pub(super) struct UnreadReport {
    /// Its index among the inputs.
    pub(super) index: usize,
    pub(super) file: FoundFile,
    /// The bytes of its file.
    pub(super) stream: InputStream,
    /// What is known of its account: the details beside it.
    pub(super) account: AccountInfo,
    /// Set once it was read to its end.
    pub(super) digest: FileDigest,
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

/// An input that is being read: the source of its reports' blocks.
pub(super) enum ReportReader {
    Unread(UnreadReport),
    /// One that must be held whole, and the bytes read so far.
    Large(SniffedReport, Vec<u8>),
    Open(Box<OpenInput>),
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

impl Source for ReportReader {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        text.clear();
        let mut open = match std::mem::replace(self, Self::Finished) {
            Self::Unread(report) => {
                let (file, waits) = (report.file.clone(), report.waits);
                match report.sniff(text) {
                    Ok(sniffed) if waits && sniffed.is_large() => {
                        *self = Self::Large(sniffed, std::mem::take(text));
                        return Some(SourceEvent::LargeBlockAhead);
                    }
                    Err(error) => return Some(failed(&file, error, text)),
                    Ok(sniffed) => match sniffed.open(text) {
                        Ok(open) => Box::new(open),
                        Err(error) => return Some(failed(&file, error, text)),
                    },
                }
            }
            Self::Large(sniffed, held) => {
                *text = held;
                let file = sniffed.report.file.clone();
                match sniffed.open(text) {
                    Ok(open) => Box::new(open),
                    Err(error) => return Some(failed(&file, error, text)),
                }
            }
            Self::Open(open) => open,
            Self::Finished => return None,
        };
        let event = open.event(text);
        if !event.ends_input() {
            *self = Self::Open(open);
        }
        Some(event)
    }
}

/// The event that an input, or the rest of it, could not be read, or is passed over.
pub(super) fn failed(file: &FoundFile, error: InputError, text: &mut Vec<u8>) -> SourceEvent {
    text.clear();
    let path = file.path.to_string_lossy().into_owned();
    if file.searched && is_passed_over(&file.path, &error) {
        return SourceEvent::PassedOver(PassedOver {
            path,
            what: what(&error),
            is_beside_report: is_details(&file.path, &error),
        });
    }
    SourceEvent::Failed {
        path,
        error: Box::new(error),
        ends_input: true,
    }
}

/// What a file is, without what to do about it: nothing is.
fn what(error: &InputError) -> String {
    let message = error.to_string();
    let ends = [
        "; ",
        ", not a credential report",
        ", whose header is",
        " without a report",
    ];
    let end = ends.iter().filter_map(|end| message.find(end)).min();
    message[..end.unwrap_or(message.len())].to_owned()
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

    /// Takes the reports out of the envelope. `text` has the bytes read so far.
    pub(super) fn open(self, text: &mut Vec<u8>) -> Result<OpenInput, InputError> {
        let Self {
            mut report,
            layers,
            shape,
        } = self;
        let mut following = VecDeque::new();
        if shape != Shape::Csv {
            report.stream.read_all(text, report.options.limits.held)?;
            let envelope::Reports { reports, error } = envelope::open(shape, text);
            let all = reports.into_iter().map(Ok).chain(error.map(Err));
            let (skipped, length) = (report.file.reports.start, report.file.reports.len());
            following.extend(all.skip(skipped).take(length));
            text.clear();
        }
        Ok(OpenInput::new(report, layers, following, text))
    }
}

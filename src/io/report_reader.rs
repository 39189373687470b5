//! Reads one report: from the bytes of its file to blocks of whole records.

use std::collections::VecDeque;
use std::io::{self, Cursor};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::InputError;
use super::inputs::InputOptions;
use super::stream::{InputStream, decompress, first_read};
use super::walk::FoundFile;
use crate::engine::{AccountInfo, BlockEnd, Input, ReportId, Source, SourceEvent};
use crate::finding::{AsOfSource, Code, Diagnostic, PassedOver};
use crate::report::as_of::{from_directory_name, from_file_name};
use crate::report::cut::whole_records;
use crate::report::envelope::{self, Envelope, Generated, Shape, Unwrapped};
use crate::report::header::Header;
use crate::report::next_header::next_header;
use crate::report::not_a_report::NotAReport;
use crate::report::time::Timestamp;

/// A report that nothing was read of yet.
pub(super) struct UnreadReport {
    /// Its index among the inputs.
    pub(super) index: usize,
    pub(super) file: FoundFile,
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

/// An input that was taken out of its envelope: its reports, one after another.
pub(super) struct OpenInput {
    file: FoundFile,
    options: InputOptions,
    header_cache: Arc<HeaderCache>,
    id: ReportId,
    layers: String,
    kind: Envelope,
    generated: Generated,
    /// The CSV that is read.
    stream: InputStream,
    /// Bytes read after the last block.
    tail: Vec<u8>,
    /// The report that is read; none before its header.
    current: Option<OpenReport>,
    /// The envelopes that follow, or what is wrong there.
    following: VecDeque<Result<Unwrapped, NotAReport>>,
    /// The first of them, if the next report comes from it and not from `stream`.
    next: Option<Result<Unwrapped, NotAReport>>,
}

/// A report whose header was read.
struct OpenReport {
    input: Arc<Input>,
    has_rows: bool,
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
    if file.searched && error.is_passed_over(&file.path) {
        let what = error.to_string();
        return SourceEvent::PassedOver(PassedOver { path, what });
    }
    SourceEvent::Failed {
        path,
        error: Box::new(error),
        ends_input: true,
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
        Ok(OpenInput {
            file: report.file,
            options: report.options,
            header_cache: report.header_cache,
            id: ReportId::first_of(report.index),
            layers,
            kind: Envelope::Csv,
            generated: Generated::Missing,
            stream: report.stream,
            tail: std::mem::take(text),
            current: None,
            next: following.pop_front(),
            following,
        })
    }
}

impl OpenInput {
    /// The next block, or the failure to read it.
    fn event(&mut self, text: &mut Vec<u8>) -> SourceEvent {
        let block = self.block(text);
        block.unwrap_or_else(|error| {
            self.current = None;
            self.next = self.following.pop_front();
            let is_whole = self.kind == Envelope::Csv && self.id.report == 0 && self.next.is_none();
            let searched = self.file.searched && is_whole;
            let file = FoundFile {
                searched,
                ..self.file.clone()
            };
            let mut failed = failed(&file, error, text);
            if let SourceEvent::Failed { ends_input, .. } = &mut failed {
                *ends_input = self.next.is_none();
            }
            failed
        })
    }

    fn block(&mut self, text: &mut Vec<u8>) -> Result<SourceEvent, InputError> {
        let mut report = match self.current.take() {
            Some(report) => report,
            None => self.begin(text)?,
        };
        loop {
            text.append(&mut self.tail);
            let end = self.next_block(text, &report.input.header)?;
            report.has_rows |= !text.trim_ascii().is_empty();
            if !report.has_rows {
                if end.ends_report() {
                    return Ok(self.without_users(text, end));
                }
                text.clear();
                continue;
            }
            let input = Arc::clone(&report.input);
            self.current = (!end.ends_report()).then_some(report);
            return Ok(SourceEvent::Block { input, end });
        }
    }

    /// Reads the header of the next report; the bytes after it are in `tail` afterwards.
    fn begin(&mut self, text: &mut Vec<u8>) -> Result<OpenReport, InputError> {
        if let Some(next) = self.next.take() {
            let unwrapped = next?;
            (self.kind, self.generated) = (unwrapped.kind, unwrapped.generated);
            self.stream = InputStream::new(Box::new(Cursor::new(unwrapped.csv)));
            self.tail.clear();
        }
        let tail = &mut self.tail;
        self.stream.fill(tail, first_read(self.options.limits));
        let header = self.stream.take_header(tail, &self.header_cache)?;
        text.clear();
        let input = Arc::new(self.input(header));
        self.id.report += 1;
        Ok(OpenReport {
            input,
            has_rows: false,
        })
    }

    fn input(&self, header: Header) -> Input {
        let (as_of, as_of_source) = self.options.as_of(&self.file.path, self.generated.time());
        let path = self.file.path.to_string_lossy().into_owned();
        Input {
            id: self.id,
            kind: format!("{}{}", self.kind.name(), self.layers),
            header,
            as_of,
            as_of_source,
            generated: self.generated.time(),
            account: AccountInfo {
                diagnostics: unreadable(&path, &self.generated).into_iter().collect(),
                ..AccountInfo::default()
            },
            path,
        }
    }

    /// The as-of of each report in its envelope; none where that is not a report. Those of a CSV with several headers
    /// have the same one.
    pub(super) fn times(mut self) -> Vec<Option<Timestamp>> {
        let following = std::mem::take(&mut self.following).into_iter();
        let envelopes = following.filter_map(|envelope| Some(envelope.ok()?.generated.time()));
        let others = envelopes.map(|generated| Some(self.options.as_of(&self.file.path, generated).0));
        let others: Vec<_> = others.collect();
        let first = self.begin(&mut Vec::new()).ok().map(|first| first.input.as_of);
        [vec![first], others].concat()
    }

    /// Continues reading into `text`, leaves only whole records of one report there, and returns what ends with them.
    fn next_block(&mut self, text: &mut Vec<u8>, header: &Header) -> Result<BlockEnd, InputError> {
        let ended = self.whole_records(text, header.delimiter())?;
        if let Some(next) = next_header(text, header.width()) {
            let mut tail = text.split_off(next.start);
            tail.append(&mut self.tail);
            self.tail = tail;
            text.truncate(next.rows_end);
            return Ok(BlockEnd::Report);
        }
        if !ended {
            return Ok(BlockEnd::Nothing);
        }
        self.next = self.following.pop_front();
        Ok(match self.next {
            Some(_) => BlockEnd::Report,
            None => BlockEnd::Input,
        })
    }

    /// Continues reading into `text`, leaves only whole records there, and returns whether they are the last ones.
    fn whole_records(&mut self, text: &mut Vec<u8>, delimiter: u8) -> Result<bool, InputError> {
        let limits = self.options.limits;
        let mut most = limits.block;
        loop {
            self.stream.fill(text, most);
            if matches!(self.stream.end, Some(Ok(()))) {
                return Ok(true);
            }
            if let Some(whole) = whole_records(text, delimiter) {
                self.tail.extend_from_slice(&text[whole..]);
                text.truncate(whole);
                return Ok(false);
            }
            if let Some(Err(error)) = self.stream.end.take() {
                return Err(error);
            }
            if most >= limits.record {
                return Err(InputError::RecordTooLong(limits.record >> 20));
            }
            most = most.saturating_mul(2).min(limits.record);
        }
    }

    /// The failure of a report without rows.
    fn without_users(&self, text: &mut Vec<u8>, end: BlockEnd) -> SourceEvent {
        text.clear();
        SourceEvent::Failed {
            path: self.file.path.to_string_lossy().into_owned(),
            error: Box::new(InputError::from(NotAReport::NoUsers)),
            ends_input: end.ends_input(),
        }
    }
}

/// The diagnostic for a GeneratedTime that is not a valid time.
fn unreadable(path: &str, generated: &Generated) -> Option<Diagnostic> {
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

//! Reads the reports of one input, which was taken out of its envelope: blocks of whole records, one report after another.

use std::collections::VecDeque;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use super::error::InputError;
use super::inputs::InputOptions;
use super::report_reader::{HeaderCache, UnreadReport, failed};
use super::stream::{InputStream, first_read};
use super::walk::FoundFile;
use crate::engine::{AccountInfo, BlockEnd, FileDigest, FileFacts, Input, ReportId, SourceEvent};
use crate::finding::{AsOfSource, Code, Diagnostic};
use crate::report::as_of::from_path;
use crate::report::cut::{is_closed, line_ends, whole_records};
use crate::report::envelope::{Envelope, Generated, Unwrapped};
use crate::report::header::Header;
use crate::report::next_header::next_header;
use crate::report::not_a_report::NotAReport;
use crate::report::time::Timestamp;

/// An input that was taken out of its envelope: its reports, one after another.
pub(super) struct OpenInput {
    file: FoundFile,
    options: InputOptions,
    header_cache: Arc<HeaderCache>,
    digest: FileDigest,
    /// What is known of the account of the first report.
    account: AccountInfo,
    id: ReportId,
    layers: String,
    kind: Envelope,
    generated: Generated,
    /// The CSV that is read.
    stream: InputStream,
    /// Bytes read, of which those from `begun` were not given away yet.
    held: Vec<u8>,
    begun: usize,
    /// The report that is read; none before its header.
    current: Option<OpenReport>,
    /// How many lines were read since the last row that was given away; none if lines are not those of the file.
    lines: Option<u64>,
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

impl OpenInput {
    /// An input of which `text` was read, with the reports of its envelopes; none of plain CSV.
    pub(super) fn new(
        report: UnreadReport,
        layers: String,
        mut following: VecDeque<Result<Unwrapped, NotAReport>>,
        text: &mut Vec<u8>,
    ) -> Self {
        Self {
            file: report.file,
            options: report.options,
            header_cache: report.header_cache,
            digest: report.digest,
            account: report.account,
            id: ReportId::first_of(report.index),
            layers,
            kind: Envelope::Csv,
            generated: Generated::Missing,
            stream: report.stream,
            held: std::mem::take(text),
            begun: 0,
            current: None,
            lines: Some(0),
            next: following.pop_front(),
            following,
        }
    }

    /// The next block, or the failure to read it.
    pub(super) fn event(&mut self, text: &mut Vec<u8>) -> SourceEvent {
        let block = self.block(text);
        block.unwrap_or_else(|error| {
            self.current = None;
            self.next = self.following.pop_front();
            let is_only = self.kind == Envelope::Csv && self.id.report == 0;
            self.failure(error, (is_only, self.next.is_none()), text)
        })
    }

    fn block(&mut self, text: &mut Vec<u8>) -> Result<SourceEvent, InputError> {
        let mut report = match self.current.take() {
            Some(report) => report,
            None => self.begin()?,
        };
        loop {
            text.clear();
            let end = self.next_block(text, &report.input.header)?;
            report.has_rows |= !text.trim_ascii().is_empty();
            if !report.has_rows {
                let lines = &mut Arc::make_mut(&mut report.input).file.lines_before;
                *lines = lines.map(|before| before + line_ends(text));
                if end.ends_report() {
                    let lines = lines.unwrap_or(0);
                    self.pass_lines(lines);
                    return Ok(self.without_users(text, end));
                }
                continue;
            }
            let input = Arc::clone(&report.input);
            self.current = (!end.ends_report()).then_some(report);
            return Ok(SourceEvent::Block { input, end });
        }
    }

    /// Reads the header of the next report.
    fn begin(&mut self) -> Result<OpenReport, InputError> {
        if let Some(next) = self.next.take() {
            let unwrapped = next?;
            (self.kind, self.generated) = (unwrapped.kind, unwrapped.generated);
            self.stream = InputStream::new(Box::new(Cursor::new(unwrapped.csv)));
            self.held.clear();
            self.begun = 0;
            let is_whole_file = self.kind == Envelope::Csv && self.id.report == 0;
            self.lines = self.lines.filter(|_| is_whole_file);
        }
        self.fill(first_read(self.options.limits));
        let (header, length) = self
            .stream
            .take_header(&self.held[self.begun..], &self.header_cache)?;
        let header_lines = line_ends(&self.held[self.begun..self.begun + length]);
        self.begun += length;
        self.pass_lines(header_lines);
        if self.options.compared && header.tells_accounts_apart_by_column() {
            return Err(NotAReport::WithoutArns.into());
        }
        let mut generated = self.generated.clone();
        if generated == Generated::Missing
            && let Some(written) = header.first_generated(&self.held[self.begun..])
        {
            generated = Generated::of_text(&written);
        }
        let input = Arc::new(self.input(header, &generated));
        self.id.report += 1;
        Ok(OpenReport {
            input,
            has_rows: false,
        })
    }

    /// Counts lines that are not in a block.
    fn pass_lines(&mut self, lines: u64) {
        self.lines = self.lines.map(|before| before + lines);
    }

    /// Reads until `most` bytes are held, or the stream ends. Bytes that are held are moved only where half of them
    /// have been given away: many small reports share one block.
    fn fill(&mut self, most: usize) {
        if self.held.len() - self.begun <= most / 2 {
            self.held.drain(..self.begun);
            self.begun = 0;
        }
        self.stream.fill(&mut self.held, self.begun + most);
    }

    fn input(&mut self, header: Header, generated: &Generated) -> Input {
        let mut account = std::mem::take(&mut self.account);
        let (as_of, as_of_source) = self.options.as_of(&self.file.path, generated.time());
        let path = self.file.path.to_string_lossy().into_owned();
        account.diagnostics.extend(unreadable(&path, generated));
        Input {
            id: self.id,
            kind: format!("{}{}", self.kind.name(), self.layers),
            header,
            as_of,
            as_of_source,
            generated: generated.time(),
            file: FileFacts {
                lines_before: self.lines.as_mut().map(std::mem::take),
                digest: self.digest.clone(),
            },
            account,
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
        let first = self.begin().ok().map(|first| first.input.as_of);
        [vec![first], others].concat()
    }

    /// Puts whole records of one report into the empty `text`, and returns what ends with them. Usually they are read
    /// into it directly: it is in the cache of the worker that evaluates them.
    fn next_block(&mut self, text: &mut Vec<u8>, header: &Header) -> Result<BlockEnd, InputError> {
        if self.has_held_report(text, header) {
            return Ok(BlockEnd::Report);
        }
        self.give_held(text);
        let limits = self.options.limits;
        let mut most = limits.block;
        loop {
            self.stream.fill(text, most);
            let has_ended = matches!(self.stream.end, Some(Ok(())));
            let lines = if has_ended { text.len() } else { whole_lines(text) };
            if let Some(next) = next_header(&text[..lines], header) {
                self.held.extend_from_slice(&text[next.start..]);
                self.pass_lines(line_ends(&text[next.rows_end..next.start]));
                text.truncate(next.rows_end);
                return Ok(BlockEnd::Report);
            }
            if has_ended {
                if let Some(fields) = cut_off(text, header).filter(|_| self.options.compared) {
                    return Err(NotAReport::CutOff(fields, header.width()).into());
                }
                self.next = self.following.pop_front();
                return Ok(match self.next {
                    Some(_) => BlockEnd::Report,
                    None => BlockEnd::Input,
                });
            }
            if let Some(whole) = whole_records(text, header.delimiter()) {
                self.held.extend_from_slice(&text[whole..]);
                text.truncate(whole);
                return Ok(BlockEnd::Nothing);
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

    /// Puts the rows of this report into `text` if the header after them is held, too: many small reports share one
    /// block, which is moved only once.
    fn has_held_report(&mut self, text: &mut Vec<u8>, header: &Header) -> bool {
        let held = &self.held[self.begun..];
        let next = next_header(&held[..whole_lines(held)], header);
        let Some(next) = next.filter(|next| is_closed(&held[..next.start], header.delimiter())) else {
            return false;
        };
        text.extend_from_slice(&held[..next.rows_end]);
        let between = line_ends(&held[next.rows_end..next.start]);
        self.pass_lines(between);
        self.begun += next.start;
        true
    }

    /// Moves all bytes that are held to the empty `text`.
    fn give_held(&mut self, text: &mut Vec<u8>) {
        if self.held.capacity() > text.capacity() {
            std::mem::swap(text, &mut self.held);
            text.drain(..self.begun);
        } else {
            text.extend_from_slice(&self.held[self.begun..]);
        }
        self.held.clear();
        self.begun = 0;
    }

    /// The failure of a report without rows.
    fn without_users(&self, text: &mut Vec<u8>, end: BlockEnd) -> SourceEvent {
        let is_only = self.kind == Envelope::Csv && self.id.report == 1;
        self.failure(NotAReport::NoUsers.into(), (is_only, end.ends_input()), text)
    }

    /// The event that a report cannot be read. `is_only` says whether nothing was read before it.
    fn failure(
        &self,
        error: InputError,
        (is_only, ends_input): (bool, bool),
        text: &mut Vec<u8>,
    ) -> SourceEvent {
        let file = FoundFile {
            searched: self.file.searched && is_only && ends_input,
            ..self.file.clone()
        };
        let mut failed = failed(&file, error, text);
        if let SourceEvent::Failed { ends_input: ends, .. } = &mut failed {
            *ends = ends_input;
        }
        failed
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
        let in_name = || from_path(&path.to_string_lossy());
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

/// How many fields the last row has, if it has fewer than the header.
fn cut_off(text: &[u8], header: &Header) -> Option<usize> {
    let text = text.trim_ascii_end();
    let line = &text[whole_lines(text)..];
    let fields = memchr::memchr_iter(header.delimiter(), line).count() + 1;
    (!line.is_empty() && !line.contains(&b'"') && fields < header.width()).then_some(fields)
}

/// How many bytes of a text are whole lines.
fn whole_lines(text: &[u8]) -> usize {
    memchr::memrchr2(b'\n', b'\r', text).map_or(0, |last| last + 1)
}

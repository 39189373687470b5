//! Reads the INPUT arguments block by block, in memory that does not grow with the input.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contained::{Contained, Containers, NoArchives, Opened, Place};
use super::decompress::Compression;
use super::error::InputError;
use super::remote::{Nothing, Remote, is_remote};
use super::walk::{STDIN, Walk};
use crate::engine::{Account, Event, Input, Source};
use crate::finding::AsOfSource;
use crate::report::as_of::from_file_name;
use crate::report::cut::whole_records;
use crate::report::envelope::{self, Kind, Shape};
use crate::report::header::{self, Header};
use crate::report::time::Timestamp;

/// How often over an input may be compressed.
const LAYERS: usize = 2;

/// Bytes that tell what an input is; a longer header is read all the same.
const PEEK: usize = 64 * 1024;

/// Bytes that are read first: most reports of one account are through with them.
const PIECE: usize = 64 * 1024;

/// What reading needs to know besides the arguments.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `--as-of`: judges every input at this instant.
    pub as_of: Option<Timestamp>,
    /// The clock, for inputs that nothing dates.
    pub now: Timestamp,
    /// How much is read at most.
    pub limits: Limits,
}

/// How much is read at once, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a block. 1 MiB. A quarter of it, which stays in the second-level cache, would take a tenth off,
    /// but the order in which diagnostics are told follows the blocks.
    pub block: usize,
    /// Most bytes of one record. 64 MiB.
    pub record: usize,
    /// Most bytes of an input that must be held in memory: JSON, YAML, base64, UTF-16. 256 MiB.
    pub held: usize,
    /// Most bytes that a compressed input may unpack to. 64 GiB.
    pub unpacked: u64,
    /// How many times its size a compressed input may unpack to, once beyond the floor. 1,000: reports of
    /// many accounts reach a hundred.
    pub ratio: u64,
    /// Bytes up to which the ratio does not matter. 64 MiB.
    pub ratio_floor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            block: 1 << 20,
            record: 64 << 20,
            held: 256 << 20,
            unpacked: 64 << 30,
            ratio: 1_000,
            ratio_floor: 64 << 20,
        }
    }
}

/// The reports that arguments name, opened one after the other as they are read.
pub struct Inputs {
    walk: Walk,
    stdin: Option<Box<dyn Read + Send>>,
    containers: Box<dyn Containers>,
    /// The container whose reports come next.
    container: Option<Opened>,
    remote: Box<dyn Remote>,
    options: Options,
    current: Option<Report>,
    opened: usize,
    /// The header line read last, and what it says: the next report's is most often the same.
    header: Option<(Vec<u8>, Header)>,
}

impl Inputs {
    /// Of files, directories and `-`, which means `stdin`. Nothing is opened yet.
    pub fn new(arguments: Vec<PathBuf>, stdin: Box<dyn Read + Send>, options: Options) -> Self {
        Self {
            walk: Walk::new(arguments),
            stdin: Some(stdin),
            containers: Box::new(NoArchives),
            container: None,
            remote: Box::new(Nothing),
            options,
            current: None,
            opened: 0,
            header: None,
        }
    }

    /// The same, reading files that hold several reports, too.
    #[must_use]
    pub fn with_containers(self, containers: Box<dyn Containers>) -> Self {
        Self { containers, ..self }
    }

    /// The same, also of what `s3://` names.
    #[must_use]
    pub fn with_remote(self, remote: Box<dyn Remote>) -> Self {
        Self { remote, ..self }
    }

    /// The files that arguments name, in the order of the instants at which they are judged. Reads their
    /// beginnings alone, those that must be held in memory wholly; what cannot be read comes last, to be told
    /// by who reads it again. Standard input cannot be read twice.
    pub fn in_time_order(self) -> Vec<PathBuf> {
        let mut inputs = self;
        inputs.options.limits.block = PEEK;
        let options = inputs.options;
        let mut text = Vec::new();
        let mut dated = Vec::new();
        while let Some(found) = inputs.find() {
            text.clear();
            dated.push(match found {
                Ok(Place::Contained(path, _, report)) => (false, options.as_of.or(Some(report.as_of)), path),
                Ok(Place::File(path)) => {
                    let as_of = inputs
                        .open(&path, &mut text)
                        .ok()
                        .map(|report| report.input.as_of);
                    (as_of.is_none(), as_of, path)
                }
                Err((path, _)) => (true, None, path),
            });
        }
        dated.sort_by_key(|&(failed, as_of, _)| (failed, as_of));
        dated.into_iter().map(|(.., path)| path).collect()
    }

    /// Where the next report is.
    fn find(&mut self) -> Option<Result<Place, (PathBuf, InputError)>> {
        loop {
            if let Some(place) = self.container.as_mut().and_then(Opened::next) {
                return Some(Ok(place));
            }
            let path = match self.walk.next(self.remote.as_mut())? {
                Ok(path) => path,
                Err(failed) => return Some(Err(failed)),
            };
            let open = self.container.take();
            self.container = match Opened::of(&path, open, self.containers.as_mut(), self.remote.as_mut()) {
                Ok(Some(opened)) => Some(opened),
                Ok(None) => return Some(Ok(Place::File(path))),
                Err(error) => return Some(Err((path, error))),
            };
        }
    }

    /// Opens a report of the container that is open.
    fn open_contained(
        &mut self,
        path: &Path,
        (number, contained): (usize, Contained),
        text: &mut Vec<u8>,
    ) -> Result<Report, InputError> {
        let container = self
            .container
            .as_mut()
            .expect("invariant: it told where the report is");
        let mut stream = Stream::new(container.csv(number)?);
        stream.fill(text, first_read(self.options.limits));
        let header = stream.take_header(text, &mut self.header)?;
        let (as_of, as_of_source) = match self.options.as_of {
            Some(as_of) => (as_of, AsOfSource::Argument),
            None => (contained.as_of, contained.as_of_source),
        };
        let input = Arc::new(Input {
            index: self.opened,
            path: path.to_string_lossy().into_owned(),
            kind: "archive".to_owned(),
            header,
            as_of,
            as_of_source,
            generated: contained.generated,
            account: contained.account,
        });
        self.opened += 1;
        Ok(Report {
            input,
            stream,
            tail: Vec::new(),
        })
    }

    /// Opens an input and reads its beginning: `text` then holds the first rows.
    fn open(&mut self, path: &Path, text: &mut Vec<u8>) -> Result<Report, InputError> {
        let limits = self.options.limits;
        let (mut stream, layers) = unpack(Stream::new(self.raw(path)?), text, limits)?;
        let mut kind = Kind::Csv;
        let mut generated = None;
        let shape = envelope::sniff(text);
        if shape != Shape::Csv {
            stream.hold(text, limits.held)?;
            let opened = envelope::open(shape, text)?;
            (kind, generated) = (opened.kind, opened.generated);
            text.clear();
            stream = Stream::new(Box::new(Cursor::new(opened.csv)));
            stream.fill(text, first_read(limits));
        }
        let header = stream.take_header(text, &mut self.header)?;
        let (as_of, as_of_source) = self.as_of(path, generated);
        let input = Arc::new(Input {
            index: self.opened,
            path: path.to_string_lossy().into_owned(),
            kind: format!("{}{layers}", kind.name()),
            header,
            as_of,
            as_of_source,
            generated,
            account: Account::default(),
        });
        self.opened += 1;
        Ok(Report {
            input,
            stream,
            tail: Vec::new(),
        })
    }

    fn raw(&mut self, path: &Path) -> Result<Box<dyn Read + Send>, InputError> {
        if path.as_os_str() == STDIN {
            return self.stdin.take().ok_or(InputError::StdinTwice);
        }
        if is_remote(path) {
            return self.remote.open(&path.to_string_lossy());
        }
        Ok(Box::new(File::open(path).map_err(InputError::Open)?))
    }

    fn as_of(&self, path: &Path, generated: Option<Timestamp>) -> (Timestamp, AsOfSource) {
        let in_name = || from_file_name(&path.file_name()?.to_string_lossy());
        if let Some(time) = self.options.as_of {
            (time, AsOfSource::Argument)
        } else if let Some(time) = generated {
            (time, AsOfSource::Generated)
        } else if let Some(time) = in_name() {
            (time, AsOfSource::FileName)
        } else {
            (self.options.now, AsOfSource::Now)
        }
    }

    /// The report that is being read, or the next one. `text` then holds its rows as far as they were read.
    fn next_report(&mut self, text: &mut Vec<u8>) -> Option<Result<Report, (PathBuf, InputError)>> {
        if let Some(mut report) = self.current.take() {
            text.append(&mut report.tail);
            return Some(Ok(report));
        }
        let (path, opened) = match self.find()? {
            Err(failed) => return Some(Err(failed)),
            Ok(Place::File(path)) => {
                let opened = self.open(&path, text);
                (path, opened)
            }
            Ok(Place::Contained(path, number, contained)) => {
                let opened = self.open_contained(&path, (number, contained), text);
                (path, opened)
            }
        };
        Some(opened.map_err(|error| (path, error)))
    }

    fn event(&mut self, text: &mut Vec<u8>) -> Option<Result<Event, (PathBuf, InputError)>> {
        let mut report = match self.next_report(text)? {
            Ok(report) => report,
            Err(failed) => return Some(Err(failed)),
        };
        let input = Arc::clone(&report.input);
        Some(match report.next_block(text, self.options.limits) {
            Ok(last) => {
                self.current = (!last).then_some(report);
                Ok(Event::Block { input, last })
            }
            Err(error) => Err((PathBuf::from(&input.path), error)),
        })
    }
}

impl Source for Inputs {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        text.clear();
        text.reserve(self.options.limits.block);
        let usual = self.options.limits.block.saturating_mul(4);
        if text.capacity() > usual {
            // One long record or large envelope must not hold its memory for the rest of the run.
            text.shrink_to(usual);
        }
        let event = self.event(text)?;
        Some(event.unwrap_or_else(|(path, error)| {
            text.clear();
            let path = path.to_string_lossy().into_owned();
            Event::Failed {
                path,
                error: Box::new(error),
            }
        }))
    }
}

/// A report that is being read.
struct Report {
    input: Arc<Input>,
    stream: Stream,
    /// What was read behind the last whole record.
    tail: Vec<u8>,
}

impl Report {
    /// Goes on reading into `text`, leaves whole records in it, and says whether they are the last ones.
    fn next_block(&mut self, text: &mut Vec<u8>, limits: Limits) -> Result<bool, InputError> {
        let mut most = limits.block;
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
            if most >= limits.record {
                return Err(InputError::RecordTooLong(limits.record >> 20));
            }
            most = most.saturating_mul(2).min(limits.record);
        }
    }
}

/// Bytes, and how they ended once they have.
struct Stream {
    reader: Box<dyn Read + Send>,
    end: Option<Result<(), InputError>>,
}

impl Stream {
    fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, end: None }
    }

    /// Reads until `text` holds `most` bytes or there is no more. What was read before an error stays.
    fn fill(&mut self, text: &mut Vec<u8>, most: usize) {
        let wanted = most.saturating_sub(text.len());
        if wanted == 0 || self.end.is_some() {
            return;
        }
        let first = if text.is_empty() {
            self.first_piece(text, wanted)
        } else {
            Ok(())
        };
        let wanted = most.saturating_sub(text.len());
        match first.and_then(|()| self.reader.by_ref().take(wanted as u64).read_to_end(text)) {
            Ok(read) if read == wanted => {}
            Ok(_) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(explained(error))),
        }
    }

    /// Reads once, into nothing, so much that a small file is through with it: reading to the end begins with
    /// a few KiB.
    fn first_piece(&mut self, text: &mut Vec<u8>, most: usize) -> io::Result<()> {
        text.resize(most.min(PIECE), 0);
        let read = loop {
            match self.reader.read(text) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        text.truncate(read.as_ref().copied().unwrap_or(0));
        read.map(drop)
    }

    /// Reads all the rest.
    fn hold(&mut self, text: &mut Vec<u8>, most: usize) -> Result<(), InputError> {
        self.fill(text, most.saturating_add(1));
        self.end.take().unwrap_or(Err(InputError::TooLarge(most >> 20)))
    }

    /// Takes the header off the beginning of a CSV.
    fn take_header(
        &mut self,
        text: &mut Vec<u8>,
        known: &mut Option<(Vec<u8>, Header)>,
    ) -> Result<Header, InputError> {
        if let Some((line, header)) = known
            && text.starts_with(line)
        {
            text.drain(..line.len());
            return Ok(header.clone());
        }
        let csv = envelope::without_byte_order_mark(text);
        match (Header::split(csv), self.end.take()) {
            (Ok((header, rows)), end) => {
                let line: Vec<u8> = text.drain(..text.len() - rows.len()).collect();
                // Of a line that ends, and in which nothing is quoted, no byte behind it changes the meaning.
                let stands_alone = line.ends_with(b"\n") && !line.contains(&b'"');
                *known = stands_alone.then(|| (line, header.clone()));
                self.end = end;
                Ok(header)
            }
            (Err(_), Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// Enough to see what an input is, its header included.
fn first_read(limits: Limits) -> usize {
    limits.block.max(header::LONGEST + 8)
}

/// Reads the beginning of an input into `text`, unpacked; also tells its layers of compression, such as
/// `+gzip`, the inner one first.
fn unpack(mut stream: Stream, text: &mut Vec<u8>, limits: Limits) -> Result<(Stream, String), InputError> {
    let mut layers = String::new();
    for _ in 0..=LAYERS {
        stream.fill(text, first_read(limits));
        let Some(compression) = Compression::of(text) else {
            return Ok((stream, layers));
        };
        if let Some(Err(error)) = stream.end {
            return Err(error);
        }
        let packed = Cursor::new(text.clone()).chain(stream.reader);
        let unpacked = compression.unpack(packed, limits).map_err(InputError::Read)?;
        stream = Stream::new(Box::new(unpacked));
        text.clear();
        layers.insert_str(0, &format!("+{}", compression.name()));
    }
    Err(InputError::Nested(LAYERS))
}

fn explained(error: io::Error) -> InputError {
    error.downcast::<InputError>().unwrap_or_else(InputError::Read)
}

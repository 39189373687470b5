//! Reads the INPUT arguments block by block, in memory that does not grow with the input.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contained::{Contained, Containers, NoArchives, Opened, Place};
use super::error::InputError;
use super::remote::{Nothing, Remote, is_remote};
use super::stream::{Stream, first_read, unpack};
use super::walk::{STDIN, Walk};
use crate::engine::{Account, Event, Input, Source, Text};
use crate::finding::AsOfSource;
use crate::report::as_of::{from_directory_name, from_file_name};
use crate::report::cut::whole_records;
use crate::report::envelope::{self, Kind, Shape};
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// Bytes that tell what an input is; a longer header is read all the same.
const PEEK: usize = 64 * 1024;

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
    /// The archived reports that were found: two writers that know nothing of each other may both have added one.
    archived: BTreeSet<(Timestamp, String)>,
    remote: Box<dyn Remote>,
    options: Options,
    current: Option<Current>,
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
            archived: BTreeSet::new(),
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
                if let Place::Contained(_, _, report) = &place
                    && !self.archived.insert((report.as_of, report.hash.clone()))
                {
                    continue;
                }
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
    ) -> Result<Archived, InputError> {
        let container = self
            .container
            .as_mut()
            .expect("invariant: it told where the report is");
        let rows = container.rows(number)?.into_iter();
        let known = self.header.as_ref().map(|(_, header)| header);
        let header = match known.filter(|header| header.written() == contained.header) {
            Some(header) => header.clone(),
            None => Header::parse(&contained.header)?,
        };
        self.header = Some((contained.header, header.clone()));
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
        Ok(Archived { input, rows })
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
        let in_name = || {
            let in_file = from_file_name(&path.file_name()?.to_string_lossy());
            let mut above = path.parent()?.iter().rev();
            in_file.or_else(|| above.find_map(|name| from_directory_name(&name.to_string_lossy())))
        };
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
    fn next_report(&mut self, text: &mut Vec<u8>) -> Option<Result<Current, (PathBuf, InputError)>> {
        match self.current.take() {
            Some(Current::Read(mut report)) => {
                text.append(&mut report.tail);
                return Some(Ok(Current::Read(report)));
            }
            Some(archived) => return Some(Ok(archived)),
            None => {}
        }
        let (path, opened) = match self.find()? {
            Err(failed) => return Some(Err(failed)),
            Ok(Place::File(path)) => {
                let opened = self.open(&path, text).map(Current::Read);
                (path, opened)
            }
            Ok(Place::Contained(path, number, contained)) => {
                let opened = self.open_contained(&path, (number, contained));
                (path, opened.map(Current::Archived))
            }
        };
        Some(opened.map_err(|error| (path, error)))
    }

    fn event(&mut self, text: &mut Vec<u8>) -> Option<Result<Event, (PathBuf, InputError)>> {
        Some(match self.next_report(text)? {
            Err(failed) => Err(failed),
            Ok(Current::Read(mut report)) => {
                let input = Arc::clone(&report.input);
                match report.next_block(text, self.options.limits) {
                    Ok(last) => {
                        self.current = (!last).then_some(Current::Read(report));
                        Ok(Event::Block { input, last })
                    }
                    Err(error) => Err((PathBuf::from(&input.path), error)),
                }
            }
            Ok(Current::Archived(mut report)) => {
                let piece = report
                    .rows
                    .next()
                    .expect("invariant: a report that is current has rows to come");
                let input = Arc::clone(&report.input);
                let last = report.rows.len() == 0;
                self.current = (!last).then_some(Current::Archived(report));
                Ok(Event::Unmade {
                    input,
                    last,
                    text: piece,
                })
            }
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

/// A report of which more is to come.
enum Current {
    Read(Report),
    Archived(Archived),
}

/// A report of a container.
struct Archived {
    input: Arc<Input>,
    /// Its rows; one piece at least.
    rows: std::vec::IntoIter<Text>,
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

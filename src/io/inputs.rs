//! Reads the INPUT arguments block by block, in memory that does not grow with the input.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::container::{
    ContainedReport, ContainerCursor, ContainerFormat, NoArchives, ReportLocation, file_of,
};
use super::error::InputError;
use super::remote::{NoRemote, Remote, is_remote};
use super::report_reader::{HeaderCache, ReportReader, UnreadReport, failed};
use super::stream::InputStream;
use super::temporary;
use super::walk::{FileWalk, STDIN};
use crate::engine::{DeferredInput, Event, Input, Source, Text};
use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// Bytes that tell what an input is; a longer header is read all the same.
const PEEK: usize = 64 * 1024;

/// What reading needs to know besides the arguments.
#[derive(Clone, Copy, Debug)]
pub struct InputOptions {
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
    /// Bytes of a block, and of the largest file that is read by who judges it. 256 KiB, which stay in the
    /// second-level cache.
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
            block: 256 << 10,
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
    walk: FileWalk,
    stdin: Option<Box<dyn Read + Send>>,
    format: Box<dyn ContainerFormat>,
    /// The container whose reports come next.
    container: Option<ContainerCursor>,
    /// The archived reports that were found, by argument: to an archive two writers that know nothing of each other
    /// may both have added one. Who names a report twice wants it twice.
    archived: BTreeSet<(usize, Timestamp, String)>,
    remote: Box<dyn Remote>,
    options: InputOptions,
    current: Option<Current>,
    /// How many there were.
    opened: usize,
    header_cache: Arc<HeaderCache>,
}

/// What an argument leads to that can be read only once, in words: standard input, a pipe, a device.
pub fn reads_once(path: &Path) -> Option<&'static str> {
    if path.as_os_str() == STDIN {
        return Some("standard input");
    }
    let kind = fs::metadata(path).ok()?.file_type();
    (!kind.is_file() && !kind.is_dir()).then(|| temporary::file_kind(kind))
}

/// The files on this machine that arguments lead to.
pub fn files(arguments: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    let mut walk = FileWalk::new(arguments);
    let found = std::iter::from_fn(move || walk.next(&mut NoRemote));
    found.filter_map(Result::ok).map(file_of)
}

impl Inputs {
    /// Of files, directories and `-`, which means `stdin`. NoRemote is opened yet.
    pub fn new(arguments: Vec<PathBuf>, stdin: Box<dyn Read + Send>, options: InputOptions) -> Self {
        Self {
            walk: FileWalk::new(arguments),
            stdin: Some(stdin),
            format: Box::new(NoArchives),
            container: None,
            archived: BTreeSet::new(),
            remote: Box::new(NoRemote),
            options,
            current: None,
            opened: 0,
            header_cache: Arc::default(),
        }
    }

    /// The same, reading files that hold several reports, too.
    #[must_use]
    pub fn with_container_format(self, format: Box<dyn ContainerFormat>) -> Self {
        Self { format, ..self }
    }

    /// The same, also of what `s3://` names.
    #[must_use]
    pub fn with_remote(self, remote: Box<dyn Remote>) -> Self {
        Self { remote, ..self }
    }

    /// The files that arguments name, in the order of the instants at which they are judged. Reads their
    /// beginnings alone, those that must be held in memory wholly; what cannot be read comes last, to be told
    /// by who reads it again. So does, without being opened, what cannot be read twice.
    pub fn in_time_order(self) -> Vec<PathBuf> {
        let mut inputs = self;
        inputs.options.limits.block = PEEK;
        let options = inputs.options;
        let mut text = Vec::new();
        let mut dated = Vec::new();
        while let Some(found) = inputs.find() {
            text.clear();
            dated.push(match found {
                Ok(ReportLocation::Contained(path, _, report)) => {
                    (false, options.as_of.or(Some(report.as_of)), path)
                }
                Ok(ReportLocation::File(path)) if reads_once(&path).is_some() => (true, None, path),
                Ok(ReportLocation::File(path)) => {
                    let opened = inputs.found(path.clone()).map(|(found, _)| {
                        found
                            .unpack(&mut text)
                            .and_then(|unpacked| unpacked.open(&mut text))
                    });
                    let as_of = opened.ok().and_then(Result::ok).map(|report| report.input.as_of);
                    (as_of.is_none(), as_of, path)
                }
                Err((path, _)) => (true, None, path),
            });
        }
        dated.sort_by_key(|&(failed, as_of, _)| (failed, as_of));
        dated.into_iter().map(|(.., path)| path).collect()
    }

    /// Where the next report is.
    fn find(&mut self) -> Option<Result<ReportLocation, (PathBuf, InputError)>> {
        loop {
            if let Some(place) = self.container.as_mut().and_then(ContainerCursor::next) {
                if let ReportLocation::Contained(_, _, report) = &place {
                    let known = (self.walk.begun(), report.as_of, report.hash.clone());
                    if !self.archived.insert(known) {
                        continue;
                    }
                }
                return Some(Ok(place));
            }
            let path = match self.walk.next(self.remote.as_mut())? {
                Ok(path) => path,
                Err(failed) => return Some(Err(failed)),
            };
            let open = self.container.take();
            self.container =
                match ContainerCursor::of(&path, open, self.format.as_mut(), self.remote.as_mut()) {
                    Ok(Some(opened)) => Some(opened),
                    Ok(None) => return Some(Ok(ReportLocation::File(path))),
                    Err(error) => return Some(Err((path, error))),
                };
        }
    }

    /// Opens a report of the container that is open.
    fn open_contained(
        &mut self,
        path: &Path,
        (number, contained): (usize, ContainedReport),
    ) -> Result<Archived, InputError> {
        let container = self
            .container
            .as_mut()
            .expect("invariant: it told where the report is");
        let rows = container.rows(number)?.into_iter();
        let known = self.header_cache.starting(&contained.header);
        let header = match known.filter(|header| header.written() == contained.header) {
            Some(header) => header,
            None => Header::parse(&contained.header)?,
        };
        self.header_cache.remember(&header);
        let (as_of, as_of_source) = match self.options.as_of {
            Some(as_of) => (as_of, AsOfSource::Argument),
            None => (contained.as_of, contained.as_of_source),
        };
        let input = Arc::new(Input {
            index: self.index(),
            path: path.to_string_lossy().into_owned(),
            kind: "archive".to_owned(),
            header,
            as_of,
            as_of_source,
            generated: contained.generated,
            account: contained.account,
        });
        Ok(Archived { input, rows })
    }

    /// A report in a file of its own, or on standard input; the size of the file where it has one.
    fn found(&mut self, path: PathBuf) -> Result<(UnreadReport, Option<u64>), (PathBuf, InputError)> {
        let (stream, size) = match self.raw(&path) {
            Ok(raw) => raw,
            Err(error) => return Err((path, error)),
        };
        let found = UnreadReport {
            index: self.index(),
            path,
            stream,
            waits: false,
            options: self.options,
            header_cache: Arc::clone(&self.header_cache),
        };
        Ok((found, size))
    }

    fn raw(&mut self, path: &Path) -> Result<(InputStream, Option<u64>), InputError> {
        if path.as_os_str() == STDIN {
            let stdin = self.stdin.take().ok_or(InputError::StdinTwice)?;
            return Ok((InputStream::new(stdin), None));
        }
        if is_remote(path) {
            return Ok((InputStream::new(self.remote.open(&path.to_string_lossy())?), None));
        }
        let file = File::open(path).map_err(InputError::Open)?;
        let metadata = file.metadata().map_err(InputError::Open)?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok((InputStream::with_size(Box::new(file), size), size))
    }

    fn index(&mut self) -> usize {
        self.opened += 1;
        self.opened - 1
    }

    fn event(&mut self, text: &mut Vec<u8>) -> Option<Result<Event, (PathBuf, InputError)>> {
        if let Some(event) = self.current.as_mut().and_then(|current| current.next(text)) {
            return Some(Ok(event));
        }
        self.current = None;
        let place = match self.find()? {
            Ok(place) => place,
            Err(failed) => return Some(Err(failed)),
        };
        match place {
            ReportLocation::File(path) => {
                let (found, size) = match self.found(path) {
                    Ok(found) => found,
                    Err(failed) => return Some(Err(failed)),
                };
                // A larger one is cut into blocks, which several can judge.
                if size.is_some_and(|size| size <= self.options.limits.block as u64) {
                    let reading = ReportReader::Unread(UnreadReport { waits: true, ..found });
                    return Some(Ok(Event::DeferredInput(DeferredInput(Box::new(reading)))));
                }
                let mut reading = Box::new(ReportReader::Unread(found));
                let event = reading.next(text)?;
                self.current = Some(Current::Read(reading));
                Some(Ok(event))
            }
            ReportLocation::Contained(path, number, contained) => {
                match self.open_contained(&path, (number, contained)) {
                    Ok(archived) => {
                        self.current = Some(Current::Archived(archived));
                        self.event(text)
                    }
                    Err(error) => Some(Err((path, error))),
                }
            }
        }
    }
}

impl Source for Inputs {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        text.clear();
        text.reserve(self.options.limits.block);
        // A piece of an archived report has a few MiB.
        let usual = self.options.limits.block.saturating_mul(16);
        if text.capacity() > usual {
            // One long record or large envelope must not hold its memory for the rest of the run.
            text.shrink_to(usual);
        }
        let event = self.event(text)?;
        Some(event.unwrap_or_else(|(path, error)| failed(&path, error, text)))
    }
}

/// A report of which more may be to come.
enum Current {
    Read(Box<ReportReader>),
    Archived(Archived),
}

/// A report of a container.
struct Archived {
    input: Arc<Input>,
    /// Its rows.
    rows: std::vec::IntoIter<Text>,
}

impl Current {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        match self {
            Self::Read(reading) => reading.next(text),
            Self::Archived(archived) => {
                let piece = archived.rows.next()?;
                Some(Event::DeferredBlock {
                    input: Arc::clone(&archived.input),
                    last: archived.rows.len() == 0,
                    text: piece,
                })
            }
        }
    }
}

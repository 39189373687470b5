//! The INPUT arguments as a source of blocks for the engine. Memory does not grow with the size of an input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archived_details;
use super::container::{
    ContainedReport, ContainerCursor, ContainerFormat, NoArchives, ReportLocation, file_of,
};
use super::details;
use super::error::InputError;
pub use super::kept::KeptInputs;
use super::open_input::OpenInput;
use super::remote::{NoRemote, Remote, is_remote};
use super::report_reader::{HeaderCache, ReportReader, UnreadReport, failed};
use super::stream::InputStream;
use super::temporary;
pub use super::walk::FoundFile;
use super::walk::{FileWalk, STDIN, UnreadablePath};
use crate::engine::{
    AccountInfo, BlockEnd, DeferredBlock, DeferredInput, FileDigest, FileFacts, Input, LeftOutInput,
    ReportId, Source, SourceEvent,
};
use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// Bytes read to find the as-of of an input; a longer header is read whole.
const PEEK: usize = 64 * 1024;

/// How the arguments are read.
#[derive(Clone, Copy, Debug)]
pub struct InputOptions {
    /// `--as-of`: evaluates every input at this instant.
    pub as_of: Option<Timestamp>,
    /// The current time, for inputs without a date.
    pub now: Timestamp,
    /// Whether users are followed from one report to the next: a report whose last row lacks fields, so that it may lack
    /// users, or whose accounts only a column distinguishes, is an error.
    pub compared: bool,
    /// How many bytes an input has at most of which the SHA-256 is computed; 0 for none.
    pub hashed: u64,
    /// How much is read at most.
    pub limits: Limits,
}

/// How much is read at once, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a block. A file of at most this size is read by the worker that evaluates it. 256 KiB, which stay in
    /// the second-level cache.
    pub block: usize,
    /// Maximum bytes of one record. 64 MiB.
    pub record: usize,
    /// Maximum bytes of an input that must be held in memory: JSON, YAML, base64, UTF-16. 256 MiB.
    pub held: usize,
    /// Maximum decompressed bytes of an input. 64 GiB.
    pub unpacked: u64,
    /// Maximum ratio of decompressed to compressed bytes, above the floor. 1,000: reports of many accounts reach a
    /// hundred.
    pub ratio: u64,
    /// Decompressed bytes up to which any ratio is allowed. 64 MiB.
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

/// The reports that the arguments name, opened one after the other as they are read.
pub struct Inputs {
    walk: FileWalk,
    stdin: Option<Box<dyn Read + Send>>,
    /// Copies of arguments that can be read only once, by path.
    copies: BTreeMap<PathBuf, File>,
    /// Where small remote inputs are kept, or were by a run before; none if each is read once.
    kept: Option<KeptInputs>,
    /// Inputs that are passed over, by number.
    left_out: BTreeMap<usize, LeftOutInput>,
    format: Box<dyn ContainerFormat>,
    /// The container whose reports come next.
    container: Option<ContainerCursor>,
    /// The archived reports that were found, by argument, so that a report that two writers added to one archive is
    /// read once. A report that is named by two arguments is read twice.
    archived: BTreeSet<(usize, Timestamp, String)>,
    remote: Box<dyn Remote>,
    options: InputOptions,
    /// Whether the details of reports are read.
    details: bool,
    current: Option<CurrentReport>,
    /// Number of inputs opened so far.
    opened: usize,
    header_cache: Arc<HeaderCache>,
}

/// Describes an argument that can be read only once: standard input, a pipe, a device. `None` for other arguments.
pub fn reads_once(path: &Path) -> Option<&'static str> {
    if path.as_os_str() == STDIN {
        return Some("standard input");
    }
    let kind = fs::metadata(path).ok()?.file_type();
    (!kind.is_file() && !kind.is_dir()).then(|| temporary::file_kind(kind))
}

/// The files on this machine that arguments name.
pub fn files(arguments: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    let mut walk = FileWalk::new(arguments);
    let found = std::iter::from_fn(move || walk.next(&mut NoRemote).transpose());
    found.filter_map(Result::ok).map(|file| file_of(file.path))
}

impl Inputs {
    /// Takes files, directories and `-` for `stdin`. Opens nothing yet.
    pub fn new(arguments: Vec<PathBuf>, stdin: Box<dyn Read + Send>, options: InputOptions) -> Self {
        Self::of_walk(FileWalk::new(arguments), stdin, options)
    }

    /// Takes files that [`Self::in_time_order`] or [`Self::files`] found.
    pub fn of_files(files: Vec<FoundFile>, stdin: Box<dyn Read + Send>, options: InputOptions) -> Self {
        Self::of_walk(FileWalk::again(files), stdin, options)
    }

    fn of_walk(walk: FileWalk, stdin: Box<dyn Read + Send>, options: InputOptions) -> Self {
        Self {
            walk,
            stdin: Some(stdin),
            copies: BTreeMap::new(),
            kept: None,
            left_out: BTreeMap::new(),
            format: Box::new(NoArchives),
            container: None,
            archived: BTreeSet::new(),
            remote: Box::new(NoRemote),
            options,
            details: !options.compared,
            current: None,
            opened: 0,
            header_cache: Arc::default(),
        }
    }

    /// Adds a format for files that hold several reports.
    #[must_use]
    pub fn with_container_format(self, format: Box<dyn ContainerFormat>) -> Self {
        Self { format, ..self }
    }

    /// Reads the details of reports, or does not. Those of reports that are compared are not read otherwise.
    #[must_use]
    pub fn with_details(self, details: bool) -> Self {
        Self { details, ..self }
    }

    /// Reads these arguments, which can be read only once, from copies.
    #[must_use]
    pub fn with_copies(self, copies: BTreeMap<PathBuf, File>) -> Self {
        Self { copies, ..self }
    }

    /// Takes the contents of small remote inputs from here, or else keeps them here for the next run.
    #[must_use]
    pub fn with_kept(self, kept: &KeptInputs) -> Self {
        Self {
            kept: Some(kept.clone()),
            ..self
        }
    }

    /// Passes over the inputs with these numbers, if they have the same paths.
    #[must_use]
    pub fn without(self, left_out: BTreeMap<usize, LeftOutInput>) -> Self {
        Self { left_out, ..self }
    }

    /// The files that the arguments name, to be read with [`Self::of_files`], so that directories are listed once. None if
    /// one cannot be listed, or one may have several reports.
    pub fn files(self) -> Option<Vec<FoundFile>> {
        let mut inputs = self;
        let mut files = Vec::new();
        while let Some(file) = inputs.walk.next(inputs.remote.as_mut()).ok()? {
            let may_be_container = file
                .path
                .extension()
                .is_some_and(|it| it.eq_ignore_ascii_case("parquet"));
            if may_be_container {
                return None;
            }
            files.push(file);
        }
        Some(files)
    }

    /// Whether the arguments name more than one input. Opens no report.
    pub fn are_several(mut self) -> bool {
        let mut found = std::iter::from_fn(|| self.find().transpose());
        found.nth(1).is_some()
    }

    /// Adds a reader of `s3://` URLs.
    #[must_use]
    pub fn with_remote(self, remote: Box<dyn Remote>) -> Self {
        Self { remote, ..self }
    }

    /// The reports that the arguments name, in the order of their as-of. Reads no more than finding the as-of takes: the
    /// beginning of a CSV, but the whole of JSON and the like. Inputs that cannot be read come last: the caller's own
    /// read reports the error. Inputs that can be read only once also come last, unopened.
    pub fn in_time_order(self) -> Vec<FoundFile> {
        let mut inputs = self;
        inputs.options.limits.block = PEEK;
        inputs.options.hashed = 0;
        let mut text = Vec::new();
        let mut dated: Vec<(Option<Timestamp>, FoundFile)> = Vec::new();
        while let Some(found) = inputs.find().transpose() {
            text.clear();
            let (file, times) = match found {
                Ok(ReportLocation::Contained(path, _, report)) => {
                    let as_of = inputs.options.as_of.unwrap_or(report.as_of);
                    (FoundFile::named(path), vec![Some(as_of)])
                }
                Ok(ReportLocation::File(file)) if reads_once(&file.path).is_none() => {
                    let sniffed = inputs
                        .unread(&file)
                        .and_then(|(report, _)| report.sniff(&mut text));
                    let open = sniffed.and_then(|sniffed| sniffed.open(&mut text));
                    (file, open.map_or_else(|_| vec![None], OpenInput::times))
                }
                Ok(ReportLocation::File(file)) | Err((file, _)) => (file, vec![None]),
            };
            let last = times.len() - 1;
            dated.extend(times.into_iter().enumerate().map(|(report, time)| {
                let end = if report == last { usize::MAX } else { report + 1 };
                let reports = report..end;
                (
                    time,
                    FoundFile {
                        reports,
                        ..file.clone()
                    },
                )
            }));
        }
        dated.sort_by_key(|&(time, _)| (time.is_none(), time));
        // First, so that they are found again before the reports.
        let details = inputs.walk.details().paths().cloned();
        let mut ordered: Vec<FoundFile> = details.map(FoundFile::searched).collect();
        for (_, file) in dated {
            match ordered.last_mut() {
                Some(last) if last.path == file.path && last.reports.end == file.reports.start => {
                    last.reports.end = file.reports.end;
                }
                _ => ordered.push(file),
            }
        }
        ordered
    }

    /// Finds the next report.
    fn find(&mut self) -> Result<Option<ReportLocation>, UnreadablePath> {
        loop {
            if let Some(location) = self.container.as_mut().and_then(ContainerCursor::next) {
                if let ReportLocation::Contained(_, _, report) = &location {
                    let known = (self.walk.begun(), report.as_of, report.hash.clone());
                    if !self.archived.insert(known) {
                        continue;
                    }
                }
                return Ok(Some(location));
            }
            let Some(file) = self.walk.next(self.remote.as_mut())? else {
                return Ok(None);
            };
            let open = self.container.take();
            let container = ContainerCursor::of(
                &file.path,
                (open, self.options.hashed),
                self.format.as_mut(),
                self.remote.as_mut(),
            );
            match container {
                Ok(None) => return Ok(Some(ReportLocation::File(file))),
                Ok(opened) => self.container = opened,
                Err(error) => return Err((file, error)),
            }
        }
    }

    /// Opens a report of the container that is open.
    fn open_contained(
        &mut self,
        path: &Path,
        number: usize,
        contained: ContainedReport,
    ) -> Result<ContainedReader, InputError> {
        let container = self
            .container
            .as_mut()
            .expect("invariant: the location is one in it");
        let (container_digest, file) = (container.digest.clone(), container.path().to_owned());
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
        let mut account = contained.account;
        if self.details {
            self.add_details(&mut account, &file, (&path.to_string_lossy(), &contained.hash));
        }
        let input = Arc::new(Input {
            id: ReportId::first_of(self.index()),
            path: path.to_string_lossy().into_owned(),
            kind: "archive".to_owned(),
            header,
            as_of,
            as_of_source,
            generated: contained.generated,
            account,
            file: FileFacts {
                lines_before: None,
                digest: container_digest,
            },
        });
        Ok(ContainedReader { input, rows })
    }

    /// Adds the details of a report in a file of an archive, if there are any.
    fn add_details(&mut self, account: &mut AccountInfo, file: &Path, (report, sha256): (&str, &str)) {
        let path = match self.walk.details().of(file, sha256) {
            Some(found) => found,
            // No request is made for what a search did not find.
            None if is_remote(file) => return,
            None => archived_details::near(file, sha256),
        };
        let read = if is_remote(&path) {
            self.read_aside(&path)
        } else {
            let Some(read) = archived_details::read(&path, self.options.limits) else {
                return;
            };
            read
        };
        let details = read.and_then(|json| archived_details::parse(&json, sha256));
        archived_details::add(account, details, (&path, report));
    }

    /// The bytes of an object that belongs to a report.
    fn read_aside(&mut self, url: &Path) -> Result<Vec<u8>, String> {
        let limits = self.options.limits;
        if let Some(content) = self.kept.as_ref().and_then(|kept| kept.get(url)) {
            return archived_details::read_all(content, limits);
        }
        let opened = self.remote.open_aside(&url.to_string_lossy());
        let mut reader = opened.map_err(|error| error.to_string())?;
        if let Some(kept) = &self.kept {
            reader = kept.keeping(url, reader, limits.block);
        }
        archived_details::read_all(reader, limits)
    }

    /// A report in a file of its own or on standard input, and the size of a regular file.
    fn unread(&mut self, file: &FoundFile) -> Result<(UnreadReport, Option<u64>), InputError> {
        let (stream, size) = self.open_stream(&file.path)?;
        let digest = FileDigest::default();
        let stream = stream.hashed(self.options.hashed, &digest);
        let has_details = size.is_some() && self.details && !is_remote(&file.path);
        let account = if has_details {
            details::beside(&file.path, self.options.limits)
        } else {
            AccountInfo::default()
        };
        let report = UnreadReport {
            index: self.index(),
            account,
            file: file.clone(),
            stream,
            digest,
            waits: false,
            options: self.options,
            header_cache: Arc::clone(&self.header_cache),
        };
        Ok((report, size))
    }

    fn open_stream(&mut self, path: &Path) -> Result<(InputStream, Option<u64>), InputError> {
        if let Some(copy) = self.copies.remove(path) {
            return Ok((InputStream::new(Box::new(copy)), None));
        }
        if path.as_os_str() == STDIN {
            let stdin = self.stdin.take().ok_or(InputError::StdinTwice)?;
            return Ok((InputStream::new(stdin), None));
        }
        if is_remote(path) {
            return self.open_remote(path);
        }
        let file = File::open(path).map_err(InputError::Open)?;
        let metadata = file.metadata().map_err(InputError::Open)?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok((InputStream::with_size(Box::new(file), size), size))
    }

    fn open_remote(&mut self, path: &Path) -> Result<(InputStream, Option<u64>), InputError> {
        if let Some(content) = self.kept.as_ref().and_then(|kept| kept.get(path)) {
            let size = Some(content.get_ref().as_ref().len() as u64);
            return Ok((InputStream::with_size(Box::new(content), size), size));
        }
        let mut reader = self.remote.open(&path.to_string_lossy())?;
        if let Some(kept) = &self.kept {
            reader = kept.keeping(path, reader, self.options.limits.block);
        }
        Ok((InputStream::new(reader), None))
    }

    fn index(&mut self) -> usize {
        self.opened += 1;
        self.opened - 1
    }

    fn event(&mut self, text: &mut Vec<u8>) -> Result<Option<SourceEvent>, UnreadablePath> {
        if let Some(event) = self.current.as_mut().and_then(|current| current.next(text)) {
            return Ok(Some(event));
        }
        self.current = None;
        let found = loop {
            let found = self.find()?;
            let Some(ReportLocation::Contained(path, ..) | ReportLocation::File(FoundFile { path, .. })) =
                &found
            else {
                break found;
            };
            let left_out = self.left_out.get(&self.opened);
            if left_out.is_none_or(|left_out| left_out.path != path.to_string_lossy()) {
                break found;
            }
            self.opened += 1;
        };
        let mut reader = match found {
            None => return Ok(None),
            Some(ReportLocation::Contained(path, number, contained)) => {
                match self.open_contained(&path, number, contained) {
                    Ok(reader) => CurrentReport::Contained(reader),
                    Err(error) => return Err((FoundFile::named(path), error)),
                }
            }
            Some(ReportLocation::File(file)) => match self.unread(&file) {
                Err(error) => return Err((file, error)),
                // A larger file is cut into blocks, so that several workers share it.
                Ok((report, Some(size))) if size <= self.options.limits.block as u64 => {
                    let reader = ReportReader::Unread(UnreadReport {
                        waits: true,
                        ..report
                    });
                    return Ok(Some(SourceEvent::DeferredInput(DeferredInput(Box::new(reader)))));
                }
                Ok((report, _)) => CurrentReport::Read(Box::new(ReportReader::Unread(report))),
            },
        };
        let event = reader.next(text);
        self.current = Some(reader);
        Ok(event)
    }
}

impl Source for Inputs {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        text.clear();
        text.reserve(self.options.limits.block);
        // A block of an archived report has a few MiB.
        let usual = self.options.limits.block.saturating_mul(16);
        if text.capacity() > usual {
            // Free the memory of one long record or large envelope.
            text.shrink_to(usual);
        }
        let event = self.event(text).transpose()?;
        Some(event.unwrap_or_else(|(file, error)| failed(&file, error, text)))
    }
}

/// The report that is being read.
enum CurrentReport {
    Read(Box<ReportReader>),
    Contained(ContainedReader),
}

/// A report in a container.
struct ContainedReader {
    input: Arc<Input>,
    /// Its remaining blocks.
    rows: std::vec::IntoIter<DeferredBlock>,
}

impl CurrentReport {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        match self {
            Self::Read(reading) => reading.next(text),
            Self::Contained(contained) => {
                let block = contained.rows.next()?;
                let is_last = contained.rows.len() == 0;
                Some(SourceEvent::DeferredBlock {
                    input: Arc::clone(&contained.input),
                    end: BlockEnd::of_only_report(is_last),
                    block,
                })
            }
        }
    }
}

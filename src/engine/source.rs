//! The source that gives the engine its inputs, block by block.

use std::sync::{Arc, Mutex, PoisonError};

use super::survey::ReportAccounts;
use crate::finding::{AsOfSource, Diagnostic, PassedOver};
use crate::report::details::Details;
use crate::report::header::Header;
use crate::report::issue::RowIssue;
use crate::report::schema::{Column, ColumnSet};
use crate::report::stored::StoredBlock;
use crate::report::time::Timestamp;

/// Inputs, block by block, in the order of their findings.
pub trait Source: Send {
    /// Replaces `text` with the next block of records (whole records only, without the header), and returns its input;
    /// none at the end.
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        (**self).next(text)
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        (**self).next(text)
    }
}

/// A block of an input, or something else that a source has next.
#[derive(Debug)]
pub enum SourceEvent {
    /// A block of one report.
    Block {
        /// Its report; the blocks of a report are consecutive.
        input: Arc<Input>,
        /// What ends with it. A report that is read to its end has a last block, which may be empty.
        end: BlockEnd,
    },
    /// A block that the worker that evaluates it reads: work that need not be done in the order of blocks.
    DeferredBlock {
        /// Its report.
        input: Arc<Input>,
        /// What ends with it.
        end: BlockEnd,
        /// Reads it.
        block: DeferredBlock,
    },
    /// A whole input that the worker that evaluates it reads, while others read theirs. Its own source gives its blocks
    /// up to the last one or to a failure.
    DeferredInput(DeferredInput),
    /// The next block of a deferred input takes much memory: it must be read after all inputs before it have been
    /// evaluated, so that only one such block is in memory at a time.
    LargeBlockAhead,
    /// A report, or the rest of one, could not be read.
    Failed {
        /// As named on the command line.
        path: String,
        /// Why not, and what to do: a complete sentence without the path.
        error: SourceError,
        /// Whether the input ends with it. If not, another report of it follows.
        ends_input: bool,
    },
    /// A file that the search of a directory found is not a report. It is an input of its own.
    PassedOver(PassedOver),
}

/// What ends with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockEnd {
    /// Nothing: more blocks of its report follow.
    Nothing,
    /// Its report; another report of the same input follows.
    Report,
    /// Its report and its input.
    Input,
}

impl BlockEnd {
    /// What ends with a block of a report that is alone in its input.
    pub fn of_only_report(is_last: bool) -> Self {
        if is_last { Self::Input } else { Self::Nothing }
    }

    /// Whether the report ends.
    pub fn ends_report(self) -> bool {
        self != Self::Nothing
    }

    /// Whether the input ends.
    pub fn ends_input(self) -> bool {
        self == Self::Input
    }
}

impl SourceEvent {
    /// Whether this is the last event of its input, which may have had several reports.
    pub fn ends_input(&self) -> bool {
        match self {
            Self::Block { end, .. } | Self::DeferredBlock { end, .. } => end.ends_input(),
            Self::Failed { ends_input, .. } => *ends_input,
            Self::DeferredInput(_) | Self::PassedOver(_) => true,
            Self::LargeBlockAhead => false,
        }
    }
}

/// Why an input could not be read.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// An input that has not been read.
pub struct DeferredInput(pub Box<dyn Source>);

impl std::fmt::Debug for DeferredInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeferredInput")
    }
}

/// The report of the block that was read, and whether the block is its last one; or the path of an input that could not
/// be read, and why.
pub type SequentialRead = Result<(Arc<Input>, bool), (String, SourceError)>;

/// A source for a single reader: deferred blocks are written as text and deferred inputs are read in order, so that there are
/// only blocks and failures.
pub struct SequentialSource<'a> {
    source: &'a mut dyn Source,
    /// The deferred input that is read now.
    deferred: Option<DeferredInput>,
    passed_over: Vec<PassedOver>,
}

impl<'a> SequentialSource<'a> {
    /// Reads this source.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self {
            source,
            deferred: None,
            passed_over: Vec::new(),
        }
    }

    /// The files so far that are not reports.
    pub fn passed_over(&mut self) -> Vec<PassedOver> {
        std::mem::take(&mut self.passed_over)
    }

    /// Reads the next block into `text`, like [`Source::next`].
    pub fn next(&mut self, text: &mut Vec<u8>) -> Option<SequentialRead> {
        loop {
            let event = match &mut self.deferred {
                Some(deferred) => deferred.0.next(text),
                None => self.source.next(text),
            };
            return Some(match event {
                None => {
                    self.deferred.take()?;
                    continue;
                }
                Some(SourceEvent::DeferredInput(deferred)) => {
                    self.deferred = Some(deferred);
                    continue;
                }
                Some(SourceEvent::LargeBlockAhead) => continue,
                Some(SourceEvent::PassedOver(file)) => {
                    self.passed_over.push(file);
                    continue;
                }
                Some(SourceEvent::Block { input, end }) => Ok((input, end.ends_report())),
                Some(SourceEvent::DeferredBlock { input, end, block }) => match block.text(text) {
                    Ok(()) => Ok((input, end.ends_report())),
                    Err(error) => Err((input.path.clone(), error)),
                },
                Some(SourceEvent::Failed { path, error, .. }) => Err((path, error)),
            });
        }
    }
}

/// A block that was stored, as columns or so that its text can be written again.
pub trait StoredRecords: Send {
    /// Appends the text of its records.
    ///
    /// # Errors
    /// If what is stored is damaged.
    fn append_text(&self, text: &mut Vec<u8>) -> Result<(), SourceError>;

    /// Its columns, of which at least these are decoded; none where only the text says everything.
    ///
    /// # Errors
    /// If what is stored is damaged.
    fn columns(&self, wanted: ColumnSet) -> Result<Option<StoredColumns>, SourceError>;

    /// How many they are.
    fn count(&self) -> usize;

    /// The least and the greatest of their accounts, if each record has one and that is known before they are read.
    fn accounts(&self) -> Option<[Vec<u8>; 2]>;
}

/// A block as columns.
#[derive(Debug)]
pub struct StoredColumns {
    /// Its records.
    pub block: StoredBlock,
    /// What was wrong with its rows.
    pub issues: Vec<RowIssue>,
}

/// A block that has not been read.
pub struct DeferredBlock(pub Box<dyn StoredRecords>);

impl DeferredBlock {
    /// Replaces `text` with the text of its records.
    ///
    /// # Errors
    /// If what is stored is damaged.
    pub fn text(&self, text: &mut Vec<u8>) -> Result<(), SourceError> {
        text.clear();
        self.0.append_text(text)
    }
}

impl std::fmt::Debug for DeferredBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeferredBlock")
    }
}

/// Identifies a report of a run; in the order of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportId {
    /// The number of its input in the run, from 0.
    pub input: usize,
    /// Its number among the reports of its input, from 0.
    pub report: usize,
}

impl ReportId {
    /// The first report of an input, which may be its only one.
    pub fn first_of(input: usize) -> Self {
        Self { input, report: 0 }
    }
}

/// One report of an input: everything that is known before its records are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Unique in the run.
    pub id: ReportId,
    /// As named on the command line; `-` for standard input.
    pub path: String,
    /// Its envelope: `csv`, `json`, `text`, `base64` or `yaml`, with `+gzip` or `+zstd` for every layer of compression,
    /// the inner one first.
    pub kind: String,
    /// Its columns.
    pub header: Header,
    /// The instant to which its ages are counted.
    pub as_of: Timestamp,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS generated the report, if the input says so.
    pub generated: Option<Timestamp>,
    /// What is known about its account from elsewhere.
    pub account: AccountInfo,
    /// What is known about the file that it is in.
    pub file: FileFacts,
}

/// What is known about the file of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// How many lines of the file are between the report before it, or the file's beginning, and its first row; none if
    /// its rows are not lines of the file.
    pub lines_before: Option<u64>,
    /// Its digest.
    pub digest: FileDigest,
}

/// The SHA-256 of a file, in hexadecimal. It is known once the file was read to its end: a source sets it, and all clones
/// have it then.
#[derive(Clone, Debug, Default)]
pub struct FileDigest(Arc<Mutex<Option<String>>>);

impl FileDigest {
    /// The digest, if it is known.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the digest, or forgets it.
    pub fn set(&self, digest: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = digest;
    }
}

impl PartialEq for FileDigest {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for FileDigest {}

/// What is known about the account of a report, but is not in the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// Its name in the organization.
    pub name: Option<String>,
    /// What AWS says beside the report, if that was fetched.
    pub details: Option<Arc<Details>>,
    /// Problems and notes from fetching the report.
    pub diagnostics: Vec<Diagnostic>,
    /// The accounts of its rows, if that is known before they are read.
    pub rows: Option<Arc<ReportAccounts>>,
}

impl Input {
    /// The columns that the report lacks, so that their cells are unknown.
    pub fn lacks(&self) -> ColumnSet {
        self.header.missing().minus(Column::OPTIONAL)
    }
}

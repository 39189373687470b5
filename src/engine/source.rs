//! Where the engine gets its blocks from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{AsOfSource, Diagnostic};
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet};
use crate::report::time::Timestamp;

/// Inputs, block by block, in the order in which their findings are to come.
pub trait Source: Send {
    /// Puts the next block of records (whole records only, header taken off) into `text`, whose content is
    /// dropped and whose capacity is reused, and says whose it is; none at the end.
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        (**self).next(text)
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        (**self).next(text)
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Event {
    /// A block of one input.
    Block {
        /// Whose it is; the blocks of an input follow each other.
        input: Arc<Input>,
        /// Whether it is the input's last one. It may be empty: every input that is read to its end has one
        /// last block, however few rows it has.
        last: bool,
    },
    /// The same, but its text is made by who judges it: work that need not be done in the order of blocks.
    DeferredBlock {
        /// Whose it is.
        input: Arc<Input>,
        /// Whether it is the input's last one.
        last: bool,
        /// Makes its text.
        text: Text,
    },
    /// One input, whole, of which nothing was read yet: who judges it reads it, while others read theirs. Its own
    /// source tells its blocks, up to the last one or to a failure, and nothing else.
    DeferredInput(DeferredInput),
    /// What comes next of an unread input takes much memory: it is to be asked for when all inputs before it are
    /// through, so that one such is held at a time.
    Large,
    /// An input, or the rest of the input whose blocks came before, that could not be read.
    Failed {
        /// As named on the command line.
        path: String,
        /// Why not, and what to do: a complete sentence but for the path.
        error: SourceError,
    },
}

impl Event {
    /// Whether the source has nothing more to tell of the input.
    pub fn ends_input(&self) -> bool {
        match self {
            Self::Block { last, .. } | Self::DeferredBlock { last, .. } => *last,
            Self::DeferredInput(_) | Self::Failed { .. } => true,
            Self::Large => false,
        }
    }
}

/// What was wrong with an input.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// An input that is still to be read.
pub struct DeferredInput(pub Box<dyn Source>);

impl std::fmt::Debug for DeferredInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeferredInput")
    }
}

/// Whose block was read, and whether it is its input's last one; or the path of what could not be read, and why not.
pub type Read = Result<(Arc<Input>, bool), (String, SourceError)>;

/// A source for who reads one block after the other: everything is made and read in its place, so that no other
/// events come than blocks and failures.
pub struct SequentialSource<'a> {
    source: &'a mut dyn Source,
    /// What is read before the source goes on.
    whole: Option<DeferredInput>,
}

impl<'a> SequentialSource<'a> {
    /// Of this one.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self { source, whole: None }
    }

    /// The next block, in `text`, as of [`Source::next`].
    pub fn next(&mut self, text: &mut Vec<u8>) -> Option<Read> {
        loop {
            let event = match &mut self.whole {
                Some(whole) => whole.0.next(text),
                None => self.source.next(text),
            };
            let read = match event {
                None => {
                    self.whole.take()?;
                    continue;
                }
                Some(Event::DeferredInput(unread)) => {
                    self.whole = Some(unread);
                    continue;
                }
                Some(Event::Large) => continue,
                Some(Event::Block { input, last }) => Ok((input, last)),
                Some(Event::DeferredBlock {
                    input,
                    last,
                    text: made,
                }) => match made.make(text) {
                    Ok(()) => Ok((input, last)),
                    Err(error) => Err((input.path.clone(), error)),
                },
                Some(Event::Failed { path, error }) => Err((path, error)),
            };
            return Some(read);
        }
    }
}

type Make = dyn FnOnce(&mut Vec<u8>) -> Result<(), SourceError> + Send;

/// A text that is still to be made.
pub struct Text(Box<Make>);

impl Text {
    /// Made by this, which puts whole records behind what is there.
    pub fn new(make: impl FnOnce(&mut Vec<u8>) -> Result<(), SourceError> + Send + 'static) -> Self {
        Self(Box::new(make))
    }

    /// Makes it in place of what is there.
    ///
    /// # Errors
    /// Where what it is made of is damaged.
    pub fn make(self, text: &mut Vec<u8>) -> Result<(), SourceError> {
        text.clear();
        (self.0)(text)
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text")
    }
}

/// One input, as far as it is known before its records are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// A number that no other input of the run has; that of a later one is larger.
    pub index: usize,
    /// As named on the command line; `-` for standard input.
    pub path: String,
    /// What it is: `csv`, `json`, `text`, `base64` or `yaml`, with `+gzip` or `+zstd` for every layer of
    /// compression, the inner one first.
    pub kind: String,
    /// Its columns.
    pub header: Header,
    /// The instant at which its ages are judged.
    pub as_of: Timestamp,
    /// Where that instant comes from.
    pub as_of_source: AsOfSource,
    /// When AWS made the report, where the input says so.
    pub generated: Option<Timestamp>,
    /// What is known of its account besides.
    pub account: Account,
}

/// What is known of the one account of an input and does not stand in its report. Nothing of saved reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// As the organization calls it.
    pub name: Option<String>,
    /// Ids of access keys, by the user's name and the slot.
    pub key_ids: BTreeMap<Vec<u8>, [Option<String>; 2]>,
    /// What was odd about getting the report.
    pub diagnostics: Vec<Diagnostic>,
}

impl Input {
    /// The columns whose lack makes cells unknown. That nothing is said of additional credentials is no lack.
    pub fn lacks(&self) -> ColumnSet {
        self.header.missing().minus(Column::OPTIONAL)
    }
}

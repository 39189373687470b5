//! What a format is: one type for the formats of scan, diff and trend, which cli asks instead of matching on them.

use std::fmt;
use std::str::FromStr;

use crate::finding::UnknownWord;

/// A format: a constant in the format's file, listed in its registry.
#[derive(Clone, Copy, Debug)]
pub struct FormatSpec<W> {
    /// Its word on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
    /// Who reads it.
    pub readers: Readers,
    /// Whether `--limit` is for it, although programs read it.
    pub is_limited: bool,
    /// How it is written.
    pub(super) writer: W,
}

/// Who reads a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// People at a terminal. It may be coloured, and shows diagnostics.
    Terminal,
    /// People, in a document. It can be read at a terminal, too, and shows diagnostics.
    Document,
    /// Programs, such as browsers and spreadsheets.
    Program,
}

/// What writes the formats of one command, with the registry of these formats.
pub trait Formats: Sized + 'static {
    /// All formats, in the order of help and errors. The first is the default.
    const ALL: &'static [FormatSpec<Self>];
}

impl<W: Copy> FormatSpec<W> {
    pub(super) const fn new(name: &'static str, help: &'static str, readers: Readers, writer: W) -> Self {
        Self {
            name,
            help,
            readers,
            is_limited: false,
            writer,
        }
    }

    /// The same for a format of programs that takes only so many findings.
    pub(super) const fn limited(self) -> Self {
        Self {
            is_limited: true,
            ..self
        }
    }
}

impl<W> FormatSpec<W> {
    /// Whether people read it where it is printed.
    pub fn is_for_people(&self) -> bool {
        self.readers != Readers::Program
    }

    /// Whether people read it at a terminal: it is coloured where colours are wanted.
    pub fn is_for_terminals(&self) -> bool {
        self.readers == Readers::Terminal
    }
}

impl<W> fmt::Display for FormatSpec<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl<W: Formats> Default for &'static FormatSpec<W> {
    fn default() -> Self {
        &W::ALL[0]
    }
}

impl<W: Formats> FromStr for &'static FormatSpec<W> {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let format = W::ALL.iter().find(|format| format.name == word);
        let names = || W::ALL.iter().map(|format| format.name).collect::<Vec<_>>();
        format.ok_or_else(|| UnknownWord {
            what: "format".to_owned(),
            word: word.to_owned(),
            known: names().join(", "),
        })
    }
}

/// `table (counts and the worst findings by user), json (one document)`: the formats for the help of the command line.
pub fn list_formats<W: Formats>() -> String {
    let formats = W::ALL.iter().map(|format| format!("{format} ({})", format.help));
    formats.collect::<Vec<_>>().join(", ")
}

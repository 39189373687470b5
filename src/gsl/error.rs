//! An error in a rule and its position, and helpers for its message.

use crate::report::word::nearest;
use std::ops::Range;

/// More errors are not reported: after fixing twenty, the author checks the rule again.
pub(super) const ERROR_LIMIT: usize = 20;

/// One mistake in the source text of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The bytes of the source that are wrong.
    pub span: Range<usize>,
    /// What is wrong, complete in itself.
    pub message: String,
    /// A label for the marked source; may be empty.
    pub label: String,
    /// How to fix it, in one or more lines.
    pub help: Option<String>,
}

/// A range of the source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// From the start of this to the end of the other.
    pub(super) const fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end,
        }
    }

    pub(super) fn of(self, source: &str) -> &str {
        &source[self.start..self.end]
    }
}

impl Error {
    pub(super) fn new(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            span: span.start..span.end,
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }

    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests the one of `words` that was probably meant by the wrong `word`, if there is one.
    #[must_use]
    pub(super) fn did_you_mean<'a>(self, word: &str, words: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, words) {
            Some(meant) if meant != word => self.with_help(format!("did you mean `{meant}`?")),
            _ => self,
        }
    }
}

/// A part of the source for a message: between backticks, and not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

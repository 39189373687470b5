//! Findings, tallies, lists, diffs and trends -> bytes, in every format. Never filters or evaluates, opens no file, and knows
//! neither clock nor terminal: width, colour and the present instant are given.
//!
//! A format is one file with a [`FormatSpec`], and one line in the registry of what it writes: `scan`, [`list`],
//! [`diff`] or [`trend`]. Nothing else matches on formats.
//!
//! Text from reports is escaped for the readers of the format: [`escape()`] for terminals, which every format applies
//! (JSON in its own spelling, by `json_text`), and on top of it formulas in CSV and markup in Markdown and HTML.

#[cfg(feature = "archive")]
pub mod archive;
pub mod catalogue;
pub mod changes;
mod csv_text;
pub mod diff;
mod format;
mod html_text;
mod json_text;
pub mod list;
mod markdown_text;
mod ocsf;
mod other_tools;
pub mod page;
mod phrases;
pub mod plan;
mod prose;
pub mod record;
mod region;
mod sarif;
mod scan;
#[cfg(test)]
mod schema;
mod shared_part;
mod steps;
mod terminal;
#[cfg(test)]
mod test_support;
pub mod trend;

pub use format::{FormatSpec, Formats, Readers, list_formats};
#[cfg(feature = "aws")]
pub(crate) use json_text::pretty;
pub use phrases::{counted, diagnostic_line};
pub use region::Region;
pub use scan::{Assessment, Format, Outputs, ScanWriter};

pub use crate::report::escape::{escape, escape_lines};
use crate::report::time::Timestamp;

/// How the formats for people are laid out.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Copy, Debug)]
pub struct DisplayOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether the formats for terminals are coloured. Where only some of the writers may get colour, wrap the
    /// others in `anstream::StripStream`.
    pub color: bool,
    /// How many findings, events or accounts a list shows.
    pub limit: usize,
    /// Whether the user gave this limit: then it holds for every list, also for those that are short otherwise.
    pub is_limit_given: bool,
    /// The present instant, to say how old a report is; without it, outputs do not say.
    pub now: Option<Timestamp>,
    /// Whether the formats for terminals show errors, too: not where the terminal shows them already.
    pub errors: bool,
    /// The region for formats that name one, where the user gave it.
    pub region: Option<Region>,
    /// Whether every format that can say how findings are fixed says it, and not only those that always do.
    pub fixes: bool,
}

impl DisplayOptions {
    /// How many lines a list shows that is short unless the user gives a limit.
    fn most(self, usual: usize) -> usize {
        if self.is_limit_given { self.limit } else { usual }
    }
}

impl Default for DisplayOptions {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            limit: 50,
            is_limit_given: false,
            now: None,
            errors: true,
            region: None,
            fixes: false,
        }
    }
}

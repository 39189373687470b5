//! Findings and tallies -> bytes, in every format. Never filters or judges, opens no file, and knows neither
//! clock nor terminal: width, colour and the present instant are given.
//!
//! [`Outputs`] is the engine's sink. What streams (`ndjson`, `json`, `csv`) is written by the workers, finding
//! by finding; `table` and `markdown` keep the worst findings and are written at the end; `summary` needs
//! none. So memory does not grow with the number of findings.
//!
//! Everything that comes from a report is made harmless for whoever reads the format: terminals everywhere,
//! spreadsheets in `csv`, Markdown and HTML in `markdown`.

#[cfg(feature = "archive")]
pub mod archive;
pub mod catalogue;
mod compliance;
mod csv;
pub mod diff;
mod escape;
mod json;
mod json_text;
mod layout;
mod markdown;
mod ndjson;
mod outputs;
mod overview;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod snapshots;
mod summary;
#[cfg(test)]
mod support;
mod table;
#[cfg(test)]
mod tests;
pub mod trend;
mod words;
mod worst;

pub use escape::escape;
pub use json::Assessment;
pub use outputs::{Outputs, Part};
pub use words::{counted, diagnostic_line};

use crate::engine::FindingRef;
use crate::finding::{Finding, Tally, word_enum};
use crate::report::time::Timestamp;

word_enum! {
    /// A format of an assessment.
    pub enum Format {
        /// Counts, then the worst findings by user, for people at a terminal.
        Table = "table",
        /// Counts alone.
        Summary = "summary",
        /// One object, `credlens.assessment/v1`.
        Json = "json",
        /// One finding a line, `credlens.finding/v1`.
        Ndjson = "ndjson",
        /// One finding a record, for spreadsheets.
        Csv = "csv",
        /// Counts, then the worst findings by severity, for pull requests and wikis.
        Markdown = "markdown",
    }
}

/// How the formats for people are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether table and summary are coloured. Where only some of the writers may get colour, wrap the
    /// others in `anstream::StripStream`.
    pub color: bool,
    /// How many findings table and markdown show; they keep as many in memory.
    pub limit: usize,
    /// The present instant, to say how old a report is; none says nothing of it.
    pub now: Option<Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            limit: 50,
            now: None,
        }
    }
}

/// How a worker writes the findings of a format that streams.
trait Stream: Send {
    /// Appends one finding.
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>);
}

/// What is known once everything was judged.
struct View<'a> {
    tally: &'a Tally,
    /// The worst findings, worst first.
    worst: &'a [Finding],
    /// How many findings were told.
    told: u64,
    settings: Settings,
}

impl View<'_> {
    /// Findings that were told and are not among the worst.
    fn hidden(&self) -> u64 {
        self.told - self.worst.len() as u64
    }
}

//! The assessment of a run, in the formats of `credlens scan`.
//!
//! [`Outputs`] is the engine's sink. A format that streams is written by the workers, finding by finding; the others
//! are rendered at the end, from the tally and the worst findings. So memory does not grow with the number of findings.

mod asff;
mod asff_batches;
mod common_parts;
mod compliance;
mod csv;
mod due;
#[cfg(test)]
mod every_status;
mod fixes;
mod foremost;
mod github;
mod html;
mod json;
#[cfg(feature = "cli")]
mod junit;
mod markdown;
mod ndjson;
mod ocsf;
mod outputs;
mod ranking;
mod requirements;
mod sarif;
#[cfg(test)]
mod snapshots;
mod summary;
mod table;
#[cfg(test)]
mod tests;
#[cfg(feature = "cli")]
mod xlsx;

pub use json::Assessment;
pub(super) use ndjson::rule_members;
pub use outputs::Outputs;

use std::fmt;

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use crate::engine::FindingRef;
use crate::finding::{Diagnostic, Finding, ListItem, Tally};

/// A format of an assessment.
pub type Format = &'static FormatSpec<ScanWriter>;

/// How a format of an assessment is written.
#[derive(Clone, Copy, Debug)]
pub enum ScanWriter {
    /// Finding by finding, as they come, and nothing else.
    StreamFindings(fn() -> Box<dyn FindingStream>),
    /// Finding by finding, as they come, then the tally with what it counts and ranks.
    Stream(fn() -> Box<dyn FindingStream>),
    /// Finding by finding; but where a ranking is asked for, the ranking at the end in place of the findings.
    StreamOrRanking(fn() -> Box<dyn FindingStream>, fn(&ScanView<'_>) -> String),
    /// At the end, without findings.
    RenderCounts(fn(&ScanView<'_>) -> String),
    /// At the end, with requirements alone.
    RenderRequirements(fn(&ScanView<'_>) -> String),
    /// At the end, with the worst findings.
    RenderWorst(fn(&ScanView<'_>) -> String),
    /// The same with so many of them, unless the user gives a limit: for documents that are searched, not read.
    RenderMost(usize, fn(&ScanView<'_>) -> Vec<u8>),
    /// The same, with all users and their keys.
    RenderBook(usize, fn(&ScanView<'_>) -> Vec<u8>),
}

impl Formats for ScanWriter {
    const ALL: &'static [FormatSpec<Self>] = &[
        table::FORMAT,
        summary::FORMAT,
        json::FORMAT,
        ndjson::FORMAT,
        csv::FORMAT,
        markdown::FORMAT,
        html::FORMAT,
        requirements::FORMAT,
        ocsf::FORMAT,
        asff::FORMAT,
        sarif::FORMAT,
        #[cfg(feature = "cli")]
        junit::FORMAT,
        github::FORMAT,
        #[cfg(feature = "cli")]
        xlsx::FORMAT,
    ];
}

impl FormatSpec<ScanWriter> {
    /// Whether it shows any finding. `ranked` says whether a ranking is asked for.
    pub fn shows_findings(&self, ranked: bool) -> bool {
        let writer = self.writer.resolved(ranked);
        !matches!(
            writer,
            ScanWriter::RenderCounts(_) | ScanWriter::RenderRequirements(_)
        )
    }

    /// Whether its findings say how they are fixed, where that is asked for.
    pub fn shows_fixes(&self) -> bool {
        let formats = [&table::FORMAT, &json::FORMAT, &ndjson::FORMAT, &markdown::FORMAT];
        self.is_one_of(&formats) || self.always_shows_fixes()
    }

    /// Whether its findings say how they are fixed without being asked.
    pub fn always_shows_fixes(&self) -> bool {
        self.is_one_of(&[&html::FORMAT])
    }

    /// Whether it shows the worst accounts, where there are several, without being asked.
    pub fn shows_accounts(&self) -> bool {
        self.is_for_people() || self.is_one_of(&[&html::FORMAT])
    }

    fn is_one_of(&self, formats: &[&Self]) -> bool {
        formats.iter().any(|format| format.name == self.name)
    }

    /// Whether it is written while reports are evaluated, and not only at the end.
    pub fn streams(&self, ranked: bool) -> bool {
        self.writer.resolved(ranked).starts_stream().is_some()
    }

    /// Whether it shows the evidence of a run, such as the digests of inputs.
    pub fn shows_evidence(&self) -> bool {
        let in_stream = matches!(self.writer, ScanWriter::Stream(start) if start().shows_evidence());
        in_stream || self.is_one_of(&[&html::FORMAT])
    }

    /// Whether it shows the requirements of frameworks and nothing else.
    pub fn shows_requirements_only(&self) -> bool {
        matches!(self.writer, ScanWriter::RenderRequirements(_))
    }

    /// Whether it shows a ranking that is asked for.
    pub fn shows_ranking(&self) -> bool {
        let without = matches!(
            self.writer,
            ScanWriter::StreamFindings(_) | ScanWriter::RenderRequirements(_)
        );
        !without && !["sarif", "junit"].contains(&self.name)
    }

    /// Whether it names a region of AWS.
    pub fn shows_region(&self) -> bool {
        self.name == asff::FORMAT.name
    }
}

/// How a worker writes the findings of a format that streams.
pub trait FindingStream: Send {
    /// What comes before the findings.
    fn opening(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Appends one finding, behind the separator.
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>);

    /// What comes before each finding but the first.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// Whether it shows the evidence of a run, such as the digests of inputs.
    fn shows_evidence(&self) -> bool {
        false
    }

    /// Whether findings need the lines of their rows in their files.
    fn shows_lines(&self) -> bool {
        false
    }

    /// What arranges the formatted findings, if they are not written one after another as they are.
    fn arranger(&self, _options: DisplayOptions) -> Option<Box<dyn Arranger>> {
        None
    }

    /// What comes after the findings.
    fn ending(&self, _tally: &Tally) -> Vec<u8> {
        Vec::new()
    }
}

/// Arranges the findings that workers formatted, for formats that write several of them together or only the first of
/// each kind. It gets them in order, and its memory must not grow with their number.
pub trait Arranger: Send + fmt::Debug {
    /// Takes the formatted findings of a block, and appends what can be written.
    fn take(&mut self, findings: &[u8], out: &mut Vec<u8>);

    /// Appends the rest, after the last finding.
    fn end(&mut self, out: &mut Vec<u8>);

    /// What it left out.
    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// What is known at the end of a run.
#[derive(Debug)]
pub struct ScanView<'a> {
    tally: &'a Tally,
    /// The worst findings, worst first: as many as the format shows.
    worst: &'a [Finding],
    /// How many findings were emitted, those that are due aside.
    emitted: u64,
    /// All users that are evaluated and their keys, for the formats that list them.
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "only a format of the program lists them")
    )]
    users: &'a [ListItem],
    #[cfg_attr(
        not(feature = "cli"),
        expect(dead_code, reason = "only a format of the program lists them")
    )]
    keys: &'a [ListItem],
    /// The findings that are due soonest, soonest first.
    due: &'a [Finding],
    /// How many findings that are due were emitted.
    due_emitted: u64,
    options: DisplayOptions,
}

/// Lines about the inputs, as they are in the table.
pub(super) fn inputs_section(tally: &Tally, options: DisplayOptions) -> String {
    let view = ScanView {
        tally,
        worst: &[],
        users: &[],
        keys: &[],
        emitted: 0,
        due: &[],
        due_emitted: 0,
        options,
    };
    summary::inputs(&view, table::INPUTS)
}

impl ScanView<'_> {
    /// Findings that were emitted and are not among the worst.
    fn hidden(&self) -> u64 {
        self.emitted - self.worst.len() as u64
    }
}

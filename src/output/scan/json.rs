//! `json`: one object, `credlens.assessment/v1`: the findings, one per line, then the tally.

use serde::{Deserialize, Serialize};

use super::ndjson::Lines;
use super::{FindingStream, ScanWriter};
use crate::engine::FindingRef;
use crate::finding::{Finding, Tally};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::to_vec;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "json",
    "one document",
    Readers::Program,
    ScanWriter::Stream(|| Box::new(Elements::default())),
);

/// The findings of one run and its tally, as a document: `credlens.assessment/v1`.
///
/// A run does not build it but writes it finding by finding; the type is for reading one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Assessment {
    /// Always `credlens.assessment/v1`.
    pub schema: String,
    /// The findings that are emitted, in the order of inputs, rows and rules.
    pub findings: Vec<Finding>,
    /// Everything else.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Assessment {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.assessment/v1";
}

/// Writes findings as elements of an array.
#[derive(Debug, Default)]
struct Elements(Lines);

impl FindingStream for Elements {
    /// The object's beginning, up to the first finding.
    fn opening(&self) -> Vec<u8> {
        format!(r#"{{"schema":"{}","findings":["#, Assessment::SCHEMA).into_bytes()
    }

    fn shows_evidence(&self) -> bool {
        true
    }

    fn separator(&self) -> &'static [u8] {
        b","
    }

    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\n");
        self.0.object(finding, out);
    }

    /// The object's rest: every member of the tally.
    fn ending(&self, tally: &Tally) -> Vec<u8> {
        let text = to_vec(tally);
        let members = text.strip_prefix(b"{").unwrap_or(&text);
        [b"\n],\n", members, b"\n"].concat()
    }
}

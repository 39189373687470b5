//! One object, `credlens.assessment/v1`: the findings, one a line, then the tally.

use serde::{Deserialize, Serialize};

use super::json_text::write;
use super::ndjson::Lines;
use super::{Stream, View};
use crate::engine::FindingRef;
use crate::finding::{Finding, Tally};

/// The findings of one run and its tally, as a document: `credlens.assessment/v1`.
///
/// Runs do not build it, they write it as it comes; it is for reading one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Assessment {
    /// Always `credlens.assessment/v1`.
    pub schema: String,
    /// What is told, in the order of inputs, rows and rules.
    pub findings: Vec<Finding>,
    /// Everything else.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Assessment {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.assessment/v1";
}

/// Writes findings as elements of an array, each behind [`SEPARATOR`].
#[derive(Debug, Default)]
pub(super) struct Elements {
    lines: Lines,
}

/// Stands between two elements.
pub(super) const SEPARATOR: &[u8] = b",";

impl Stream for Elements {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(SEPARATOR);
        out.push(b'\n');
        self.lines.object(finding, out);
    }
}

/// The object's begin, up to the first finding.
pub(super) fn opening() -> Vec<u8> {
    format!(r#"{{"schema":"{}","findings":["#, Assessment::SCHEMA).into_bytes()
}

/// The object's rest: every member of the tally.
pub(super) fn ending(view: &View<'_>) -> Vec<u8> {
    let mut tally = Vec::new();
    write(view.tally, &mut tally);
    let members = tally.strip_prefix(b"{").unwrap_or(&tally);
    [b"\n],\n", members, b"\n"].concat()
}

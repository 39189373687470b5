//! A command that evaluates live accounts where it has no inputs.

use std::path::Path;

use credlens::engine::Source;

use super::aws::LiveScanArgs;
use super::evaluate::Evaluation;
use super::failure::{Exit, Failure};
use super::inputs::InputReader;

/// What `scan` and `list` do with live accounts.
#[cfg_attr(
    not(feature = "aws"),
    expect(dead_code, reason = "only live accounts are evaluated by it")
)]
pub(super) trait LiveRun {
    /// A result whose outputs are not written to their end.
    type Evaluated;
    /// What is known once they are.
    type Written;
    /// What a signal prevented.
    const INTERRUPTED: &'static str;

    fn live(&self) -> &LiveScanArgs;

    fn inputs(&self) -> &InputReader;

    fn evaluation(&self) -> &Evaluation;

    /// The files that are written.
    fn targets(&self) -> Vec<&Path>;

    /// Evaluates all that the source gives.
    fn evaluate(&self, source: impl Source) -> Result<Self::Evaluated, Failure>;

    /// Ends the outputs and puts files in their places.
    fn write(&self, evaluated: Self::Evaluated) -> Result<Self::Written, Failure>;

    /// Prints what the outputs do not show; the exit status, where so many accounts may fail.
    fn conclude(&self, written: &Self::Written, allow_failed: usize) -> Exit;
}

//! Applies plans and takes them back: the only part that changes anything, through [`LiveIam`](super::LiveIam).
//!
//! [`choose()`] says which steps may be applied, [`Applying`] applies them, [`Undoing`] takes them back. `step.rs` has the table of
//! what follows from each answer of AWS, and `judge.rs` what an answer means.

mod choose;
mod judge;
mod run;
#[cfg(test)]
mod simulation;
mod step;
mod undo;

pub use choose::{Chosen, Refusal, Selection, check_again, choose, span};
pub use run::{Applying, Recorder, StepReport, Unrecorded};
pub use step::Ending;
pub use undo::{UndoEnd, Undoing};

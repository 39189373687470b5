//! Applies plans and takes them back: the only part that changes anything, through [`LiveIam`](super::LiveIam).
//!
//! [`choose()`] says which steps may be applied, [`Applying`] applies them, [`Undoing`] takes them back. `step.rs` has the table of
//! what follows from each answer of AWS, and `meaning.rs` what an answer means.

mod choose;
mod meaning;
mod refusal;
mod run;
#[cfg(test)]
mod simulation;
mod step;
mod undo;

pub use choose::{Chosen, Selection, check_again, choose, span};
pub use refusal::Refusal;
pub use run::{Applying, Recorder, StepReport, Unrecorded};
pub use step::Ending;
pub use undo::{UndoEnd, Undoing};

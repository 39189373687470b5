//! What changed between reports: events and findings from one snapshot to the next, and how they move over
//! many. Users are matched by account, ARN and creation time, keys by their creation time: slots are never
//! compared, since AWS re-packs them. No I/O, no clock.

mod accounts;
mod as_before;
mod before;
mod cells;
mod changes;
mod collect;
mod diff;
mod event;
mod findings;
mod hashed;
mod index;
mod matching;
mod moves;
mod names;
mod notes;
mod packed;
mod pairs;
mod roster;
mod snapshot;

pub mod trend;
mod users;
mod verdicts;

pub use before::Before;
pub use cells::{Held, Key};
pub use collect::{Collector, Part};
pub use diff::{Cause, Causes, Diff, Options, Side, diff};
pub use event::{Event, Kind, Value};
pub use findings::{Findings, Move, Moved};
pub use matching::Incomparable;
pub use snapshot::Snapshot;
pub use users::Users;
pub use verdicts::Found;

//! What changed between reports: events and findings from one snapshot to the next, and how they move over
//! many. Users are matched by account, ARN and creation time, keys by their creation time: slots are never
//! compared, since AWS re-packs them. No I/O, no clock.

mod accounts;
mod cells;
mod changes;
mod collect;
mod diff;
mod event;
mod hashed;
mod matching;
mod moves;
mod names;
mod notes;
mod pairs;
mod snapshot;
pub mod trend;
mod users;

pub use cells::{Held, Key};
pub use collect::{Collector, Part};
pub use diff::{Cause, Causes, Diff, Moved, Options, Side, diff};
pub use event::{Event, Kind, Value};
pub use matching::Incomparable;
pub use snapshot::{Found, Snapshot};
pub use users::Users;

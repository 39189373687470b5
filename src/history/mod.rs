//! Compares snapshots of credential reports: `diff` lists events and findings between two, `trend` follows findings over
//! many. Users are matched by account, ARN and creation time, keys by creation time. Slots are never compared, because AWS
//! moves keys between them. What happened to a user is decided in one place, `transition`. No I/O, no clock.

mod account;
mod changes;
mod diff;
mod event;
mod findings;
mod keys;
mod matching;
mod notes;
mod snapshot;
mod transition;
pub mod trend;
mod users;
mod verdicts;

pub use account::AccountNames;
pub use diff::{Diff, DiffOptions, Findings, diff};
pub use event::{Cause, Causes, Event, Kind, Value};
pub use matching::Incomparable;
pub use notes::{StaleAccount, stale_note, stale_phrase};
pub use snapshot::{CollectedBlock, Collector, Snapshot};
pub use transition::{Move, Moved, Side};
pub use users::Users;
pub use verdicts::CompactFinding;

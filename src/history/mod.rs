//! Compares snapshots of credential reports: `diff` lists events and findings between two, `trend` follows findings over
//! many. Users are matched by account, ARN and creation time, keys by creation time. Slots are never compared, because AWS
//! moves keys between them. No I/O, no clock.

mod account_names;
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
mod instance_bits;
mod matching;
mod moves;
mod names;
mod notes;
mod owners;
mod packed;
mod pairs;
mod roster;
mod snapshot;
mod stale;
pub mod trend;
mod users;
mod verdicts;

pub use account_names::AccountNames;
pub use before::Before;
pub use cells::{Cells, Key, SlotContent};
pub use collect::{CollectedBlock, Collector};
pub use diff::{Cause, Causes, Diff, DiffOptions, Side, diff};
pub use event::{Event, Kind, Value};
pub use findings::{Findings, Move, Moved};
pub use matching::Incomparable;
pub use snapshot::Snapshot;
pub use stale::{StaleAccount, stale_note, stale_phrase};
pub use users::Users;
pub use verdicts::CompactFinding;

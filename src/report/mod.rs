//! What a credential report is: its columns, its times, the envelopes it comes in, and how a block of its records
//! becomes typed columns. Names no other layer, and does no I/O.

pub mod as_of;
pub mod cell;
pub mod chunk;
pub mod cut;
mod decode;
pub mod details;
pub mod envelope;
pub mod escape;
mod fixed_form;
pub mod gaps;
pub mod header;
pub mod issue;
pub mod next_header;
pub mod not_a_report;
pub mod partition;
mod recognise;
pub mod records;
mod repair;
pub mod rows;
pub mod schema;
pub mod split;
pub mod stored;
pub mod time;
mod trace;
pub(crate) mod wide;
pub(crate) mod word;

pub(crate) use escape::shown;

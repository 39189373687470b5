//! Snapshots in Parquet: an archive is a directory of files that are written once, whole or not at all.
//!
//! An archived report is its typed columns, so that any engine can read it, and besides what these do not spell:
//! from both its CSV is written again, byte for byte. So there is one way to judge a report, archived or not.

pub mod add;
#[cfg(feature = "aws")]
pub mod bucket;
mod columns;
pub mod csv;
mod csv_format;
mod decoded;
mod encode;
pub mod error;
pub mod file;
pub mod inputs;
pub mod layout;
pub mod list;
pub mod meta;
pub mod store;
pub mod verify;
mod writer;

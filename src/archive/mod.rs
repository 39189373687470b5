//! Snapshots in Parquet: an archive is a directory of files that are written once, whole or not at all.
//!
//! A report is archived as typed columns, which any engine can read, and the cells and bytes that these do not
//! reproduce. Reading it writes its CSV again, byte for byte, so that archived reports are evaluated like any other.

pub mod add;
#[cfg(feature = "aws")]
pub mod bucket;
mod columns;
mod content;
pub mod csv;
mod csv_format;
mod decoded;
pub mod details;
mod encode;
pub mod error;
pub mod file;
mod guard;
pub mod inputs;
mod issues;
pub mod layout;
pub mod list;
pub mod meta;
mod place;
pub mod rewrite;
mod row_columns;
mod row_group;
mod rows;
mod seal;
mod sizes;
pub mod store;
mod thrift;
mod usual_arn;
pub mod verify;
mod writer;

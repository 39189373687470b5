//! Inputs and outputs: files, directories, standard input, decompression, temporary file and rename.
//!
//! Nothing here evaluates a report or reads the clock: the caller passes the time.

#![expect(clippy::disallowed_methods, reason = "this layer accesses files")]

pub mod archived_details;
pub mod container;
mod decompress;
pub mod details;
pub mod error;
mod found;
pub mod hashing;
pub mod inputs;
pub mod journal;
mod kept;
mod open_input;
pub mod outputs;
pub mod remote;
mod report_reader;
pub mod scaffold;
mod stream;
pub mod temporary;
mod walk;
pub mod write_once;

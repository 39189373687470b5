//! Inputs and outputs: files, directories, standard input, decompression, temporary file and rename.
//!
//! Nothing here judges, and no clock is read: the caller says what time it is.

#![expect(clippy::disallowed_methods, reason = "files are what this layer is for")]

pub mod container;
mod decompress;
pub mod error;
pub mod inputs;
pub mod outputs;
pub mod remote;
mod report_reader;
mod stream;
pub mod temporary;
mod walk;
pub mod write_once;

//! Inputs and outputs: files, directories, standard input, decompression, temporary file and rename.
//!
//! Nothing here judges, and no clock is read: the caller says what time it is.

#![expect(clippy::disallowed_methods, reason = "files are what this layer is for")]

pub mod contained;
mod decompress;
pub mod error;
pub mod inputs;
pub mod keep;
pub mod outputs;
mod reading;
pub mod remote;
mod stream;
pub mod temporary;
mod walk;

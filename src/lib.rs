//! Judges AWS IAM credential reports.

#[cfg(feature = "aws")]
pub mod aws;
pub mod engine;
pub mod finding;
pub mod gsl;
pub mod io;
pub mod output;
pub mod report;
pub mod rule;

//! Judges AWS IAM credential reports.

pub mod engine;
pub mod finding;
pub mod gsl;
pub mod history;
pub mod io;
pub mod output;
pub mod report;
pub mod rule;

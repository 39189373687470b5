//! Judges AWS IAM credential reports.

pub mod finding;
pub mod gsl;
pub mod io;
pub mod report;

//! Judges AWS IAM credential reports.

pub mod finding;
pub mod gsl;
pub mod report;
pub mod rule;

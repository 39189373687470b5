//! The integration tests, one binary.

mod gsl;
mod support;

//! The integration tests, one binary: a module for each part.

mod engine;
mod gsl;
mod io;
mod support;

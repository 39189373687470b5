//! The integration tests, one binary: a module for each part.

mod docs;
mod examples;
mod gsl;
mod io;
mod support;

//! The integration tests, one binary: a module for each part.

mod docs;
mod engine;
mod examples;
mod gsl;
mod io;
mod pages;
mod support;

//! The integration tests, one binary: a module for each part.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "the fence is around src/, tests make files"
)]

#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "aws")]
mod aws;
mod cli;
mod docs;
mod engine;
mod examples;
mod gsl;
mod history;
mod io;
mod layers;
mod pages;
mod security;
mod support;

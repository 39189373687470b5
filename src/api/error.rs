//! The one error type of the public API.

use std::io;

use crate::finding::Diagnostic;

/// Why reports could not be evaluated or compared. Each message says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Rules, frameworks, settings or suppressions have errors: one message each.
    #[error("{}", .0.join("\n"))]
    Rules(Vec<String>),
    /// There is no report.
    #[error("there is no report to evaluate")]
    NoReport,
    /// Reports could not be read to their end. These are the errors; nothing that was read before is returned.
    #[error("{}", texts(.0))]
    Unreadable(Vec<Diagnostic>),
    /// Nothing says when these reports were generated, so that no age is known.
    #[error("nothing says when {} generated: give its as-of", were(.0))]
    Undated(Vec<String>),
    /// Two reports cannot be compared.
    #[error("{0}")]
    Incomparable(String),
    /// Threads could not be started.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Which reports were, or which report was.
fn were(paths: &[String]) -> String {
    match paths {
        [path] if path == "-" => "the report was".to_owned(),
        [path] => format!("{path} was"),
        [path, more @ ..] => format!("{path} and {} more were", more.len()),
        [] => "a report was".to_owned(),
    }
}

fn texts(diagnostics: &[Diagnostic]) -> String {
    let texts = diagnostics.iter().map(|it| match &it.path {
        Some(path) => format!("{path}: {}", it.message),
        None => it.message.clone(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

//! How a command ends: with an exit status, or with a failure, which is printed and gets its status here.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::process::ExitCode;

use credlens::io::outputs::is_broken_pipe;
use credlens::rule;

use super::terminal::{colored, print_error, print_message};

/// An exit status. The numbers are a contract: DESIGN.md section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Clean,
    Findings,
    Usage,
    NothingEvaluated,
    Partial,
    /// A signal with this number ended the run: 128 and the number, as in shells.
    Signal(u8),
}

impl Exit {
    pub(super) fn status(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::NothingEvaluated => 3,
            Self::Partial => 4,
            Self::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// Why a command ended before its work was done.
#[derive(Debug)]
pub(super) enum Failure {
    /// Arguments, settings, or a file they name, cannot be used.
    Usage(String),
    /// All that is wrong with rules, parameters or suppressions.
    Rules(Vec<rule::Error>),
    /// Something could not be read or written; the first is what was attempted, or empty.
    Io(String, Box<dyn Error + Send + Sync>),
    /// No input could be evaluated.
    NothingEvaluated(String),
    /// A signal ended the run; the text describes the outputs.
    Signal(u8, &'static str),
}

impl Failure {
    /// Prints it on standard error; the exit status.
    pub(super) fn report(self) -> Exit {
        match &self {
            // A reader that closes the pipe has read enough.
            Self::Io(_, error) if is_broken_pipe(&**error) => return Exit::Clean,
            Self::Rules(errors) => print_rule_errors(errors),
            Self::Signal(_, "") => {}
            Self::Signal(..) => print_message(&self),
            Self::Usage(_) | Self::Io(..) | Self::NothingEvaluated(_) => print_error(&self),
        }
        match self {
            Self::Usage(_) | Self::Rules(_) | Self::Io(..) => Exit::Usage,
            Self::NothingEvaluated(_) => Exit::NothingEvaluated,
            Self::Signal(number, _) => Exit::Signal(number),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::NothingEvaluated(message) => f.write_str(message),
            Self::Signal(_, message) => f.write_str(message),
            Self::Rules(errors) => {
                let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Io(attempt, error) => {
                // `cannot write x: permission denied`
                let first: &dyn Error = &**error;
                let causes = std::iter::successors(Some(first), |&error| error.source());
                let attempt = Some(attempt.clone()).filter(|attempt| !attempt.is_empty());
                let parts: Vec<_> = attempt
                    .into_iter()
                    .chain(causes.map(ToString::to_string))
                    .collect();
                f.write_str(&parts.join(": "))
            }
        }
    }
}

/// Prints all that is wrong with rules or settings.
pub(super) fn print_rule_errors(errors: &[rule::Error]) {
    let color = colored(&io::stderr());
    for error in errors {
        print_message(error.render(color));
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(String::new(), error.into())
    }
}

impl From<rule::Error> for Failure {
    fn from(error: rule::Error) -> Self {
        Self::Rules(vec![error])
    }
}

impl From<Vec<rule::Error>> for Failure {
    fn from(errors: Vec<rule::Error>) -> Self {
        Self::Rules(errors)
    }
}

/// Says what was attempted when an error came.
pub(super) trait Attempt<T> {
    /// The failure of `attempt`, such as `cannot write findings.json`.
    fn attempt(self, attempt: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Attempt<T> for Result<T, E> {
    fn attempt(self, attempt: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::Io(attempt(), error.into()))
    }
}

//! How a command ends: with an exit status, or with a failure, which is printed and gets its status here.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
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
    /// An output could not be written.
    Unwritable,
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
            Self::Unwritable => 5,
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
    /// The arguments are wrong, or ask for help.
    Arguments(clap::Error),
    /// Arguments, settings, or a file they name, cannot be used.
    Usage(String),
    /// All that is wrong with rules, parameters or suppressions.
    Rules(Vec<rule::Error>),
    /// Something could not be read; the first is what was attempted, or empty.
    Io(String, Box<dyn Error + Send + Sync>),
    /// An output could not be written, and which.
    Output(Unwritable),
    /// No input could be evaluated.
    NothingEvaluated(String),
    /// There was nothing to do.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs are resumed")
    )]
    NothingToDo(String),
    /// A signal ended the run; the text describes the outputs.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live runs end by themselves at a signal")
    )]
    Signal(u8, &'static str),
}

impl Failure {
    /// Prints it on standard error; the exit status.
    pub(super) fn report(self) -> Exit {
        match &self {
            // A reader that closes the pipe has read enough.
            Self::Io(_, error) if is_broken_pipe(&**error) => return Exit::Clean,
            Self::Output(Unwritable { error, .. }) if is_broken_pipe(error) => return Exit::Clean,
            Self::Arguments(error) => return report_arguments(error),
            Self::Rules(errors) => print_rule_errors(errors),
            Self::Signal(..) | Self::NothingToDo(_) => print_message(&self),
            Self::Usage(_) | Self::Io(..) | Self::Output(_) | Self::NothingEvaluated(_) => print_error(&self),
        }
        match self {
            Self::Arguments(_) | Self::Usage(_) | Self::Rules(_) | Self::Io(..) => Exit::Usage,
            Self::Output(_) => Exit::Unwritable,
            Self::NothingEvaluated(_) => Exit::NothingEvaluated,
            Self::NothingToDo(_) => Exit::Clean,
            Self::Signal(number, _) => Exit::Signal(number),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::NothingEvaluated(message) | Self::NothingToDo(message) => {
                f.write_str(message)
            }
            Self::Signal(_, message) => f.write_str(message),
            Self::Arguments(error) => Display::fmt(error, f),
            Self::Output(error) => Display::fmt(error, f),
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

/// Prints help, or what is wrong with the arguments; the exit status.
fn report_arguments(error: &clap::Error) -> Exit {
    let is_help = !error.use_stderr();
    match error.print() {
        Err(failed) if is_help => {
            let is_version = error.kind() == ErrorKind::DisplayVersion;
            let what = if is_version { "the version" } else { "the help" };
            Failure::stdout(what, failed).report()
        }
        _ if is_help => Exit::Clean,
        _ => Exit::Usage,
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
        match error.downcast::<Unwritable>() {
            Ok(error) => Self::Output(error),
            Err(error) => Self::Io(String::new(), error.into()),
        }
    }
}

/// An output that cannot be written. As the inner error of an [`io::Error`] it passes through what evaluates reports.
#[derive(Debug, thiserror::Error)]
#[error("{attempt}: {error}")]
pub(super) struct Unwritable {
    /// Such as `cannot write out.json as json`.
    attempt: String,
    error: io::Error,
}

impl Unwritable {
    pub(super) fn new(attempt: impl Into<String>, error: io::Error) -> Self {
        // What is wrapped already names its output.
        error.downcast::<Self>().unwrap_or_else(|error| Self {
            attempt: attempt.into(),
            error,
        })
    }

    /// The same as an error of the kind that it has.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::new(self.error.kind(), self)
    }
}

impl Failure {
    /// This, such as `the list (json)`, cannot be written to standard output.
    pub(super) fn stdout(what: &str, error: io::Error) -> Self {
        Self::output(format!("cannot write {what} to standard output"))(error)
    }

    /// What was attempted, such as `cannot write out.json as json`, when an output could not be written.
    pub(super) fn output(attempt: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Output(Unwritable::new(attempt, error))
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

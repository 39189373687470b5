//! The command line: arguments as typed become a resolved configuration, and a command runs it. No domain logic.
//!
//! A command is a directory: `args.rs` has its arguments and its help, `mod.rs` its configuration and `run`. Here it has
//! its module, a variant of [`Command`] and a line in [`dispatch`].

#![expect(clippy::disallowed_methods, reason = "this layer may touch the world")]

#[cfg_attr(not(feature = "archive"), path = "without_archive.rs")]
mod archive;
#[cfg_attr(not(feature = "aws"), path = "without_aws.rs")]
mod aws;
mod completions;
mod diagnostics;
mod diff;
mod due;
mod evaluate;
mod evaluating_run;
mod evidence;
mod fail_on;
mod failure;
#[cfg(feature = "aws")]
mod fetch;
mod filters;
mod frameworks;
mod help;
mod init;
mod inputs;
mod list;
mod manual;
mod outputs;
mod owners;
mod progress;
mod remedy;
mod rule_files;
mod rules;
mod scan;
mod settings;
mod signals;
mod span;
mod terminal;
mod trend;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use credlens::finding::Command as ShellCommand;
use credlens::io::remote;
use credlens::output::escape;
use credlens::report::time::Timestamp;

use failure::{Exit, Failure};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_STATUSES: &str = "\
Exit status:
  0  clean
  1  a finding at or above --fail-on
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was evaluated and written
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Audits AWS IAM credential reports: what is wrong, with which credential, and how to fix it
///
/// Reads saved reports of any age and format, one account or thousands in a file, and evaluates every user against rules
/// written in GSL. Ages are exact to the second and counted to the time when the report was generated, not to today.
/// Missing data gives undetermined, never pass.
#[derive(Debug, Parser)]
#[command(version, styles = STYLES, after_help = EXIT_STATUSES, max_term_width = 100, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scan(Box<scan::ScanArgs>),
    List(Box<list::ListArgs>),
    #[cfg(feature = "aws")]
    Fetch(Box<fetch::FetchArgs>),
    Diff(Box<diff::DiffArgs>),
    Trend(Box<trend::TrendArgs>),
    #[cfg(feature = "archive")]
    Archive(archive::ArchiveArgs),
    Remedy(remedy::RemedyArgs),
    Rules(rules::RulesArgs),
    Frameworks(frameworks::FrameworksArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    Init(init::InitArgs),
    Man(manual::ManArgs),
}

fn dispatch(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Scan(args) => scan::run(*args),
        Command::List(args) => list::run(*args),
        #[cfg(feature = "aws")]
        Command::Fetch(args) => fetch::run(&args),
        Command::Diff(args) => diff::run(*args),
        Command::Trend(args) => trend::run(*args),
        #[cfg(feature = "archive")]
        Command::Archive(args) => archive::run(args),
        Command::Remedy(args) => remedy::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Frameworks(args) => frameworks::run(args),
        Command::Init(args) => init::run(&args),
        Command::Completions { shell } => completions::run(shell),
        Command::Man(args) => manual::run(&args),
    }
}

/// Runs the command that was typed.
pub(crate) fn run() -> ExitCode {
    let result = if std::env::args_os().any(|argument| has_user_info(&argument.to_string_lossy())) {
        Err(Failure::Usage(
            "an argument contains a URL with a user name or password (not shown); leave out the part before the @, \
             and give credentials by the environment or --profile"
                .to_owned(),
        ))
    } else {
        parse().and_then(|cli| dispatch(cli.command))
    };
    result.unwrap_or_else(Failure::report).into()
}

/// The arguments as typed. In an error, and only there, they are escaped.
fn parse() -> Result<Cli, Failure> {
    let typed = |arguments: Vec<OsString>| -> Result<Cli, clap::Error> {
        let mut command = help::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    };
    let error = match typed(std::env::args_os().collect()) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    if let Some(failure) = scan_meant(&error) {
        return Err(failure);
    }
    let arguments =
        std::env::args_os().map(|argument| OsString::from(escape(&argument.to_string_lossy()).into_owned()));
    let error = typed(arguments.collect()).err().unwrap_or(error);
    Err(Failure::Arguments(with_usage(error)))
}

/// The error with the usage of the command that was typed: clap's own shows optional arguments that were typed as if
/// they were required, and advises to pass an unknown option as a value, which few mean.
fn with_usage(mut error: clap::Error) -> clap::Error {
    if error.get(ContextKind::Usage).is_some() {
        let mut root = help::command();
        root.build();
        let mut command = &mut root;
        for word in std::env::args_os().skip(1) {
            let word = word.to_string_lossy();
            match command.find_subcommand(&*word) {
                Some(_) => {
                    command = command
                        .find_subcommand_mut(&*word)
                        .expect("invariant: it was found");
                }
                None => break,
            }
        }
        let usage = command.render_usage();
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// What to type instead of a report in the place of a command.
fn scan_meant(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let is_input = word == "-" || remote::is_remote(Path::new(word)) || Path::new(word).exists();
    is_input.then(|| {
        let arguments = std::env::args_os().skip(1);
        let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        let command = ["credlens".to_owned(), "scan".to_owned()]
            .into_iter()
            .chain(arguments);
        let command = ShellCommand::new(command).shell();
        Failure::Usage(format!("'{word}' is not a command; did you mean `{command}`?"))
    })
}

/// Whether it is an address such as `s3://key:secret@bucket`, which errors would repeat.
fn has_user_info(argument: &str) -> bool {
    let after = argument.split("://").skip(1);
    let mut authorities = after.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
    authorities.any(|authority| authority.contains('@'))
}

/// The formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Table,
    Json,
}

impl ListFormat {
    /// Prints what is listed, such as `the list`, in this format.
    fn print(
        self,
        what: &str,
        table: impl FnOnce() -> String,
        json: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self {
            Self::Table => outputs::print(&format!("{what} (table)"), table()),
            Self::Json => outputs::print(&format!("{what} (json)"), json()),
        }
    }
}

/// The formats of a page that explains something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PageFormat {
    /// Laid out for a terminal
    Text,
    /// Markdown, as in docs/
    Markdown,
}

impl PageFormat {
    /// What is given, else text on a terminal and Markdown elsewhere.
    fn or_default(format: Option<Self>) -> Self {
        let of_stdout = || {
            if io::stdout().is_terminal() {
                Self::Text
            } else {
                Self::Markdown
            }
        };
        format.unwrap_or_else(of_stdout)
    }
}

/// The clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

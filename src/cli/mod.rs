//! The command line: arguments as typed become a resolved configuration, and a command runs it. No domain logic.
//!
//! A command is a directory: `args.rs` has its arguments and its help, `mod.rs` its configuration and `run`. Here it has
//! its module, a variant of [`Command`] and a line in [`dispatch`].

#![expect(clippy::disallowed_methods, reason = "this layer may touch the world")]

#[cfg_attr(not(feature = "archive"), path = "without_archive.rs")]
mod archive;
#[cfg_attr(not(feature = "aws"), path = "without_aws.rs")]
mod aws;
mod diagnostics;
mod diff;
mod evaluate;
mod fail_on;
mod failure;
#[cfg(feature = "aws")]
mod fetch;
mod filters;
mod frameworks;
mod inputs;
mod outputs;
mod progress;
mod rule_files;
mod rules;
mod scan;
mod settings;
mod signals;
#[cfg(feature = "archive")]
mod span;
mod terminal;
mod trend;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
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
    #[cfg(feature = "aws")]
    Fetch(Box<fetch::FetchArgs>),
    Diff(Box<diff::DiffArgs>),
    Trend(Box<trend::TrendArgs>),
    #[cfg(feature = "archive")]
    Archive(archive::ArchiveArgs),
    Rules(rules::RulesArgs),
    Frameworks(frameworks::FrameworksArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, in roff
    Man,
}

fn dispatch(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Scan(args) => scan::run(*args),
        #[cfg(feature = "aws")]
        Command::Fetch(args) => fetch::run(&args),
        Command::Diff(args) => diff::run(*args),
        Command::Trend(args) => trend::run(*args),
        #[cfg(feature = "archive")]
        Command::Archive(args) => archive::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Frameworks(args) => frameworks::run(args),
        Command::Completions { shell } => completions(shell),
        Command::Man => manual(),
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
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let arguments = std::env::args_os().map(|argument| escape(&argument.to_string_lossy()).into_owned());
    let error = Cli::try_parse_from(arguments).err().unwrap_or(error);
    Err(Failure::Arguments(error))
}

/// Whether it is an address such as `s3://key:secret@bucket`, which errors would repeat.
fn has_user_info(argument: &str) -> bool {
    let after = argument.split("://").skip(1);
    let mut authorities = after.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
    authorities.any(|authority| authority.contains('@'))
}

fn completions(shell: Shell) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "credlens", &mut script);
    outputs::print("the completion script", script)?;
    Ok(Exit::Clean)
}

fn manual() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    outputs::print("the manual page", page)?;
    Ok(Exit::Clean)
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

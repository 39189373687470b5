//! The command line: arguments as typed become a resolved configuration, and each command is a file.
//! No domain logic.

#![expect(clippy::disallowed_methods, reason = "this layer may touch the world")]

#[cfg(feature = "archive")]
mod archive;
mod args;
#[cfg(feature = "aws")]
mod aws_args;
#[cfg(all(feature = "aws", feature = "archive"))]
mod bucket;
mod config;
mod dated;
mod diagnostics;
mod diff;
#[cfg(feature = "archive")]
mod export;
#[cfg(feature = "aws")]
mod fetch;
mod frameworks;
#[cfg(feature = "aws")]
mod live;
#[cfg(feature = "aws")]
mod objects;
#[cfg(feature = "aws")]
mod outcomes;
mod progress;
mod rules;
mod scan;
mod signals;
mod target;
mod trend;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anstream::ColorChoice;
use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};
use credlens::output::DisplayOptions;
use credlens::report::time::Timestamp;
use credlens::rule::{self, Catalogue};

use args::{Cli, Color, Command};

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;

/// How a run ended. The numbers are a contract: DESIGN.md section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Clean = 0,
    Findings = 1,
    Usage = 2,
    NothingEvaluated = 3,
    Partial = 4,
    /// By Ctrl-C: 128 and the number of its signal, as shells have it.
    #[cfg(feature = "aws")]
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs the command that was typed.
pub(crate) fn run() -> ExitCode {
    if std::env::args_os().any(|argument| has_user_info(&argument.to_string_lossy())) {
        print_error(
            "an argument is an address with a user name or a password in it, which is not repeated here; leave out \
             what stands before the @, and give credentials by the environment or --profile",
        );
        return Exit::Usage.into();
    }
    let command = Cli::parse().command;
    let result = match command {
        Command::Scan(scan) => scan::run(*scan),
        #[cfg(feature = "aws")]
        Command::Fetch(fetch) => fetch::run(&fetch),
        Command::Diff(diff) => diff::run(*diff),
        Command::Trend(trend) => trend::run(*trend),
        #[cfg(feature = "archive")]
        Command::Archive(command) => archive::run(command),
        Command::Rules(command) => rules::run(command),
        Command::Frameworks(command) => frameworks::run(command),
        Command::Completions { shell } => {
            // Into memory first: the generator panics where it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "credlens", &mut script);
            print(&script)
        }
        Command::Man => manual(),
    };
    match result {
        Ok(exit) => exit.into(),
        // Who closes the pipe has read enough.
        Err(error) if error.chain().any(credlens::io::outputs::is_broken_pipe) => Exit::Clean.into(),
        Err(error) => {
            print_error(format_args!("{error:#}"));
            Exit::Usage.into()
        }
    }
}

/// Whether it holds an address such as `s3://key:secret@bucket`, which errors would repeat.
fn has_user_info(argument: &str) -> bool {
    let after = argument.split("://").skip(1);
    let mut authorities = after.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
    authorities.any(|authority| authority.contains('@'))
}

fn manual() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    print(&page)
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(Exit::Clean)
}

/// Says on standard error what went wrong. Names from files and arguments are in it: made harmless.
fn print_error(error: impl Display) {
    let text = error.to_string();
    let lines: Vec<_> = text.lines().map(credlens::output::escape).collect();
    tell(format_args!("error: {}", lines.join("\n")));
}

/// Says something on standard error, where somebody may listen.
fn tell(text: impl Display) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// The clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Whether what goes to standard output, or to standard error, is to be coloured.
fn colored(color: Color, stream: &impl anstream::stream::RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// How lists that have no `--color` are laid out on standard output.
fn list_options() -> DisplayOptions {
    DisplayOptions {
        width: width(),
        color: colored(Color::Auto, &io::stdout()),
        ..DisplayOptions::default()
    }
}

/// Columns of the terminal, or of what stands for one.
fn width() -> usize {
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    asked.or_else(terminal).unwrap_or(WIDTH)
}

/// Says what is wrong with rules or settings, all of it, and ends in a usage error.
fn refuse(errors: &[rule::Error], color: Color) -> Exit {
    let color = colored(color, &io::stderr());
    for error in errors {
        tell(error.render(color));
    }
    Exit::Usage
}

/// The built-in rules, and those of these files and directories.
fn catalogue(paths: &[PathBuf]) -> anyhow::Result<Result<Catalogue, Vec<rule::Error>>> {
    let mut catalogue = Catalogue::builtin();
    let mut errors = Vec::new();
    for (path, text) in rule_files(paths)? {
        errors.extend(
            catalogue
                .add(&path.to_string_lossy(), &text)
                .err()
                .into_iter()
                .flatten(),
        );
    }
    Ok(if errors.is_empty() {
        Ok(catalogue)
    } else {
        Err(errors)
    })
}

/// Rule files with their text: those named, and the `*.toml` and `*.gsl` of directories, by name.
fn rule_files(paths: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for path in paths {
        let in_directory = || -> io::Result<Vec<PathBuf>> {
            let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
            let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
            entries.retain(|path| is_rule_file(path));
            entries.sort();
            Ok(entries)
        };
        let found = if path.is_dir() {
            in_directory()
        } else {
            Ok(vec![path.clone()])
        };
        for file in found.with_context(|| format!("cannot read {}", path.display()))? {
            let text = std::fs::read_to_string(&file);
            let text = text.with_context(|| format!("the rule file {} cannot be read", file.display()))?;
            files.push((file, text));
        }
    }
    Ok(files)
}

fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("toml" | "gsl"))
}

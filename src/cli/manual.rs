//! `credlens man`: the manual page of a command, or those of all commands.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use credlens::io::outputs::Output;

use super::failure::{Exit, Failure};
use super::help;
use super::outputs::print;

/// Print a manual page, or write all of them
///
/// Without COMMAND the page of credlens itself. `credlens man scan | man -l -` shows a page; `credlens man --output
/// ~/.local/share/man/man1` installs all.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command, such as scan or rules show
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write the pages of all commands, credlens.1, credlens-scan.1, …, to this directory
    #[arg(long, short, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    // The pages name each other, and there is none on `help`.
    let mut root = help::command().disable_help_subcommand(true);
    root.build();
    match &args.output {
        Some(directory) => write_all(&root, directory)?,
        None => print("the manual page", page(find(&root, &args.command)?)?)?,
    }
    Ok(Exit::Clean)
}

/// The command of these names, one below the other.
fn find<'c>(root: &'c Command, names: &[String]) -> Result<&'c Command, Failure> {
    let mut command = root;
    for name in names {
        let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        command = command.find_subcommand(name).ok_or_else(|| {
            let of = command.get_display_name().unwrap_or("credlens").replace('-', " ");
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("one of {}", known.join(", "))
            };
            Failure::Usage(format!("{of} has no command '{name}'; {known}"))
        })?;
    }
    Ok(command)
}

/// The page, in roff.
fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    Man::new(command.clone())
        .source(concat!("credlens ", env!("CARGO_PKG_VERSION")))
        .title(name)
        .render(&mut page)?;
    Ok(page)
}

/// Writes the pages of a command and of those below it.
fn write_all(command: &Command, directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(Failure::output(format!(
        "cannot create the directory {}",
        directory.display()
    )))?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = directory.join(format!("{name}.1"));
    let page = page(command)?;
    let write = || -> io::Result<()> {
        let mut output = Output::create(&path)?;
        io::Write::write_all(&mut output, &page)?;
        output.finish()
    };
    write().map_err(Failure::output(format!("cannot write {}", path.display())))?;
    command
        .get_subcommands()
        .try_for_each(|below| write_all(below, directory))
}

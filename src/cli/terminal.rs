//! What people see where they run the program: messages on standard error, colours, width.

use std::fmt::Display;
use std::io::{self, Write as _};

use anstream::ColorChoice;
use credlens::output::{DisplayOptions, escape, escape_lines};

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;

/// `--color`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes this the choice for the whole run.
    pub(super) fn choose(self) {
        let choice = match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Whether text for this stream is coloured.
pub(super) fn colored(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != ColorChoice::Never
}

/// Columns of the terminal, or of `COLUMNS`.
pub(super) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok();
    let asked = columns.and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    asked.or_else(terminal).unwrap_or(WIDTH)
}

/// How lists are laid out on standard output.
pub(super) fn list_options() -> DisplayOptions {
    DisplayOptions {
        width: width(),
        color: colored(&io::stdout()),
        ..DisplayOptions::default()
    }
}

/// Prints a line on standard error. That it cannot be written is no reason to stop.
pub(super) fn print_message(text: impl Display) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Prints an error. Names from files and arguments may be in it, so it is escaped.
pub(super) fn print_error(error: impl Display) {
    print_message(format_args!("error: {}", escape_lines(&error.to_string())));
}

/// Prints a warning, which is one line.
pub(super) fn print_note(note: impl Display) {
    print_message(format_args!("note: {}", escape(&note.to_string())));
}

pub(super) fn print_warning(warning: impl Display) {
    print_message(format_args!("warning: {}", escape(&warning.to_string())));
}

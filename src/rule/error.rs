//! Errors in rule, framework and suppression files, settings and selections, and how they are rendered.

use std::fmt;

use annotate_snippets::Level;

use crate::gsl;
use crate::report::escape::escape_lines;
use crate::report::word::nearest;

/// An error in a rule, framework or suppression file, a setting or a selection.
#[derive(Clone, Debug)]
pub struct Error(Box<Kind>);

#[derive(Clone, Debug)]
enum Kind {
    Text(TextErrors),
    /// In the request.
    Request {
        message: String,
        help: Option<String>,
    },
}

/// Errors in text, TOML or GSL, that begins on this line of a file.
#[derive(Clone, Debug)]
struct TextErrors {
    origin: String,
    line_start: usize,
    text: String,
    errors: Vec<gsl::Error>,
}

impl Error {
    /// Errors in GSL or TOML. `line_start` is the line of the file on which the text begins.
    pub fn text(origin: &str, line_start: usize, text: &str, errors: Vec<gsl::Error>) -> Self {
        Self(Box::new(Kind::Text(TextErrors {
            origin: origin.to_owned(),
            line_start,
            text: text.to_owned(),
            errors,
        })))
    }

    /// An error without a location in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Self::request(message, None)
    }

    pub(super) fn request(message: impl Into<String>, help: Option<String>) -> Self {
        Self(Box::new(Kind::Request {
            message: message.into(),
            help,
        }))
    }

    /// The message and a help line.
    pub(super) fn into_request(self) -> (String, Option<String>) {
        match *self.0 {
            Kind::Request { message, help } => (message, help),
            Kind::Text(_) => (self.to_string(), None),
        }
    }

    /// The error for people: the message, the source line and a caret below the error.
    pub fn render(&self, color: bool) -> String {
        match &*self.0 {
            Kind::Text(it) => gsl::render(Some(&it.origin), it.line_start, &it.text, &it.errors, color),
            Kind::Request { message, help } => {
                let help = help.iter().map(|help| Level::HELP.message(escape_lines(help)));
                let title = Level::ERROR.primary_title(escape_lines(message));
                gsl::renderer(color).render(&[title.elements(help)])
            }
        }
    }
}

impl fmt::Display for Error {
    /// One line per error, without the source line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Text(it) => {
                for (position, error) in it.errors.iter().enumerate() {
                    let before = it.text.get(..error.span.start).unwrap_or_default();
                    let line = it.line_start + before.matches('\n').count();
                    let separator = if position == 0 { "" } else { "\n" };
                    write!(f, "{separator}{}:{line}: {}", it.origin, error.message)?;
                }
                Ok(())
            }
            Kind::Request { message, help } => {
                f.write_str(message)?;
                help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
            }
        }
    }
}

impl std::error::Error for Error {}

/// `did you mean 'x'?`, if a known word begins with the given one or is similar to it.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let longer = known.iter().copied().find(|known| known.starts_with(word));
    let meant = longer.or_else(|| nearest(word, known))?;
    Some(format!("did you mean '{meant}'?"))
}

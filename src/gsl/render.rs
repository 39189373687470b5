//! Renders errors for people: the line, a mark below it, and help.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::error::Error;
use crate::report::escape::must_be_escaped;

/// Longer lines are cut around the mark.
const WIDTH: usize = 100;
/// Longer marks are cut.
const LONGEST_MARK: usize = 60;
/// Longer messages, labels, helps and origins are cut; only untrusted text is so long.
const LONGEST_TEXT: usize = 2_000;
/// The rest of longer lines is ignored.
const LONGEST_LINE: usize = 1 << 18;

/// Renders errors for a terminal (with colours) or a log (without).
///
/// `origin` is the rule's file, `line_start` the number of the rule's first line in it. For any source, the rendering
/// has no control characters except line ends and the requested colours, and its size depends only on the number of
/// errors.
///
/// ```
/// let source = "IamUser should have mfaActiv";
/// let errors = credlens::gsl::parse_rule(source, &Default::default()).unwrap_err();
/// assert_eq!(
///     credlens::gsl::render(Some("mfa.toml"), 7, source, &errors, false).lines().next(),
///     Some("error: IamUser has no attribute `mfaActiv`"),
/// );
/// ```
pub fn render(
    origin: Option<&str>,
    line_start: usize,
    source: &str,
    errors: &[Error],
    color: bool,
) -> String {
    let renderer = renderer(color).term_width(WIDTH);
    let reports: Vec<_> = errors
        .iter()
        .map(|error| renderer.render(&[group(origin, line_start, source, error)]))
        .collect();
    reports.join("\n\n")
}

/// For a terminal, or for a log.
pub(crate) const fn renderer(color: bool) -> Renderer {
    if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}

fn group<'a>(origin: Option<&str>, line_start: usize, source: &str, error: &Error) -> Group<'a> {
    let marked = MarkedLine::new(source, error);
    let mark = AnnotationKind::Primary
        .span(marked.start..marked.end)
        .label((!error.label.is_empty()).then(|| escape(&error.label)));
    let snippet = Snippet::source(marked.line)
        .line_start(line_start.saturating_add(marked.lines_before))
        .path(origin.map(escape))
        .annotation(mark);
    let group = Level::ERROR
        .primary_title(escape(&error.message))
        .element(snippet);
    match &error.help {
        Some(help) => group.element(Level::HELP.message(escape_lines(help))),
        None => group,
    }
}

/// The escaped line in which an error starts, and the bytes of it to mark.
struct MarkedLine {
    lines_before: usize,
    line: String,
    start: usize,
    end: usize,
}

impl MarkedLine {
    fn new(source: &str, error: &Error) -> Self {
        let start = source.floor_char_boundary(error.span.start);
        let end = source.ceil_char_boundary(error.span.end).max(start);
        let line_at = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = source[line_at..].lines().next().unwrap_or_default();
        let line = &line[..line.floor_char_boundary(LONGEST_LINE)];
        let start = (start - line_at).min(line.len());
        let end = (end - line_at).min(line.len());
        let marked = &line[start..end];
        let marked = marked
            .char_indices()
            .nth(LONGEST_MARK)
            .map_or(marked, |(end, _)| &marked[..end]);
        let before: String = line[..start].chars().map(escape_char).collect();
        let marked: String = marked.chars().map(escape_char).collect();
        Self {
            lines_before: source[..line_at].matches('\n').count(),
            start: before.len(),
            end: before.len() + marked.len(),
            line: line.chars().map(escape_char).collect(),
        }
    }
}

fn escape_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(escape).collect();
    lines.join("\n")
}

fn escape(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).map(escape_char).collect()
}

/// Replaces control characters, which a terminal obeys, and format characters, which reorder or hide text.
fn escape_char(char: char) -> char {
    match char {
        '\t' => ' ',
        _ if must_be_escaped(char) => char::REPLACEMENT_CHARACTER,
        _ => char,
    }
}

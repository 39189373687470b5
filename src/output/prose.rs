//! Words with Markdown in them, as rule files have them, for people at a terminal and for Markdown around them.

use super::html_text::Html;
use super::markdown_text::{code, plain};

/// A piece of a line of Markdown.
enum Piece<'a> {
    Plain(&'a str),
    Code(&'a str),
}

/// The line as plain text and code spans.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((before, (inner, after))) = rest
        .split_once('`')
        .and_then(|(before, after)| Some((before, after.split_once('`')?)))
    {
        pieces.extend([Piece::Plain(before), Piece::Code(inner)]);
        rest = after;
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

/// The line for a terminal: no marks of code, emphasis and links. Code with blanks in it is quoted.
pub(super) fn for_terminal(line: &str) -> String {
    let mut out = String::new();
    for piece in pieces(line) {
        match piece {
            Piece::Plain(text) => out.push_str(&without_marks(text)),
            Piece::Code(code) if code.contains(' ') => {
                out.push('\'');
                out.push_str(code);
                out.push('\'');
            }
            Piece::Code(code) => out.push_str(code),
        }
    }
    out
}

/// The line for Markdown, in which only its code spans are markup.
pub(super) fn for_markdown(line: &str) -> String {
    let pieces = pieces(line).into_iter().map(|piece| match piece {
        Piece::Plain(text) => plain(text),
        Piece::Code(text) => code(text),
    });
    pieces.collect()
}

/// The line for HTML, with its code spans as elements, and no marks of emphasis and links.
pub(super) fn for_html(line: &str, out: &mut Html) {
    for piece in pieces(line) {
        match piece {
            Piece::Plain(text) => out.text(&without_marks(text)),
            Piece::Code(text) => out.element("code", text),
        };
    }
}

/// Paragraphs with blank lines between them, for HTML.
pub(super) fn paragraphs_for_html(text: &str, out: &mut Html) {
    for paragraph in text.trim().split("\n\n") {
        out.markup("<p>");
        for_html(paragraph, out);
        out.markup("</p>");
    }
}

/// Links as their text, addresses without brackets, and no `**`.
fn without_marks(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = first_link(rest).into_iter().chain(first_address(rest)).min() {
        out.push_str(before);
        out.push_str(name);
        rest = after;
    }
    out.push_str(rest);
    out.replace("**", "")
}

/// What is before the first `<https://…>`, the address, and what is behind it.
fn first_address(text: &str) -> Option<(&str, &str, &str)> {
    let (before, address) = text.split_once("<http")?;
    let start = before.len() + 1;
    let end = start + address.find('>')? + "http".len();
    Some((before, &text[start..end], &text[end + 1..]))
}

/// What is before the first link, its text, and what is behind it.
fn first_link(text: &str) -> Option<(&str, &str, &str)> {
    let (middle, _) = text.match_indices("](").next()?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')?;
    Some((&text[..start], &text[start + 1..middle], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_for_markdown_only() {
        for (line, shown) in [
            ("run `aws iam x` for `alice`", "run 'aws iam x' for alice"),
            ("[a-rule](../rules/a-rule.md) (x = 1)", "a-rule (x = 1)"),
            ("[a](b) and [c](d)", "a and c"),
            (
                "**Inferred.** <https://x.example/y>",
                "Inferred. https://x.example/y",
            ),
            ("a > b, <https://x.example> > c", "a > b, https://x.example > c"),
            ("<https://x.example/é> [a](b)", "https://x.example/é a"),
            (
                "an open ` and [brackets] (here)",
                "an open ` and [brackets] (here)",
            ),
            ("](", "]("),
        ] {
            assert_eq!(for_terminal(line), shown);
        }
    }

    #[test]
    fn in_markdown_only_code_is_markup() {
        assert_eq!(
            for_markdown("use `a b`: *x* <y>"),
            "use `a b`: &#42;x&#42; &#60;y&#62;"
        );
    }
}

//! Text for Markdown: headings, tables, lists, and text from reports with nothing in it that is markup.

use std::fmt::Write as _;

use super::DisplayOptions;
use super::phrases::{diagnostic_line, number};
use crate::finding::{Diagnostic, gravest};
use crate::report::escape::escape;

/// How many items of a list are usually shown: pull requests and wikis take only so much.
const LISTED: usize = 20;

/// A Markdown page, block by block. Text is given as Markdown: what comes from a report goes through [`plain`] or
/// [`code`] before.
pub(super) struct Markdown {
    text: String,
    /// How many items of a list are shown.
    listed: usize,
}

impl Markdown {
    /// A page with this title.
    pub(super) fn new(title: &str, options: DisplayOptions) -> Self {
        Self {
            text: format!("# {title}\n"),
            listed: options.most(LISTED),
        }
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A heading of the second level.
    pub(super) fn heading(&mut self, text: &str) {
        self.paragraph(&format!("## {text}"));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        writeln!(self.text, "\n{text}").expect("invariant: a string takes all");
    }

    /// A table with columns of words, then columns of numbers.
    pub(super) fn table(
        &mut self,
        words: &[&str],
        numbers: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) {
        let heads = [words, numbers].concat().join(" | ");
        let rule = "---|".repeat(words.len()) + &"--:|".repeat(numbers.len());
        self.paragraph(&format!("| {heads} |\n|{rule}"));
        for row in rows {
            writeln!(self.text, "| {} |", row.join(" | ")).expect("invariant: a string takes all");
        }
    }

    /// A list of the first items, and how many more there are.
    pub(super) fn list(&mut self, items: impl ExactSizeIterator<Item = String>) {
        if items.len() == 0 {
            return;
        }
        let more = items.len().saturating_sub(self.listed);
        let mut lines: Vec<String> = items.take(self.listed).map(|item| format!("- {item}")).collect();
        if more > 0 {
            lines.push(format!("- and {} more", number(more as u64)));
        }
        self.paragraph(&lines.join("\n"));
    }

    /// A paragraph on what is not shown, if there is more.
    pub(super) fn more(&mut self, more: Option<String>) {
        if let Some(more) = more {
            self.paragraph(&plain(&more));
        }
    }

    /// A section of diagnostics, where there are any.
    pub(super) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        if !diagnostics.is_empty() {
            self.heading("Diagnostics");
            let lines = gravest(diagnostics, usize::MAX)
                .0
                .into_iter()
                .map(diagnostic_line);
            self.list(lines.map(|line| plain(&line)));
        }
    }
}

/// The text as it is: every sign that could be markup is a character reference, which never is.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in escape(text).chars() {
        if is_markup(char) {
            write!(out, "&#{};", u32::from(char)).expect("invariant: a string takes all");
        } else {
            out.push(char);
        }
    }
    // GitHub makes links of addresses without any sign.
    out.replace('_', "\\_")
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
}

/// Signs that make markup, links or mentions in the middle of a line.
const fn is_markup(char: char) -> bool {
    matches!(
        char,
        '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '!' | '#' | '$' | '@' | '"'
    )
}

/// The text as a code span, in which nothing is markup, or plain where it cannot be one.
pub(super) fn code(text: &str) -> String {
    let shown = escape(text);
    if shown.is_empty() || shown.contains(['`', '|']) || shown.trim() != shown {
        return plain(text);
    }
    format!("`{shown}`")
}

/// The text as a code span, empty where there is none.
pub(super) fn optional_code(text: Option<&str>) -> String {
    text.map_or_else(String::new, code)
}

/// An account and its name, as far as they are known.
pub(super) fn account(id: Option<&str>, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{} {}", optional_code(id), plain(name)),
        None => optional_code(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_report_is_markup() {
        assert_eq!(code("<script>alert(1)</script>"), "`<script>alert(1)</script>`");
        assert_eq!(code("a|b"), "a&#124;b");
        assert_eq!(code("`<img src=x>"), "&#96;&#60;img src=x&#62;");
        assert_eq!(
            plain("![x](https://evil.example) @team"),
            "&#33;&#91;x&#93;(https&#58;//evil.example) &#64;team"
        );
        assert_eq!(plain("a\n# b"), r"a&#92;n&#35; b");
    }
}

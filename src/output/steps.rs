//! Steps of a fix or a plan, in words and commands, for people: below a line of a table, and in Markdown.

use super::DisplayOptions;
use super::html_text::Html;
use super::markdown_text::Markdown;
use super::prose::{for_html, for_markdown, for_terminal};
use super::terminal::wrap;
use crate::finding::{Command, FixStep};
use crate::report::escape::{escape, escape_lines};

/// The blanks before words, and before what is copied.
pub(super) const WORDS: usize = 4;
pub(super) const COPIED: usize = 6;

/// The lines of steps below something in a table.
pub(super) fn lines(steps: &[FixStep], options: DisplayOptions) -> Vec<String> {
    let mut out = Vec::new();
    for step in steps {
        match step {
            FixStep::Text { text } => {
                if let Some((_, block)) = code_block(text) {
                    out.extend(escape_lines(block).lines().map(|line| indented(COPIED, line)));
                } else {
                    let room = options.width.saturating_sub(WORDS);
                    let lines = wrap(&escape(&for_terminal(text)), room);
                    out.extend(lines.into_iter().map(|line| indented(WORDS, &line)));
                }
            }
            FixStep::Command { argv, .. } => {
                let lines = Command::new(argv).lines(options.width.saturating_sub(COPIED));
                out.extend(lines.iter().map(|line| indented(COPIED, &escape(line))));
            }
        }
    }
    out
}

/// Steps in Markdown: words as paragraphs, each command in a block of its own.
pub(super) fn markdown(steps: &[FixStep], out: &mut Markdown) {
    for step in steps {
        match step {
            FixStep::Text { text } => match code_block(text) {
                Some((language, block)) => out.paragraph(&fenced(language, block)),
                None => out.paragraph(&for_markdown(text)),
            },
            FixStep::Command { shell, fill_in, .. } => {
                let replace = match fill_in.as_slice() {
                    [] => String::new(),
                    words => format!("# Replace {} first.\n", words.join(" and ")),
                };
                out.paragraph(&fenced("sh", &(replace + shell)));
            }
        }
    }
}

/// Steps in HTML: words as paragraphs, and commands as blocks that can be copied.
pub(super) fn html(steps: &[FixStep], out: &mut Html) {
    for step in steps {
        match step {
            FixStep::Text { text } => {
                if let Some((_, block)) = code_block(text) {
                    html_block(block, out);
                } else {
                    out.markup("<p>");
                    for_html(text, out);
                    out.markup("</p>");
                }
            }
            FixStep::Command { shell, fill_in, .. } => {
                if !fill_in.is_empty() {
                    out.classed("p", "soft", &format!("Replace {} first:", fill_in.join(" and ")));
                }
                html_block(shell, out);
            }
        }
    }
}

/// Lines as they are, to be copied.
pub(super) fn html_block(block: &str, out: &mut Html) {
    out.markup("<pre><code>");
    for (position, line) in block.trim_end().lines().enumerate() {
        out.markup(if position > 0 { "\n" } else { "" }).text(line);
    }
    out.markup("</code></pre>");
}

/// A line after this many blanks.
pub(super) fn indented(blanks: usize, line: &str) -> String {
    format!("{}{line}", " ".repeat(blanks))
}

/// The language and the lines of a fenced block.
fn code_block(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("```")?.strip_suffix("```")?;
    let (language, block) = inner.split_once('\n')?;
    Some((language, block.strip_suffix('\n').unwrap_or(block)))
}

/// A block that nothing in it can end: the fence is longer than any run of backticks.
pub(super) fn fenced(language: &str, block: &str) -> String {
    let runs = block.split(|char| char != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", escape_lines(block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_block_ends_another() {
        assert_eq!(fenced("sh", "ls"), "```sh\nls\n```");
        assert_eq!(fenced("", "a\n````\nb\x1b"), "`````\na\n````\nb\\x1b\n`````");
        assert_eq!(code_block("```sh\nls | wc\n```"), Some(("sh", "ls | wc")));
        assert_eq!(code_block("words"), None);
    }
}

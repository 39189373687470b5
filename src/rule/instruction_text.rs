//! The text of instructions as blocks: words, commands with placeholders, and code that is shown as it is.
//!
//! A command is a line of a fenced block of `sh` that a shell would pass on as it is: words and quotes, no variables,
//! pipes or redirections. It becomes an argument vector, in which placeholders can be filled in without quoting.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::definition::fill;
use super::placeholder::Placeholder;
use crate::finding::Command;

/// A part of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph or a list.
    Words(String),
    /// Commands, and comments between them.
    Commands(Vec<Line>),
    /// A fenced block of something else, with its fences.
    Code(String),
}

/// A line of a block of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Comment(String),
    /// The program and its arguments, with placeholders.
    Command(Vec<String>),
}

/// The blocks of a text in Markdown, in which `{name}` stands for a parameter with this value.
pub(super) fn blocks(text: &str, parameters: &BTreeMap<String, i64>) -> Vec<Block> {
    let text = fill(text, parameters);
    let mut blocks = Vec::new();
    let mut words = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            end_words(&mut words, &mut blocks);
            let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(code_block(language, &code));
        } else if line.trim().is_empty() {
            end_words(&mut words, &mut blocks);
        } else {
            words.push(line);
        }
    }
    end_words(&mut words, &mut blocks);
    blocks
}

fn end_words(words: &mut Vec<&str>, blocks: &mut Vec<Block>) {
    if !words.is_empty() {
        blocks.push(Block::Words(words.join("\n")));
        words.clear();
    }
}

/// Commands if every line is one; else the code as it is, in which nothing is ever filled in.
fn code_block(language: &str, code: &[&str]) -> Block {
    let as_it_is = || {
        let code = code.join("\n");
        Block::Code(Placeholder::generic(&format!("```{language}\n{code}\n```")))
    };
    if !matches!(language, "sh" | "bash" | "shell") {
        return as_it_is();
    }
    let joined = code.join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let lines: Option<Vec<Line>> = lines.map(command_line).collect();
    lines.map_or_else(as_it_is, Block::Commands)
}

fn command_line(line: &str) -> Option<Line> {
    match line.trim().strip_prefix('#') {
        Some(comment) => Some(Line::Comment(comment.trim().to_owned())),
        None => split(line).map(Line::Command),
    }
}

/// The words of a line, if a shell would pass them on as they are.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        end if end == char => break,
                        '$' | '`' | '\\' if char == '"' => return None,
                        inner => quoted.push(inner),
                    }
                }
            }
            '{' | '}' => word.get_or_insert_default().push(char),
            _ if "$`\\|&;<>()*?[]#~!%^".contains(char) => return None,
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    Some(words).filter(|words| !words.is_empty())
}

/// Instructions for a page: the same in Markdown, with generic words in the place of what is filled in, and commands in
/// lines of at most this many columns.
pub(super) fn page_text(text: &str, parameters: &BTreeMap<String, i64>, width: usize) -> String {
    let blocks = blocks(text, parameters);
    let blocks: Vec<String> = blocks.into_iter().map(|block| page_block(block, width)).collect();
    blocks.join("\n\n")
}

fn page_block(block: Block, width: usize) -> String {
    let lines = match block {
        Block::Words(words) => return Placeholder::generic(&words),
        Block::Code(code) => return code,
        Block::Commands(lines) => lines,
    };
    let mut out = "```sh\n".to_owned();
    for line in lines {
        match line {
            Line::Comment(comment) => {
                let _ = writeln!(out, "# {}", Placeholder::generic(&comment));
            }
            Line::Command(argv) => {
                let command = Command::new(argv.iter().map(|word| Placeholder::generic(word)));
                out += &command.lines(width).join("\n");
                out.push('\n');
            }
        }
    }
    out + "```"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(lines: &str) -> Block {
        let text = format!("```sh\n{lines}\n```");
        blocks(&text, &BTreeMap::new()).remove(0)
    }

    #[test]
    fn commands_are_split_into_words() {
        let Block::Commands(lines) = commands("# first\naws iam x \\\n  --query 'A[?b]' \"c d\"''\n\nls")
        else {
            panic!("not commands")
        };
        let words = |words: &[&str]| Line::Command(words.iter().map(ToString::to_string).collect());
        let command = words(&["aws", "iam", "x", "--query", "A[?b]", "c d"]);
        assert_eq!(lines, [Line::Comment("first".into()), command, words(&["ls"])]);
    }

    #[test]
    fn what_a_shell_would_change_is_no_command() {
        for line in [
            "echo $HOME",
            "echo \"$HOME\"",
            "a | b",
            "a > b",
            "a; b",
            "ls *",
            "echo 'open",
            "echo `id`",
        ] {
            let block = commands(&format!("{line} {{user}}"));
            let Block::Code(code) = block else {
                panic!("{line}: {block:?}")
            };
            assert!(code.ends_with("USER_NAME\n```"), "{code}");
        }
    }

    #[test]
    fn words_and_code_are_apart() {
        let text = "One\ntwo {days}.\n\n```hcl\na = {}\n```\nThree";
        let all = blocks(text, &[("days".to_owned(), 3)].into());
        assert_eq!(
            all,
            [
                Block::Words("One\ntwo 3.".into()),
                Block::Code("```hcl\na = {}\n```".into()),
                Block::Words("Three".into()),
            ]
        );
    }

    #[test]
    fn an_open_fence_ends_with_the_text() {
        let all = blocks("```sh\nls", &BTreeMap::new());
        assert_eq!(all, [Block::Commands(vec![Line::Command(vec!["ls".into()])])]);
    }
}

//! A page about a rule or a framework, laid out for a terminal.
//!
//! It reads the Markdown that `rule` writes, and shows any other text as it is: headings, paragraphs, lists, tables and
//! fenced blocks. Where there is no room for a table, its rows are shown as paragraphs.

use unicode_width::UnicodeWidthStr as _;

use super::DisplayOptions;
use super::prose::for_terminal;
use super::terminal::{Align, BOLD, DIM, TextCell, TextTable, wrap};
use crate::report::escape::escape;

/// The least room for the widest column of a table.
const ROOM: usize = 36;

/// The blanks before a block, in the order of headings.
const INDENTS: [usize; 4] = [0, 0, 2, 4];

/// The page for a terminal.
pub fn for_terminal_page(markdown: &str, options: DisplayOptions) -> String {
    let mut page = Page {
        out: String::new(),
        level: 0,
        options,
    };
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        let mut following = |belongs: &dyn Fn(&str) -> bool| {
            let mut block = vec![line];
            while let Some(next) = lines.next_if(|next| belongs(next)) {
                block.push(next);
            }
            block
        };
        match kind(line) {
            Kind::Blank => {}
            Kind::Heading(level) => page.heading(level, line.trim_start_matches('#').trim()),
            Kind::Fence => {
                let block = following(&|next| !next.starts_with("```"));
                page.code(line.trim_start_matches('`'), &block[1..]);
                lines.next();
            }
            Kind::Row => {
                let block = following(&|next| matches!(kind(next), Kind::Row));
                page.table(&block);
            }
            Kind::Item => {
                let block = following(&|next| matches!(kind(next), Kind::Item | Kind::Words));
                page.list(&block);
            }
            Kind::Words => {
                let block = following(&|next| matches!(kind(next), Kind::Words));
                page.paragraph(&block.join(" "));
            }
        }
    }
    page.out
}

/// What a line of Markdown begins or continues.
enum Kind {
    Blank,
    Heading(usize),
    Fence,
    Row,
    Item,
    Words,
}

fn kind(line: &str) -> Kind {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if line.trim().is_empty() {
        Kind::Blank
    } else if (1..=3).contains(&hashes) && line[hashes..].starts_with(' ') {
        Kind::Heading(hashes)
    } else if line.starts_with("```") {
        Kind::Fence
    } else if line.starts_with('|') {
        Kind::Row
    } else if item_mark(line).is_some() {
        Kind::Item
    } else {
        Kind::Words
    }
}

/// `- ` or `1. ` at the beginning of an item, and what follows it.
fn item_mark(line: &str) -> Option<(&str, &str)> {
    let digits = line.len() - line.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let end = if line.starts_with("- ") {
        2
    } else if digits > 0 && line[digits..].starts_with(". ") {
        digits + 2
    } else {
        return None;
    };
    Some(line.split_at(end))
}

/// A page as far as it is written.
struct Page {
    out: String,
    /// Of the heading above.
    level: usize,
    options: DisplayOptions,
}

impl Page {
    fn indent(&self) -> usize {
        INDENTS[self.level]
    }

    /// A blank line between blocks.
    fn begin_block(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.begin_block();
        self.level = level;
        let indent = if level < 3 { 0 } else { INDENTS[level - 1] };
        let text = self.options.paint(BOLD, escape(&for_terminal(text)));
        self.line(indent, &text);
    }

    /// Text after a mark, whose other lines begin below the text.
    fn hanging(&mut self, mark: &str, text: &str) {
        let indent = self.indent();
        let text = escape(&for_terminal(text)).into_owned();
        let room = self.options.width.saturating_sub(indent + mark.width());
        for (number, line) in wrap(&text, room).iter().enumerate() {
            let before = if number == 0 {
                mark.to_owned()
            } else {
                " ".repeat(mark.width())
            };
            self.line(indent, &(before + line));
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.begin_block();
        self.hanging("", text);
    }

    fn list(&mut self, lines: &[&str]) {
        self.begin_block();
        let mut items: Vec<(&str, String)> = Vec::new();
        for line in lines {
            match (item_mark(line), items.last_mut()) {
                (Some((mark, text)), _) => items.push((mark, text.to_owned())),
                (None, Some((_, text))) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                (None, None) => {}
            }
        }
        for (mark, text) in items {
            self.hanging(mark, &text);
        }
    }

    /// Code is copied: its lines stay as they are, but for comments and GSL, which may be wrapped.
    fn code(&mut self, language: &str, lines: &[&str]) {
        self.begin_block();
        let indent = self.indent() + 2;
        let room = self.options.width.saturating_sub(indent);
        for line in lines {
            let shown = escape(line);
            let wrapped = match language {
                "sh" => comment(&shown, room),
                "gsl" => statement(&shown, room),
                _ => None,
            };
            for line in wrapped.unwrap_or_else(|| vec![shown.into_owned()]) {
                let indent = if line.is_empty() { 0 } else { indent };
                self.line(indent, &line);
            }
        }
    }

    fn table(&mut self, lines: &[&str]) {
        self.begin_block();
        let mut rows = lines.iter().map(|line| cells(line));
        let heads = rows.next().unwrap_or_default();
        let rows: Vec<Vec<String>> = rows.skip(1).filter(|row| row.len() == heads.len()).collect();
        if let Some(widest) = self.widest_column(&heads, &rows) {
            self.columns(&heads, &rows, widest);
        } else {
            for row in rows {
                self.record(&heads, &row);
            }
        }
    }

    /// The column that is wrapped, if there is room for it.
    fn widest_column(&self, heads: &[String], rows: &[Vec<String>]) -> Option<usize> {
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].width());
            cells.chain([heads[column].width()]).max().unwrap_or(0)
        };
        let widest = (0..heads.len()).max_by_key(|&column| width(column))?;
        let others = (0..heads.len()).filter(|&column| column != widest).map(width);
        let others = others.sum::<usize>() + 2 * heads.len() + self.indent();
        let room = self.options.width.saturating_sub(others);
        (room >= ROOM.min(width(widest))).then_some(widest)
    }

    fn columns(&mut self, heads: &[String], rows: &[Vec<String>], widest: usize) {
        let align = |column| {
            if column == widest {
                Align::Wrapped
            } else {
                Align::Left
            }
        };
        let aligns: Vec<Align> = (0..heads.len()).map(align).collect();
        let mut table = TextTable::new(self.indent(), aligns);
        table.row(heads.iter().map(|head| TextCell::styled(head, DIM)));
        for row in rows {
            table.row(row.iter().map(TextCell::new));
        }
        self.out.push_str(&table.render(self.options));
    }

    /// A row as a paragraph: the first cell before the second one, the others with their heads below.
    fn record(&mut self, heads: &[String], row: &[String]) {
        let first = row.first().map(|first| format!("{first}  ")).unwrap_or_default();
        self.hanging(&first, row.get(1).map_or("", String::as_str));
        let rest = heads.iter().zip(row).skip(2).filter(|(_, cell)| !cell.is_empty());
        let rest: Vec<String> = rest.map(|(head, cell)| format!("{head}: {cell}")).collect();
        if !rest.is_empty() {
            self.hanging("    ", &rest.join("; "));
        }
    }
}

/// The lines of a comment of a shell.
fn comment(line: &str, room: usize) -> Option<Vec<String>> {
    let lines = wrap(line.strip_prefix("# ")?, room.saturating_sub(2));
    Some(lines.iter().map(|line| format!("# {line}")).collect())
}

/// The lines of a line of GSL, in which every blank but those in quotes may be the end of a line.
fn statement(line: &str, room: usize) -> Option<Vec<String>> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let lines = wrap(text, room.saturating_sub(indent + 2));
    let is_whole = |line: &String| line.matches('\'').count().is_multiple_of(2);
    // No word was broken, and no text in quotes.
    let is_same = lines.join(" ") == text && lines.iter().all(is_whole);
    let blanks = |number| " ".repeat(if number == 0 { indent } else { indent + 2 });
    let lines = lines.iter().enumerate();
    is_same.then(|| lines.map(|(number, line)| blanks(number) + line).collect())
}

/// The cells of a row as `rule` writes it: `\|` is a sign of a cell, `<br>` parts its lines.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner).replace("\\|", "\0");
    let cells = inner.split('|').map(|cell| {
        let cell = cell
            .trim()
            .replace("<br>", ", ")
            .replace("&lt;", "<")
            .replace('\0', "|");
        escape(&for_terminal(&cell)).into_owned()
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str, width: usize) -> String {
        let options = DisplayOptions {
            width,
            ..DisplayOptions::default()
        };
        for_terminal_page(markdown, options)
    }

    #[test]
    fn a_page_without_markdown() {
        let page = "# Title\n\n| id | about |\n|---|---|\n| `a` | a cell with a \\| and &lt;root> |\n\n## Steps\n\nSee \
                    [this](x.md), `a b` and <https://x.example>.\n\n### Cli\n\n1. first of all, do\n   this\n2. then\n\n\
                    ```sh\naws iam \\\n  --x\n```\n";
        insta::assert_snapshot!(shown(page, 60), @r"
        Title

        id  about
        a   a cell with a | and <root>

        Steps

          See this, 'a b' and https://x.example.

          Cli

            1. first of all, do this
            2. then

              aws iam \
                --x
        ");
        insta::assert_snapshot!(shown(page, 24), @r"
        Title

        a  a cell with a | and
           <root>

        Steps

          See this, 'a b' and
          https://x.example.

          Cli

            1. first of all, do
               this
            2. then

              aws iam \
                --x
        ");
    }

    #[test]
    fn rows_without_room_are_paragraphs() {
        let page = "| requirement | title | coverage | rules |\n|---|---|---|---|\n| 1.13 | Keys are rotated every ninety \
                    days | full | [a-rule](a.md) (x = 1)<br>[b-rule](b.md) |\n| 1.14 | Short |  |  |\n";
        insta::assert_snapshot!(shown(page, 50), @"
        1.13  Keys are rotated every ninety days
            coverage: full; rules: a-rule (x = 1), b-rule
        1.14  Short
        ");
    }

    #[test]
    fn comments_and_statements_are_wrapped_and_nothing_else() {
        let page = "```sh\n# one two three four five\naws iam one two three four five\n```\n```gsl\nIamUser where name = \
                    'a b' should have mfaActive\n```\n```hcl\n# one two three four five six\n```\n";
        insta::assert_snapshot!(shown(page, 26), @"
        # one two three four
        # five
        aws iam one two three four five

        IamUser where name =
          'a b' should have
          mfaActive

        # one two three four five six
        ");
        let whole = "IamUser where name = 'a b c d e f'";
        assert_eq!(statement(whole, 14), None);
    }

    #[test]
    fn hostile_text_is_escaped() {
        let page = "# \u{1b}[2J\n\n- \u{202e}x\n\n|a|\n|---|\n|\u{7}|\n\n```\n\u{1b}\n";
        let text = shown(page, 40);
        assert!(
            text.chars()
                .all(|char| char == '\n' || !crate::report::escape::must_be_escaped(char)),
            "{text:?}"
        );
    }
}

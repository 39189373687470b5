//! Text for terminals: tables, wrapping, cutting, styles. All text that comes here is escaped already.

use std::borrow::Cow;
use std::fmt::Display;

use anstyle::{AnsiColor, Effects, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::DisplayOptions;
use super::phrases::{counted, diagnostic_line};
use crate::finding::{Diagnostic, Level, Severity, gravest};

/// What matters most.
pub(super) const BOLD: Style = Style::new().effects(Effects::BOLD);
/// What matters least.
pub(super) const DIM: Style = Style::new().effects(Effects::DIMMED);
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const MAGENTA: Style = AnsiColor::Magenta.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Blanks between two columns.
pub(super) const GAP: usize = 2;

/// From this width on, the text of a finding is beside its rule, not below it. In less, the columns before it leave too
/// little room for it.
const WIDE: usize = 161;

/// A wrapped column is this wide at least, as long as the others can give way.
const WRAPPED_LEAST: usize = 20;

/// The style of a severity.
pub(super) const fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => RED.effects(Effects::BOLD),
        Severity::High => RED,
        Severity::Medium => YELLOW,
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Informational => DIM,
    }
}

impl DisplayOptions {
    /// Whether the text of findings is beside their rules.
    pub(super) fn is_wide(self) -> bool {
        self.width >= WIDE
    }

    /// The text in this style, or as it is where there is no colour.
    pub(super) fn paint(self, style: Style, text: impl Display) -> String {
        if self.color && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    /// The text in this style, wrapped, each line ended.
    pub(super) fn paragraph(self, style: Style, text: &str) -> String {
        let lines = wrap(text, self.width);
        lines.iter().map(|line| self.paint(style, line) + "\n").collect()
    }
}

/// The sections that are not empty, a blank line between them.
pub(super) fn join_sections(mut sections: Vec<String>) -> String {
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The gravest diagnostics, at most this many, and how many more there are.
pub(super) fn diagnostics(diagnostics: &[Diagnostic], most: usize, options: DisplayOptions) -> String {
    let listed = diagnostics
        .iter()
        .filter(|diagnostic| options.errors || diagnostic.level < Level::Error);
    let (shown, hidden) = gravest(listed, most);
    let mut out = String::new();
    for diagnostic in shown {
        let style = match diagnostic.level {
            Level::Note => DIM,
            Level::Warning => Style::new(),
            Level::Error => RED,
        };
        let lines = wrap(&diagnostic_line(diagnostic), options.width.saturating_sub(2));
        let lines: Vec<String> = lines.iter().map(|line| options.paint(style, line)).collect();
        out.push_str(&lines.join("\n  "));
        out.push('\n');
    }
    if hidden.count > 0 {
        let more = counted(hidden.count, "more diagnostic");
        let more = format!("{more}; --format json lists {}", hidden.in_list());
        out.push_str(&options.paragraph(Style::new(), &more));
    }
    out
}

/// At most this many columns of the text, with an ellipsis for the rest.
pub(super) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    match split_at_width(text, room).0 {
        head if head.width() <= room => Cow::Owned(format!("{head}…")),
        _ => Cow::Borrowed("…"),
    }
}

/// At most this many columns of a path, with an ellipsis for its beginning.
pub(super) fn cut_start(path: &str, width: usize) -> Cow<'_, str> {
    let excess = path.width().saturating_sub(width);
    if excess == 0 {
        return Cow::Borrowed(path);
    }
    let (head, tail) = split_at_width(path, excess + 1);
    // A wide character may have been left out of the head; then the tail is one column too wide.
    let tail = if head.width() > excess {
        tail
    } else {
        split_at_width(tail, 1).1
    };
    Cow::Owned(format!("…{tail}"))
}

/// The text in lines of at most this many columns, broken at blanks where possible, else behind `-` and `/`, which ids
/// and paths have. One pass, however long the text.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut wide = word.width();
        if used > 0 && used + 1 + wide <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
        }
        let mut rest = word;
        while wide > width {
            let (head, _) = split_at_width(rest, width);
            let end = head.rfind(['-', '/']).map_or(head.len(), |last| last + 1);
            let (head, tail) = rest.split_at(end);
            wide -= head.width();
            lines.push(head.to_owned());
            rest = tail;
        }
        rest.clone_into(&mut line);
        used = wide;
    }
    lines.push(line);
    lines
}

/// As much of the text as fits, at least one character, and the rest.
fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    let end = text.char_indices().find_map(|(index, char)| {
        used += char.width().unwrap_or(0);
        (used > width && index > 0).then_some(index)
    });
    text.split_at(end.unwrap_or(text.len()))
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub(super) struct TextCell {
    text: String,
    style: Style,
}

impl TextCell {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self { text, style }
    }
}

/// How the text of a column is aligned, and what happens where there is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words, cut where they must be.
    Left,
    /// Ids, which are never cut.
    Whole,
    /// Numbers, cut where they must be.
    Right,
    /// Names that are copied and searched for: cut last of all.
    Name,
    /// Paths: their beginning is cut where it must be.
    Path,
    /// Words that are wrapped, in what the other columns leave.
    Wrapped,
    /// Ids in the last column, which are copied: where they do not fit, they are on a line of their own.
    Below,
}

#[derive(Clone, Debug)]
enum TableLine {
    Free(String),
    Row(Vec<TextCell>),
}

/// Rows of cells in common columns, and free lines between them.
#[derive(Clone, Debug)]
pub(super) struct TextTable {
    indent: usize,
    columns: Vec<Align>,
    lines: Vec<TableLine>,
}

impl TextTable {
    pub(super) fn new(indent: usize, columns: impl Into<Vec<Align>>) -> Self {
        Self {
            indent,
            columns: columns.into(),
            lines: Vec::new(),
        }
    }

    /// A table whose columns have names.
    pub(super) fn with_heads(columns: &[(&str, Align)]) -> Self {
        let mut table = Self::new(0, columns.iter().map(|(_, align)| *align).collect::<Vec<_>>());
        table.row(columns.iter().map(|(head, _)| TextCell::styled(*head, DIM)));
        table
    }

    /// Adds a row, one per column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = TextCell>) {
        self.lines.push(TableLine::Row(cells.into_iter().collect()));
    }

    /// A table of findings, for [`TextTable::finding`].
    pub(super) fn of_findings(options: DisplayOptions) -> Self {
        // Names and ids are never cut: people copy them.
        let mut columns = vec![Align::Left, Align::Wrapped, Align::Wrapped];
        if options.is_wide() {
            columns.extend([Align::Wrapped; 2]);
        } else {
            columns.push(Align::Below);
        }
        Self::new(2, columns)
    }

    /// Adds a finding: four cells, and its text beside or below them.
    pub(super) fn finding(&mut self, cells: [TextCell; 4], sentences: &[String], options: DisplayOptions) {
        if options.is_wide() {
            let text = TextCell::new(sentences.join("; "));
            return self.row(cells.into_iter().chain([text]));
        }
        self.row(cells);
        for line in sentences
            .iter()
            .flat_map(|text| wrap(text, options.width.saturating_sub(4)))
        {
            self.line(format!("    {line}"));
        }
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(TableLine::Free(line.into()));
    }

    /// Adds a line on what is not shown, if there is more.
    pub(super) fn more(&mut self, more: Option<String>) {
        self.lines
            .extend(more.map(|more| TableLine::Free(format!("  {more}"))));
    }

    /// The lines; no row is wider than the terminal.
    pub(super) fn render(&self, options: DisplayOptions) -> String {
        let widths = self.widths(options.width);
        let mut out = String::new();
        for line in &self.lines {
            match line {
                TableLine::Free(text) => out.push_str(text),
                TableLine::Row(cells) => self.render_row(cells, &widths, options, &mut out),
            }
            out.push('\n');
        }
        out
    }

    /// Whether nothing must be cut in this width, and no column wrapped to less than some words.
    pub(super) fn fits(&self, width: usize) -> bool {
        let widths = self.natural_widths(usize::MAX);
        let least = widths
            .iter()
            .zip(&self.columns)
            .map(|(&width, align)| match align {
                Align::Wrapped | Align::Path => width.min(WRAPPED_LEAST),
                Align::Left | Align::Whole | Align::Right | Align::Name | Align::Below => width,
            });
        least.sum::<usize>() <= self.room(width)
    }

    /// What the gaps between columns leave.
    fn room(&self, width: usize) -> usize {
        let gaps = self.indent + GAP * self.columns.len().saturating_sub(1);
        width.saturating_sub(gaps)
    }

    /// The widths of the widest cells, up to this.
    fn natural_widths(&self, room: usize) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for line in &self.lines {
            let TableLine::Row(cells) = line else { continue };
            let columns = widths.iter_mut().zip(cells).zip(&self.columns);
            for ((width, cell), _) in columns.filter(|(_, align)| **align != Align::Below) {
                *width = cell.text.width().clamp(*width, room.max(*width));
            }
        }
        widths
    }

    /// Widths of the columns: as wide as their widest cell. Where that is too much, wrapped columns give way first,
    /// then cut ones, then names, the widest of them first.
    fn widths(&self, width: usize) -> Vec<usize> {
        let room = self.room(width);
        let mut widths = self.natural_widths(room);
        let steps: [(&[Align], usize); 5] = [
            (&[Align::Wrapped, Align::Path], WRAPPED_LEAST),
            (&[Align::Left], 1),
            (&[Align::Wrapped, Align::Path], WRAPPED_LEAST / 2),
            (&[Align::Right], 1),
            (&[Align::Name, Align::Wrapped, Align::Path], 1),
        ];
        for (giving_way, least) in steps {
            let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
            while excess > 0 {
                let columns = widths.iter_mut().zip(&self.columns);
                let columns = columns.filter(|(width, align)| **width > least && giving_way.contains(align));
                let Some((widest, _)) = columns.max_by_key(|(width, _)| **width) else {
                    break;
                };
                *widest -= 1;
                excess -= 1;
            }
        }
        let left = room.saturating_sub(widths.iter().sum());
        for (width, align) in widths.iter_mut().zip(&self.columns) {
            *width = if *align == Align::Below { left } else { *width };
        }
        widths
    }

    fn render_row(&self, cells: &[TextCell], widths: &[usize], options: DisplayOptions, out: &mut String) {
        let columns = cells.iter().zip(widths).zip(&self.columns);
        let texts: Vec<Vec<Cow<'_, str>>> = columns
            .clone()
            .map(|((cell, &width), align)| match align {
                Align::Wrapped => wrap(&cell.text, width).into_iter().map(Cow::Owned).collect(),
                Align::Path => vec![cut_start(&cell.text, width)],
                Align::Below if cell.text.width() > width => Vec::new(),
                Align::Below => vec![Cow::Borrowed(cell.text.as_str())],
                Align::Left | Align::Right | Align::Name | Align::Whole => vec![cut(&cell.text, width)],
            })
            .collect();
        let height = texts.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..height {
            if number > 0 {
                out.push('\n');
            }
            // Blanks are written before text alone: no line ends with them.
            let mut blanks = self.indent;
            for (((cell, &width), align), text) in columns.clone().zip(&texts) {
                let text = text.get(number).map_or("", AsRef::as_ref);
                let pad = width.saturating_sub(text.width());
                if text.is_empty() {
                    blanks += width + GAP;
                    continue;
                }
                let (before, after) = if *align == Align::Right {
                    (pad, 0)
                } else {
                    (0, pad)
                };
                out.extend(std::iter::repeat_n(' ', blanks + before));
                out.push_str(&options.paint(cell.style, text));
                blanks = after + GAP;
            }
        }
        let below =
            columns.filter(|((cell, width), align)| **align == Align::Below && cell.text.width() > **width);
        for ((cell, _), _) in below {
            self.render_below(cell, options, out);
        }
    }

    /// The lines of a cell that does not fit beside the others.
    fn render_below(&self, cell: &TextCell, options: DisplayOptions, out: &mut String) {
        let indent = self.indent + GAP;
        for line in wrap(&cell.text, options.width.saturating_sub(indent)) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&options.paint(cell.style, line));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_giant_word_is_wrapped_in_one_pass() {
        let word = "x".repeat(5_000_000);
        let lines = wrap(&format!("a {word} b"), 80);
        assert_eq!(lines.len(), 1 + 62_500 + 1);
        assert!(lines.iter().all(|line| line.width() <= 80));
        assert_eq!(wrap("ab cd", 2), ["ab", "cd"]);
        assert_eq!(wrap("abcde f", 3), ["abc", "de", "f"]);
        assert_eq!(wrap("access-key-unused", 12), ["access-key-", "unused"]);
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(cut("東京タワー", 6), "東京…");
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut_start("reports/東京.csv", 8), "…京.csv");
        assert_eq!(cut_start("reports/2026.csv", 9), "…2026.csv");
        assert_eq!(wrap("東京 タワー a", 5), ["東京", "タワ", "ー a"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    proptest! {
        #[test]
        fn cut_and_wrapped_text_fits(text in "[a-z 東é]{0,60}", width in 2_usize..40) {
            prop_assert!(cut(&text, width).width() <= width);
            prop_assert!(cut_start(&text, width).width() <= width);
            prop_assert!(wrap(&text, width).iter().all(|line| line.width() <= width));
        }

        #[test]
        fn no_row_is_wider_than_the_terminal(
            rows in prop::collection::vec(prop::collection::vec("[a-z 東]{0,60}", 4), 1..5),
            width in 30_usize..200,
        ) {
            let mut table = TextTable::new(2, [Align::Name, Align::Right, Align::Wrapped, Align::Left]);
            for row in rows {
                table.row(row.into_iter().map(TextCell::new));
            }
            let options = DisplayOptions {
                width,
                ..DisplayOptions::default()
            };
            for line in table.render(options).lines() {
                prop_assert!(line.width() <= width, "{line:?}");
            }
        }
    }
}

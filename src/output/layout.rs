//! Text in columns of a terminal: width, cutting, wrapping, colour. All text here is harmless already.

use std::borrow::Cow;
use std::fmt::Display;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Blanks between two columns.
const GAP: usize = 2;

/// What the other columns leave to a wrapped one that wants more.
const WRAPPED_LEAST: usize = 24;

/// Styles text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn text(self, style: Style, text: impl Display) -> String {
        if self.0 && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}

/// At most this many columns of the text, an ellipsis standing for the rest.
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

/// At most this many columns of a path, an ellipsis standing for its begin.
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

/// The text in lines of at most this many columns, broken at blanks where possible. One pass, however long
/// the text.
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
            let (head, tail) = split_at_width(rest, width);
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

/// One cell of a grid.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self { text, style }
    }
}

/// Where a cell's text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
    /// Words that may be wrapped, in what the other columns leave.
    Wrapped,
}

#[derive(Clone, Debug)]
enum Line {
    Free(String),
    Cells(Vec<Cell>),
}

/// Lines of cells in common columns, and free lines between them.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    indent: usize,
    columns: Vec<Align>,
    lines: Vec<Line>,
}

impl Grid {
    pub(super) fn new(indent: usize, columns: impl Into<Vec<Align>>) -> Self {
        Self {
            indent,
            columns: columns.into(),
            lines: Vec::new(),
        }
    }

    /// Adds a line of cells, one a column.
    pub(super) fn cells(&mut self, cells: Vec<Cell>) {
        self.lines.push(Line::Cells(cells));
    }

    /// Adds a line as it is.
    pub(super) fn free(&mut self, line: impl Into<String>) {
        self.lines.push(Line::Free(line.into()));
    }

    /// The lines, none wider than `width`.
    pub(super) fn render(&self, width: usize, paint: Paint) -> String {
        let widths = self.widths(width);
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Free(text) => out.push_str(text),
                Line::Cells(cells) => self.render_cells(cells, &widths, paint, &mut out),
            }
            out.push('\n');
        }
        out
    }

    /// Widths of the columns: as wide as their widest cell. Where that is too much, the widest give way; the
    /// wrapped one takes what the others leave.
    fn widths(&self, width: usize) -> Vec<usize> {
        let gaps = self.indent + GAP * self.columns.len().saturating_sub(1);
        let room = width.saturating_sub(gaps);
        let mut widths = vec![0; self.columns.len()];
        for line in &self.lines {
            let Line::Cells(cells) = line else { continue };
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.text.width().clamp(*width, room.max(*width));
            }
        }
        let wrapped = self.columns.iter().position(|&align| align == Align::Wrapped);
        let wanted = wrapped.map(|column| std::mem::replace(&mut widths[column], 0));
        let least = wanted.map_or(0, |wanted| wanted.min(WRAPPED_LEAST));
        while widths.iter().sum::<usize>() + least > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > 1 => *widest -= 1,
                Some(_) | None => break,
            }
        }
        if let (Some(column), Some(wanted)) = (wrapped, wanted) {
            widths[column] = room.saturating_sub(widths.iter().sum()).min(wanted);
        }
        widths
    }

    fn render_cells(&self, cells: &[Cell], widths: &[usize], paint: Paint, out: &mut String) {
        let columns = cells.iter().zip(widths).zip(&self.columns);
        let parts: Vec<Vec<String>> = columns
            .clone()
            .map(|((cell, &width), align)| match align {
                Align::Wrapped => wrap(&cell.text, width),
                Align::Left | Align::Right => vec![cut(&cell.text, width).into_owned()],
            })
            .collect();
        let height = parts.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..height {
            let mut line = String::new();
            let mut blanks = self.indent;
            for (((cell, &width), align), part) in columns.clone().zip(&parts) {
                let text = part.get(number).map_or("", String::as_str);
                let pad = width.saturating_sub(text.width());
                let (before, after) = if *align == Align::Right {
                    (pad, 0)
                } else {
                    (0, pad)
                };
                if text.is_empty() {
                    blanks += width + GAP;
                    continue;
                }
                line.push_str(&" ".repeat(blanks + before));
                line.push_str(&paint.text(cell.style, text));
                blanks = after + GAP;
            }
            if number > 0 {
                out.push('\n');
            }
            out.push_str(&line);
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
    }

    #[test]
    fn width_is_that_of_a_terminal() {
        assert_eq!(cut("東京タワー", 6), "東京…");
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut_start("reports/東京.csv", 8), "…京.csv");
        assert_eq!(cut_start("reports/2026.csv", 9), "…2026.csv");
        assert_eq!(wrap("東京 タワー a", 5), ["東京", "タワ", "ー a"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may(text in "[a-z 東é]{0,60}", width in 2_usize..40) {
            prop_assert!(cut(&text, width).width() <= width);
            prop_assert!(cut_start(&text, width).width() <= width);
            prop_assert!(wrap(&text, width).iter().all(|line| line.width() <= width));
        }

        #[test]
        fn no_line_of_a_grid_is_wider_than_it_may(
            rows in prop::collection::vec(prop::collection::vec("[a-z 東]{0,60}", 4), 1..5),
            width in 60_usize..200,
        ) {
            let mut grid = Grid::new(2, [Align::Left, Align::Right, Align::Left, Align::Wrapped]);
            for row in rows {
                grid.cells(row.into_iter().map(Cell::new).collect());
            }
            for line in grid.render(width, Paint(false)).lines() {
                prop_assert!(line.width() <= width, "{line:?}");
            }
        }
    }
}

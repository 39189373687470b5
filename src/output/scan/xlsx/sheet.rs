//! One sheet: typed cells below a header that stays in view and filters.
//!
//! Text is text: no cell is a formula or a link, and characters that must be escaped are visible escapes.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::report::escape::escape;
use crate::report::time::Timestamp;

/// The most UTF-16 units of a cell.
const MOST: usize = 32_767;
/// The first second that a sheet knows as a date: 1900-01-01.
const FIRST: i64 = -2_208_988_800;

/// What is in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Text(String),
    Count(u64),
    Time(Timestamp),
    Flag(bool),
}

impl Cell {
    /// Text, or nothing where there is none.
    pub(super) fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.to_owned()))
    }

    pub(super) fn word(word: &str) -> Self {
        Self::Text(word.to_owned())
    }

    pub(super) fn count(count: Option<u64>) -> Self {
        count.map_or(Self::Nothing, Self::Count)
    }

    pub(super) fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Nothing, Self::Time)
    }

    pub(super) fn flag(flag: Option<bool>) -> Self {
        flag.map_or(Self::Nothing, Self::Flag)
    }
}

/// How cells look.
#[derive(Debug)]
pub(super) struct Formats {
    head: Format,
    time: Format,
}

impl Formats {
    pub(super) fn new() -> Self {
        Self {
            head: Format::new().set_bold(),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// A column: its name, and its width in characters.
pub(super) type Column = (&'static str, u16);

/// Adds a sheet with these rows.
///
/// # Errors
/// Those of the library, for more rows than a sheet may have.
pub(super) fn add(
    book: &mut Workbook,
    (name, formats): (&str, &Formats),
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet().set_name(name)?;
    for (at, (head, width)) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, at, *head, &formats.head)?;
        sheet.set_column_width(at, *width)?;
    }
    let mut last = 0;
    for (row, cells) in (1..).zip(rows) {
        for (at, cell) in (0_u16..).zip(cells) {
            write(sheet, (row, at), cell, formats)?;
        }
        last = row;
    }
    sheet.set_freeze_panes(1, 0)?;
    let width = u16::try_from(columns.len()).unwrap_or(1).saturating_sub(1);
    sheet.autofilter(0, 0, last, width)?;
    Ok(())
}

/// Writes a cell.
pub(super) fn write(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    cell: Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Nothing => {}
        Cell::Text(text) => {
            sheet.write_string(row, at, shown(&text))?;
        }
        Cell::Count(count) => {
            #[expect(clippy::cast_precision_loss, reason = "sheets have no other numbers")]
            sheet.write_number(row, at, count as f64)?;
        }
        // A sheet has no dates before 1900.
        Cell::Time(time) if time.0 < FIRST => {
            sheet.write_string(row, at, time.to_string())?;
        }
        Cell::Time(time) => {
            let date = ExcelDateTime::from_timestamp(time.0)?;
            sheet.write_datetime_with_format(row, at, &date, &formats.time)?;
        }
        Cell::Flag(flag) => {
            sheet.write_boolean(row, at, flag)?;
        }
    }
    Ok(())
}

/// The text as a cell may have it: escaped, and cut off with an ellipsis where it is too long.
fn shown(text: &str) -> String {
    let text = escape(text);
    let mut units = 0;
    let mut fits = 0;
    for (at, char) in text.char_indices() {
        // The ellipsis is one unit.
        if units < MOST {
            fits = at;
        }
        units += char.len_utf16();
        if units > MOST {
            return format!("{}…", &text[..fits]);
        }
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> usize {
        text.encode_utf16().count()
    }

    #[test]
    fn text_is_cut_to_what_a_cell_may_have() {
        for char in ["a", "é", "東", "🔑"] {
            let most = MOST / units(char);
            let whole = char.repeat(most);
            assert!(shown(&whole) == whole, "{char}");
            let cut = shown(&char.repeat(most + 1));
            assert!(cut.ends_with('…'), "{char}");
            assert!((MOST - 1..=MOST).contains(&units(&cut)), "{char}");
        }
    }

    proptest! {
        #[test]
        fn every_text_can_be_written(text in "(\\PC|[\u{0}-\u{1f}]|🔑){0,40}", times in 1_usize..4000) {
            let text = text.repeat(times);
            let mut book = Workbook::new();
            let cell = write(book.add_worksheet(), (0, 0), Cell::Text(text), &Formats::new());
            prop_assert!(cell.is_ok());
        }
    }
}

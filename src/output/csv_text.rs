//! Cells of CSV, RFC 4180, for spreadsheets: no cell is a formula, and every record is one line.
//!
//! Characters that must be escaped, line breaks too, are visible escapes; a cell that a spreadsheet would take for a
//! formula starts with an apostrophe.

use crate::report::escape::escape;

/// Appends a record of these cells.
pub(super) fn write_record(cells: impl Iterator<Item = String>, out: &mut Vec<u8>) {
    for (position, cell) in cells.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_cell(cell.as_bytes(), out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends one cell, invalid UTF-8 replaced by U+FFFD.
pub(super) fn write_cell(bytes: &[u8], out: &mut Vec<u8>) {
    let mut ends = bytes.first().into_iter().chain(bytes.last());
    if ends.all(|&byte| is_plain_end(byte)) && are_plain(bytes) {
        return out.extend_from_slice(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let shown = escape(&text);
    let needs_quotes = shown.contains(['"', ',']) || shown.trim() != shown;
    let quote: &[u8] = if needs_quotes { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    if is_formula(&text) {
        out.push(b'\'');
    }
    for &byte in shown.as_bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.extend_from_slice(quote);
}

/// Whether the bytes are plain text to readers of CSV inside a cell. Blocks of a fixed size become vector instructions.
fn are_plain(bytes: &[u8]) -> bool {
    const fn is_plain(byte: u8) -> bool {
        matches!(byte, b' '..=b'!' | b'#'..=b'+' | b'-'..=b'~')
    }
    let (blocks, rest) = bytes.as_chunks::<16>();
    let are_blocks = blocks
        .iter()
        .all(|block| block.iter().fold(true, |plain, &byte| plain & is_plain(byte)));
    are_blocks && rest.iter().all(|&byte| is_plain(byte))
}

/// Whether a cell that starts or ends with this byte is neither a formula nor needs quotes for it.
const fn is_plain_end(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'<' | b'>' | b'/' | b'.' | b')')
}

/// Whether a spreadsheet may take the cell for a formula: it starts, blanks aside, with one of the signs that
/// make one (in their wide forms too), or with a tab or line break.
fn is_formula(text: &str) -> bool {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(SIGNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = Vec::new();
        write_cell(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_cells_are_bare() {
        for text in [
            "",
            "alice",
            "arn:aws:iam::123456789012:user/a",
            "2026-01-02T00:00:00Z",
            "<root_account>",
        ] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn formulas_are_text() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
        assert_eq!(cell("+1"), "'+1");
        assert_eq!(cell("-1"), "'-1");
        assert_eq!(cell("  =1"), "\"'  =1\"");
        assert_eq!(cell("\t=1"), r"'\t=1");
        assert_eq!(cell("\rx"), r"'\rx");
        assert_eq!(cell("＝1"), "'＝1");
        assert_eq!(cell("a=1"), "a=1");
    }

    #[test]
    fn quotes_and_line_breaks() {
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("a\r\nb"), r"a\r\nb");
        assert_eq!(cell(" a"), "\" a\"");
    }
}

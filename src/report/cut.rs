//! Cuts a text of records into blocks that can be read independently: only after a record, never inside quotes, by
//! exactly the rules of the `csv` crate.
//!
//! A quote is special only where a field starts; `""` in quotes is a quote; bytes after a closing quote belong to the
//! field; `\n`, `\r` and `\r\n` all end a record, and empty lines are ignored. A cut between `\r` and `\n` therefore
//! only leaves an empty line to the next block.

use memchr::{memchr, memchr_iter, memrchr2};

/// Length of the longest prefix of `text` that has whole records only; none if no record ends. `text` starts where a
/// record starts. Unquoted text is searched as fast as for a single byte.
pub fn whole_records(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut whole = None;
    let mut unquoted = 0;
    loop {
        let opening = opening_quote(text, unquoted, delimiter);
        let stretch = &text[unquoted..opening.unwrap_or(text.len())];
        if let Some(last) = memrchr2(b'\r', b'\n', stretch) {
            whole = Some(unquoted + last + 1);
        }
        let Some(closing) = opening.and_then(|quote| closing_quote(text, quote + 1)) else {
            return whole;
        };
        unquoted = closing + 1;
    }
}

/// How many line ends a text has: `\n`, `\r\n`, and a `\r` alone.
pub fn line_ends(text: &[u8]) -> u64 {
    let alone = memchr_iter(b'\r', text).filter(|&at| text.get(at + 1) != Some(&b'\n'));
    (memchr_iter(b'\n', text).count() + alone.count()) as u64
}

/// Whether every quote that opens in `text` is closed in it.
pub fn is_closed(text: &[u8], delimiter: u8) -> bool {
    let mut unquoted = 0;
    while let Some(quote) = opening_quote(text, unquoted, delimiter) {
        let Some(closing) = closing_quote(text, quote + 1) else {
            return false;
        };
        unquoted = closing + 1;
    }
    true
}

/// Position of the next quote at or after `from` that starts a field. The byte before `from`, if any, is a closing
/// quote.
fn opening_quote(text: &[u8], from: usize, delimiter: u8) -> Option<usize> {
    memchr_iter(b'"', &text[from..])
        .map(|offset| from + offset)
        .find(|&quote| match quote.checked_sub(1) {
            None => true,
            Some(before) => matches!(text[before], b'\r' | b'\n') || text[before] == delimiter,
        })
}

/// Position of the quote that ends the quoted stretch starting at `from`.
fn closing_quote(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = from + memchr(b'"', &text[from..])?;
        if text.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        from = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(text: &[u8]) -> Vec<csv::ByteRecord> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text)
            .into_byte_records()
            .map(|record| record.expect("bytes in memory are always read"))
            .collect()
    }

    /// The records of all blocks, cut as a reader of `block` bytes at a time cuts them.
    fn records_of_blocks(text: &[u8], block: usize) -> Vec<csv::ByteRecord> {
        let (mut start, mut end, mut all) = (0, 0, Vec::new());
        while end < text.len() {
            end = (end + block).min(text.len());
            if let Some(whole) = whole_records(&text[start..end], b',') {
                all.extend(records(&text[start..start + whole]));
                start += whole;
            }
        }
        all.extend(records(&text[start..]));
        all
    }

    #[test]
    fn cuts_are_after_records_only() {
        for (text, whole) in [
            ("", None),
            ("a,b", None),
            ("a,b\nc", Some(4)),
            ("a,b\r\nc", Some(5)),
            ("a\rc", Some(2)),
            ("a\n\"b\nc", Some(2)),
            ("a\n\"b\nc\"", Some(2)),
            ("a\n\"b\nc\"\nd", Some(8)),
            ("a\n\"b\"\"\nc\"x\"\n\"d\n", Some(12)),
            ("a\"b\nc", Some(4)),
            ("\"a\n", None),
            ("\"a\n\"\"", None),
            ("x,\"\n\",y\n", Some(8)),
            ("x;\"\n\",y\n", Some(4)),
        ] {
            assert_eq!(whole_records(text.as_bytes(), b','), whole, "{text:?}");
        }
        assert_eq!(whole_records(b"x;\"\n", b';'), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn blocks_hold_the_records_of_the_whole(
            text in "[\",\r\na]{0,60}",
            block in 1_usize..20,
        ) {
            prop_assert_eq!(records_of_blocks(text.as_bytes(), block), records(text.as_bytes()));
        }
    }
}

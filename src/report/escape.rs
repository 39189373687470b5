//! The one place that decides which characters are escaped where text is shown, and that escapes them: in messages, in
//! every format, in arguments and settings that errors repeat.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// What is escaped, by its Unicode properties: what controls a terminal or the order of text (Cc, Cf, Zl, Zp), what is
/// not drawn or drawn as anything (`Default_Ignorable_Code_Point`, unassigned, private), and blanks that look like
/// another blank or like nothing. Then the characters that are empty though no property says so: the object
/// replacement character, the blank Braille pattern, the null notehead, the Khitan filler, the Egyptian blanks.
///
/// U+00A0 and U+3000 stay as they are: keyboards of French and Japanese write them into names of files and accounts,
/// and they are as wide as they look.
const ESCAPED: &str = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u{FFFC}\u{2800}\u{1D159}\u{16FE4}\u{13441}\u{13442}[\p{Zs}--[ \u{A0}\u{3000}]]]";

/// [`ESCAPED`] as ranges in ascending order.
static RANGES: LazyLock<Box<[(char, char)]>> = LazyLock::new(|| {
    let class = regex_syntax::parse(ESCAPED).expect("invariant: a valid class");
    let HirKind::Class(Class::Unicode(class)) = class.kind() else {
        unreachable!("a class of characters")
    };
    let ranges = class.ranges().iter();
    ranges.map(|range| (range.start(), range.end())).collect()
});

/// Whether a character controls a terminal or the layout of text, or is invisible.
pub(crate) fn must_be_escaped(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    let after = RANGES.partition_point(|&(start, _)| start <= char);
    after > 0 && char <= RANGES[after - 1].1
}

/// Whether nothing in the text must be escaped.
pub(crate) fn is_plain(text: &str) -> bool {
    let is_plain_ascii = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_plain_ascii || !text.chars().any(must_be_escaped)
}

/// The text, in which every character that must be escaped is, such as `\x1b` or `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    text.chars().for_each(|char| push(char, &mut out));
    Cow::Owned(out)
}

/// The text, each line of it escaped.
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// Untrusted text for a message: at most `most` characters of it, escaped.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let mut chars = text.chars();
    let mut out = String::new();
    chars.by_ref().take(most).for_each(|char| push(char, &mut out));
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

fn push(char: char, out: &mut String) {
    let code = u32::from(char);
    let written = match char {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\0'..='\x7f' if must_be_escaped(char) => write!(out, "\\x{code:02x}"),
        _ if must_be_escaped(char) => write!(out, "\\u{{{code:x}}}"),
        _ => out.write_char(char),
    };
    written.expect("invariant: writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_invisible_characters_become_visible() {
        assert_eq!(escape("\x1b[31mred\x07"), r"\x1b[31mred\x07");
        assert_eq!(escape("a\r\n\tb\x7f\u{9b}"), r"a\r\n\tb\x7f\u{9b}");
        assert_eq!(
            escape("\u{202e}evil\u{200b}\u{feff}"),
            r"\u{202e}evil\u{200b}\u{feff}"
        );
        for text in [
            "Ærøskøbing 東京 <root_account>",
            "a\u{a0}b\u{3000}c",
            "e\u{301} שלום ไทย 한국 👍",
        ] {
            assert!(matches!(escape(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn each_kind_of_character_is_escaped() {
        let invisible = [
            0, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x34f, 0x600, 0x61c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5,
            0x180b, 0x180e, 0x180f, 0x2000, 0x200a, 0x200b, 0x200d, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
            0x202f, 0x205f, 0x2060, 0x2065, 0x2066, 0x206f, 0x2800, 0x3164, 0xe000, 0xfdd0, 0xfe00, 0xfe0f,
            0xfeff, 0xffa0, 0xfff0, 0xfff9, 0xfffc, 0xffff, 0x1_d159, 0x1_d173, 0x1_bca0, 0x1_3441, 0x1_6fe4,
            0xe_0000, 0xe_0001, 0xe_0041, 0xe_0100, 0xe_01ef, 0xe_0fff, 0xf_0000, 0x10_ffff,
        ];
        for code in invisible {
            let char = char::from_u32(code).unwrap();
            assert!(must_be_escaped(char), "U+{code:04X}");
            assert!(escape(&char.to_string()).is_ascii(), "U+{code:04X}");
        }
    }

    #[test]
    fn shown_text_is_bounded() {
        assert_eq!(shown("a\u{3164}bc", 3), "a\\u{3164}b…");
        assert_eq!(shown("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn nothing_that_must_be_escaped_is_left(text in "[\\s\\S]*|\\p{C}*|\\p{Z}*") {
            for out in [escape(&text).into_owned(), shown(&text, 1_000)] {
                prop_assert!(!out.chars().any(must_be_escaped));
                prop_assert!(is_plain(&out));
            }
            prop_assert_eq!(is_plain(&text), escape(&text) == text);
        }
    }
}

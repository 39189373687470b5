//! The one place that escapes text from reports for terminals. Every format applies it.

use std::borrow::Cow;
use std::fmt::Write as _;

pub(super) use crate::report::word::must_be_escaped;

/// The text, in which every character that must be escaped is, such as `\x1b` or `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(must_be_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x7f' if must_be_escaped(char) => {
                push(&mut out, format_args!("\\x{:02x}", u32::from(char)));
            }
            _ if must_be_escaped(char) => push(&mut out, format_args!("\\u{{{:x}}}", u32::from(char))),
            _ => out.push(char),
        }
    }
    Cow::Owned(out)
}

fn push(out: &mut String, escape: std::fmt::Arguments<'_>) {
    out.write_fmt(escape)
        .expect("invariant: writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_become_visible() {
        assert_eq!(escape("\x1b[31mred\x07"), r"\x1b[31mred\x07");
        assert_eq!(escape("a\r\n\tb\x7f\u{9b}"), r"a\r\n\tb\x7f\u{9b}");
        assert_eq!(
            escape("\u{202e}evil\u{200b}\u{feff}"),
            r"\u{202e}evil\u{200b}\u{feff}"
        );
        assert!(matches!(
            escape("Ærøskøbing 東京 <root_account>"),
            Cow::Borrowed(_)
        ));
    }
}

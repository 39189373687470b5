//! JSON that can be printed on a terminal: every character that [`must_be_escaped`] is written as `\uXXXX`, which JSON
//! permits.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::report::escape::{is_plain, must_be_escaped};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the value as one line of JSON.
pub(super) fn write(value: &impl Serialize, out: &mut Vec<u8>) {
    value
        .serialize(&mut Serializer::with_formatter(out, EscapingFormatter))
        .expect("invariant: memory takes every byte, and our maps have text keys");
}

/// Appends `,"name":` and the value.
pub(super) fn write_member(name: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
    write(value, out);
}

/// The value as indented JSON, with a line end.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("invariant: our maps have text keys");
    let mut out = Vec::with_capacity(text.len() + 1);
    // serde escapes line ends in strings, so those that are left indent.
    for char in text.chars() {
        match char {
            '\n' => out.push(b'\n'),
            _ => write_char(char, &mut out),
        }
    }
    out.push(b'\n');
    String::from_utf8(out).expect("invariant: JSON is UTF-8")
}

/// The value as one line of JSON.
pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// Appends the text as a JSON string, invalid UTF-8 replaced by U+FFFD.
pub(super) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_fragment(text, out);
    out.push(b'"');
}

/// Appends the text as a JSON string, or null.
pub(super) fn write_option(text: Option<&[u8]>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_fragment(text: &[u8], out: &mut Vec<u8>) {
    let is_plain = |&byte: &u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.iter().all(is_plain) {
        return out.extend_from_slice(text);
    }
    for char in String::from_utf8_lossy(text).chars() {
        let short = match char {
            '"' => b'"',
            '\\' => b'\\',
            '\n' => b'n',
            '\r' => b'r',
            '\t' => b't',
            '\x08' => b'b',
            '\x0c' => b'f',
            _ => {
                write_char(char, out);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

fn write_char(char: char, out: &mut Vec<u8>) {
    if !must_be_escaped(char) {
        return out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
    for unit in char.encode_utf16(&mut [0; 2]) {
        let digit = |shift: u32| HEX[usize::from(*unit >> shift & 15)];
        out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
    }
}

/// Number in lower-case hexadecimal digits.
pub(super) fn write_hex(number: u128, out: &mut Vec<u8>) {
    for byte in number.to_be_bytes() {
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Number in decimal digits.
pub(super) fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).expect("invariant: a digit");
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&digits[start..]);
        }
    }
}

/// Compact JSON, with strings as [`write_text`] writes them.
struct EscapingFormatter;

impl Formatter for EscapingFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut text = Vec::with_capacity(fragment.len() + 16);
        fragment.chars().for_each(|char| write_char(char, &mut text));
        writer.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            written(b"a\x1b[2J\x7f\xc2\x9b\xff"),
            "\"a\\u001b[2J\\u007f\\u009b\u{fffd}\""
        );
        assert_eq!(written("\u{202e}\u{e0041}".as_bytes()), r#""\u202e\udb40\udc41""#);
        assert_eq!(written("東京 \"x\\".as_bytes()), r#""東京 \"x\\""#);
    }

    proptest! {
        #[test]
        fn text_is_written_as_serde_writes_it(text: String) {
            let mut of_serde = Vec::new();
            write(&text, &mut of_serde);
            prop_assert_eq!(written(text.as_bytes()), String::from_utf8_lossy(&of_serde));
            prop_assert_eq!(serde_json::from_slice::<String>(&of_serde).unwrap(), text.clone());
            let indented = pretty(&[&text]);
            prop_assert!(!indented.replace('\n', "").chars().any(must_be_escaped));
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&indented).unwrap(), [text]);
        }

        #[test]
        fn nothing_is_left_that_must_be_escaped(text in "[\\s\\S]*|\\p{C}*|[\\x00-\\x{ff}\\x{2000}-\\x{20ff}\\x{e0000}-\\x{e0080}]*") {
            prop_assert!(!written(text.as_bytes()).chars().any(must_be_escaped));
        }

        #[test]
        fn numbers_are_in_decimal_and_hexadecimal(number: u64, wide: u128) {
            let mut out = Vec::new();
            write_number(number, &mut out);
            write_hex(wide, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{number}{wide:032x}"));
        }
    }
}

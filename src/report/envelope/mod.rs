//! The envelopes in which people save a report: the CSV itself, or what the AWS CLI and the SDKs wrap it in.
//!
//! The bytes decide, never a file name. A CSV is recognised from its beginning and has no envelope to open, so it can
//! be read as a stream; every other shape must be in memory as a whole.

use std::borrow::Cow;

use super::not_a_report::NotAReport;
use super::word::word_enum;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

mod generated;
mod json;
mod text;
mod yaml;

pub use generated::Generated;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The shape of an input, recognised from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A CSV, or anything unknown.
    Csv,
    /// A JSON object: the response of `aws iam get-credential-report`.
    Json,
    /// A JSON string: `--query Content`.
    JsonString,
    /// YAML: `--output yaml`.
    Yaml,
    /// Base64 alone (`--query Content --output text`), or followed by tab-separated fields (`--output text`).
    Base64,
    /// UTF-16 with a byte order mark, in any of the other shapes: `PowerShell` redirects output this way.
    Utf16,
}

word_enum! {
    /// The envelope around a report.
    pub enum Envelope {
        /// Nothing.
        Csv = "csv",
        /// JSON.
        Json = "json",
        /// The tab-separated text of the AWS CLI.
        Text = "text",
        /// Base64.
        Base64 = "base64",
        /// YAML.
        Yaml = "yaml",
    }
}

/// A report taken out of its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwrapped {
    /// The CSV, header included.
    pub csv: Vec<u8>,
    /// When AWS generated the report, as the envelope says.
    pub generated: Generated,
    /// Its envelope.
    pub kind: Envelope,
}

/// The shape of an input that begins with `prefix`; a few hundred bytes are enough.
pub fn sniff(prefix: &[u8]) -> Shape {
    if prefix.starts_with(b"\xff\xfe") || prefix.starts_with(b"\xfe\xff") {
        return Shape::Utf16;
    }
    let text = without_byte_order_mark(prefix).trim_ascii_start();
    match text.first() {
        Some(b'{' | b'[') => Shape::Json,
        Some(b'"') if is_json_string(text) => Shape::JsonString,
        _ if starts_like_yaml(text) => Shape::Yaml,
        _ if starts_like_base64(text) => Shape::Base64,
        _ => Shape::Csv,
    }
}

/// The reports of one input, in order, and what is wrong after them: whatever follows an envelope is read, or is an
/// error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// The reports. There is none only where there is an error.
    pub reports: Vec<Unwrapped>,
    /// Why the rest of the input is not a report.
    pub error: Option<NotAReport>,
}

/// Takes the reports out of the envelope `bytes`, whose shape is `shape`.
pub fn open(shape: Shape, bytes: &[u8]) -> Reports {
    let bytes = without_byte_order_mark(bytes);
    match shape {
        Shape::Csv => Reports {
            reports: vec![Unwrapped {
                csv: bytes.to_vec(),
                generated: Generated::Missing,
                kind: Envelope::Csv,
            }],
            error: None,
        },
        Shape::Json | Shape::JsonString => json::open(bytes),
        Shape::Yaml => yaml::open(bytes),
        Shape::Base64 => text::open(bytes),
        Shape::Utf16 => match from_utf16(bytes) {
            Ok(text) => open(sniff(&text), &text),
            Err(error) => Reports {
                error: Some(error),
                ..Reports::default()
            },
        },
    }
}

/// The text without the UTF-8 byte order mark that some programs put first.
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Whether a text that starts with a quote is one JSON string to its end, or a line of several. In a quoted CSV the
/// first cell ends early and other text follows; a CSV whose lines are quoted has commas in them.
fn is_json_string(text: &[u8]) -> bool {
    let mut from = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text[from..]) {
        let at = from + found;
        if text[at] == b'"' {
            let (string, rest) = (&text[1..at], &text[at + 1..]);
            let blanks = &rest[..rest.len() - rest.trim_ascii_start().len()];
            let is_report = string.contains(&b'\\') || !string.contains(&b',') && string.len() > 64;
            let next = rest.trim_ascii_start().first();
            return next.is_none()
                || (is_report && blanks.contains(&b'\n') && matches!(next, Some(b'"' | b'{' | b'[')));
        }
        from = (at + 2).min(text.len());
    }
    true
}

fn starts_like_yaml(text: &[u8]) -> bool {
    let mut text = text;
    while text.starts_with(b"#") || text.starts_with(b"---") {
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        text = text[end..].trim_ascii_start();
    }
    ["Content:", "GeneratedTime:", "ReportFormat:"]
        .iter()
        .any(|key| text.starts_with(key.as_bytes()))
}

/// Whether a text starts with a long enough run of base64 that decodes to text. No header does: all column names but
/// two contain an underscore, and a plain word does not decode to text.
fn starts_like_base64(text: &[u8]) -> bool {
    let run = text.split(|byte| !is_base64(*byte)).next().unwrap_or_default();
    let ends_well = text.get(run.len()).is_none_or(u8::is_ascii_whitespace);
    ends_well
        && run
            .get(..16)
            .and_then(|start| decoder().decode(start).ok())
            .is_some_and(|start| {
                let start = without_byte_order_mark(&start);
                start
                    .iter()
                    .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
            })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Padding may be missing: some tools cut it off.
fn decoder() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
}

/// The value of `Content`: base64, or the CSV itself if a program wrote the decoded response.
fn open_content(content: &[u8]) -> Result<Vec<u8>, NotAReport> {
    if content.trim_ascii().is_empty() {
        return Err(NotAReport::Empty);
    }
    let encoded = content
        .iter()
        .all(|&byte| is_base64(byte) || byte.is_ascii_whitespace());
    // A CSV is not trimmed: a blank at its end may be a cell.
    if !encoded {
        return Ok(without_byte_order_mark(content).to_vec());
    }
    let wrapped = content.iter().any(u8::is_ascii_whitespace);
    let content = if wrapped {
        Cow::Owned(
            content
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect(),
        )
    } else {
        Cow::Borrowed(content)
    };
    let csv = decoder()
        .decode(&*content)
        .map_err(|error| NotAReport::Base64(error.to_string()))?;
    Ok(match csv.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_vec(),
        None => csv,
    })
}

/// UTF-8 of UTF-16 that starts with its byte order mark.
fn from_utf16(bytes: &[u8]) -> Result<Vec<u8>, NotAReport> {
    let (units, rest) = bytes.as_chunks::<2>();
    let [mark, units @ ..] = units else {
        return Err(NotAReport::Utf16);
    };
    let decode = if *mark == [0xff, 0xfe] {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let mut text = String::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().map(|&unit| decode(unit))) {
        text.push(unit.map_err(|_| NotAReport::Utf16)?);
    }
    if rest.is_empty() {
        Ok(text.into_bytes())
    } else {
        Err(NotAReport::Utf16)
    }
}

#[cfg(test)]
mod tests;

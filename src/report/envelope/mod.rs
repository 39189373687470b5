//! The shapes in which people save a report: the CSV itself, or what the AWS CLI and the SDKs wrap it in.
//!
//! The bytes decide, never a file name. A CSV is recognised from its beginning and needs no envelope opened,
//! so it can be read as a stream; every other shape has to be held whole.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::not_a_report::{NotAReport, shown};

mod generated;

pub use generated::Generated;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What bytes are, told from their beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A CSV, or nothing that is known.
    Csv,
    /// A JSON object: the answer of `aws iam get-credential-report`.
    Json,
    /// A JSON string: `--query Content`.
    JsonString,
    /// YAML: `--output yaml`.
    Yaml,
    /// Base64 alone (`--query Content --output text`), or with tab-separated fields behind it (`--output text`).
    Base64,
    /// UTF-16 with a byte order mark, of any of the other shapes: a redirection in `PowerShell`.
    Utf16,
}

/// What a report was wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Csv,
    /// JSON.
    Json,
    /// The tab-separated text of the AWS CLI.
    Text,
    /// Base64.
    Base64,
    /// YAML.
    Yaml,
}

impl Kind {
    /// The word in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Yaml => "yaml",
        }
    }
}

/// A report taken out of its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The CSV, header included.
    pub csv: Vec<u8>,
    /// When AWS made the report, as the envelope says.
    pub generated: Generated,
    /// What it was wrapped in.
    pub kind: Kind,
}

/// What bytes are that begin with `prefix`, of which a few hundred bytes are enough.
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

/// Takes the report out of the envelope `bytes`, whose shape is `shape`.
pub fn open(shape: Shape, bytes: &[u8]) -> Result<Opened, NotAReport> {
    let bytes = without_byte_order_mark(bytes);
    match shape {
        Shape::Csv => Ok(Opened {
            csv: bytes.to_vec(),
            generated: Generated::Untold,
            kind: Kind::Csv,
        }),
        Shape::Json => open_json(bytes),
        Shape::JsonString => open_json_string(bytes),
        Shape::Yaml => open_yaml(bytes),
        Shape::Base64 => open_text(bytes),
        Shape::Utf16 => {
            let text = from_utf16(bytes)?;
            open(sniff(&text), &text)
        }
    }
}

/// The text behind the UTF-8 byte order mark that some programs put first.
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Whether a text that starts with a quote is one JSON string to its end. The first cell of a quoted CSV
/// ends early and has something behind it.
fn is_json_string(text: &[u8]) -> bool {
    let mut from = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text[from..]) {
        let at = from + found;
        if text[at] == b'"' {
            return text[at + 1..].trim_ascii().is_empty();
        }
        from = (at + 2).min(text.len());
    }
    true
}

fn starts_like_yaml(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"---").unwrap_or(text).trim_ascii_start();
    ["Content:", "GeneratedTime:", "ReportFormat:"]
        .iter()
        .any(|key| text.starts_with(key.as_bytes()))
}

/// Whether a text starts with a long enough run of base64 that holds text. No header does: the names of
/// all columns but two hold an underscore, and a word read as base64 gives no text.
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

/// The value of `Content`: base64, or the CSV itself where a program dumped the decoded answer.
fn open_content(content: &[u8]) -> Result<Vec<u8>, NotAReport> {
    if content.trim_ascii().is_empty() {
        return Err(NotAReport::Empty);
    }
    let encoded = content
        .iter()
        .all(|&byte| is_base64(byte) || byte.is_ascii_whitespace());
    // A CSV stays as it is: a blank at its end may be a cell.
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

/// What is read of the JSON; everything else is skipped without being kept.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "Content", borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(rename = "GeneratedTime", default)]
    generated: Generated,
    /// Answer of `GenerateCredentialReport`.
    #[serde(rename = "State", borrow)]
    state: Option<Cow<'a, str>>,
    /// Recordings of boto's placebo.
    #[serde(borrow)]
    data: Option<Box<Answer<'a>>>,
}

fn open_json(text: &[u8]) -> Result<Opened, NotAReport> {
    let mut answer: Answer<'_> = serde_json::from_slice(text).map_err(|error| json_error(&error))?;
    while answer.content.is_none()
        && let Some(inner) = answer.data
    {
        answer = *inner;
    }
    match answer.content {
        Some(content) => Ok(Opened {
            csv: open_content(content.as_bytes())?,
            generated: answer.generated,
            kind: Kind::Json,
        }),
        None if answer.state.is_some() => Err(NotAReport::Generation),
        None => Err(NotAReport::Json("it has no Content".to_owned())),
    }
}

fn open_json_string(text: &[u8]) -> Result<Opened, NotAReport> {
    let content: Cow<'_, str> = serde_json::from_slice(text).map_err(|error| json_error(&error))?;
    Ok(Opened {
        csv: open_content(content.as_bytes())?,
        generated: Generated::Untold,
        kind: Kind::Json,
    })
}

fn json_error(error: &serde_json::Error) -> NotAReport {
    NotAReport::Json(shown(&error.to_string(), 120))
}

/// `BASE64`, also over several lines, or `BASE64<TAB>GeneratedTime<TAB>text/csv`.
fn open_text(text: &[u8]) -> Result<Opened, NotAReport> {
    let mut fields = text.split(|&byte| byte == b'\t');
    let content = fields.next().unwrap_or_default();
    let encoded = content
        .iter()
        .all(|&byte| is_base64(byte) || byte.is_ascii_whitespace());
    if !encoded {
        return Err(NotAReport::Base64("other characters stand in it".to_owned()));
    }
    let fields: Vec<_> = fields.map(Generated::of_field).collect();
    let kind = if fields.is_empty() {
        Kind::Base64
    } else {
        Kind::Text
    };
    let time = fields.iter().find(|field| field.time().is_some());
    let odd = fields.iter().find(|&field| *field != Generated::Untold);
    Ok(Opened {
        csv: open_content(content)?,
        generated: time.or(odd).cloned().unwrap_or_default(),
        kind,
    })
}

/// The few forms in which YAML writes three strings at top level: plain, quoted, or as a block.
fn open_yaml(text: &[u8]) -> Result<Opened, NotAReport> {
    let content = yaml_value(text, b"Content:").ok_or(NotAReport::Yaml)?;
    let generated = yaml_value(text, b"GeneratedTime:");
    Ok(Opened {
        csv: open_content(&content)?,
        generated: generated.map_or_else(Generated::default, |time| Generated::of_yaml(&time)),
        kind: Kind::Yaml,
    })
}

/// The value of a top-level key: the rest of its line and the indented lines that follow.
fn yaml_value(text: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find_map(|line| line.strip_prefix(key))?.trim_ascii();
    let first = first.strip_prefix(b"!!binary").unwrap_or(first).trim_ascii();
    let is_block = matches!(first.first(), Some(b'|' | b'>'));
    let mut value = if is_block { Vec::new() } else { first.to_vec() };
    for line in lines.take_while(|line| line.is_empty() || line[0] == b' ') {
        value.push(b'\n');
        value.extend_from_slice(line.trim_ascii());
    }
    let value = value.trim_ascii();
    Some(match value {
        [b'\'', inner @ .., b'\''] => inner.to_vec(),
        [b'"', inner @ .., b'"'] => match serde_json::from_slice::<String>(value) {
            Ok(unescaped) => unescaped.into_bytes(),
            Err(_) => inner.to_vec(),
        },
        _ => value.to_vec(),
    })
}

/// UTF-8 of UTF-16 that starts with its byte order mark.
fn from_utf16(bytes: &[u8]) -> Result<Vec<u8>, NotAReport> {
    let (units, odd) = bytes.as_chunks::<2>();
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
    if odd.is_empty() {
        Ok(text.into_bytes())
    } else {
        Err(NotAReport::Utf16)
    }
}

#[cfg(test)]
mod tests;

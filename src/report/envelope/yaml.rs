//! YAML as the AWS CLI writes it: three strings at top level, in one document or in several.

use std::collections::BTreeSet;

use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::not_a_report::NotAReport;

/// One document: the values of its keys, as far as they are known.
#[derive(Default)]
struct Document {
    content: Option<Vec<u8>>,
    generated: Option<Vec<u8>>,
    /// Keys that were read, to see where the next document begins without a marker.
    keys: BTreeSet<Vec<u8>>,
}

/// The reports in a text of YAML documents, which markers part, or keys that repeat.
pub(super) fn open(text: &[u8]) -> Reports {
    let mut reports = Reports::default();
    reports.error = read(text, &mut reports).err();
    if reports.reports.is_empty() && reports.error.is_none() {
        reports.error = Some(NotAReport::Yaml);
    }
    reports
}

fn read(text: &[u8], reports: &mut Reports) -> Result<(), NotAReport> {
    let lines: Vec<&[u8]> = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .collect();
    let mut document = Document::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let line = super::without_byte_order_mark(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let line = match line {
            [b'-', b'-', b'-', rest @ ..] | [b'.', b'.', b'.', rest @ ..]
                if rest.is_empty() || rest[0] == b' ' =>
            {
                document.end(reports)?;
                without_comment(rest).trim_ascii()
            }
            line => line,
        };
        if line.is_empty() {
            continue;
        }
        let Some((key, rest)) = key_of(line) else {
            document.end(reports)?;
            return Err(NotAReport::Yaml);
        };
        if document.keys.contains(key) {
            document.end(reports)?;
        }
        let below = lines[at..]
            .iter()
            .take_while(|line| line.is_empty() || line[0] == b' ')
            .count();
        if below > 0 && !KEYS.contains(&key) {
            // What is nested may be a report, too.
            document.end(reports)?;
            return Err(NotAReport::Yaml);
        }
        document.set(key, value(rest, &lines[at..at + below]));
        at += below;
    }
    document.end(reports)
}

impl Document {
    fn set(&mut self, key: &[u8], value: Vec<u8>) {
        match key {
            b"Content" => self.content = Some(value),
            b"GeneratedTime" => self.generated = Some(value),
            _ => {}
        }
        self.keys.insert(key.to_vec());
    }

    /// Ends the document. One that only says that a report was started is not an error.
    fn end(&mut self, reports: &mut Reports) -> Result<(), NotAReport> {
        let Self {
            content,
            generated,
            keys,
        } = std::mem::take(self);
        let Some(content) = content else {
            let is_answer = keys.contains(&b"State"[..]);
            return if keys.is_empty() || is_answer {
                Ok(())
            } else {
                Err(NotAReport::Yaml)
            };
        };
        reports.reports.push(Unwrapped {
            csv: open_content(&content)?,
            generated: generated.map_or_else(Generated::default, |time| Generated::of_yaml(&time)),
            kind: Envelope::Yaml,
        });
        Ok(())
    }
}

/// The keys of answers, with values that may have several lines.
const KEYS: [&[u8]; 6] = [
    b"Content",
    b"GeneratedTime",
    b"ReportFormat",
    b"State",
    b"Description",
    b"ResponseMetadata",
];

/// The key that a line begins with, and what follows its colon.
fn key_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (key, rest) = (&line[..colon], &line[colon + 1..]);
    let is_plain = key
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let ends = rest.is_empty() || rest[0] == b' ';
    (is_plain && !key.is_empty() && ends).then_some((key, rest))
}

/// A text without the comment at its end.
fn without_comment(text: &[u8]) -> &[u8] {
    if text.trim_ascii_start().starts_with(b"#") {
        return b"";
    }
    memchr::memmem::find(text, b" #").map_or(text, |at| &text[..at])
}

/// The value of a key: the rest of its line and the indented lines below it. Plain, quoted, or as a block.
fn value(first: &[u8], below: &[&[u8]]) -> Vec<u8> {
    let first = first.trim_ascii();
    let is_quoted = matches!(first.first(), Some(b'\'' | b'"'));
    let first = if is_quoted {
        first
    } else {
        without_comment(first).trim_ascii()
    };
    let first = first.strip_prefix(b"!!binary").unwrap_or(first).trim_ascii();
    let is_block = matches!(first.first(), Some(b'|' | b'>'));
    let mut value = if is_block { Vec::new() } else { first.to_vec() };
    for line in below {
        value.push(b'\n');
        value.extend_from_slice(line.trim_ascii());
    }
    let value = value.trim_ascii();
    match value {
        [b'\'', inner @ .., b'\''] => inner.to_vec(),
        [b'"', inner @ .., b'"'] => match serde_json::from_slice::<String>(value) {
            Ok(unescaped) => unescaped.into_bytes(),
            Err(_) => inner.to_vec(),
        },
        _ => value.to_vec(),
    }
}

//! YAML as the AWS CLI writes it: three strings at top level, in one document or in several.

use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::not_a_report::NotAReport;

/// One document: the values of its keys, as far as they are known.
#[derive(Default)]
struct Document {
    content: Option<Vec<u8>>,
    generated: Option<Vec<u8>>,
    /// Keys that were read, to see where the next document begins without a marker.
    keys: Vec<Vec<u8>>,
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
        if line == b"---" || line == b"..." {
            document.end(reports)?;
            continue;
        }
        let line = line.strip_prefix(b"--- ").unwrap_or(line);
        let Some(colon) = line
            .iter()
            .position(|&byte| byte == b':')
            .filter(|_| line[0] != b' ')
        else {
            document.end(reports)?;
            return Err(NotAReport::Yaml);
        };
        let key = line[..colon].to_vec();
        if document.keys.contains(&key) {
            document.end(reports)?;
        }
        let below = lines[at..]
            .iter()
            .take_while(|line| line.is_empty() || line[0] == b' ')
            .count();
        document.set(key, value(&line[colon + 1..], &lines[at..at + below]));
        at += below;
    }
    document.end(reports)
}

impl Document {
    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        match key.as_slice() {
            b"Content" => self.content = Some(value),
            b"GeneratedTime" => self.generated = Some(value),
            _ => {}
        }
        self.keys.push(key);
    }

    /// Ends the document. One that only says that a report was started is not an error.
    fn end(&mut self, reports: &mut Reports) -> Result<(), NotAReport> {
        let Self {
            content,
            generated,
            keys,
        } = std::mem::take(self);
        let Some(content) = content else {
            let is_answer = keys.iter().any(|key| key == b"State");
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

/// The value of a key: the rest of its line and the indented lines below it. Plain, quoted, or as a block.
fn value(first: &[u8], below: &[&[u8]]) -> Vec<u8> {
    let first = first.trim_ascii();
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

//! Base64 in lines: `--query Content --output text`, `--output text`, and several of them one after another.

use super::{Envelope, Generated, Reports, Unwrapped, is_base64, open_content, without_byte_order_mark};
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::schema::Column;

/// Bytes of base64 that hold the longest column name and its delimiter.
const HEAD: usize = 64;

/// The report whose lines are being read.
#[derive(Default)]
struct Lines {
    reports: Reports,
    content: Vec<u8>,
}

/// The reports in a text of lines: `BASE64`, also over several lines, or `BASE64<TAB>GeneratedTime<TAB>text/csv`.
pub(super) fn open(text: &[u8]) -> Reports {
    let mut lines = Lines::default();
    for line in text.split(|&byte| byte == b'\n') {
        if let Err(error) = lines.add(without_byte_order_mark(line.trim_ascii())) {
            lines.reports.error = Some(error);
            return lines.reports;
        }
    }
    lines.reports.error = lines.end(&[]).err();
    if lines.reports.reports.is_empty() && lines.reports.error.is_none() {
        lines.reports.error = Some(NotAReport::Empty);
    }
    lines.reports
}

impl Lines {
    fn add(&mut self, line: &[u8]) -> Result<(), NotAReport> {
        let mut fields = line.split(|&byte| byte == b'\t');
        let content = fields.next().unwrap_or_default();
        let fields: Vec<&[u8]> = fields.collect();
        if !content
            .iter()
            .all(|&byte| is_base64(byte) || byte.is_ascii_whitespace())
        {
            self.end(&[])?;
            return Err(NotAReport::Base64("it contains other characters".to_owned()));
        }
        if self.is_whole() && begins_report(content) {
            self.end(&[])?;
        }
        self.content.extend_from_slice(content);
        if fields.is_empty() {
            Ok(())
        } else {
            self.end(&fields)
        }
    }

    /// Whether the lines so far may be a whole report: the header is, so that no line of it can look like another one.
    fn is_whole(&self) -> bool {
        let Ok(csv) = open_content(&self.content) else {
            return false;
        };
        let is_header =
            || Header::parse(&csv).is_ok_and(|header| header.names().iter().all(|name| is_column(name)));
        csv.contains(&b'\n') || self.content.ends_with(b"=") || is_header()
    }

    /// Ends the present report.
    fn end(&mut self, fields: &[&[u8]]) -> Result<(), NotAReport> {
        let content = std::mem::take(&mut self.content);
        if content.is_empty() && fields.iter().all(|field| field.is_empty()) {
            return Ok(());
        }
        let kind = if fields.is_empty() {
            Envelope::Base64
        } else {
            Envelope::Text
        };
        let fields: Vec<_> = fields.iter().map(|field| Generated::of_field(field)).collect();
        let time = fields.iter().find(|field| field.time().is_some());
        let unreadable = fields.iter().find(|&field| *field != Generated::Missing);
        self.reports.reports.push(Unwrapped {
            csv: open_content(&content)?,
            generated: time.or(unreadable).cloned().unwrap_or_default(),
            kind,
        });
        Ok(())
    }
}

/// Whether a line of base64 begins with the name of a column and a delimiter.
pub(super) fn begins_report(line: &[u8]) -> bool {
    let head = &line[..line.len().min(HEAD) / 4 * 4];
    let Ok(head) = open_content(head) else {
        return false;
    };
    let name = head
        .split(|byte| b",;\t".contains(byte))
        .next()
        .unwrap_or_default();
    name.len() < head.len() && str::from_utf8(name).is_ok_and(|name| is_column(name.trim_matches('"')))
}

fn is_column(name: &str) -> bool {
    Column::from_name(name).is_some()
}

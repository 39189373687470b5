//! One finding a record, RFC 4180 with a header.
//!
//! Parameters and evidence are `name=value; name=value`, requirements are separated by `; `. Harmful
//! characters, line breaks too, are visible escapes, so every record is one line; a cell that a spreadsheet
//! would take for a formula starts with an apostrophe. Programs are better served by `ndjson`.

use super::Stream;
use super::escape::escape;
use super::json_text::{write_hex, write_number};
use crate::engine::{CompiledRule, FindingRef, Input, UserRow};
use crate::finding::Suppression;

const HEADER: &str = "id,rule,parameters,title,status,severity,account,account_name,user,arn,credential,\
    access_key_id,as_of,source_path,source_row,message,evidence,requirements,suppression_reason,\
    suppression_expires,suppression_ticket\r\n";

pub(super) fn header() -> Vec<u8> {
    HEADER.into()
}

/// Writes findings as records. What those of a rule, a user or an input have in common is made once.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// By the rule's position in its program.
    rules: Vec<Option<RulePieces>>,
    /// Position of the input and number of the row, and `account` to `arn`.
    user: (Option<(usize, u64)>, Vec<u8>),
    /// Position of the input, and `as_of` to `source_path`.
    input: (Option<usize>, Vec<u8>),
    evidence: Vec<u8>,
}

#[derive(Debug)]
struct RulePieces {
    /// `rule` to `title`
    head: Vec<u8>,
    /// `requirements`
    requirements: Vec<u8>,
}

impl Stream for Records {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        let compiled = finding.rule();
        write_hex(finding.id().0, out);
        let rule = pieces(&mut self.rules, compiled);
        out.extend_from_slice(&rule.head);
        for word in [finding.status.name(), compiled.bound.severity.name()] {
            out.extend_from_slice(word.as_bytes());
            out.push(b',');
        }
        out.extend_from_slice(user(&mut self.user, finding));
        if let Some(credential) = finding.credential() {
            out.extend_from_slice(credential.name().as_bytes());
        }
        out.push(b',');
        write_cell(finding.access_key_id().unwrap_or_default().as_bytes(), out);
        out.extend_from_slice(input(&mut self.input, finding.input()));
        if let Some(row) = finding.row() {
            write_number(row.number(), out);
        }
        out.push(b',');
        write_cell(finding.message().as_bytes(), out);
        out.push(b',');
        write_evidence(finding, &mut self.evidence, out);
        out.extend_from_slice(&rule.requirements);
        write_suppression(finding, out);
        out.extend_from_slice(b"\r\n");
    }
}

fn pieces<'a>(rules: &'a mut Vec<Option<RulePieces>>, compiled: &CompiledRule) -> &'a RulePieces {
    if rules.len() <= compiled.position {
        rules.resize_with(compiled.position + 1, || None);
    }
    rules[compiled.position].get_or_insert_with(|| RulePieces::new(compiled))
}

impl RulePieces {
    fn new(compiled: &CompiledRule) -> Self {
        let bound = &compiled.bound;
        let parameters: Vec<_> = bound
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut head = vec![b','];
        for cell in [&bound.rule.id, &parameters.join("; "), &bound.rule.title] {
            write_cell(cell.as_bytes(), &mut head);
            head.push(b',');
        }
        let mut requirements = vec![b','];
        write_cell(bound.requirements.join("; ").as_bytes(), &mut requirements);
        Self { head, requirements }
    }
}

fn user<'a>((of, text): &'a mut (Option<(usize, u64)>, Vec<u8>), finding: &FindingRef<'_>) -> &'a [u8] {
    let now = finding.row().map(|row| (finding.input().index, row.number()));
    if now.is_none() || now != *of {
        *of = now;
        text.clear();
        let cell = |bytes: Option<&[u8]>, text: &mut Vec<u8>| {
            write_cell(bytes.unwrap_or(b""), text);
            text.push(b',');
        };
        cell(finding.account(), text);
        cell(finding.account_name().map(str::as_bytes), text);
        cell(finding.row().and_then(UserRow::user), text);
        cell(finding.row().and_then(UserRow::arn), text);
    }
    text
}

fn input<'a>((of, text): &'a mut (Option<usize>, Vec<u8>), input: &Input) -> &'a [u8] {
    if *of != Some(input.index) {
        *of = Some(input.index);
        text.clear();
        text.push(b',');
        write_cell(input.as_of.to_string().as_bytes(), text);
        text.push(b',');
        write_cell(input.path.as_bytes(), text);
        text.push(b',');
    }
    text
}

fn write_evidence(finding: &FindingRef<'_>, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    scratch.clear();
    for (column, cell) in finding.evidence() {
        if !scratch.is_empty() {
            scratch.extend_from_slice(b"; ");
        }
        scratch.extend_from_slice(column.name().as_bytes());
        scratch.push(b'=');
        scratch.extend_from_slice(cell);
    }
    write_cell(scratch, out);
}

fn write_suppression(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    let Some(suppression) = finding.suppression else {
        return out.extend_from_slice(b",,,");
    };
    let Suppression {
        reason,
        expires,
        ticket,
    } = suppression;
    for cell in [Some(reason), expires.as_ref(), ticket.as_ref()] {
        out.push(b',');
        write_cell(cell.map_or(b"", String::as_bytes), out);
    }
}

/// Bytes that mean nothing to readers of CSV, wherever they stand behind the first.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = byte != b'"' && byte != b',';
        byte += 1;
    }
    plain
};

/// Appends one cell, invalid UTF-8 replaced by U+FFFD.
pub(super) fn write_cell(bytes: &[u8], out: &mut Vec<u8>) {
    let mut ends = bytes.first().into_iter().chain(bytes.last());
    if ends.all(|&byte| is_harmless_end(byte)) && bytes.iter().all(|&byte| PLAIN[usize::from(byte)]) {
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

/// Whether a cell that starts or ends so is neither a formula nor needs quotes for that.
const fn is_harmless_end(byte: u8) -> bool {
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
    use super::super::support::hostile;
    use super::super::{Format, Settings};
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
    fn every_record_can_be_read_back() {
        let text = hostile(Format::Csv, Settings::default());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), text.lines().count() - 1);
        let users: Vec<&str> = records.iter().map(|record| &record[8]).collect();
        assert!(
            users.contains(&"ta,b \"東京\"") && users.contains(&"'=cmd|'/c calc'!A1"),
            "{users:?}"
        );
        for record in &records {
            assert!(!record.iter().any(is_formula), "{record:?}");
        }
    }

    #[test]
    fn quotes_and_line_breaks() {
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("a\r\nb"), r"a\r\nb");
        assert_eq!(cell(" a"), "\" a\"");
    }
}

//! `ndjson`: one finding per line, `credlens.finding/v1`.
//!
//! Lines are written by hand. With a borrowed struct, serde and raw values, a scan of a million users takes 2.6 times the
//! CPU time (3.5 s, not 1.3 s). A test compares every line with that of serde.

use super::common_parts::{RulePartsCache, user_key};
use super::{FindingStream, ScanWriter};
use crate::engine::{CompiledRule, FindingRef, Input, ReportId, UserRow};
use crate::finding::Finding;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::{write, write_hex, write_member, write_number, write_option, write_text};
use crate::output::shared_part::SharedPart;
use crate::rule::BoundRule;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "ndjson",
    "one finding per line",
    Readers::Program,
    ScanWriter::StreamFindings(|| Box::new(Lines::default())),
);

/// Writes findings as lines of JSON.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rules: RulePartsCache<RuleParts>,
    /// `account` to `arn`.
    user: SharedPart<(ReportId, u64)>,
    /// `as_of` to the row.
    input: SharedPart<ReportId>,
}

/// What all findings of a rule have in common.
#[derive(Debug)]
struct RuleParts {
    /// From the id's end to the status.
    head: Vec<u8>,
    /// From the status's end to the account.
    severity: Vec<u8>,
    /// From the evidence's end to the suppression.
    requirements: Vec<u8>,
}

impl FindingStream for Lines {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        self.object(finding, out);
        out.push(b'\n');
    }
}

impl Lines {
    /// Writes one finding as a JSON object, without an end of line.
    pub(super) fn object(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"schema":""#);
        out.extend_from_slice(Finding::SCHEMA.as_bytes());
        out.extend_from_slice(br#"","id":""#);
        write_hex(finding.id().0, out);
        let (rule, input) = (self.rules.get(finding.rule(), RuleParts::new), finding.input());
        out.extend_from_slice(&rule.head);
        out.extend_from_slice(finding.status.name().as_bytes());
        out.extend_from_slice(&rule.severity);
        if let Some(due_at) = &finding.due_at {
            write_member("due_at", due_at, out);
        }
        out.extend_from_slice(self.user.get(user_key(finding), |part| write_user(finding, part)));
        out.extend_from_slice(br#","credential":"#);
        let credential = finding.credential();
        write_option(credential.map(|credential| credential.name().as_bytes()), out);
        out.extend_from_slice(br#","access_key_id":"#);
        write_option(finding.access_key_id().map(str::as_bytes), out);
        out.extend_from_slice(br#","access_key_description":"#);
        write_option(finding.access_key_description().map(str::as_bytes), out);
        out.extend_from_slice(br#","owner":"#);
        write_option(finding.owner().map(str::as_bytes), out);
        out.extend_from_slice(self.input.get(Some(input.id), |part| write_input(input, part)));
        match finding.row() {
            Some(row) => write_number(row.number(), out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#"},"message":"#);
        write_text(finding.message().as_bytes(), out);
        write_evidence(finding, out);
        out.extend_from_slice(&rule.requirements);
        write(&finding.suppression, out);
        if let Some(fix) = finding.fix() {
            write_member("fix", &fix, out);
        }
        out.push(b'}');
    }
}

impl RuleParts {
    fn new(compiled: &CompiledRule) -> Self {
        let bound = &compiled.bound;
        let mut head = rule_members(bound);
        head.extend_from_slice(br#","status":""#);
        let mut requirements = vec![b'}'];
        write_member("requirements", &bound.requirements, &mut requirements);
        write_member("related_requirements", &bound.related, &mut requirements);
        requirements.extend_from_slice(br#","suppression":"#);
        Self {
            head,
            severity: format!(r#"","severity":"{}""#, bound.severity).into_bytes(),
            requirements,
        }
    }
}

/// From the id's end to the title, as findings of scan and of diff begin.
pub(in crate::output) fn rule_members(bound: &BoundRule) -> Vec<u8> {
    let mut out = vec![b'"'];
    write_member("rule", &bound.rule.id, &mut out);
    write_member("parameters", &bound.parameters, &mut out);
    write_member("title", &bound.rule.title, &mut out);
    out
}

fn write_user(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","account":"#);
    write_option(finding.account(), out);
    out.extend_from_slice(br#","account_name":"#);
    write_option(finding.account_name().map(str::as_bytes), out);
    out.extend_from_slice(br#","user":"#);
    write_option(finding.row().and_then(UserRow::user), out);
    out.extend_from_slice(br#","arn":"#);
    write_option(finding.row().and_then(UserRow::arn), out);
}

fn write_input(input: &Input, out: &mut Vec<u8>) {
    write_member("as_of", &input.as_of, out);
    out.extend_from_slice(br#","source":{"path":"#);
    write(&input.path, out);
    out.extend_from_slice(br#","row":"#);
}

fn write_evidence(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","evidence":{"#);
    for (position, (column, cell)) in finding.evidence().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(column.name().as_bytes());
        out.extend_from_slice(br#"":"#);
        write_text(cell, out);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::engine::{self, AssessOptions};
    use crate::finding::Suppression;
    use crate::output::test_support::{ForEachFinding, HOSTILE, Memory, NAMED, program};

    /// Compares the line of each finding with that of serde. Returns their number.
    fn lines_like_serde(path: &str, records: &[u8]) -> usize {
        let seen = AtomicUsize::new(0);
        let lines = std::sync::Mutex::new(Lines::default());
        let suppression = Suppression {
            reason: path.to_owned(),
            expires: None,
            ticket: Some("SEC-1".to_owned()),
        };
        let sink = ForEachFinding(|finding: &FindingRef<'_>| {
            let mut finding = *finding;
            for accepted in [None, Some(&suppression)] {
                finding.suppression = accepted;
                let (mut line, mut of_serde) = (Vec::new(), Vec::new());
                lines.lock().unwrap().object(&finding, &mut line);
                write(&finding.to_finding(), &mut of_serde);
                assert_eq!(
                    String::from_utf8(line).unwrap(),
                    String::from_utf8_lossy(&of_serde)
                );
                let read: Finding = serde_json::from_slice(&of_serde).unwrap();
                assert_eq!(read, finding.to_finding());
            }
            seen.fetch_add(1, Ordering::Relaxed);
        });
        for program in [program(&["*"]), program(&["*"]).with_fixes()] {
            let source = Memory::new(&[(path, records)]);
            engine::assess(&program, source, &sink, AssessOptions::default()).unwrap();
        }
        seen.into_inner()
    }

    #[test]
    fn lines_are_those_of_serde() {
        assert!(lines_like_serde("hos\x1btile.csv", HOSTILE.as_bytes()) > 10);
    }

    #[test]
    fn lines_of_named_accounts_are_those_of_serde() {
        assert!(lines_like_serde(NAMED, HOSTILE.as_bytes()) > 10);
    }

    /// A quoted cell.
    fn quoted(cell: &[u8]) -> Vec<u8> {
        let mut out = vec![b'"'];
        for &byte in cell {
            out.push(byte);
            if byte == b'"' {
                out.push(byte);
            }
        }
        out.push(b'"');
        out
    }

    fn hostile_cell() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[\\x00-\\x{ff}\\x{2000}-\\x{2100}\"\\\\]{0,12}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..12),
            Just(b"true".to_vec()),
            Just(b"N/A".to_vec()),
            Just(b"2020-01-01T00:00:00+00:00".to_vec()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn lines_of_hostile_cells_are_those_of_serde(cells in prop::collection::vec(hostile_cell(), 22), path: String) {
            let cells: Vec<Vec<u8>> = cells.iter().map(|cell| quoted(cell)).collect();
            lines_like_serde(&path, &cells.join(&b','));
        }
    }
}

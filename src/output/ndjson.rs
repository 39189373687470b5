//! One finding a line, `credlens.finding/v1`, written straight from what the engine found: what the findings
//! of a rule, a user or an input have in common is made once and copied.

use super::Stream;
use super::json_text::{write, write_hex, write_number, write_option, write_text};
use crate::engine::{CompiledRule, FindingRef, Input, UserRow};
use crate::finding::Finding;

/// Writes findings as lines of JSON.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By the rule's position in its program.
    rules: Vec<Option<RulePieces>>,
    user: UserPiece,
    input: InputPiece,
}

/// What all findings of a rule have in common.
#[derive(Debug)]
struct RulePieces {
    /// From the id's end to the status.
    head: Vec<u8>,
    /// From the status's end to the account.
    severity: Vec<u8>,
    /// From the evidence's end to the suppression.
    requirements: Vec<u8>,
}

/// `account` to `arn` of one user.
#[derive(Debug, Default)]
struct UserPiece {
    /// Position of the input, and number of the row.
    of: Option<(usize, u64)>,
    text: Vec<u8>,
}

/// `as_of` to the row of one input.
#[derive(Debug, Default)]
struct InputPiece {
    of: Option<usize>,
    text: Vec<u8>,
}

impl Stream for Lines {
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
        let rule = pieces(&mut self.rules, finding.rule());
        out.extend_from_slice(&rule.head);
        out.extend_from_slice(finding.status.name().as_bytes());
        out.extend_from_slice(&rule.severity);
        out.extend_from_slice(self.user.of(finding));
        out.extend_from_slice(br#","credential":"#);
        write_option(
            finding
                .credential()
                .map(|credential| credential.name().as_bytes()),
            out,
        );
        out.extend_from_slice(br#","access_key_id":"#);
        write_option(finding.access_key_id().map(str::as_bytes), out);
        out.extend_from_slice(self.input.of(finding.input()));
        match finding.row() {
            Some(row) => write_number(row.number(), out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#"},"message":"#);
        write_text(finding.message().as_bytes(), out);
        write_evidence(finding, out);
        out.extend_from_slice(&rule.requirements);
        write(&finding.suppression, out);
        out.push(b'}');
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
        let mut head = br#"","rule":"#.to_vec();
        write(&bound.rule.id, &mut head);
        head.extend_from_slice(br#","parameters":"#);
        write(&bound.parameters, &mut head);
        head.extend_from_slice(br#","title":"#);
        write(&bound.rule.title, &mut head);
        head.extend_from_slice(br#","status":""#);
        let mut requirements = br#"},"requirements":"#.to_vec();
        write(&bound.requirements, &mut requirements);
        requirements.extend_from_slice(br#","suppression":"#);
        Self {
            head,
            severity: format!(r#"","severity":"{}""#, bound.severity).into_bytes(),
            requirements,
        }
    }
}

impl UserPiece {
    fn of(&mut self, finding: &FindingRef<'_>) -> &[u8] {
        let of = finding.row().map(|row| (finding.input().index, row.number()));
        if of.is_none() || of != self.of {
            self.of = of;
            self.text.clear();
            self.text.extend_from_slice(br#","account":"#);
            write_option(finding.account(), &mut self.text);
            self.text.extend_from_slice(br#","account_name":"#);
            write_option(finding.account_name().map(str::as_bytes), &mut self.text);
            self.text.extend_from_slice(br#","user":"#);
            write_option(finding.row().and_then(UserRow::user), &mut self.text);
            self.text.extend_from_slice(br#","arn":"#);
            write_option(finding.row().and_then(UserRow::arn), &mut self.text);
        }
        &self.text
    }
}

impl InputPiece {
    fn of(&mut self, input: &Input) -> &[u8] {
        if self.of != Some(input.index) {
            self.of = Some(input.index);
            self.text.clear();
            self.text.extend_from_slice(br#","as_of":"#);
            write(&input.as_of.to_string(), &mut self.text);
            self.text.extend_from_slice(br#","source":{"path":"#);
            write(&input.path, &mut self.text);
            self.text.extend_from_slice(br#","row":"#);
        }
        &self.text
    }
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

    use super::super::support::{Each, HOSTILE, NAMED, assess};
    use super::*;
    use crate::finding::Suppression;

    /// Holds every line of this record against serde's, and says how many there were.
    fn lines_like_serde(path: &str, records: &[u8]) -> usize {
        let seen = AtomicUsize::new(0);
        let lines = std::sync::Mutex::new(Lines::default());
        let suppression = Suppression {
            reason: path.to_owned(),
            expires: None,
            ticket: Some("SEC-1".to_owned()),
        };
        let sink = Each(|finding: &FindingRef<'_>| {
            let mut finding = *finding;
            for accepted in [None, Some(&suppression)] {
                finding.suppression = accepted;
                let (mut fast, mut slow) = (Vec::new(), Vec::new());
                lines.lock().unwrap().object(&finding, &mut fast);
                write(&finding.to_finding(), &mut slow);
                assert_eq!(String::from_utf8(fast).unwrap(), String::from_utf8_lossy(&slow));
                let read: Finding = serde_json::from_slice(&slow).unwrap();
                assert_eq!(read, finding.to_finding());
            }
            seen.fetch_add(1, Ordering::Relaxed);
        });
        assess(&sink, &[(path, records)], &["*"], 1);
        seen.into_inner()
    }

    #[test]
    fn lines_are_those_of_serde() {
        assert!(lines_like_serde("hos\x1btile.csv", HOSTILE.as_bytes()) > 10);
    }

    #[test]
    fn lines_of_named_accounts_too() {
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
        fn hostile_cells_too(cells in prop::collection::vec(hostile_cell(), 22), path: String) {
            let cells: Vec<Vec<u8>> = cells.iter().map(|cell| quoted(cell)).collect();
            lines_like_serde(&path, &cells.join(&b','));
        }
    }
}

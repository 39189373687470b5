//! `csv`: one finding per record, with a header, for spreadsheets. Programs are better served by `ndjson`. A ranking
//! that is asked for takes the place of the findings: a sheet has one table.
//!
//! Parameters and evidence are `name=value; name=value`, requirements are separated by `; `.
//!
//! Records are written by hand: with the writer of the crate csv, a scan of a million users takes 2.2 times the CPU time.

use super::common_parts::{RulePartsCache, user_key};
use super::{FindingStream, ScanWriter, ranking};
use crate::engine::{CompiledRule, FindingRef, Input, ReportId, UserRow};
use crate::output::csv_text::write_cell;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::{write_hex, write_number};
use crate::output::phrases::parameters;
use crate::output::shared_part::SharedPart;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "csv",
    "for spreadsheets",
    Readers::Program,
    ScanWriter::StreamOrRanking(|| Box::new(Records::default()), ranking::csv),
);

const HEADER: &str = "id,rule,parameters,title,status,severity,account,account_name,user,arn,credential,\
    access_key_id,as_of,source_path,source_row,message,evidence,requirements,related_requirements,suppression_reason,\
    suppression_expires,suppression_ticket,due_at,user_path,created,age_days,last_used,idle_days,owner,\
    access_key_description,service_credential_id\r\n";

/// Writes findings as records.
#[derive(Debug, Default)]
struct Records {
    rules: RulePartsCache<RuleParts>,
    /// `account` to `arn`.
    user: SharedPart<(ReportId, u64)>,
    /// `user_path`.
    path: SharedPart<(ReportId, u64)>,
    /// `as_of` to `source_path`.
    input: SharedPart<ReportId>,
    evidence: Vec<u8>,
}

/// What all findings of a rule have in common.
#[derive(Debug)]
struct RuleParts {
    /// `rule` to `title`.
    head: Vec<u8>,
    /// `requirements` and `related_requirements`.
    requirements: Vec<u8>,
}

impl FindingStream for Records {
    fn opening(&self) -> Vec<u8> {
        HEADER.into()
    }

    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        let (compiled, input) = (finding.rule(), finding.input());
        write_hex(finding.id().0, out);
        let rule = self.rules.get(compiled, RuleParts::new);
        out.extend_from_slice(&rule.head);
        for word in [finding.status.name(), compiled.bound.severity.name()] {
            out.extend_from_slice(word.as_bytes());
            out.push(b',');
        }
        out.extend_from_slice(self.user.get(user_key(finding), |part| write_user(finding, part)));
        if let Some(credential) = finding.credential() {
            out.extend_from_slice(credential.name().as_bytes());
        }
        out.push(b',');
        write_cell(finding.access_key_id().unwrap_or_default().as_bytes(), out);
        out.extend_from_slice(self.input.get(Some(input.id), |part| write_input(input, part)));
        if let Some(row) = finding.row() {
            write_number(row.number(), out);
        }
        out.push(b',');
        write_cell(finding.message().as_bytes(), out);
        out.push(b',');
        write_evidence(finding, &mut self.evidence, out);
        out.extend_from_slice(&rule.requirements);
        write_suppression(finding, out);
        out.push(b',');
        if let Some(due_at) = finding.due_at {
            write_cell(due_at.to_string().as_bytes(), out);
        }
        out.extend_from_slice(self.path.get(user_key(finding), |part| write_path(finding, part)));
        write_ages(finding, out);
        for cell in [finding.owner(), finding.access_key_description()] {
            out.push(b',');
            write_cell(cell.unwrap_or_default().as_bytes(), out);
        }
        out.push(b',');
        let of_service = finding.row().and_then(UserRow::service_credential_id);
        write_cell(of_service.unwrap_or_default(), out);
        out.extend_from_slice(b"\r\n");
    }
}

impl RuleParts {
    fn new(compiled: &CompiledRule) -> Self {
        let bound = &compiled.bound;
        let mut head = vec![b','];
        for cell in [&bound.rule.id, &parameters(&bound.parameters), &bound.rule.title] {
            write_cell(cell.as_bytes(), &mut head);
            head.push(b',');
        }
        let mut requirements = Vec::new();
        for names in [&bound.requirements, &bound.related] {
            requirements.push(b',');
            write_cell(names.join("; ").as_bytes(), &mut requirements);
        }
        Self { head, requirements }
    }
}

fn write_user(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    let row = finding.row();
    let cells = [
        finding.account(),
        finding.account_name().map(str::as_bytes),
        row.and_then(UserRow::user),
        row.and_then(UserRow::arn),
    ];
    for cell in cells {
        write_cell(cell.unwrap_or_default(), out);
        out.push(b',');
    }
}

fn write_input(input: &Input, out: &mut Vec<u8>) {
    for cell in [&input.as_of.to_string(), &input.path] {
        out.push(b',');
        write_cell(cell.as_bytes(), out);
    }
    out.push(b',');
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
    let cells = [&suppression.expires, &suppression.ticket].map(Option::as_ref);
    for cell in std::iter::once(Some(&suppression.reason)).chain(cells) {
        out.push(b',');
        write_cell(cell.map_or(b"", String::as_bytes), out);
    }
}

fn write_path(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    out.push(b',');
    let path = finding.row().and_then(UserRow::path);
    write_cell(path.unwrap_or_default(), out);
}

/// When the credential was created and last used, each with the whole days since then: nothing where that is unknown, never
/// was, or is after the as-of.
fn write_ages(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    let as_of = finding.input().as_of;
    for time in finding.credential_times() {
        out.push(b',');
        if let Some(time) = time {
            out.extend_from_slice(time.to_string().as_bytes());
        }
        out.push(b',');
        if let Some(days) = time.and_then(|time| time.days_until(as_of)) {
            write_number(days, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::output::DisplayOptions;
    use crate::output::test_support::hostile;

    #[test]
    fn every_record_can_be_read_back() {
        let text = hostile("csv", DisplayOptions::default());
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let records: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), text.lines().count() - 1);
        let users: Vec<&str> = records.iter().map(|record| &record[8]).collect();
        assert!(
            users.contains(&"ta,b \"東京\"") && users.contains(&"'=cmd|'/c calc'!A1"),
            "{users:?}"
        );
    }
}

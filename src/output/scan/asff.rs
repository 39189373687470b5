//! `asff`: the AWS Security Finding Format. Each line is one request of `BatchImportFindings`, with findings of one account.
//!
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>; the limits on lengths
//! are those of <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html> and of the types
//! that it names. Workers format findings; [`AsffBatches`] puts them into requests.

use serde_json::{Map, Value, json};

use super::asff_batches::AsffBatches;
use super::common_parts::{RulePartsCache, account_id, arn, partition, user_name};
use super::{Arranger, FindingStream, ScanWriter};
use crate::engine::{CompiledRule, FindingRef, UserRow};
use crate::finding::{Severity, Status, Suppression};
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::write_member;
use crate::output::other_tools::{cut, severity_by_status, standards};
use crate::report::escape::escape;
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "asff",
    "requests for AWS Security Hub CSPM, one per line",
    Readers::Program,
    ScanWriter::StreamFindings(|| Box::new(AsffFindings::default())),
);

/// Of each account, what Security Hub calls the type of such findings.
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Longest texts, in characters. Values of `ProductFields` and ids of resources may be longer; with these, no finding can
/// reach 240 KB.
const TITLE: usize = 256;
const DESCRIPTION: usize = 1_024;
const RECOMMENDATION: usize = 512;
const NOTE: usize = 512;
const FIELD: usize = 512;
const RESOURCE: usize = 512;
const USER: usize = 128;
/// Most requirements of a finding, and their longest name.
const REQUIREMENTS: (usize, usize) = (32, 64);

/// Writes a finding per line for [`AsffBatches`]: the account, the partition if it is known, a tab, and the finding as JSON
/// without its opening brace. A finding without an account is an empty line.
#[derive(Debug, Default)]
struct AsffFindings {
    rules: RulePartsCache<Vec<u8>>,
}

impl FindingStream for AsffFindings {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        if let Some(account) = account_id(finding) {
            out.extend_from_slice(account.as_bytes());
            out.extend_from_slice(partition(finding).unwrap_or_default().as_bytes());
            out.push(b'\t');
            let rule = self.rules.get(finding.rule(), rule_members);
            write_finding(finding, account, rule, out);
        }
        out.push(b'\n');
    }

    fn arranger(&self, options: DisplayOptions) -> Option<Box<dyn Arranger>> {
        Some(Box::new(AsffBatches::new(options.region)))
    }
}

/// What all findings of a rule have in common.
fn rule_members(compiled: &CompiledRule) -> Vec<u8> {
    let rule = &compiled.bound.rule;
    let mut out = Vec::new();
    write_member(
        "GeneratorId",
        &format!("credlens/{}", text(&rule.id, 256)),
        &mut out,
    );
    write_member("Title", &text(&rule.title, TITLE), &mut out);
    write_member("Types", &[TYPE], &mut out);
    let mut recommendation = Map::new();
    if let Some(fix) = rule.instructions() {
        let one_line: Vec<&str> = fix.split_whitespace().collect();
        recommendation.insert(
            "Text".to_owned(),
            json!(text(&one_line.join(" "), RECOMMENDATION)),
        );
    }
    if let Some(address) = rule.references.first().filter(|it| is_address(it)) {
        recommendation.insert("Url".to_owned(), json!(address));
    }
    if !recommendation.is_empty() {
        write_member(
            "Remediation",
            &json!({"Recommendation": recommendation}),
            &mut out,
        );
    }
    out
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") && text.len() <= 512
}

/// Text that can be printed, of at most `most` characters.
fn text(text: &str, most: usize) -> String {
    cut(&escape(text), most).into_owned()
}

/// `2026-11-21T00:00:00.000Z`
fn instant(time: Timestamp) -> String {
    time.to_string().replace('Z', ".000Z")
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

fn write_finding(finding: &FindingRef<'_>, account: &str, rule: &[u8], out: &mut Vec<u8>) {
    let id = format!("credlens/{}", finding.id());
    let as_of = instant(finding.input().as_of);
    let bound = &finding.rule().bound;
    let severity = json!({
        "Label": label(severity_by_status(bound.severity, finding.status)), "Original": bound.severity,
    });
    out.extend_from_slice(br#""SchemaVersion":"2018-10-08""#);
    write_member("Id", &id, out);
    write_member("AwsAccountId", &account, out);
    if let Some(name) = finding.account_name().filter(|name| is_visible(name)) {
        write_member("AwsAccountName", &text(name, 128), out);
    }
    for name in ["CreatedAt", "UpdatedAt"] {
        write_member(name, &as_of, out);
    }
    out.extend_from_slice(rule);
    write_member("Description", &description(finding), out);
    write_member("Severity", &severity, out);
    write_member(
        "FindingProviderFields",
        &json!({"Severity": severity, "Types": [TYPE]}),
        out,
    );
    write_member("Resources", &resources(finding, account), out);
    write_member("Compliance", &compliance(finding), out);
    let workflow = match finding.status {
        Status::Fail | Status::Undetermined => "NEW",
        Status::Suppressed => "SUPPRESSED",
        Status::Pass | Status::Due => "RESOLVED",
    };
    write_member("Workflow", &json!({"Status": workflow}), out);
    out.extend_from_slice(br#","RecordState":"ACTIVE""#);
    if let Some(suppression) = finding.suppression {
        let note =
            json!({"Text": text(&reason(suppression), NOTE), "UpdatedBy": "credlens", "UpdatedAt": as_of});
        write_member("Note", &note, out);
    }
    write_member("ProductFields", &product_fields(finding), out);
    out.push(b'}');
}

/// Whether the API takes it as text: there is more than blanks.
fn is_visible(text: &str) -> bool {
    !text.trim().is_empty()
}

fn reason(suppression: &Suppression) -> String {
    let more = [("until", &suppression.expires), ("ticket", &suppression.ticket)];
    let more = more
        .iter()
        .filter_map(|(word, value)| Some(format!("; {word} {}", value.as_ref()?)));
    format!("accepted: {}{}", suppression.reason, more.collect::<String>())
}

fn description(finding: &FindingRef<'_>) -> String {
    let user = match (finding.row(), user_name(finding)) {
        (Some(_), Some(name)) => text(&name, USER),
        (Some(row), None) => format!("row {}", row.number()),
        (None, _) => "all users".to_owned(),
    };
    let credential = finding.credential().map(|it| format!(", {}", it.name()));
    let words = format!("{user}{}: {}", credential.unwrap_or_default(), finding.message());
    text(&words, DESCRIPTION)
}

fn resources(finding: &FindingRef<'_>, account: &str) -> Value {
    let of_account = || json!([{"Type": "AwsAccount", "Id": format!("AWS::::Account:{account}")}]);
    let Some(row) = finding.row() else {
        return of_account();
    };
    let (name, arn) = (user_name(finding), arn(finding));
    let Some(id) = arn.as_ref().or(name.as_ref()).filter(|id| is_visible(id)) else {
        return of_account();
    };
    let mut user = json!({"Type": "AwsIamUser", "Id": text(id, RESOURCE)});
    if let Some(partition) = partition(finding).filter(|it| ["aws", "aws-cn", "aws-us-gov"].contains(it)) {
        user["Partition"] = json!(partition);
    }
    if let Some(name) = name.filter(|name| is_visible(name)) {
        user["Details"] = json!({"AwsIamUser": user_details(row, &name)});
    }
    let mut all = vec![user];
    if let Some(id) = finding.access_key_id().filter(|id| is_visible(id)) {
        let details = json!({"AwsIamAccessKey": {"AccessKeyId": text(id, USER)}});
        all.push(json!({"Type": "AwsIamAccessKey", "Id": text(id, RESOURCE), "Details": details}));
    }
    Value::Array(all)
}

fn user_details(row: &UserRow<'_>, name: &str) -> Value {
    let mut details = json!({"UserName": text(name, USER)});
    if let Some(path) = row.path().map(String::from_utf8_lossy) {
        details["Path"] = json!(text(&path, RESOURCE));
    }
    details
}

fn compliance(finding: &FindingRef<'_>) -> Value {
    let status = match finding.status {
        Status::Fail | Status::Suppressed => "FAILED",
        Status::Undetermined => "WARNING",
        Status::Pass | Status::Due => "PASSED",
    };
    let mut out = json!({"Status": status});
    let requirements = &finding.rule().bound.requirements;
    if !requirements.is_empty() {
        let names = |all: Vec<&str>| -> Vec<String> {
            let (most, length) = REQUIREMENTS;
            all.into_iter()
                .take(most)
                .map(|name| text(name, length))
                .collect()
        };
        out["RelatedRequirements"] = json!(names(requirements.iter().map(String::as_str).collect()));
        let standards = names(standards(requirements));
        let standards = standards.into_iter().map(|name| json!({"StandardsId": name}));
        out["AssociatedStandards"] = standards.collect();
    }
    out
}

/// What the format has no member for: our status, the credential, the position, when it is due, and the evidence.
fn product_fields(finding: &FindingRef<'_>) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, value: &str| {
        if is_visible(value) {
            fields.insert(format!("credlens/{name}"), json!(text(value, FIELD)));
        }
    };
    add("status", finding.status.name());
    add("version", env!("CARGO_PKG_VERSION"));
    add("source/path", &finding.input().path);
    if let Some(row) = finding.row() {
        add("source/row", &row.number().to_string());
    }
    if let Some(credential) = finding.credential() {
        add("credential", credential.name());
    }
    if let Some(due_at) = finding.due_at {
        add("due_at", &due_at.to_string());
    }
    if let Some(owner) = finding.owner() {
        add("owner", owner);
    }
    for (name, value) in &finding.rule().bound.parameters {
        add(&format!("parameter/{}", text(name, 64)), &value.to_string());
    }
    for (column, cell) in finding.evidence() {
        add(
            &format!("evidence/{}", column.name()),
            &String::from_utf8_lossy(cell),
        );
    }
    // The API takes 50; the first are those that identify the finding.
    Value::Object(fields.into_iter().take(50).collect())
}

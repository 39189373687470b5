//! `ocsf`: one Compliance Finding (class 2003) of OCSF 1.5.0 per line, with the profile `cloud`.
//!
//! <https://schema.ocsf.io/1.5.0/classes/compliance_finding?profiles=cloud>. Times are milliseconds since 1970.

use serde_json::json;

use super::common_parts::{
    RulePartsCache, account_id, arn, partition, severity_by_status, standards, user_name,
};
use super::{FindingStream, ScanWriter};
use crate::engine::{CompiledRule, FindingRef, UserRow};
use crate::finding::{Severity, Status};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::{write, write_hex, write_member, write_number, write_option, write_text};
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "ocsf",
    "OCSF compliance findings, one per line, for Security Lake and SIEMs",
    Readers::Program,
    ScanWriter::StreamFindings(|| Box::new(Events::default())),
);

/// The version of the schema that events follow.
const VERSION: &str = "1.5.0";

/// Writes findings as events.
#[derive(Debug, Default)]
struct Events {
    rules: RulePartsCache<RuleParts>,
}

/// What all findings of a rule have in common.
#[derive(Debug)]
struct RuleParts {
    /// `metadata`.
    metadata: Vec<u8>,
    /// Of `finding_info`, from the title to the end.
    info: Vec<u8>,
    /// Of `compliance`, what does not depend on the status.
    compliance: Vec<u8>,
    /// `remediation`, or nothing.
    remediation: Vec<u8>,
    /// The members of `unmapped`.
    unmapped: Vec<u8>,
}

impl FindingStream for Events {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        let rule = self.rules.get(finding.rule(), RuleParts::new);
        let as_of = finding.input().as_of;
        out.extend_from_slice(
            br#"{"activity_id":1,"activity_name":"Create","category_uid":2,"category_name":"Findings","class_uid":2003,"class_name":"Compliance Finding","type_uid":200301,"type_name":"Compliance Finding: Create","time":"#,
        );
        write_milliseconds(as_of, out);
        let severity = severity_by_status(finding.rule().bound.severity, finding.status);
        write_member("severity_id", &severity_id(severity), out);
        write_member("severity", &caption(severity), out);
        let (status_id, status) = match finding.status {
            Status::Suppressed => (3, "Suppressed"),
            Status::Fail | Status::Undetermined | Status::Pass | Status::Due => (1, "New"),
        };
        write_member("status_id", &status_id, out);
        write_member("status", &status, out);
        if let Some(suppression) = finding.suppression {
            write_member("comment", &suppression.reason, out);
        }
        out.extend_from_slice(br#","message":"#);
        write_text(finding.message().as_bytes(), out);
        out.extend_from_slice(&rule.metadata);
        out.extend_from_slice(br#","finding_info":{"uid":""#);
        write_hex(finding.id().0, out);
        out.extend_from_slice(br#"","last_seen_time":"#);
        write_milliseconds(as_of, out);
        out.extend_from_slice(&rule.info);
        write_compliance(finding, rule, out);
        write_cloud(finding, out);
        write_resources(finding, out);
        out.extend_from_slice(&rule.remediation);
        write_unmapped(finding, rule, out);
        out.extend_from_slice(b"}\n");
    }
}

impl RuleParts {
    fn new(compiled: &CompiledRule) -> Self {
        let (bound, rule) = (&compiled.bound, &compiled.bound.rule);
        let mut parts = Self {
            metadata: Vec::new(),
            info: Vec::new(),
            compliance: Vec::new(),
            remediation: Vec::new(),
            unmapped: Vec::new(),
        };
        let product =
            json!({"name": "credlens", "vendor_name": "credlens", "version": env!("CARGO_PKG_VERSION")});
        let metadata =
            json!({"version": VERSION, "profiles": ["cloud"], "event_code": rule.id, "product": product});
        write_member("metadata", &metadata, &mut parts.metadata);
        write_member("title", &rule.title, &mut parts.info);
        write_member("desc", &rule.why.trim(), &mut parts.info);
        let analytic = json!({"type_id": 1, "type": "Rule", "uid": rule.id, "name": rule.title});
        write_member("analytic", &analytic, &mut parts.info);
        parts.info.push(b'}');
        let parameters = bound.parameters.iter();
        let parameters: Vec<_> = parameters
            .map(|(name, value)| json!({"name": name, "value": value.to_string()}))
            .collect();
        write_member("control", &rule.id, &mut parts.compliance);
        write_member("control_parameters", &parameters, &mut parts.compliance);
        write_member("requirements", &bound.requirements, &mut parts.compliance);
        write_member(
            "standards",
            &standards(&bound.requirements),
            &mut parts.compliance,
        );
        if let Some(text) = rule.instructions() {
            let remediation = json!({"desc": text, "references": rule.references});
            write_member("remediation", &remediation, &mut parts.remediation);
        }
        write_member("related_requirements", &bound.related, &mut parts.unmapped);
        parts
    }
}

fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn caption(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

fn write_milliseconds(time: Timestamp, out: &mut Vec<u8>) {
    match u64::try_from(time.0) {
        Ok(seconds) => write_number(seconds * 1_000, out),
        Err(_) => out.extend_from_slice(time.0.saturating_mul(1_000).to_string().as_bytes()),
    }
}

fn write_compliance(finding: &FindingRef<'_>, rule: &RuleParts, out: &mut Vec<u8>) {
    let (status_id, status) = match finding.status {
        Status::Pass | Status::Due => (1, "Pass"),
        Status::Undetermined => (2, "Warning"),
        Status::Fail | Status::Suppressed => (3, "Fail"),
    };
    out.extend_from_slice(br#","compliance":{"status_id":"#);
    write(&status_id, out);
    write_member("status", &status, out);
    let bound = &finding.rule().bound;
    let check = json!({
        "uid": bound.rule.id, "name": bound.rule.title, "status_id": status_id, "status": status,
        "severity_id": severity_id(bound.severity), "severity": caption(bound.severity),
    });
    write_member("checks", &[check], out);
    out.extend_from_slice(&rule.compliance);
    out.push(b'}');
}

fn write_cloud(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","cloud":{"provider":"AWS""#);
    if let Some(partition) = partition(finding) {
        write_member("cloud_partition", &partition, out);
    }
    let (account, name) = (finding.account(), finding.account_name());
    if account.is_some() || name.is_some() {
        out.extend_from_slice(br#","account":{"type_id":10,"type":"AWS Account""#);
        if let Some(account) = account {
            out.extend_from_slice(br#","uid":"#);
            write_text(account, out);
        }
        if let Some(name) = name {
            write_member("name", &name, out);
        }
        out.push(b'}');
    }
    out.push(b'}');
}

/// The user with the evidence as its data, and the access key where its id is known; or the account of a whole input.
fn write_resources(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","resources":[{"#);
    let Some(row) = finding.row() else {
        write_whole_input(finding, out);
        return out.extend_from_slice(b"}]");
    };
    out.extend_from_slice(if row.is_root() {
        br#""type":"AwsIamRootUser""#
    } else {
        br#""type":"AwsIamUser""#
    });
    let (name, arn) = (user_name(finding), arn(finding));
    if let Some(arn) = &arn {
        write_member("uid", arn, out);
    }
    match &name {
        Some(name) => write_member("name", name, out),
        None if arn.is_none() => write_member("name", &format!("row {}", row.number()), out),
        None => {}
    }
    if let Some(partition) = partition(finding) {
        write_member("cloud_partition", &partition, out);
    }
    if let Some(owner) = finding.owner() {
        write_member("owner", &json!({"name": owner}), out);
    }
    out.extend_from_slice(br#","data":{"#);
    for (position, (column, cell)) in finding.evidence().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_text(column.name().as_bytes(), out);
        out.push(b':');
        write_text(cell, out);
    }
    out.extend_from_slice(b"}}");
    if let Some(id) = finding.access_key_id() {
        out.extend_from_slice(br#",{"type":"AwsIamAccessKey""#);
        write_member("uid", &id, out);
        if let Some(description) = finding.access_key_description() {
            write_member("name", &description, out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn write_whole_input(finding: &FindingRef<'_>, out: &mut Vec<u8>) {
    if let Some(account) = account_id(finding) {
        out.extend_from_slice(br#""type":"AwsAccount""#);
        write_member("uid", &account, out);
    } else {
        out.extend_from_slice(br#""type":"CredentialReport""#);
        write_member("name", &finding.input().path, out);
    }
}

/// What the schema has no attribute for: our status, the credential, the position, when it is due, the suppression.
fn write_unmapped(finding: &FindingRef<'_>, rule: &RuleParts, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","unmapped":{"status":"#);
    write(&finding.status, out);
    out.extend_from_slice(br#","credential":"#);
    write_option(
        finding
            .credential()
            .map(|credential| credential.name().as_bytes()),
        out,
    );
    if let Some(due_at) = &finding.due_at {
        write_member("due_at", due_at, out);
    }
    if let Some(suppression) = finding.suppression {
        write_member("suppression", suppression, out);
    }
    let row = finding.row().map(UserRow::number);
    write_member("source", &json!({"path": finding.input().path, "row": row}), out);
    out.extend_from_slice(&rule.unmapped);
    out.push(b'}');
}

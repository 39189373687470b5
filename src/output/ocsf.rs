//! The events of `ocsf`: Compliance Findings (class 2003) of OCSF 1.5.0 with the profile `cloud`, one per line.
//!
//! <https://schema.ocsf.io/1.5.0/classes/compliance_finding?profiles=cloud>. Times are milliseconds since 1970.

use serde_json::json;

use super::json_text::{write, write_hex, write_member, write_number, write_option, write_text};
use super::other_tools::{account_id, partition, severity_by_status, standards};
use crate::engine::CompiledRule;
use crate::finding::{FindingId, Severity, Status, Suppression};
use crate::history::Move;
use crate::report::schema::{Column, Credential};
use crate::report::time::Timestamp;

/// The version of the schema that events follow.
const VERSION: &str = "1.5.0";

/// What all events about findings of a rule have in common.
#[derive(Debug)]
pub(super) struct RuleParts {
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

/// An event about a finding.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) activity: Activity,
    pub(super) rule: &'a CompiledRule,
    pub(super) id: FindingId,
    /// The as-of of the report in which it is so.
    pub(super) as_of: Timestamp,
    /// When a report last showed the finding.
    pub(super) last_seen: Timestamp,
    /// None once the finding is gone.
    pub(super) status: Option<Status>,
    /// What became of it between two snapshots; none where only one is known.
    pub(super) change: Option<Change<'a>>,
    pub(super) message: &'a str,
    pub(super) account: Option<&'a [u8]>,
    pub(super) account_name: Option<&'a str>,
    /// None if it is about a whole report.
    pub(super) user: Option<EventUser<'a>>,
    pub(super) credential: Option<Credential>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) suppression: Option<&'a Suppression>,
    /// The report, and the number of the row where one is known.
    pub(super) source: (&'a str, Option<u64>),
}

/// What an event does to the finding with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Create = 1,
    Update = 2,
    Close = 3,
}

/// What became of a finding.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) which: Move,
    pub(super) before: Option<Status>,
    pub(super) resolved_by: Vec<&'a str>,
    /// Whether the user or the credential is gone, so that the rule has nothing to pass on.
    pub(super) is_gone: bool,
    /// The id under which it was known, or goes on, where that is another one.
    pub(super) other_id: Option<FindingId>,
}

/// The user whom a finding is about.
#[derive(Debug)]
pub(super) struct EventUser<'a> {
    pub(super) is_root: bool,
    pub(super) name: Option<&'a [u8]>,
    pub(super) arn: Option<&'a [u8]>,
    pub(super) owner: Option<&'a str>,
    /// The id of the access key that the finding is about, and what the key is for.
    pub(super) access_key: Option<(&'a str, Option<&'a str>)>,
}

impl RuleParts {
    pub(super) fn new(compiled: &CompiledRule) -> Self {
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

impl Event<'_> {
    /// Appends the event as a line. The evidence becomes the data of the user.
    pub(super) fn write<T: AsRef<[u8]>>(
        &self,
        rule: &RuleParts,
        evidence: impl Iterator<Item = (Column, T)>,
        out: &mut Vec<u8>,
    ) {
        self.write_activity(out);
        write_milliseconds(self.as_of, out);
        self.write_status(out);
        out.extend_from_slice(br#","message":"#);
        write_text(self.message.as_bytes(), out);
        out.extend_from_slice(&rule.metadata);
        out.extend_from_slice(br#","finding_info":{"uid":""#);
        write_hex(self.id.0, out);
        out.extend_from_slice(br#"","last_seen_time":"#);
        write_milliseconds(self.last_seen, out);
        out.extend_from_slice(&rule.info);
        self.write_compliance(rule, out);
        self.write_cloud(out);
        out.extend_from_slice(br#","resources":[{"#);
        match &self.user {
            Some(user) => self.write_user(user, evidence, out),
            None => self.write_whole_input(out),
        }
        out.push(b']');
        out.extend_from_slice(&rule.remediation);
        self.write_unmapped(rule, out);
        out.extend_from_slice(b"}\n");
    }

    fn write_activity(&self, out: &mut Vec<u8>) {
        let id = self.activity as u8;
        let name = match self.activity {
            Activity::Create => "Create",
            Activity::Update => "Update",
            Activity::Close => "Close",
        };
        let text = format!(
            r#"{{"activity_id":{id},"activity_name":"{name}","category_uid":2,"category_name":"Findings","class_uid":2003,"class_name":"Compliance Finding","type_uid":20030{id},"type_name":"Compliance Finding: {name}","time":"#
        );
        out.extend_from_slice(text.as_bytes());
    }

    fn write_status(&self, out: &mut Vec<u8>) {
        let of_rule = self.rule.bound.severity;
        // Who follows a finding finds it under one severity until it is closed.
        let severity = match self.change {
            Some(_) => of_rule,
            None => severity_by_status(of_rule, self.status.unwrap_or(Status::Pass)),
        };
        write_member("severity_id", &severity_id(severity), out);
        write_member("severity", &caption(severity), out);
        let (status_id, status) = match self.status {
            Some(Status::Suppressed) => (3, "Suppressed"),
            _ if self.activity == Activity::Close => (4, "Resolved"),
            _ => (1, "New"),
        };
        write_member("status_id", &status_id, out);
        write_member("status", &status, out);
        if let Some(suppression) = self.suppression {
            write_member("comment", &suppression.reason, out);
        }
    }

    fn write_compliance(&self, rule: &RuleParts, out: &mut Vec<u8>) {
        let is_gone = self.change.as_ref().is_some_and(|change| change.is_gone);
        let (status_id, status) = match self.status {
            None if is_gone => (99, "Gone"),
            Some(Status::Pass | Status::Due) | None => (1, "Pass"),
            Some(Status::Undetermined) => (2, "Warning"),
            Some(Status::Fail | Status::Suppressed) => (3, "Fail"),
        };
        out.extend_from_slice(br#","compliance":{"status_id":"#);
        write(&status_id, out);
        write_member("status", &status, out);
        let bound = &self.rule.bound;
        let check = json!({
            "uid": bound.rule.id, "name": bound.rule.title, "status_id": status_id, "status": status,
            "severity_id": severity_id(bound.severity), "severity": caption(bound.severity),
        });
        write_member("checks", &[check], out);
        out.extend_from_slice(&rule.compliance);
        out.push(b'}');
    }

    /// The partition that the user's ARN names.
    fn partition(&self) -> Option<&str> {
        partition(self.user.as_ref()?.arn?)
    }

    fn write_cloud(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","cloud":{"provider":"AWS""#);
        if let Some(partition) = self.partition() {
            write_member("cloud_partition", &partition, out);
        }
        if self.account.is_some() || self.account_name.is_some() {
            out.extend_from_slice(br#","account":{"type_id":10,"type":"AWS Account""#);
            if let Some(account) = self.account {
                out.extend_from_slice(br#","uid":"#);
                write_text(account, out);
            }
            if let Some(name) = self.account_name {
                write_member("name", &name, out);
            }
            out.push(b'}');
        }
        out.push(b'}');
    }

    /// The user with the evidence as its data, and the access key where its id is known.
    fn write_user<T: AsRef<[u8]>>(
        &self,
        user: &EventUser<'_>,
        evidence: impl Iterator<Item = (Column, T)>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(if user.is_root {
            br#""type":"AwsIamRootUser""#
        } else {
            br#""type":"AwsIamUser""#
        });
        if let Some(arn) = user.arn {
            out.extend_from_slice(br#","uid":"#);
            write_text(arn, out);
        }
        if let Some(name) = user.name {
            out.extend_from_slice(br#","name":"#);
            write_text(name, out);
        } else if user.arn.is_none() {
            let row = self.source.1.map(|row| format!("row {row}"));
            write_member("name", &row.unwrap_or("a user without a name".to_owned()), out);
        }
        if let Some(partition) = self.partition() {
            write_member("cloud_partition", &partition, out);
        }
        if let Some(owner) = user.owner {
            write_member("owner", &json!({"name": owner}), out);
        }
        out.extend_from_slice(br#","data":{"#);
        for (position, (column, cell)) in evidence.enumerate() {
            if position > 0 {
                out.push(b',');
            }
            write_text(column.name().as_bytes(), out);
            out.push(b':');
            write_text(cell.as_ref(), out);
        }
        out.extend_from_slice(b"}}");
        if let Some((id, description)) = user.access_key {
            out.extend_from_slice(br#",{"type":"AwsIamAccessKey""#);
            write_member("uid", &id, out);
            if let Some(description) = description {
                write_member("name", &description, out);
            }
            out.push(b'}');
        }
    }

    /// The account of a whole report.
    fn write_whole_input(&self, out: &mut Vec<u8>) {
        if let Some(account) = self.account.and_then(account_id) {
            out.extend_from_slice(br#""type":"AwsAccount""#);
            write_member("uid", &account, out);
        } else {
            out.extend_from_slice(br#""type":"CredentialReport""#);
            write_member("name", &self.source.0, out);
        }
        out.push(b'}');
    }

    /// What the schema has no attribute for: our status, what became of the finding, the credential, the position, when it
    /// is due, the suppression.
    fn write_unmapped(&self, rule: &RuleParts, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","unmapped":{"status":"#);
        write(&self.status, out);
        if let Some(change) = &self.change {
            write_member("change", &change.which.name(), out);
            write_member("before", &change.before, out);
            write_member("resolved_by", &change.resolved_by, out);
            if let Some(other) = change.other_id {
                let is_gone = self.activity == Activity::Close;
                let name = if is_gone { "goes_on_as" } else { "was_known_as" };
                write_member(name, &other.to_string(), out);
            }
        }
        out.extend_from_slice(br#","credential":"#);
        write_option(
            self.credential.map(|credential| credential.name().as_bytes()),
            out,
        );
        if let Some(due_at) = &self.due_at {
            write_member("due_at", due_at, out);
        }
        if let Some(suppression) = self.suppression {
            write_member("suppression", suppression, out);
        }
        let (path, row) = self.source;
        write_member("source", &json!({"path": path, "row": row}), out);
        out.extend_from_slice(&rule.unmapped);
        out.push(b'}');
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

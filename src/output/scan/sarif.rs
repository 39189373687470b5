//! `sarif`: one run of SARIF 2.1.0, for code scanning and editors.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, with what GitHub asks for:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{ScanView, ScanWriter};
use crate::finding::{Finding, RuleTally, Severity, Status};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::to_vec;
use crate::output::phrases::counted;
use crate::report::schema::Credential;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "sarif",
    "for code scanning, the worst 5,000 findings",
    Readers::Program,
    ScanWriter::RenderMost(MOST, render),
);

/// GitHub keeps so many results of a run.
const MOST: usize = 5_000;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

fn render(view: &ScanView<'_>) -> Vec<u8> {
    let most = view.options.most(MOST);
    let shown: Vec<&Finding> = view.worst.iter().chain(view.due).take(most).collect();
    let emitted = view.emitted + view.due_emitted;
    let left_out = emitted - shown.len() as u64;
    let rules = SarifRules::new(&view.tally.rules);
    let has_suppressions = shown.iter().any(|finding| finding.suppression.is_some());
    let results: Vec<Value> = shown
        .iter()
        .map(|finding| result(finding, &rules, view, has_suppressions))
        .collect();
    let driver = json!({
        "name": "credlens",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "shortDescription": {"text": "Audits AWS IAM credential reports"},
        "rules": rules.descriptors,
    });
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "invocations": [invocation(view, shown.len(), left_out)],
            "results": results,
            "properties": {"findings": emitted, "leftOut": left_out, "asOf": view.tally.as_of},
        }],
    });
    let mut text = to_vec(&document);
    text.push(b'\n');
    text
}

/// The diagnostics of the run, and what is left out of it.
fn invocation(view: &ScanView<'_>, shown: usize, left_out: u64) -> Value {
    let mut notifications = Vec::new();
    if left_out > 0 {
        let text = format!(
            "only the worst {} are in this run, {} more were found: --limit 0 has all, and so has --format ndjson",
            counted(shown as u64, "finding"),
            left_out
        );
        notifications
            .push(json!({"level": "warning", "message": {"text": text}, "descriptor": {"id": "left-out"}}));
    }
    let diagnostics = view.tally.diagnostics.iter().map(|diagnostic| {
        let text = crate::output::diagnostic_line(diagnostic);
        json!({
            "level": diagnostic.level, "message": {"text": text}, "descriptor": {"id": diagnostic.code},
        })
    });
    notifications.extend(diagnostics);
    // It says whether the program ran to its end, not whether it found something.
    json!({"executionSuccessful": true, "toolExecutionNotifications": notifications})
}

/// The rules of the run, each once, whatever its parameters.
struct SarifRules<'a> {
    descriptors: Vec<Value>,
    /// The position of each.
    positions: BTreeMap<&'a str, usize>,
}

impl<'a> SarifRules<'a> {
    fn new(rules: &'a [RuleTally]) -> Self {
        let mut out = Self {
            descriptors: Vec::new(),
            positions: BTreeMap::new(),
        };
        for rule in rules {
            if out.positions.contains_key(&*rule.id) {
                continue;
            }
            let of_id = rules.iter().filter(|other| other.id == rule.id);
            let severity = of_id.map(|rule| rule.severity).max().unwrap_or(rule.severity);
            out.positions.insert(&rule.id, out.descriptors.len());
            out.descriptors.push(descriptor(rule, severity));
        }
        out
    }
}

fn descriptor(rule: &RuleTally, severity: Severity) -> Value {
    let texts = &rule.texts;
    let heading = |text: &str, heading: &str| match text.trim() {
        "" => String::new(),
        text => format!("\n\n{heading}\n\n{text}"),
    };
    let message = &texts.message;
    let (why, fix) = (texts.why.trim(), texts.fix.trim());
    let plain = [&**message, why, fix].map(str::trim);
    let plain: Vec<&str> = plain.into_iter().filter(|text| !text.is_empty()).collect();
    let markdown = format!(
        "{message}{}{}",
        heading(why, "**Why it matters**"),
        heading(fix, "**How to fix it**")
    );
    let mut out = json!({
        "id": rule.id,
        "shortDescription": {"text": texts.title},
        "fullDescription": {"text": message},
        "help": {"text": plain.join("\n\n"), "markdown": markdown},
        "defaultConfiguration": {"level": level(severity)},
        "properties": {
            "tags": ["security", "iam"],
            "precision": "very-high",
            "security-severity": security_severity(severity),
            "problem.severity": level(severity),
        },
    });
    if let Some(address) = texts.reference.as_ref().filter(|it| it.starts_with("https://")) {
        out["helpUri"] = json!(uri(address));
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// The number by which GitHub ranks: over 9.0 is critical, from 7.0 high, from 4.0 medium, from 0.1 low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.0",
        Severity::High => "7.0",
        Severity::Medium => "4.0",
        Severity::Low => "2.0",
        Severity::Informational => "0.0",
    }
}

fn result(finding: &Finding, rules: &SarifRules<'_>, view: &ScanView<'_>, has_suppressions: bool) -> Value {
    // A level belongs to what fails (section 3.27.10 of the specification).
    let (kind, level) = match finding.status {
        Status::Fail | Status::Suppressed => ("fail", level(finding.severity)),
        Status::Undetermined => ("open", "none"),
        Status::Due => ("informational", "none"),
        Status::Pass => ("pass", "none"),
    };
    let id = finding.id.to_string();
    let mut out = json!({
        "ruleId": finding.rule,
        "kind": kind,
        "level": level,
        "message": {"text": message(finding)},
        "locations": [location(finding, view)],
        "partialFingerprints": {"credlensFindingId/v1": id, "primaryLocationLineHash": format!("{id}:1")},
    });
    if let Some(position) = rules.positions.get(&*finding.rule) {
        out["ruleIndex"] = json!(position);
    }
    if has_suppressions {
        out["suppressions"] = suppressions(finding);
    }
    out["properties"] = properties(finding);
    out
}

/// All results have them or none (section 3.27.23 of the specification).
fn suppressions(finding: &Finding) -> Value {
    let Some(suppression) = &finding.suppression else {
        return json!([]);
    };
    let mut entry = json!({"kind": "external", "status": "accepted", "justification": suppression.reason});
    let more = [("expires", &suppression.expires), ("ticket", &suppression.ticket)];
    let more = more
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
    let more: Map<String, Value> = more.collect();
    if !more.is_empty() {
        entry["properties"] = Value::Object(more);
    }
    json!([entry])
}

fn properties(finding: &Finding) -> Value {
    let mut out = json!({
        "status": finding.status,
        "severity": finding.severity,
        "account": finding.account,
        "accountName": finding.account_name,
        "credential": finding.credential.map(Credential::name),
        "accessKeyId": finding.access_key_id,
        "owner": finding.owner,
        "asOf": finding.as_of,
        "parameters": finding.parameters,
        "evidence": finding.evidence,
        "requirements": finding.requirements,
    });
    if let Some(due_at) = finding.due_at {
        out["dueAt"] = json!(due_at);
    }
    out
}

fn message(finding: &Finding) -> String {
    let user = match (&finding.user, finding.source.row) {
        (Some(user), _) if !user.is_empty() => user.clone(),
        (_, Some(row)) => format!("row {row}"),
        (_, None) => "all users".to_owned(),
    };
    let credential = finding.credential.map(|it| format!(", {}", it.name()));
    format!("{user}{}: {}", credential.unwrap_or_default(), finding.message)
}

/// The report with the user's line, and the user's ARN. A finding of a whole report is on its first line; live accounts
/// and reports in JSON have no lines.
fn location(finding: &Finding, view: &ScanView<'_>) -> Value {
    let path = &finding.source.path;
    let has_lines = || {
        let input = view.tally.inputs.iter().find(|input| input.path == *path);
        input.is_some_and(|input| input.kind.split('+').next() == Some("csv"))
    };
    let line = match finding.source.row {
        Some(_) => finding.source.line,
        None => has_lines().then_some(1),
    };
    let mut physical = json!({"artifactLocation": {"uri": uri_of_path(path)}});
    if let Some(line) = line {
        physical["region"] = json!({"startLine": line});
    }
    let mut out = json!({"physicalLocation": physical});
    let names = [("name", &finding.user), ("fullyQualifiedName", &finding.arn)];
    let names = names
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
    let mut logical: Map<String, Value> = names.collect();
    if !logical.is_empty() {
        logical.insert("kind".to_owned(), json!("resource"));
        out["logicalLocations"] = json!([logical]);
    }
    out
}

/// The path of an input as a URI reference: relative paths as they are, absolute ones as `file:`, and addresses of live
/// accounts and S3 with their scheme.
fn uri_of_path(path: &str) -> String {
    for scheme in ["aws://", "s3://"] {
        if let Some(rest) = path.strip_prefix(scheme) {
            return format!("{scheme}{}", encoded(rest, "/"));
        }
    }
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", encoded(path, "/"))
}

/// An address with all characters that a URI may have as they are.
fn uri(address: &str) -> String {
    encoded(address, "%:/?#[]@!$&'()*+,;=")
}

/// Percent-encodes all but letters, digits, `-._~` and these.
fn encoded(text: &str, others: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let char = char::from(byte);
        if char.is_ascii_alphanumeric() || "-._~".contains(char) || others.contains(char) && char.is_ascii() {
            out.push(char);
        } else {
            write!(out, "%{byte:02X}").expect("invariant: a string takes all");
        }
    }
    out
}

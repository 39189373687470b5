//! One run of SARIF 2.1.0: its rules, its results and where they are.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, with what GitHub asks for:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::json_text::{write, write_member};
use super::phrases::counted;
use crate::finding::{Diagnostic, FindingId, RuleTexts, Severity, Status};

/// GitHub keeps so many results of a run.
pub(super) const MOST: usize = 5_000;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// A run without its results.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) rules: SarifRules<'a>,
    pub(super) diagnostics: &'a [Diagnostic],
    /// What `--format ndjson` would be here: where all findings are.
    pub(super) whole: &'static str,
    /// How many findings there are, with those that are left out.
    pub(super) findings: u64,
    pub(super) as_of: Option<String>,
}

impl Run<'_> {
    /// The document, with these results of all findings.
    pub(super) fn render(&self, results: impl Iterator<Item = Value>) -> Vec<u8> {
        let driver = json!({
            "name": "credlens",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "shortDescription": {"text": "Audits AWS IAM credential reports"},
            "rules": self.rules.descriptors,
        });
        let mut out =
            format!(r#"{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{"results":["#).into_bytes();
        let mut shown = 0;
        // Formatted one by one: as a document, results would take ten times the memory.
        for result in results {
            if shown > 0 {
                out.push(b',');
            }
            write(&result, &mut out);
            shown += 1;
        }
        out.push(b']');
        let left_out = self.findings - shown;
        write_member("tool", &json!({"driver": driver}), &mut out);
        write_member("invocations", &[self.invocation(shown, left_out)], &mut out);
        let properties = json!({"findings": self.findings, "leftOut": left_out, "asOf": self.as_of});
        write_member("properties", &properties, &mut out);
        out.extend_from_slice(b"}]}\n");
        out
    }

    /// The diagnostics of the run, and what is left out of it.
    fn invocation(&self, shown: u64, left_out: u64) -> Value {
        let mut notifications = Vec::new();
        if left_out > 0 {
            let text = format!(
                "only the worst {} are in this run, {left_out} more were found: --limit 0 has all, and so has --format {}",
                counted(shown, "finding"),
                self.whole
            );
            notifications.push(
                json!({"level": "warning", "message": {"text": text}, "descriptor": {"id": "left-out"}}),
            );
        }
        let diagnostics = self.diagnostics.iter().map(|diagnostic| {
            let text = crate::output::diagnostic_line(diagnostic);
            json!({
                "level": diagnostic.level, "message": {"text": text}, "descriptor": {"id": diagnostic.code},
            })
        });
        notifications.extend(diagnostics);
        // It says whether the program ran to its end, not whether it found something.
        json!({"executionSuccessful": true, "toolExecutionNotifications": notifications})
    }
}

/// The rules of the run, each once, whatever its parameters.
#[derive(Debug)]
pub(super) struct SarifRules<'a> {
    descriptors: Vec<Value>,
    /// The position of each.
    positions: BTreeMap<&'a str, usize>,
}

impl<'a> SarifRules<'a> {
    /// Of these rules, each with its id, severity and texts.
    pub(super) fn new(rules: &[(&'a str, Severity, &RuleTexts)]) -> Self {
        let mut out = Self {
            descriptors: Vec::new(),
            positions: BTreeMap::new(),
        };
        for (id, severity, texts) in rules {
            if out.positions.contains_key(id) {
                continue;
            }
            let of_id = rules.iter().filter(|(other, ..)| other == id);
            let severity = of_id.map(|(_, severity, _)| *severity).max().unwrap_or(*severity);
            out.positions.insert(id, out.descriptors.len());
            out.descriptors.push(descriptor(id, severity, texts));
        }
        out
    }
}

fn descriptor(id: &str, severity: Severity, texts: &RuleTexts) -> Value {
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
        "id": id,
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

/// A result: a finding, how it stands, and where it is.
#[derive(Debug)]
pub(super) struct SarifResult<'a> {
    pub(super) rule: &'a str,
    pub(super) id: FindingId,
    pub(super) status: Status,
    pub(super) severity: Severity,
    /// The user, or what is known in place of a name.
    pub(super) who: &'a str,
    /// The name of the credential.
    pub(super) credential: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) location: Location<'a>,
    /// How it stands against an older report.
    pub(super) baseline: Option<&'static str>,
    /// All results have them or none (section 3.27.23 of the specification).
    pub(super) suppressions: Option<Value>,
    pub(super) properties: Value,
}

impl SarifResult<'_> {
    pub(super) fn to_value(&self, rules: &SarifRules<'_>) -> Value {
        // A level belongs to what fails (section 3.27.10 of the specification).
        let (kind, level) = match self.status {
            Status::Fail | Status::Suppressed => ("fail", level(self.severity)),
            Status::Undetermined => ("open", "none"),
            Status::Due => ("informational", "none"),
            Status::Pass => ("pass", "none"),
        };
        let id = self.id.to_string();
        let credential = self.credential.map(|credential| format!(", {credential}"));
        let text = format!("{}{}: {}", self.who, credential.unwrap_or_default(), self.message);
        let mut out = json!({
            "ruleId": self.rule,
            "kind": kind,
            "level": level,
            "message": {"text": text},
            "locations": [self.location.to_value()],
            "partialFingerprints": {"credlensFindingId/v1": id, "primaryLocationLineHash": format!("{id}:1")},
        });
        if let Some(position) = rules.positions.get(self.rule) {
            out["ruleIndex"] = json!(position);
        }
        if let Some(baseline) = self.baseline {
            out["baselineState"] = json!(baseline);
        }
        if let Some(suppressions) = &self.suppressions {
            out["suppressions"] = suppressions.clone();
        }
        out["properties"] = self.properties.clone();
        out
    }
}

/// A report and a user in it.
#[derive(Debug)]
pub(super) struct Location<'a> {
    pub(super) path: &'a str,
    /// The line in the report, where one is known.
    pub(super) line: Option<u64>,
    pub(super) user: Option<&'a str>,
    pub(super) arn: Option<&'a str>,
}

impl Location<'_> {
    fn to_value(&self) -> Value {
        let mut physical = json!({"artifactLocation": {"uri": uri_of_path(self.path)}});
        if let Some(line) = self.line {
            physical["region"] = json!({"startLine": line});
        }
        let mut out = json!({"physicalLocation": physical});
        let names = [("name", self.user), ("fullyQualifiedName", self.arn)];
        let names = names
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
        let mut logical: Map<String, Value> = names.collect();
        if !logical.is_empty() {
            logical.insert("kind".to_owned(), json!("resource"));
            out["logicalLocations"] = json!([logical]);
        }
        out
    }
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

//! `sarif`: the worst findings as results of one run.

use serde_json::{Map, Value, json};

use super::{ScanView, ScanWriter};
use crate::finding::Finding;
use crate::output::format::{FormatSpec, Readers};
use crate::output::sarif::{Location, MOST, Run, SarifResult, SarifRules};
use crate::report::schema::Credential;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "sarif",
    "for code scanning, the worst 5,000 findings",
    Readers::Program,
    ScanWriter::RenderMost(MOST, render),
);

fn render(view: &ScanView<'_>) -> Vec<u8> {
    let shown = view.worst.iter().chain(view.due);
    let shown: Vec<&Finding> = shown.take(view.options.most(MOST)).collect();
    let rules = view.tally.rules.iter();
    let rules: Vec<_> = rules
        .map(|rule| (&*rule.id, rule.severity, &rule.texts))
        .collect();
    let run = Run {
        rules: SarifRules::new(&rules),
        diagnostics: &view.tally.diagnostics,
        whole: "ndjson",
        findings: view.emitted + view.due_emitted,
        as_of: view.tally.as_of.clone(),
    };
    let has_suppressions = shown.iter().any(|finding| finding.suppression.is_some());
    let results = shown
        .iter()
        .map(|finding| result(finding, &run.rules, view, has_suppressions));
    run.render(results)
}

fn result(finding: &Finding, rules: &SarifRules<'_>, view: &ScanView<'_>, has_suppressions: bool) -> Value {
    let who = match (&finding.user, finding.source.row) {
        (Some(user), _) if !user.is_empty() => user.clone(),
        (_, Some(row)) => format!("row {row}"),
        (_, None) => "all users".to_owned(),
    };
    let result = SarifResult {
        rule: &finding.rule,
        id: finding.id,
        status: finding.status,
        severity: finding.severity,
        who: &who,
        credential: finding.credential.map(Credential::name),
        message: &finding.message,
        location: Location {
            path: &finding.source.path,
            line: line(finding, view),
            user: finding.user.as_deref(),
            arn: finding.arn.as_deref(),
        },
        baseline: None,
        suppressions: has_suppressions.then(|| suppressions(finding)),
        properties: properties(finding),
    };
    result.to_value(rules)
}

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

/// The user's line. A finding of a whole report is on its first line; live accounts and reports in JSON have no lines.
fn line(finding: &Finding, view: &ScanView<'_>) -> Option<u64> {
    if finding.source.row.is_some() {
        return finding.source.line;
    }
    let input = view
        .tally
        .inputs
        .iter()
        .find(|input| input.path == finding.source.path);
    let has_lines = input.is_some_and(|input| input.kind.split('+').next() == Some("csv"));
    has_lines.then_some(1)
}

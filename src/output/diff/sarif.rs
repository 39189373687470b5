//! `sarif`: findings as results of one run against the older report: new, unchanged or updated, and absent.
//!
//! No lines: a snapshot keeps what its users have, not where they are in the file.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{DiffFinding, DiffView, DiffWriter, phrases};
use crate::finding::{RuleTexts, Severity, Status};
use crate::history::{Move, Moved};
use crate::output::format::{FormatSpec, Readers};
use crate::output::sarif::{Location, MOST, Run, SarifResult, SarifRules};

pub(super) const FORMAT: FormatSpec<DiffWriter> = FormatSpec::<DiffWriter>::new(
    "sarif",
    "findings with their baseline state, the worst 5,000",
    Readers::Program,
    write,
)
.limited();

fn write(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let texts: Vec<(&str, Severity, RuleTexts)> = view
        .diff
        .rules
        .iter()
        .map(|rule| (&*rule.bound.rule.id, rule.bound.severity, rule.bound.texts()))
        .collect();
    let rules: Vec<_> = texts
        .iter()
        .map(|(id, severity, texts)| (*id, *severity, texts))
        .collect();
    let run = Run {
        rules: SarifRules::new(&rules),
        diagnostics: view.diagnostics,
        whole: "json",
        findings: Move::ALL
            .map(|which| view.diff.findings(which).count())
            .iter()
            .sum(),
        as_of: Some(view.diff.new.input.as_of.to_string()),
    };
    let shown = shown(view);
    let has_suppressions = shown.iter().any(|(_, moved)| is_suppressed(moved));
    let results = shown
        .iter()
        .map(|(which, moved)| result(view, *which, moved, &run.rules, has_suppressions));
    out.write_all(&run.render(results))
}

/// The findings that the run has room for: what is new before what stays, and that before what is gone; each the worst
/// first.
fn shown(view: &DiffView<'_>) -> Vec<(Move, Moved)> {
    let most = view.options.most(MOST);
    let mut shown = Vec::new();
    for which in [Move::Opened, Move::Unveiled, Move::Open, Move::Resolved] {
        let room = most - shown.len();
        let worst = view.worst_moved(view.diff.findings(which)).take(room);
        shown.extend(worst.map(|moved| (which, moved)));
    }
    shown
}

fn is_suppressed(moved: &Moved) -> bool {
    moved.after == Some(Status::Suppressed)
}

/// What of SARIF's words fits: a finding that is suppressed now is still there.
fn baseline(which: Move, moved: &Moved) -> &'static str {
    match which {
        Move::Opened | Move::Unveiled => "new",
        Move::Resolved if is_suppressed(moved) => "updated",
        Move::Resolved => "absent",
        Move::Open if moved.before == moved.after => "unchanged",
        Move::Open => "updated",
    }
}

fn result(
    view: &DiffView<'_>,
    which: Move,
    moved: &Moved,
    rules: &SarifRules<'_>,
    has_suppressions: bool,
) -> Value {
    let finding = view.finding(moved);
    let [old, new] = view.reports_of_account(moved);
    let baseline = baseline(which, moved);
    let is_gone = baseline == "absent";
    let suppressions = || {
        if is_suppressed(moved) {
            json!([{"kind": "external", "status": "accepted"}])
        } else {
            json!([])
        }
    };
    let result = SarifResult {
        rule: &finding.rule,
        id: view.id(moved),
        // What is gone has the level that it had.
        status: moved.after.filter(|_| !is_gone).unwrap_or(Status::Fail),
        severity: finding.severity,
        who: finding.user.as_deref().unwrap_or("a user without a name"),
        credential: finding.credential.as_deref(),
        message: &phrases::standing(&finding.message, moved),
        location: Location {
            path: if is_gone { &old.path } else { &new.path },
            line: None,
            user: finding.user.as_deref(),
            arn: finding.arn.as_deref(),
        },
        baseline: Some(baseline),
        suppressions: has_suppressions.then(suppressions),
        properties: properties(
            view,
            (which, moved),
            &finding,
            [old, new].map(|report| report.as_of.to_string()),
        ),
    };
    result.to_value(rules)
}

fn properties(
    view: &DiffView<'_>,
    (which, moved): (Move, &Moved),
    finding: &DiffFinding,
    [old_as_of, new_as_of]: [String; 2],
) -> Value {
    json!({
        "change": which.name(),
        "earlierId": view.earlier_id(moved).map(|id| id.to_string()),
        "before": finding.before,
        "after": finding.after,
        "resolvedBy": finding.resolved_by,
        "severity": finding.severity,
        "account": finding.account,
        "accountName": finding.account_name,
        "credential": finding.credential,
        "keyCreated": finding.key_created,
        "dates": finding.dates,
        "parameters": finding.parameters,
        "oldAsOf": old_as_of,
        "newAsOf": new_as_of,
    })
}

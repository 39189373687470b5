//! `markdown`: counts, then the worst findings by severity, for pull requests and wikis.

use super::summary::{found_nothing, found_something};
use super::{ScanView, ScanWriter, compliance, due, fixes, ranking};
use crate::finding::{Finding, RuleTally, Severity};
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, account, code, optional_code, plain};
use crate::output::phrases::{self, counted, more, number};

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "markdown",
    "for pull requests and wikis",
    Readers::Document,
    ScanWriter::RenderWorst(render),
);

fn render(view: &ScanView<'_>) -> String {
    let tally = view.tally;
    let title = format!("IAM credential report: {}", phrases::verdict_counts(tally));
    let mut out = Markdown::new(&title, view.options);
    out.list(tally.evaluated_inputs().into_iter().map(|input| {
        let (name, users) = (
            code(&phrases::input_name(input)),
            counted(input.users.unwrap_or(0), "user"),
        );
        format!(
            "{name}: {users}, evaluated as of {}",
            phrases::as_of(input, view.options.now)
        )
    }));
    ranking::markdown(view, &mut out);
    rules(view, &mut out);
    compliance::markdown(view, &mut out);
    if !view.worst.is_empty() {
        out.paragraph(&format!("Worst first; {}.", phrases::ages_counted_to(tally)));
    }
    for severity in Severity::ALL.into_iter().rev() {
        let findings = view.worst.iter().filter(|finding| finding.severity == severity);
        let findings: Vec<&Finding> = findings.collect();
        if !findings.is_empty() {
            out.heading(severity.name());
            table(&findings, tally.evaluated_inputs().len() > 1, &mut out);
        }
    }
    fixes::markdown(view, &mut out);
    out.more(more(view.hidden(), "finding", view.emitted));
    due::markdown(view, &mut out);
    out.diagnostics(&tally.diagnostics);
    out.into_text()
}

/// The rules that found something; the others are counted.
fn rules(view: &ScanView<'_>, out: &mut Markdown) {
    let all = &view.tally.rules;
    let mut rules: Vec<&RuleTally> = all.iter().filter(|rule| found_something(rule)).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
    let is_due = all.iter().any(|rule| rule.due.is_some());
    if !rules.is_empty() && !ranking::is_of_rules(view) {
        let rows = rules.into_iter().map(|rule| {
            let name = code(&phrases::rule(&rule.id, &rule.parameters));
            let counts = [rule.failed, rule.undetermined, rule.suppressed, rule.passed];
            let counts = counts.into_iter().chain(rule.due).map(number);
            [rule.severity.to_string(), name]
                .into_iter()
                .chain(counts)
                .collect()
        });
        let mut counts = vec!["Failed", "Undetermined", "Suppressed", "Passed"];
        counts.extend(is_due.then_some("Due"));
        out.table(&["Severity", "Rule"], &counts, rows);
    }
    if let Some(others) = found_nothing(view.tally) {
        out.paragraph(&others);
    }
}

/// Findings of one severity.
fn table(findings: &[&Finding], several_reports: bool, out: &mut Markdown) {
    let report: &[&str] = if several_reports { &["Report"] } else { &[] };
    let has_owners = findings.iter().any(|finding| finding.owner.is_some());
    let owner: &[&str] = if has_owners { &["Owner"] } else { &[] };
    let heads = [
        &["User", "Account"],
        owner,
        report,
        &["Status", "Rule", "Credential", "What"],
    ]
    .concat();
    let rows = findings.iter().map(|finding| {
        let user = finding.user.as_deref().unwrap_or("all users");
        let account = account(finding.account.as_deref(), finding.account_name.as_deref());
        let credential = Some(phrases::credential(finding)).filter(|text| !text.is_empty());
        let mut cells = vec![code(user), account];
        cells.extend(has_owners.then(|| plain(finding.owner.as_deref().unwrap_or_default())));
        cells.extend(several_reports.then(|| code(&finding.source.path)));
        cells.extend([
            finding.status.to_string(),
            code(&finding.rule),
            optional_code(credential.as_deref()),
            plain(&phrases::sentences(finding).join("; ")),
        ]);
        cells
    });
    out.table(&heads, &[], rows);
}

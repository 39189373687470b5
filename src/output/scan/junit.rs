//! `junit`: the XML of test reports, for the pages of CI servers. A suite is a rule, a case a user or a credential.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{ScanView, ScanWriter};
use crate::finding::{Finding, RuleTally, Status};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{self, counted};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "junit",
    "JUnit XML for CI servers",
    Readers::Program,
    ScanWriter::RenderMost(usize::MAX, render),
);

/// A rule as it is bound: frameworks may bind one twice.
type RuleKey<'a> = (&'a str, &'a BTreeMap<String, i64>);

fn render(view: &ScanView<'_>) -> Vec<u8> {
    let mut cases: BTreeMap<RuleKey<'_>, Vec<&Finding>> = BTreeMap::new();
    for finding in view.worst.iter().chain(view.due) {
        let key = (&*finding.rule, &finding.parameters);
        cases.entry(key).or_default().push(finding);
    }
    let mut report = Report::new("credlens");
    let several = view.tally.evaluated_inputs().len() > 1;
    for rule in &view.tally.rules {
        let findings = cases.remove(&(&*rule.id, &rule.parameters)).unwrap_or_default();
        report.add_test_suite(suite(rule, &findings, several));
    }
    let hidden = view.hidden() + view.due_emitted - view.due.len() as u64;
    if hidden > 0 {
        report.add_test_suite(left_out(hidden));
    }
    let mut out = Vec::new();
    report
        .serialize(&mut out)
        .expect("invariant: memory takes every byte, and names have no characters that XML forbids");
    out
}

/// Text without characters that XML forbids: they are escaped as for terminals.
fn text(text: &str) -> XmlString {
    XmlString::new(escape(text))
}

fn suite(rule: &RuleTally, findings: &[&Finding], several: bool) -> TestSuite {
    let name = phrases::rule(&rule.id, &rule.parameters);
    let mut suite = TestSuite::new(text(&name));
    suite.add_property(Property::new("severity", rule.severity.name()));
    suite.add_property(Property::new("title", text(&rule.texts.title)));
    for finding in findings {
        suite.add_test_case(case(finding, several));
    }
    if findings.is_empty() {
        suite.add_test_case(without_findings(rule));
    }
    suite
}

/// The case of a rule without findings that are shown.
fn without_findings(rule: &RuleTally) -> TestCase {
    let hidden = rule.failed + rule.undetermined;
    if hidden == 0 {
        return of_rule(&rule.id, TestCase::new("no finding", TestCaseStatus::success()));
    }
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!(
        "{} that --status, --min-severity or --limit does not show",
        counted(hidden, "finding")
    ));
    of_rule(&rule.id, TestCase::new("findings that are not shown", status))
}

fn of_rule(rule: &str, mut case: TestCase) -> TestCase {
    case.set_classname(text(rule));
    case
}

fn case(finding: &Finding, several: bool) -> TestCase {
    let message = text(&finding.message);
    let details = text_lines(&phrases::sentences(finding), finding);
    let non_success = |kind: NonSuccessKind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_message(message.clone())
            .set_type(finding.severity.name())
            .set_description(details.clone());
        status
    };
    let status = match finding.status {
        Status::Fail => non_success(NonSuccessKind::Failure),
        Status::Undetermined => non_success(NonSuccessKind::Error),
        Status::Suppressed => {
            let mut status = TestCaseStatus::skipped();
            let reason = finding.suppression.as_ref().map(|it| text(&it.reason));
            status.set_message(reason.unwrap_or(message.clone()));
            status
        }
        Status::Pass | Status::Due => TestCaseStatus::success(),
    };
    let mut case = of_rule(
        &finding.rule,
        TestCase::new(text(&name(finding, several)), status),
    );
    if finding.status == Status::Due {
        case.set_system_out(message);
    }
    case.add_property(Property::new("id", finding.id.to_string()));
    case
}

/// The sentences about a finding, and where it is, a line each.
fn text_lines(sentences: &[String], finding: &Finding) -> XmlString {
    let path = escape(&finding.source.path);
    let position = match (finding.source.line, finding.source.row) {
        (Some(line), _) => format!("{path}, line {line}"),
        (None, Some(row)) => format!("{path}, row {row}"),
        (None, None) => path.into_owned(),
    };
    XmlString::new(format!("{}\n{position}", sentences.join("\n")))
}

/// `123456789012 alice access_key_1`, and the report where there are several.
fn name(finding: &Finding, several: bool) -> String {
    let user = match (finding.user.as_deref(), finding.source.row) {
        (Some(user), _) if !user.is_empty() => user.to_owned(),
        (_, Some(row)) => format!("row {row}"),
        (_, None) => "all users".to_owned(),
    };
    let credential = phrases::credential(finding);
    let report = several.then(|| format!("in {}", finding.source.path));
    let words = [
        finding.account.clone(),
        Some(user),
        Some(credential).filter(|credential| !credential.is_empty()),
        report,
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A limit that the user gave leaves findings out: no reader may take the totals for all.
fn left_out(hidden: u64) -> TestSuite {
    let mut suite = TestSuite::new("left out");
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!("{} left out by --limit", counted(hidden, "finding")));
    suite.add_test_case(TestCase::new("findings that are left out", status));
    suite
}

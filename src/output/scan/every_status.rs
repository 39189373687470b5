//! Tests of the formats for other tools, on findings of every status with hostile names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::finding::Status;
use crate::output::test_support::{NAMED, OCSF, SARIF, SHORT, assert_valid, every_status, unescaped};

fn written(format: &str) -> (String, Vec<Diagnostic>) {
    let (text, diagnostics) = every_status(format, DisplayOptions::default());
    assert_eq!(unescaped(&text), "", "{format}");
    (text, diagnostics)
}

fn lines(format: &str) -> Vec<Value> {
    let (text, _) = written(format);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The findings as NDJSON has them, which the formats must agree with.
fn findings() -> Vec<Finding> {
    let (text, _) = written("ndjson");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn statuses(findings: &[Finding]) -> BTreeSet<Status> {
    findings.iter().map(|finding| finding.status).collect()
}

#[test]
fn the_findings_of_these_tests_have_every_status_and_position() {
    let findings = findings();
    assert_eq!(statuses(&findings), Status::ALL.into());
    let of_path = |path: &str| {
        findings
            .iter()
            .filter(|it| it.source.path == path)
            .collect::<Vec<_>>()
    };
    assert!(
        of_path(NAMED)
            .iter()
            .any(|it| it.access_key_id.is_some() && it.account_name.is_some())
    );
    assert!(of_path(SHORT).iter().any(|it| it.source.row.is_none()));
    assert!(
        of_path(SHORT)
            .iter()
            .any(|it| it.source.row.is_some() && it.account.is_none())
    );
    assert!(
        findings
            .iter()
            .any(|it| it.user.as_deref().is_none_or(str::is_empty))
    );
}

#[test]
fn ocsf_is_valid_by_the_schema_of_ocsf() {
    let events = lines("ocsf");
    assert_valid(OCSF, &events);
    for (event, finding) in events.iter().zip(findings()) {
        assert_eq!(event["finding_info"]["uid"], finding.id.to_string());
        assert_eq!(event["time"], finding.as_of.0 * 1_000);
        let (status, compliance) = match finding.status {
            Status::Fail => (1, 3),
            Status::Suppressed => (3, 3),
            Status::Undetermined => (1, 2),
            Status::Pass | Status::Due => (1, 1),
        };
        assert_eq!(
            (&event["status_id"], &event["compliance"]["status_id"]),
            (&status.into(), &compliance.into())
        );
        let evidence = serde_json::to_value(&finding.evidence).unwrap();
        if finding.source.row.is_some() {
            assert_eq!(event["resources"][0]["data"], evidence);
        }
        assert_eq!(
            event["unmapped"]["due_at"].is_string(),
            finding.status == Status::Due
        );
    }
    assert_eq!(events.len(), findings().len());
    let of_named: Vec<&Value> = events
        .iter()
        .filter(|it| it["cloud"]["account"]["name"].is_string())
        .collect();
    assert!(
        of_named
            .iter()
            .any(|it| it["resources"][1]["type"] == "AwsIamAccessKey")
    );
    assert!(events.iter().any(|it| it["cloud"]["cloud_partition"] == "aws-cn"));
}

#[test]
fn asff_has_every_finding_with_an_account_and_counts_the_others() {
    let (text, diagnostics) = written("asff");
    let requests: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let imported: Vec<&Value> = requests
        .iter()
        .flat_map(|it| it["Findings"].as_array().unwrap())
        .collect();
    let (with, without): (Vec<Finding>, Vec<Finding>) = findings()
        .into_iter()
        .partition(|finding| finding.account.is_some());
    let ids: BTreeSet<String> = with
        .iter()
        .map(|finding| format!("credlens/{}", finding.id))
        .collect();
    let imported_ids: BTreeSet<String> = imported
        .iter()
        .map(|it| it["Id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(imported_ids, ids);
    assert_eq!(imported.len(), with.len());
    let [said] = &diagnostics[..] else {
        panic!("{diagnostics:?}");
    };
    assert!(
        said.message
            .contains(&format!(" {} findings without", without.len())),
        "{}",
        said.message
    );
    let workflows: BTreeSet<&str> = imported
        .iter()
        .map(|it| it["Workflow"]["Status"].as_str().unwrap())
        .collect();
    assert_eq!(workflows, ["NEW", "RESOLVED", "SUPPRESSED"].into());
    for finding in imported {
        let account = finding["AwsAccountId"].as_str().unwrap();
        let region = if account == "111122223333" {
            "aws-cn:securityhub:cn-north-1"
        } else {
            "aws:securityhub:us-east-1"
        };
        assert_eq!(
            finding["ProductArn"],
            format!("arn:{region}:{account}:product/{account}/default")
        );
        for (name, most) in [
            ("Id", 512),
            ("Title", 256),
            ("Description", 1_024),
            ("GeneratorId", 512),
        ] {
            let length = finding[name].as_str().unwrap().chars().count();
            assert!((1..=most).contains(&length), "{name}: {length}");
        }
        assert!(finding.to_string().len() <= 240_000);
    }
}

#[test]
fn sarif_is_valid_by_the_schema_of_oasis() {
    let (text, _) = written("sarif");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_valid(SARIF, std::slice::from_ref(&document));
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let by_id: BTreeMap<String, Finding> = findings()
        .into_iter()
        .map(|finding| (finding.id.to_string(), finding))
        .collect();
    for result in results {
        let finding = &by_id[result["partialFingerprints"]["credlensFindingId/v1"]
            .as_str()
            .unwrap()];
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(
            (&result["ruleId"], &rule["id"]),
            (&Value::from(finding.rule.clone()), &result["ruleId"])
        );
        let suppressions = result["suppressions"].as_array().unwrap();
        assert_eq!(suppressions.len(), usize::from(finding.suppression.is_some()));
        let is_fail = matches!(finding.status, Status::Fail | Status::Suppressed);
        assert_eq!(result["level"] != "none", is_fail);
        assert_eq!(result["kind"] == "fail", is_fail);
    }
    assert_eq!(results.len(), findings().len());
    assert!(
        rules
            .iter()
            .all(|rule| !rule["help"]["text"].as_str().unwrap().is_empty())
    );
}

#[test]
fn sarif_locations_are_uris_with_the_line_of_the_user() {
    let (text, _) = written("sarif");
    let document: Value = serde_json::from_str(&text).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let locations = results
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]);
    let lines: BTreeMap<&str, BTreeSet<Option<u64>>> =
        locations.fold(BTreeMap::new(), |mut all, location| {
            let uri = location["artifactLocation"]["uri"].as_str().unwrap();
            let line = location["region"]["startLine"].as_u64();
            all.entry(uri).or_insert_with(BTreeSet::new).insert(line);
            all
        });
    let uris: Vec<&str> = lines.keys().copied().collect();
    assert_eq!(
        uris,
        [
            "a%2Cb%3Ac%25/%E2%80%AE.csv",
            "aws://123456789012",
            "hos%1Btile.csv",
            "short%3A%20100%25.csv"
        ]
    );
    assert_eq!(lines["hos%1Btile.csv"], (2..=5).map(Some).collect());
    // A finding of the whole report is on its first line.
    assert_eq!(lines["short%3A%20100%25.csv"], [Some(1), Some(2)].into());
}

#[test]
fn sarif_counts_what_it_leaves_out_and_has_suppressions_on_all_results_or_none() {
    let options = DisplayOptions {
        limit: 3,
        is_limit_given: true,
        ..DisplayOptions::default()
    };
    let (text, _) = every_status("sarif", options);
    let run = &serde_json::from_str::<Value>(&text).unwrap()["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 3);
    assert_eq!(run["properties"]["leftOut"], findings().len() - 3);
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert!(
        notification["message"]["text"]
            .as_str()
            .unwrap()
            .contains("only the worst 3 findings")
    );
    assert!(
        run["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result.get("suppressions").is_none())
    );
}

#[test]
fn junit_totals_are_those_of_the_findings() {
    let (text, _) = written("junit");
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let findings = findings();
    let count = |statuses: &[Status]| findings.iter().filter(|it| statuses.contains(&it.status)).count();
    assert_eq!(report.failures, count(&[Status::Fail]));
    assert_eq!(report.errors, count(&[Status::Undetermined]));
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let placeholders = report
        .test_suites
        .iter()
        .filter(|suite| suite.test_cases[0].name.as_str() == "no finding");
    assert_eq!(cases.count(), findings.len() + placeholders.count());
    let attributes = format!(
        r#"<testsuites name="credlens" tests="{}" skipped="{}" failures="{}" errors="{}">"#,
        report.tests,
        count(&[Status::Suppressed]),
        report.failures,
        report.errors
    );
    assert!(text.contains(&attributes), "{attributes}");
    for suite in &report.test_suites {
        let mut names: Vec<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{}", suite.name.as_str());
    }
}

/// The kind, properties and message of a workflow command, as GitHub's runner reads it.
fn command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let unescape = |text: &str| {
        let text = text.replace("%3A", ":").replace("%2C", ",");
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    };
    let properties = properties.split(',').map(|property| {
        let (name, value) = property.split_once('=').unwrap();
        (name.to_owned(), unescape(value))
    });
    (kind.to_owned(), properties.collect(), unescape(message))
}

#[test]
fn github_has_the_worst_10_of_each_kind_and_counts_the_rest() {
    let (text, _) = written("github");
    let commands: Vec<_> = text.lines().map(command).collect();
    let of_kind = |kind: &str| commands.iter().filter(|(it, ..)| it == kind).count();
    assert!(
        of_kind("error") == 10 && of_kind("warning") == 10 && of_kind("notice") == 10,
        "{text}"
    );
    assert_eq!(
        of_kind("error") + of_kind("warning") + of_kind("notice"),
        commands.len()
    );
    let (_, _, last) = commands.last().unwrap();
    let rest = findings().len() - (commands.len() - 1);
    assert!(last.starts_with(&format!("{rest} more findings")), "{last}");
    assert!(
        commands[0].2.contains("root has"),
        "critical ones come first: {text}"
    );
}

#[test]
fn github_paths_are_properties_that_hostile_names_cannot_leave() {
    let (text, _) = written("github");
    let commands: Vec<_> = text.lines().map(command).collect();
    for (_, properties, message) in &commands {
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        assert!(
            [&["file", "line", "title"][..], &["title"]].contains(&&names[..]),
            "{names:?} {message}"
        );
    }
    let files: BTreeSet<&str> = commands
        .iter()
        .filter_map(|(_, it, _)| it.get("file").map(String::as_str))
        .collect();
    assert!(files.contains(r"hos\x1btile.csv"), "{files:?}");
}

#[test]
fn one_finding_is_no_more_than_one_annotation() {
    let options = DisplayOptions::default();
    let text = crate::output::test_support::hostile("github", options);
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.starts_with("::error title=Active root access key,file=hos\\x1btile.csv,line=2::<root_account> (account 123456789012), access_key_1: "), "{text}");
}

//! Selection: which rules run, with which parameters and severities.

use super::{catalogue, rendered};
use crate::finding::Severity;
use crate::rule::{Error, Selected, Selection, Setting, select};

fn selected(rules: &[&str], frameworks: &[&str], settings: &[&str]) -> Result<Selected, Vec<Error>> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let selection = Selection {
        rules: words(rules),
        frameworks: words(frameworks),
        level: None,
        settings: settings.iter().map(|text| text.parse().unwrap()).collect(),
    };
    select(&catalogue(), &selection)
}

fn ids(selected: &Selected) -> Vec<&str> {
    selected
        .rules
        .iter()
        .map(|bound| bound.rule.id.as_str())
        .collect()
}

#[test]
fn nothing_selected_is_the_default() {
    let selected = selected(&[], &[], &[]).unwrap();
    let expected: Vec<String> = catalogue()
        .rules()
        .filter(|rule| rule.default)
        .map(|rule| rule.id.clone())
        .collect();
    assert_eq!(ids(&selected), expected);
    assert!(!ids(&selected).contains(&"D9.AWS.IAM.07"));
}

#[test]
fn rules_are_found_by_id_alias_and_glob() {
    for (name, id) in [
        ("IAM.3", "access-key-not-rotated"),
        ("iam.5", "console-user-without-mfa"),
        ("D9.AWS.IAM.07", "D9.AWS.IAM.07"),
    ] {
        assert_eq!(ids(&selected(&[name], &[], &[]).unwrap()), [id]);
    }
    let all = selected(&["*"], &[], &[]).unwrap();
    assert_eq!(all.rules.len(), catalogue().rules().count());
    let vendor = selected(&["d9.*"], &[], &[]).unwrap();
    assert!(vendor.rules.iter().all(|bound| bound.rule.id.starts_with("D9.")));
}

#[test]
fn an_alias_has_the_values_of_the_other_tool_unless_one_is_set() {
    let values = |names: &[&str], settings: &[&str]| -> Vec<(String, Vec<i64>)> {
        let rules = selected(names, &[], settings).unwrap().rules.into_iter();
        rules
            .map(|bound| (bound.rule.id.clone(), bound.parameters.into_values().collect()))
            .collect()
    };
    let unused = |days: &[i64]| -> Vec<(String, Vec<i64>)> {
        let ids = ["access-key-unused", "console-password-unused"];
        let pairs = ids
            .iter()
            .flat_map(|id| days.iter().map(move |days| (id.to_string(), vec![*days])));
        pairs.collect()
    };
    assert_eq!(values(&["IAM.22"], &[]), unused(&[45]));
    assert_eq!(values(&["iam.8"], &[]), unused(&[90]));
    assert_eq!(values(&["IAM.8", "IAM.22"], &[]), unused(&[45, 90]));
    assert_eq!(values(&["IAM.8"], &["IAM.8.max_idle=60"]), unused(&[60]));
    let yearly = values(&["iam_user_access_key_age_365"], &[]);
    let expected = ["access-key-inactive", "access-key-not-rotated"].map(|id| (id.to_owned(), vec![365]));
    assert_eq!(yearly, expected);
}

#[test]
fn an_alias_that_asks_for_more_is_a_partly_decided_requirement() {
    let both = selected(&["IAM.6", "root-without-mfa", "IAM.9"], &["datadog"], &[]).unwrap();
    let partly: Vec<String> = both.partly_decided.iter().map(ToString::to_string).collect();
    let expected = "IAM.6 also asks that root's MFA device is hardware, which a report does not show: without a fail, \
                    its result is partial, not a pass";
    assert_eq!(partly, [expected]);
    let names: Vec<&str> = both
        .frameworks
        .iter()
        .map(|framework| framework.name.as_str())
        .collect();
    assert_eq!(names, ["datadog", "other-tools"]);
    let root = both
        .rules
        .iter()
        .find(|bound| bound.rule.id == "root-without-mfa");
    assert_eq!(root.unwrap().requirements, ["other-tools/IAM.6"]);
    assert!(selected(&["IAM.9"], &[], &[]).unwrap().frameworks.is_empty());
    let two = selected(&["IAM.17", "iam_user_hardware_mfa_enabled"], &[], &[]).unwrap();
    assert_eq!((two.rules.len(), two.partly_decided.len()), (3, 2));
}

#[test]
fn all_unknown_names_are_reported_at_once() {
    let errors = selected(&["access-key-unusd", "nonsense"], &["cis-aws-5"], &[]).unwrap_err();
    insta::assert_snapshot!(rendered(&errors), @"
    error: unknown rule 'access-key-unusd'
     |
     = help: did you mean 'access-key-unused'?
    error: unknown rule 'nonsense'
     |
     = help: `credlens rules list` lists all rules
    error: unknown framework 'cis-aws-5'
     |
     = help: did you mean 'cis-aws-5.0'?
    ");
}

#[test]
fn settings_are_checked() {
    let settings = [
        "access-key-unused.max_idl=60",
        "access-key-unused.max_idle=0",
        "D9.AWS.IAM.07.x=1",
    ];
    insta::assert_snapshot!(rendered(&selected(&[], &[], &settings).unwrap_err()), @"
    error: 'access-key-unused' has no parameter 'max_idl'
     |
     = help: did you mean 'max_idle'?
    error: access-key-unused.max_idle must be 1 to 3650 days, got 0
    error: 'D9.AWS.IAM.07' has no parameter 'x'
     |
     = help: it has no parameters
    ");
    let error = "access-key-unused=60".parse::<Setting>().unwrap_err();
    insta::assert_snapshot!(error, @"'access-key-unused=60' does not have the form RULE.PARAM=NUMBER; for example, access-key-unused.max_idle=60");
    let bound = selected(&["access-key-unused"], &[], &["access-key-unused.max_idle=60"]).unwrap();
    assert_eq!(bound.rules[0].parameters["max_idle"], 60);
    assert!(bound.rules[0].message.contains("60 days"));
    assert_eq!(bound.rules[0].severity, Severity::Medium);
}

#[test]
fn a_framework_selects_exactly_its_rules_and_parameters() {
    let old = selected(&[], &["cis-aws-1.3"], &[]).unwrap();
    let unused = |selected: &Selected| -> Vec<(i64, String)> {
        let rules = selected.rules.iter();
        rules
            .filter(|bound| bound.rule.id == "access-key-unused")
            .map(|bound| (bound.parameters["max_idle"], bound.requirements.join(", ")))
            .collect()
    };
    let both = selected(
        &["access-key-unused"],
        &["cis-aws-1.3", "cis-aws-2.0", "CIS-AWS-1.4"],
        &[],
    )
    .unwrap();
    assert_eq!(unused(&old), [(90, "cis-aws-1.3/1.12".to_owned())]);
    let expected = [
        (45, "cis-aws-2.0/1.12, cis-aws-1.4/1.12"),
        (90, "cis-aws-1.3/1.12"),
    ];
    assert_eq!(
        unused(&both),
        expected.map(|(days, names)| (days, names.to_owned()))
    );
    assert_eq!(both.frameworks.len(), 3);
    assert!(ids(&both).contains(&"root-mfa-not-active") && !ids(&both).contains(&"root-without-mfa"));
}

#[test]
fn the_severity_of_a_framework_applies() {
    let severity = |frameworks: &[&str]| {
        let selected = selected(&["access-key-not-rotated"], frameworks, &[]).unwrap();
        let found = selected
            .rules
            .iter()
            .find(|bound| bound.rule.id == "access-key-not-rotated");
        found.unwrap().severity
    };
    assert_eq!(severity(&[]), Severity::High);
    assert_eq!(severity(&["gxp-21-cfr-11"]), Severity::Low);
    assert_eq!(severity(&["gxp-21-cfr-11", "aws-fsbp"]), Severity::Medium);
    assert_eq!(severity(&["gxp-21-cfr-11", "datadog"]), Severity::High);
}

#[test]
fn a_weaker_setting_is_reported() {
    let frameworks = ["unused-keys-level-2", "aws-security-hub"];
    let weaker = selected(&[], &frameworks, &["access-key-unused.max_idle=60"]).unwrap();
    let weakened: Vec<String> = weaker.weakened.iter().map(ToString::to_string).collect();
    assert_eq!(
        weakened,
        [
            "aws-security-hub/IAM.22 requires access-key-unused.max_idle = 45, but it is set to 60, which finds less"
        ]
    );
    let bound: Vec<_> = weaker
        .rules
        .iter()
        .filter(|bound| bound.rule.id == "access-key-unused")
        .collect();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].requirements.len(), 3);
}

#[test]
fn a_related_rule_runs_with_its_own_severity() {
    // Key age decides one requirement of GxP, with its severity, and is related to others.
    let gxp = selected(&[], &["gxp-21-cfr-11"], &[]).unwrap();
    let bound = gxp
        .rules
        .iter()
        .find(|bound| bound.rule.id == "access-key-not-rotated");
    let bound = bound.unwrap();
    assert_eq!(bound.severity, Severity::Low);
    assert_eq!(bound.requirements, ["gxp-21-cfr-11/access-key-rotation"]);
    assert!(bound.related.contains(&"gxp-21-cfr-11/11.10(d)".to_owned()));
    // No value is too weak for a requirement that nothing decides.
    let weaker = selected(&[], &["mitre-attack"], &["access-key-unused.max_idle=400"]).unwrap();
    assert_eq!(weaker.weakened, []);
    assert!(weaker.rules.iter().all(|bound| bound.requirements.is_empty()));
}

#[test]
fn a_level_selects_the_requirements_up_to_it() {
    let of_level = |framework: &str, level| {
        let selection = Selection {
            frameworks: vec![framework.to_owned()],
            level: Some(level),
            ..Selection::default()
        };
        select(&catalogue(), &selection)
    };
    let ids = |level| -> Vec<String> {
        let selected = of_level("cis-aws-5.0", level).unwrap();
        let requirements = selected.frameworks[0].requirements.iter();
        requirements.map(|requirement| requirement.id.clone()).collect()
    };
    assert!(!ids(1).contains(&"1.5".to_owned()) && ids(2).contains(&"1.5".to_owned()));
    assert_eq!(ids(1).len() + 1, ids(2).len());
    let mut report = String::new();
    for (framework, level) in [("gdpr", 1), ("cis-aws-5.0", 3), ("unused-keys-level-2", 1)] {
        report += &rendered(&of_level(framework, level).unwrap_err());
    }
    insta::assert_snapshot!(report, @"
    error: gdpr has no levels
    error: cis-aws-5.0 has level 1 and level 2, not level 3
    error: unused-keys-level-2 has level 2, not level 1
    ");
}

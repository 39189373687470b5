//! What holds for every built-in rule and framework, and how rules are selected.

use std::collections::BTreeSet;

use super::*;
use crate::finding::Severity;

fn catalogue() -> Catalogue {
    Catalogue::builtin()
}

fn selected(rules: &[&str], frameworks: &[&str], settings: &[&str]) -> Result<Selected, Vec<Error>> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let selection = Selection {
        rules: words(rules),
        frameworks: words(frameworks),
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

fn rendered(errors: &[Error]) -> String {
    errors.iter().map(|error| error.render(false) + "\n").collect()
}

#[test]
fn every_rule_can_be_read_and_checked() {
    for rule in catalogue().rules() {
        if let Err(error) = rule.bind(&rule.defaults()) {
            panic!("{}", error.render(false));
        }
    }
}

#[test]
fn every_rule_says_what_people_need() {
    for rule in catalogue().rules() {
        let id = &rule.id;
        assert!(!rule.why.is_empty() && !rule.references.is_empty(), "{id}");
        assert!(!rule.fix.is_empty(), "{id} says nothing about mending");
        assert!(!rule.title.ends_with('.') && !rule.message.ends_with('.'), "{id}");
        assert!(rule.boundary.is_some(), "{id} names no boundary");
        for parameter in rule.parameters.values() {
            assert!(!parameter.about.is_empty() && !parameter.unit.is_empty(), "{id}");
        }
        for reference in &rule.references {
            assert!(reference.starts_with("https://"), "{id}: {reference}");
        }
    }
}

#[test]
fn every_rule_has_examples_on_both_sides() {
    for rule in catalogue().rules() {
        let shown: BTreeSet<Verdict> = rule.examples.iter().map(|example| example.verdict).collect();
        for verdict in [Verdict::Fail, Verdict::Undetermined] {
            assert!(
                shown.contains(&verdict),
                "{}: no example is {}",
                rule.id,
                verdict.name()
            );
        }
        let fine = shown.contains(&Verdict::Pass) || shown.contains(&Verdict::NotRelevant);
        assert!(fine, "{}: no example is fine", rule.id);
    }
}

#[test]
fn no_name_means_two_things() {
    let catalogue = catalogue();
    for rule in catalogue.rules() {
        let unique: BTreeSet<&String> = rule.aliases.iter().collect();
        assert_eq!(unique.len(), rule.aliases.len(), "{}", rule.id);
        for alias in &rule.aliases {
            assert!(catalogue.rule(alias).is_none(), "{alias} is an id and an alias");
        }
    }
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
    assert_eq!(
        ids(&selected(&["IAM.3"], &[], &[]).unwrap()),
        ["access-key-not-rotated"]
    );
    assert_eq!(
        ids(&selected(&["iam.5"], &[], &[]).unwrap()),
        ["console-user-without-mfa"]
    );
    assert_eq!(
        ids(&selected(&["D9.AWS.IAM.07"], &[], &[]).unwrap()),
        ["D9.AWS.IAM.07"]
    );
    let all = selected(&["*"], &[], &[]).unwrap();
    assert_eq!(all.rules.len(), catalogue().rules().count());
    let vendor = selected(&["d9.*"], &[], &[]).unwrap();
    assert!(vendor.rules.iter().all(|bound| bound.rule.id.starts_with("D9.")));
}

#[test]
fn unknown_words_are_all_told_at_once() {
    let errors = selected(&["access-key-unusd", "nonsense"], &["cis-aws-5"], &[]).unwrap_err();
    insta::assert_snapshot!(rendered(&errors), @"");
}

#[test]
fn settings_are_checked() {
    let settings = [
        "access-key-unused.max_idl=60",
        "access-key-unused.max_idle=0",
        "D9.AWS.IAM.07.x=1",
    ];
    insta::assert_snapshot!(rendered(&selected(&[], &[], &settings).unwrap_err()), @"");
    let error = "access-key-unused=60".parse::<Setting>().unwrap_err();
    insta::assert_snapshot!(error, @"");
    let bound = selected(&["access-key-unused"], &[], &["access-key-unused.max_idle=60"]).unwrap();
    assert_eq!(bound.rules[0].parameters["max_idle"], 60);
    assert!(bound.rules[0].message.contains("60 days"));
    assert_eq!(bound.rules[0].severity, Severity::Medium);
}

#[test]
fn errors_of_a_file_come_at_once_with_carets() {
    let text = r#"titel = "Bad"
severity = "hgih"
logic = "IamUser should have mfaActive"
message = "more than {max_age} days"

[parameters.max_idle]
default = "45"
min = 1
max = 10

[[example]]
name = "x"
verdict = "broken"
cells = { access_key_1_activ = "true" }
"#;
    let error = Rule::parse("bad", "bad.toml", text).unwrap_err();
    insta::assert_snapshot!(error.render(false), @"");
}

#[test]
fn an_example_is_a_whole_report() {
    let catalogue = catalogue();
    let rule = catalogue.rule("access-key-unused").unwrap();
    let example = rule
        .examples
        .iter()
        .find(|example| !example.without.is_empty())
        .unwrap();
    insta::assert_snapshot!(example.csv(), @"");
}

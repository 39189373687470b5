//! Invariants of every built-in rule and framework.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue;
use crate::finding::Verdict;
use crate::report::schema::Column;
use crate::rule::{Catalogue, Coverage, lint};

#[test]
fn every_rule_can_be_read_and_checked() {
    for rule in catalogue().rules() {
        if let Err(error) = rule.bind(&rule.defaults()) {
            panic!("{}", error.render(false));
        }
    }
}

#[test]
fn the_head_of_a_rule_file_is_enough_for_selection() {
    let catalogue = catalogue();
    let defaults: Vec<&str> = catalogue.default_rules().map(|rule| rule.id.as_str()).collect();
    for rule in catalogue.rules() {
        assert_eq!(defaults.contains(&rule.id.as_str()), rule.default, "{}", rule.id);
        for alias in &rule.aliases {
            let ids = catalogue.find_ids(&alias.name).unwrap();
            assert!(ids.contains(&rule.id.as_str()), "{alias:?} is not found");
        }
    }
}

#[test]
fn every_rule_has_all_texts() {
    for rule in catalogue().rules() {
        let id = &rule.id;
        assert!(!rule.why.is_empty() && !rule.references.is_empty(), "{id}");
        assert!(!rule.fix.is_empty(), "{id} has no fix");
        assert!(!rule.title.ends_with('.') && !rule.message.ends_with('.'), "{id}");
        assert!(rule.boundary.is_some(), "{id} has no boundary");
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
        let shows = |verdict| rule.examples.iter().any(|example| example.verdict == verdict);
        assert!(shows(Verdict::Fail) && shows(Verdict::Pass), "{}", rule.id);
        // Text is never unknown.
        let columns = rule.bind(&rule.defaults()).unwrap().all_columns();
        let only_text = columns.iter().all(|column| matches!(column, Column::Text(_)));
        assert!(shows(Verdict::Undetermined) || only_text, "{}", rule.id);
    }
}

#[test]
fn no_alias_is_also_an_id() {
    let catalogue = catalogue();
    for rule in catalogue.rules() {
        let unique: BTreeSet<&String> = rule.aliases.iter().map(|alias| &alias.name).collect();
        assert_eq!(unique.len(), rule.aliases.len(), "{}", rule.id);
        for alias in &rule.aliases {
            let name = &alias.name;
            assert!(catalogue.rule(name).is_none(), "{name} is an id and an alias");
            // A check of another tool means the same whatever the defaults are.
            assert!(
                alias.parameters.keys().eq(rule.parameters.keys()),
                "{}: {name}",
                rule.id
            );
        }
    }
}

#[test]
fn an_alias_of_several_rules_asks_the_same_of_each() {
    let catalogue = catalogue();
    let mut asked = BTreeMap::new();
    for rule in catalogue.rules() {
        for alias in &rule.aliases {
            let values: Vec<i64> = alias.parameters.values().copied().collect();
            let known = asked
                .entry(&alias.name)
                .or_insert_with(|| (Vec::new(), &alias.undecided));
            assert_eq!(known.1, &alias.undecided, "{}: {}", rule.id, alias.name);
            known.0.extend(values);
        }
    }
    for (name, (values, _)) in asked {
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
    }
}

#[test]
fn every_framework_can_be_read_and_binds_known_rules() {
    let catalogue = catalogue();
    for name in Catalogue::framework_names() {
        let framework = catalogue.framework(name).unwrap();
        let ids: BTreeSet<&String> = framework.requirements.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), framework.requirements.len(), "{name} repeats an id");
        for requirement in &framework.requirements {
            for reference in &requirement.rules {
                let binding = format!("{name}/{}: {}", requirement.id, reference.rule);
                let rule = catalogue.rule(&reference.rule).expect(&binding);
                // A framework means the same whatever the defaults are.
                assert!(
                    reference.parameters.keys().eq(rule.parameters.keys()),
                    "{binding}"
                );
                for (parameter, &value) in &reference.parameters {
                    assert!(rule.parameters[parameter].allows(value), "{binding}");
                }
            }
        }
        assert!(
            !framework.about.is_empty() && framework.source.starts_with("https://"),
            "{name}"
        );
    }
}

#[test]
fn an_example_is_a_complete_report() {
    let catalogue = catalogue();
    let rule = catalogue.rule("access-key-unused").unwrap();
    let example = rule
        .examples
        .iter()
        .find(|example| !example.without.is_empty())
        .unwrap();
    insta::assert_snapshot!(example.csv(), @r"
    user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info
    alice,arn:aws:iam::123456789012:user/alice,2025-12-01T00:00:00Z,false,N/A,N/A,N/A,true,true,2025-01-01T00:00:00Z,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,N/A
    ");
}

#[test]
fn built_in_rules_have_no_lints_except_the_vendors_slots() {
    for rule in catalogue().rules() {
        let lints = lint(rule).unwrap();
        let warnings = lints
            .iter()
            .filter(|lint| !(lint.code == "one-slot" && rule.id.starts_with("D9.")));
        assert_eq!(warnings.count(), 0, "{lints:?}");
    }
}

#[test]
fn a_vendors_rule_says_what_is_known_of_its_compliance_list() {
    for rule in catalogue().rules().filter(|rule| rule.id.starts_with("D9.")) {
        let is_whole = ["D9.AWS.IAM.07", "D9.AWS.IAM.51"].contains(&rule.id.as_str());
        assert_eq!(rule.compliance_note.is_none(), is_whole, "{}", rule.id);
    }
}

#[test]
fn requirements_on_passwords_and_kinds_of_mfa_bind_the_rules_that_are_about_them() {
    let late = "console-password-expires-late 90";
    let forever = "console-password-never-expires";
    for (framework, id, expected) in [
        (
            "pci-dss-3.2.1",
            "8.2.4",
            ["console-password-not-rotated 90"].as_slice(),
        ),
        ("pci-dss-4.0", "8.3.9", &["single-factor-password-not-rotated 90"]),
        (
            "pci-dss-4.0.1",
            "8.3.9",
            &["single-factor-password-not-rotated 90"],
        ),
        (
            "pci-dss-4.0.1",
            "8.3.10.1",
            &["single-factor-password-not-rotated 90"],
        ),
        (
            "pci-dss-4.0",
            "8.3.10.1",
            &["single-factor-password-not-rotated 90"],
        ),
        ("gxp-21-cfr-11", "11.300(b)", &["console-password-not-rotated 90"]),
        ("cis-aws-1.1", "1.11", &[forever, late]),
        ("cis-aws-1.2", "1.11", &[forever, late]),
        ("cis-aws-5.0", "1.5", &["root-console-without-mfa"]),
        ("cis-aws-6.0", "2.5", &["root-console-without-mfa"]),
        ("cis-aws-7.0", "2.6", &["root-console-without-mfa"]),
        ("aws-security-hub", "IAM.17", &[forever, late]),
        ("cloudguard", "D9.AWS.IAM.15", &[forever, late]),
        ("cloudguard", "D9.AWS.IAM.18", &["root-mfa-not-active"]),
        ("cloudguard", "D9.AWS.IAM.19", &["root-mfa-not-active"]),
    ] {
        let framework = catalogue().framework(framework).unwrap();
        let requirement = framework.requirements.iter().find(|it| it.id == id).unwrap();
        assert_eq!(requirement.coverage, Coverage::Partial, "{id}");
        let bound = requirement.rules.iter().map(|it| {
            let values = it.parameters.values().map(ToString::to_string);
            std::iter::once(it.rule.clone())
                .chain(values)
                .collect::<Vec<_>>()
                .join(" ")
        });
        let bound: Vec<String> = bound.collect();
        assert!(
            expected.iter().all(|rule| bound.iter().any(|it| it == rule)),
            "{id}: {bound:?}"
        );
    }
}

#[test]
fn cis_numbers_and_days_are_those_of_each_version() {
    // console MFA, unused and its days, rotation, one active key, root MFA and its rule
    let (any, with_password) = ("root-mfa-not-active", "root-console-without-mfa");
    let versions = [
        ("1.1", "1.2", "1.3", 90, "1.4", None, "1.13", any),
        ("1.2", "1.2", "1.3", 90, "1.4", None, "1.13", any),
        ("1.3", "1.10", "1.12", 90, "1.14", Some("1.13"), "1.5", any),
        ("1.4", "1.10", "1.12", 45, "1.14", Some("1.13"), "1.5", any),
        ("1.5", "1.10", "1.12", 45, "1.14", Some("1.13"), "1.5", any),
        ("2.0", "1.10", "1.12", 45, "1.14", Some("1.13"), "1.5", any),
        ("3.0", "1.10", "1.12", 45, "1.14", Some("1.13"), "1.5", any),
        ("4.0.1", "1.10", "1.12", 45, "1.14", Some("1.13"), "1.5", any),
        (
            "5.0",
            "1.9",
            "1.11",
            45,
            "1.13",
            Some("1.12"),
            "1.4",
            with_password,
        ),
        (
            "6.0",
            "2.9",
            "2.11",
            45,
            "2.13",
            Some("2.12"),
            "2.4",
            with_password,
        ),
        ("7.0", "2.10", "2.11", 45, "2.12", None, "2.5", with_password),
    ];
    for (version, console, unused, days, rotation, one, root, root_rule) in versions {
        let framework = catalogue().framework(&format!("cis-aws-{version}")).unwrap();
        let naming = |rule: &str| {
            let requirements = framework.requirements.iter();
            let mut found = requirements.flat_map(|it| it.rules.iter().map(move |rule| (it, rule)));
            let (it, reference) = found.find(|(_, reference)| reference.rule == rule)?;
            Some((it.id.clone(), reference.clone()))
        };
        let number = |rule: &str| naming(rule).map(|(id, _)| id);
        let numbers = [
            ("console-user-without-mfa", Some(console)),
            ("access-key-unused", Some(unused)),
            ("console-password-unused", Some(unused)),
            ("access-key-not-rotated", Some(rotation)),
            ("two-active-access-keys", one),
            (root_rule, Some(root)),
        ];
        for (rule, expected) in numbers {
            assert_eq!(number(rule).as_deref(), expected, "{version} {rule}");
        }
        let (_, reference) = naming("access-key-unused").unwrap();
        assert_eq!(reference.parameters["max_idle"], days, "{version}");
    }
}

//! What every built-in framework says of itself and its requirements, and what decides them.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue;
use crate::finding::{Assessment, FrameworkStatus};
use crate::rule::{Catalogue, Coverage, Framework, Requirement, RuleRef};

fn frameworks() -> Vec<Framework> {
    let names = Catalogue::framework_names();
    names.map(|name| catalogue().framework(name).unwrap()).collect()
}

fn requirement(name: &str) -> Requirement {
    let (framework, id) = name.split_once('/').unwrap();
    let framework = catalogue().framework(framework).unwrap();
    let found = framework.requirements.into_iter().find(|it| it.id == id);
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

fn names(rules: &[RuleRef]) -> Vec<&str> {
    rules.iter().map(|rule| rule.rule.as_str()).collect()
}

#[test]
fn every_framework_says_source_version_date_and_status() {
    let known: BTreeSet<&str> = Catalogue::framework_names().collect();
    for framework in frameworks() {
        let name = &framework.name;
        assert!(framework.source.starts_with("https://"), "{name}");
        assert!(!framework.version.is_empty(), "{name}");
        let digits: Vec<usize> = framework.date.split('-').map(str::len).collect();
        assert!(matches!(digits.as_slice(), [4] | [4, 2] | [4, 2, 2]), "{name}");
        assert!(
            framework
                .date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-'),
            "{name}"
        );
        let is_current = framework.status == FrameworkStatus::Current;
        if let Some(successor) = &framework.successor {
            assert!(known.contains(successor.as_str()) && !is_current, "{name}");
        }
        let levels = framework.requirements.iter().filter(|it| it.level.is_some());
        assert!(
            [0, framework.requirements.len()].contains(&levels.count()),
            "{name}"
        );
    }
}

/// A requirement names each rule once, as deciding or as related.
#[test]
fn nothing_is_decided_twice() {
    for framework in frameworks() {
        for requirement in &framework.requirements {
            let name = framework.qualified(requirement);
            let bound = [names(&requirement.rules), names(&requirement.related)].concat();
            let unique: BTreeSet<&&str> = bound.iter().collect();
            assert_eq!(unique.len(), bound.len(), "{name}");
            let decided = matches!(requirement.coverage, Coverage::Full | Coverage::Partial);
            assert_eq!(decided, !requirement.rules.is_empty(), "{name}");
            assert_eq!(
                requirement.why.is_none(),
                requirement.coverage == Coverage::Full,
                "{name}"
            );
        }
    }
}

/// An id as its letters and digits: `AC-2(3)` is `ac-2-3`.
fn letters_and_digits(id: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    let mut last = ' ';
    for char in id.to_ascii_lowercase().chars() {
        let same = char.is_ascii_digit() == last.is_ascii_digit();
        if !same || !char.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), char.is_ascii_alphanumeric()) {
            word.push(char);
        }
        last = char;
    }
    words.retain(|word| !word.is_empty());
    words.join("-")
}

#[test]
fn a_bound_requirement_is_one_that_tools_map_checks_to() {
    let lines = include_str!("mapped_requirements.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let mapped: BTreeMap<&str, BTreeSet<&str>> = lines
        .filter_map(|line| line.split_once(' '))
        .map(|(name, ids)| (name, ids.split(' ').collect()))
        .collect();
    let own = [
        "aws-config",
        "aws-security-hub",
        "cloudguard",
        "datadog",
        "unused-keys-level-2",
    ];
    for framework in frameworks() {
        let Some(ids) = mapped.get(framework.name.as_str()) else {
            assert!(own.contains(&framework.name.as_str()), "{}", framework.name);
            continue;
        };
        for requirement in &framework.requirements {
            let is_bound = requirement.coverage != Coverage::Manual;
            let id = letters_and_digits(&requirement.id);
            assert!(!is_bound || ids.contains(id.as_str()), "{}: {id}", framework.name);
        }
    }
}

#[test]
fn a_requirement_is_decided_only_by_what_it_is_about() {
    let related = [
        "pci-dss-4.0/11.5.2",
        "pci-dss-4.0/8.3.5",
        "pci-dss-4.0/8.3.7",
        "pci-dss-4.0/8.2.5",
        "pci-dss-4.0.1/7.2.5",
        "pci-dss-4.0.1/8.6.3",
        "nist-800-53-r5/AC-3(2)",
        "nist-800-53-r5/AC-4(28)",
        "nist-800-53-r5/SC-23(3)",
        "nist-800-53-r5/CM-5(1)(a)",
        "nist-800-53-r5/IA-4(8)",
        "nist-800-53-r5/MP-2",
        "nist-800-53-r5/SC-25",
        "soc-2/CC3.2",
        "nist-800-171-r2/3.5.7",
        "nist-800-171-r2/3.5.8",
        "hipaa/164.312(a)(2)(i)",
        "gdpr/Article 25",
    ];
    for name in related {
        let requirement = requirement(name);
        assert_eq!(requirement.coverage, Coverage::Related, "{name}");
        assert!(
            requirement.why.unwrap().contains("report does not show"),
            "{name}"
        );
    }
    let mitre = catalogue().framework("mitre-attack").unwrap();
    assert_eq!(mitre.count(Coverage::Related), mitre.requirements.len());
    let mfa = ["console-user-without-mfa", "root-without-mfa"];
    for (name, rules) in [
        ("pci-dss-4.0.1/8.2.6", vec!["user-dormant-enabled"]),
        ("pci-dss-4.0.1/8.4.1", vec!["root-without-mfa"]),
        ("pci-dss-4.0.1/8.4.2", mfa.to_vec()),
        ("nist-800-53-r5/AC-2(3)(d)", vec!["user-dormant-enabled"]),
        ("nist-800-53-r5/IA-2(1)", vec!["root-without-mfa"]),
        ("nist-800-53-r5/IA-2(2)", vec!["console-user-without-mfa"]),
        ("nist-800-171-r2/3.5.3", mfa.to_vec()),
        ("nist-csf-1.1/PR.AC-7", vec!["root-without-mfa"]),
        ("iso-27001-2022/A.8.5", vec!["root-without-mfa"]),
        ("iso-27001-2013/A.9.4", vec!["root-without-mfa"]),
        ("soc-2/CC6.6", mfa.to_vec()),
        ("nydfs-23-nycrr-500/500.12", mfa.to_vec()),
        ("nis2/11.3.2.a", vec!["root-without-mfa"]),
        ("nis2/11.3.2.c", vec!["root-access-key-active"]),
        ("secnumcloud-3.2/9.6", mfa.to_vec()),
    ] {
        let requirement = requirement(name);
        assert_eq!(names(&requirement.rules), rules, "{name}");
        assert_eq!(requirement.coverage, Coverage::Partial, "{name}");
    }
}

#[test]
fn central_root_access_is_decided_by_what_root_has() {
    let requirement = requirement("cis-aws-7.0/2.1.1");
    let expected = [
        "root-access-key-active",
        "root-access-key-inactive",
        "root-password-present",
        "root-signing-certificate-active",
    ];
    assert_eq!(names(&requirement.rules), expected);
    assert_eq!(requirement.coverage, Coverage::Partial);
    assert_eq!(
        (requirement.level, requirement.assessment),
        (Some(2), Some(Assessment::Manual))
    );
}

#[test]
fn a_number_of_days_in_a_text_is_that_of_its_rule() {
    for (name, rule, days, coverage) in [
        (
            "bsi-c5-2020/IDM-03",
            "user-dormant-enabled",
            62,
            Coverage::Partial,
        ),
        (
            "cis-controls-v8-ig1/5.3",
            "user-dormant-enabled",
            45,
            Coverage::Partial,
        ),
        (
            "ens-rd2022/op.acc.6.aws.iam.2",
            "access-key-not-rotated",
            90,
            Coverage::Partial,
        ),
    ] {
        let requirement = requirement(name);
        assert_eq!(names(&requirement.rules), [rule], "{name}");
        let values: Vec<i64> = requirement.rules[0].parameters.values().copied().collect();
        assert_eq!((values, requirement.coverage), (vec![days], coverage), "{name}");
    }
}

#[test]
fn no_program_is_asked_for_mfa_by_a_standard() {
    // Only the vendors' own controls are about every user.
    let own = ["aws-config/iam-user-mfa-enabled", "aws-security-hub/IAM.19"];
    for framework in frameworks() {
        for requirement in &framework.requirements {
            let name = framework.qualified(requirement);
            let decides = names(&requirement.rules).contains(&"user-without-mfa");
            assert_eq!(decides, own.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn cis_requirements_have_level_and_assessment() {
    let manual = |version: &str| -> Vec<String> {
        let framework = catalogue().framework(&format!("cis-aws-{version}")).unwrap();
        let requirements = framework.requirements.into_iter();
        let manual = requirements.filter(|it| it.assessment == Some(Assessment::Manual));
        manual.map(|it| it.id).collect()
    };
    for (version, ids, hardware) in [
        ("1.1", vec!["1.15", "1.23"], "1.14"),
        ("1.2", vec!["1.15", "1.21"], "1.14"),
        ("1.3", vec!["1.11"], "1.6"),
        ("1.4", vec!["1.11"], "1.6"),
        ("1.5", vec!["1.11"], "1.6"),
        ("2.0", vec!["1.6", "1.7", "1.11"], "1.6"),
        ("3.0", vec!["1.6", "1.7", "1.11"], "1.6"),
        ("4.0.1", vec!["1.6", "1.7", "1.11"], "1.6"),
        ("5.0", vec!["1.5", "1.6", "1.10"], "1.5"),
        ("6.0", vec!["2.5", "2.6", "2.10"], "2.5"),
        ("7.0", vec!["2.1.1", "2.6", "2.7"], "2.6"),
    ] {
        assert_eq!(manual(version), ids, "{version}");
        let framework = catalogue().framework(&format!("cis-aws-{version}")).unwrap();
        let second = framework.requirements.iter().filter(|it| it.level == Some(2));
        let second: Vec<&str> = second.map(|it| it.id.as_str()).collect();
        let more = (version == "7.0").then_some("2.1.1");
        let expected: Vec<&str> = more.into_iter().chain([hardware]).collect();
        assert_eq!(second, expected, "{version}");
        let assessed = framework.requirements.iter().all(|it| it.assessment.is_some());
        assert!(assessed, "{version}");
    }
}

#[test]
fn security_hub_has_all_controls_and_fsbp_its_own() {
    let numbers = |name: &str| -> Vec<u8> {
        let framework = catalogue().framework(name).unwrap();
        let ids = framework.requirements.iter().map(|it| &it.id);
        ids.map(|id| id.trim_start_matches("IAM.").parse().unwrap())
            .collect()
    };
    assert_eq!(numbers("aws-fsbp"), [1, 2, 3, 4, 5, 6, 7, 8, 21]);
    let all: Vec<u8> = (1..=28).filter(|&number| number != 20).collect();
    assert_eq!(numbers("aws-security-hub"), all);
    for requirement in catalogue().framework("aws-fsbp").unwrap().requirements {
        let hub = self::requirement(&format!("aws-security-hub/{}", requirement.id));
        assert_eq!(hub, requirement);
    }
}

#[test]
fn frameworks_that_ended_say_so() {
    let standing = |name: &str| catalogue().framework(name).unwrap().standing();
    for (name, expected) in [
        ("pci-dss-3.2.1", "retired on 2024-03-31"),
        ("pci-dss-4.0", "retired on 2024-12-31"),
        ("pci-dss-4.0.1", "current"),
        ("ffiec", "retired on 2025-08-31"),
        ("nist-800-171-r2", "retired on 2024-05-14"),
        ("fedramp-low", "superseded"),
        ("rbi-cyber-security-framework", "retired on 2026-07-31"),
        ("bsi-c5-2020", "superseded"),
        ("cis-aws-6.0", "superseded"),
        ("cis-aws-7.0", "current"),
    ] {
        assert_eq!(standing(name), expected, "{name}");
    }
    for name in ["fedramp-low", "fedramp-moderate"] {
        let framework = catalogue().framework(name).unwrap();
        assert!(framework.source.contains("rev4") && framework.version == "Rev. 4");
    }
    let title = requirement("pci-dss-4.0.1/8.4.2").title;
    assert!(title.contains("non-console"), "{title}");
}

#[test]
fn all_errors_of_a_framework_file_are_reported() {
    let text = "title = \"T\"\nsource = \"https://x\"\nabout = \"x\"\nversion = \"1\"\nstatus = \"retired\"\n\
        [[requirement]]\nid = \"1\"\ntitle = \"related is no rule\"\ncoverage = \"partial\"\n\
        related = [{ rule = \"a\", severity = \"low\" }]\n\
        [[requirement]]\nid = \"2\"\ntitle = \"twice\"\nassessment = \"robot\"\n\
        rules = [{ rule = \"a\" }]\nrelated = [{ rule = \"a\", days = 1 }]\n\
        [[requirement]]\nid = \"3\"\ntitle = \"nothing\"\n";
    let error = Framework::parse("f", "f.toml", text).unwrap_err();
    insta::assert_snapshot!(error.render(false), @r#"
    error: 'date' is missing
     --> f.toml:1:1
      |
    1 | title = "T"
      | ^

    error: 'retired', a day, must be there if status = "retired", and only then
     --> f.toml:1:1
      |
    1 | title = "T"
      | ^

    error: a requirement must name rules, or related ones, or have coverage = "manual"
     --> f.toml:6:1
      |
    6 | [[requirement]]
      | ^^^^^^^^^^^^^^^

    error: a related rule keeps its own severity
     --> f.toml:6:1
      |
    6 | [[requirement]]
      | ^^^^^^^^^^^^^^^

    error: a requirement names a rule twice
      --> f.toml:11:1
       |
    11 | [[requirement]]
       | ^^^^^^^^^^^^^^^

    error: unknown assessment 'robot'; one of automated, manual
      --> f.toml:14:14
       |
    14 | assessment = "robot"
       |              ^^^^^^^

    error: a requirement must name rules, or related ones, or have coverage = "manual"
      --> f.toml:17:1
       |
    17 | [[requirement]]
       | ^^^^^^^^^^^^^^^
    "#);
}

/// A rule that leaves root out does not decide alone what is asked for all keys or all passwords: an old key of root must
/// not leave a pass.
#[test]
fn what_a_new_standard_asks_of_every_credential_includes_root() {
    let standards = [
        "nis2",
        "bsi-c5-",
        "ens-",
        "kisa-",
        "rbi-",
        "secnumcloud-",
        "asd-",
        "cis-controls-",
        "cisa-",
        "nydfs-",
    ];
    let is_of_root = |rule: &str| rule.starts_with("root-");
    for framework in frameworks() {
        if !standards.iter().any(|start| framework.name.starts_with(start)) {
            continue;
        }
        let full = framework
            .requirements
            .iter()
            .filter(|it| !it.rules.is_empty() && it.coverage == Coverage::Full);
        for requirement in full {
            let name = framework.qualified(requirement);
            assert!(
                names(&requirement.rules).iter().any(|rule| is_of_root(rule)),
                "{name}"
            );
        }
    }
}

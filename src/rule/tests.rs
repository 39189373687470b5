//! What holds for every built-in rule and framework, and how rules are selected.

use std::collections::BTreeSet;

use super::*;
use crate::finding::Severity;
use crate::report::schema::Column;

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
        let shows = |verdict| rule.examples.iter().any(|example| example.verdict == verdict);
        assert!(shows(Verdict::Fail) && shows(Verdict::Pass), "{}", rule.id);
        // Text is never unknown.
        let columns = rule.bind(&rule.defaults()).unwrap().all_columns();
        let only_text = columns.iter().all(|column| matches!(column, Column::Text(_)));
        assert!(shows(Verdict::Undetermined) || only_text, "{}", rule.id);
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
fn every_framework_can_be_read_and_binds_known_rules() {
    let catalogue = catalogue();
    for name in Catalogue::framework_names() {
        let framework = catalogue.framework(name).unwrap();
        let ids: BTreeSet<&String> = framework.requirements.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), framework.requirements.len(), "{name} repeats an id");
        for requirement in &framework.requirements {
            for reference in &requirement.rules {
                let place = format!("{name}/{}: {}", requirement.id, reference.rule);
                let rule = catalogue.rule(&reference.rule).expect(&place);
                // A framework means the same whatever the defaults are.
                assert!(reference.parameters.keys().eq(rule.parameters.keys()), "{place}");
                for (parameter, &value) in &reference.parameters {
                    assert!(rule.parameters[parameter].allows(value), "{place}");
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
    insta::assert_snapshot!(rendered(&errors), @r"
    error: no rule is called 'access-key-unusd'
     |
     = help: did you mean 'access-key-unused'?
    error: no rule is called 'nonsense'
     |
     = help: `credlens rules list` shows all
    error: no framework is called 'cis-aws-5'
     |
     = help: did you mean 'cis-aws-1.5'?
    ");
}

#[test]
fn settings_are_checked() {
    let settings = [
        "access-key-unused.max_idl=60",
        "access-key-unused.max_idle=0",
        "D9.AWS.IAM.07.x=1",
    ];
    insta::assert_snapshot!(rendered(&selected(&[], &[], &settings).unwrap_err()), @r"
    error: 'access-key-unused' has no parameter 'max_idl'
     |
     = help: did you mean 'max_idle'?
    error: access-key-unused.max_idle lies between 1 and 3650 days, not at 0
    error: 'D9.AWS.IAM.07' has no parameter 'x'
     |
     = help: it has none
    ");
    let error = "access-key-unused=60".parse::<Setting>().unwrap_err();
    insta::assert_snapshot!(error, @"'access-key-unused=60' is no setting RULE.PARAM=NUMBER; write it as access-key-unused.max_idle=60");
    let bound = selected(&["access-key-unused"], &[], &["access-key-unused.max_idle=60"]).unwrap();
    assert_eq!(bound.rules[0].parameters["max_idle"], 60);
    assert!(bound.rules[0].message.contains("60 days"));
    assert_eq!(bound.rules[0].severity, Severity::Medium);
}

#[test]
fn a_framework_brings_exactly_its_rules_and_parameters() {
    let old = selected(&[], &["cis-aws-1.3"], &[]).unwrap();
    let unused = |selected: &Selected| -> Vec<(i64, Vec<String>)> {
        let rules = selected
            .rules
            .iter()
            .filter(|bound| bound.rule.id == "access-key-unused");
        rules
            .map(|bound| (bound.parameters["max_idle"], bound.requirements.clone()))
            .collect()
    };
    let both = selected(
        &["access-key-unused"],
        &["cis-aws-1.3", "cis-aws-2.0", "CIS-AWS-1.4"],
        &[],
    )
    .unwrap();
    assert_eq!(unused(&old), [(90, vec!["cis-aws-1.3/1.12".to_owned()])]);
    insta::assert_debug_snapshot!(unused(&both), @r#"
    [
        (
            45,
            [
                "cis-aws-2.0/1.12",
                "cis-aws-1.4/1.12",
            ],
        ),
        (
            90,
            [
                "cis-aws-1.3/1.12",
            ],
        ),
    ]
    "#);
    assert_eq!(both.frameworks.len(), 3);
    assert!(ids(&both).contains(&"root-mfa-not-active") && !ids(&both).contains(&"root-without-mfa"));
}

#[test]
fn the_severity_of_a_framework_holds() {
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
fn a_looser_setting_is_told() {
    let frameworks = ["unused-keys-level-2", "aws-fsbp"];
    let looser = selected(&[], &frameworks, &["access-key-unused.max_idle=60"]).unwrap();
    let told: Vec<String> = looser.loosened.iter().map(ToString::to_string).collect();
    insta::assert_debug_snapshot!(told, @r#"
    [
        "aws-fsbp/IAM.22 demands access-key-unused.max_idle = 45; judged with 60, which finds less",
    ]
    "#);
    let bound: Vec<_> = looser
        .rules
        .iter()
        .filter(|bound| bound.rule.id == "access-key-unused")
        .collect();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].requirements.len(), 3);
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
    insta::assert_snapshot!(error.render(false), @r#"
    error: 'default' is a whole number, not string
     --> bad.toml:7:11
      |
    7 | default = "45"
      |           ^^^^

    error: the default 0 lies outside of 1 to 10
     --> bad.toml:6:13
      |
    6 | [parameters.max_idle]
      |             ^^^^^^^^

    error: the message names the parameter 'max_age', which the rule does not have
     --> bad.toml:4:11
      |
    4 | message = "more than {max_age} days"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: 'title' is missing
     --> bad.toml:1:1
      |
    1 | titel = "Bad"
      | ^

    error: unknown word 'hgih'; one of informational, low, medium, high, critical
     --> bad.toml:2:12
      |
    2 | severity = "hgih"
      |            ^^^^^^

    error: unknown word 'broken'; one of not-relevant, pass, undetermined, fail
      --> bad.toml:13:11
       |
    13 | verdict = "broken"
       |           ^^^^^^^^

    error: a report has no column 'access_key_1_activ'
      --> bad.toml:14:11
       |
    14 | cells = { access_key_1_activ = "true" }
       |           ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean 'access_key_1_active'?

    error: unknown key 'titel'
     --> bad.toml:1:1
      |
    1 | titel = "Bad"
      | ^^^^^
      |
      = help: did you mean 'title'?
    "#);
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
    insta::assert_snapshot!(example.csv(), @r"
    user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info
    alice,arn:aws:iam::123456789012:user/alice,2025-12-01T00:00:00Z,false,N/A,N/A,N/A,true,true,2025-01-01T00:00:00Z,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,N/A
    ");
}

#[test]
fn own_rules_are_added_and_known_ones_changed() {
    let mut catalogue = catalogue();
    let text = "# Deploy users have one key\nIamUser where name like 'deploy-%'\n  should not have secondAccessKey.isActive\n\nIamUser should have mfaActive\n";
    assert_eq!(catalogue.add("mine/own.gsl", text).unwrap(), ["own-1", "own-2"]);
    assert_eq!(
        catalogue.rule("own-1").unwrap().title,
        "Deploy users have one key"
    );
    let text = "extends = \"access-key-unused\"\nseverity = \"critical\"\nparameters = { max_idle = 30 }\n";
    assert_eq!(
        catalogue.add("mine/strict.toml", text).unwrap(),
        ["access-key-unused"]
    );
    let changed = catalogue.rule("access-key-unused").unwrap();
    assert_eq!(
        (changed.severity, changed.defaults()["max_idle"]),
        (Severity::Critical, 30)
    );
    assert_eq!(changed.overridden_in.as_deref(), Some("mine/strict.toml"));
}

#[test]
fn what_is_wrong_with_own_rules_is_told_with_its_place() {
    let mut catalogue = catalogue();
    let mut told = String::new();
    for (origin, text) in [
        (
            "own.gsl",
            "# a\nIamUser should have mfaActive\n\nIamUser\n  should have mfaActiv\n",
        ),
        (
            "access-key-unused.toml",
            "title = \"x\"\nlogic = \"IamUser should have mfaActive\"\n",
        ),
        ("o.toml", "extends = \"access-key-unusd\"\n"),
        (
            "o.toml",
            "extends = \"access-key-unused\"\nlogic = \"x\"\nparameters = { max_idl = 3, max_idle = 0 }\n",
        ),
        (
            "deep.toml",
            "title = \"x\"\nlogic = '''\nIamUser\nshould have passwordNextRotation <= 45'''\n",
        ),
        ("broken.toml", "title = \nlogic"),
    ] {
        told += &rendered(&catalogue.add(origin, text).unwrap_err());
    }
    insta::assert_snapshot!(told, @r#"
    error: IamUser has no attribute `mfaActiv`
     --> own.gsl:5:15
      |
    5 |   should have mfaActiv
      |               ^^^^^^^^ unknown attribute
      |
      = help: did you mean `mfaActive`?
    error: access-key-unused.toml: a rule 'access-key-unused' is known already, from rules/access-key-unused.toml
     |
     = help: rename the file, or change severity and parameters with `extends = "access-key-unused"`
    error: no rule is called 'access-key-unusd'
     --> o.toml:1:11
      |
    1 | extends = "access-key-unusd"
      |           ^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean 'access-key-unused'?
    error: 'access-key-unused' has no parameter 'max_idl'
     --> o.toml:3:16
      |
    3 | parameters = { max_idl = 3, max_idle = 0 }
      |                ^^^^^^^
      |
      = help: did you mean 'max_idle'?

    error: 'max_idle' lies between 1 and 3650
     --> o.toml:3:29
      |
    3 | parameters = { max_idl = 3, max_idle = 0 }
      |                             ^^^^^^^^

    error: an override keeps the logic of its rule
     --> o.toml:2:9
      |
    2 | logic = "x"
      |         ^^^
      |
      = help: a file without `extends` and with a name of its own is a rule of its own
    error: `passwordNextRotation` is a time and cannot be compared with a number
     --> deep.toml:4:37
      |
    4 | should have passwordNextRotation <= 45
      |                                     ^^ a number
      |
      = help: CloudGuard compares seconds since 1970: a set time is never <= 45, a missing one always
              write `passwordNextRotation before(45, 'days')`
    error: key with no value, expected `=`
     --> broken.toml:2:6
      |
    2 | logic
      |      ^

    error: string values must be quoted, expected literal string
     --> broken.toml:1:9
      |
    1 | title = 
      |         ^
    "#);
}

#[test]
fn lints_tell_what_is_doubtful() {
    let mut told = String::new();
    for logic in [
        "IamUser where mfaActive and not mfaActive should have passwordEnabled",
        "IamUser where name = 'a' and name = 'b' should have mfaActive",
        "IamUser where createDate before(-90, 'days') and createDate after(-45, 'days') should have mfaActive",
        "IamUser where passwordEnabled should have mfaActive exclude passwordEnabled = true",
        "IamAccessKey where isActive should not have isActive",
        "IamAccessKey where isActive should have isActive or lastUsedDate isEmpty()",
        "IamUser should not have firstAccessKey.isActive",
        "IamAccessKey should have lastRotated before(90, 'days')",
        "IamUser where name in('a', 'b') and not name like '%b%' and name regexMatch /^b/ should have mfaActive",
        "IamUser should have createDate dateDifference(passwordLastUsed, 'days') >= 0",
    ] {
        let mut catalogue = catalogue();
        catalogue.add("own.gsl", logic).unwrap();
        let lints = lint(catalogue.rule("own-1").unwrap()).unwrap();
        let doubts = lints.iter().filter(|lint| !lint.code.starts_with("no-"));
        told += &format!("{logic}\n");
        told.extend(doubts.map(|lint| format!("  {lint}\n")));
    }
    insta::assert_snapshot!(told, @r"
    IamUser where mfaActive and not mfaActive should have passwordEnabled
      own-1: no row can satisfy its 'where' (contradiction)
    IamUser where name = 'a' and name = 'b' should have mfaActive
      own-1: no row can satisfy its 'where' (contradiction)
    IamUser where createDate before(-90, 'days') and createDate after(-45, 'days') should have mfaActive
      own-1: no row can satisfy its 'where' (contradiction)
    IamUser where passwordEnabled should have mfaActive exclude passwordEnabled = true
      own-1: 'exclude' takes out all that 'where' lets in (contradiction)
    IamAccessKey where isActive should not have isActive
      own-1: everything that it judges fails (never-passes)
    IamAccessKey where isActive should have isActive or lastUsedDate isEmpty()
      own-1: nothing that it judges can fail (never-fails)
    IamUser should not have firstAccessKey.isActive
      own-1: it looks at the first access key alone, and AWS re-packs the slots; IamAccessKey judges each by itself (one-slot)
    IamAccessKey should have lastRotated before(90, 'days')
      own-1: lastRotated never lies in the future: was -90 meant instead of 90? (future)
    IamUser where name in('a', 'b') and not name like '%b%' and name regexMatch /^b/ should have mfaActive
      own-1: no row can satisfy its 'where' (contradiction)
    IamUser should have createDate dateDifference(passwordLastUsed, 'days') >= 0
      own-1: nothing that it judges can fail (never-fails)
    ");
}

#[test]
fn built_in_rules_raise_no_doubt_but_the_vendors_slots() {
    for rule in catalogue().rules() {
        let lints = lint(rule).unwrap();
        let doubts = lints
            .iter()
            .filter(|lint| !(lint.code == "one-slot" && rule.id.starts_with("D9.")));
        assert_eq!(doubts.count(), 0, "{lints:?}");
    }
}

#[test]
fn suppressions_match_and_are_counted() {
    let text = r#"
[[suppress]]
rule = "IAM.3"
account = "1234*"
user = "build-?"
reason = "rotated by the vendor"
expires = 2026-06-30
ticket = "SEC-1"

[[suppress]]
rule = "access-key-*"
user = "alice"
credential = "access_key_1"
reason = "in use at a customer's"

[[suppress]]
rule = "user-dormant"
reason = "did not run"
"#;
    let suppressions = Suppressions::parse("s.toml", text, &catalogue()).unwrap();
    let rule = suppressions.for_rule("access-key-not-rotated");
    let at = |text: &str| text.parse().unwrap();
    let build = Subject {
        account: Some("123456789012"),
        user: Some("build-7"),
        ..Subject::default()
    };
    let found = rule.find(&build, at("2026-06-30T23:59:59Z")).unwrap();
    assert_eq!(
        (found.ticket.as_deref(), found.expires.as_deref()),
        (Some("SEC-1"), Some("2026-06-30"))
    );
    assert!(rule.find(&build, at("2026-07-01")).is_none());
    assert!(
        rule.find(
            &Subject {
                account: None,
                ..build
            },
            at("2026-06-30")
        )
        .is_none()
    );
    assert!(
        rule.find(
            &Subject {
                user: Some("build-77"),
                ..build
            },
            at("2026-06-30")
        )
        .is_none()
    );
    let alice = Subject {
        user: Some("alice"),
        credential: Some("access_key_2"),
        ..Subject::default()
    };
    assert!(rule.find(&alice, at("2026-06-30")).is_none());
    let told = suppressions.diagnostics(Some(at("2026-07-01")));
    let told: Vec<String> = told
        .into_iter()
        .map(|it| format!("{}: {}", it.code, it.message))
        .collect();
    insta::assert_debug_snapshot!(told, @r#"
    [
        "suppression-expired: line 2: the suppression expired on 2026-06-30; 1 findings that it names are told again",
        "suppression-unused: line 10: the suppression matched no finding",
    ]
    "#);
}

#[test]
fn what_is_wrong_with_suppressions_is_told_at_once() {
    let text = "[[suppress]]\nrule = \"access-key-unusd\"\nexpires = \"tomorrow\"\nusr = \"a\"\n\n[[suppress]]\nuser = \"[\"\nreason = \" \"\n";
    let error = Suppressions::parse("s.toml", text, &catalogue()).unwrap_err();
    insta::assert_snapshot!(error.render(false), @r#"
    error: 'expires' is a date such as 2026-12-31, not string
     --> s.toml:3:11
      |
    3 | expires = "tomorrow"
      |           ^^^^^^^^^^

    error: a suppression needs a 'reason'
     --> s.toml:1:1
      |
    1 | [[suppress]]
      | ^^^^^^^^^^^^

    error: no rule is called 'access-key-unusd'; did you mean 'access-key-unused'?
     --> s.toml:2:8
      |
    2 | rule = "access-key-unusd"
      |        ^^^^^^^^^^^^^^^^^^

    error: unknown key 'usr'
     --> s.toml:4:1
      |
    4 | usr = "a"
      | ^^^
      |
      = help: did you mean 'user'?

    error: a suppression needs a 'reason'
     --> s.toml:8:10
      |
    8 | reason = " "
      |          ^^^

    error: 'rule' is missing: an id, an alias or a glob
     --> s.toml:6:1
      |
    6 | [[suppress]]
      | ^^^^^^^^^^^^

    error: 'user' is no glob: unclosed character class; missing ']'
     --> s.toml:7:8
      |
    7 | user = "["
      |        ^^^
    "#);
}

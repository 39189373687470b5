//! Rule files: errors in them, rules of users, and lints.

use proptest::prelude::*;

use super::{catalogue, rendered};
use crate::finding::{Severity, Verdict};
use crate::rule::{Framework, Rule, Suppressions, lint, rule_page};

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
    let text = r#"titel = "Bad"
severity = "hgih"
logic = "IamUser should have mfaActive"
message = "more than {max_age} days"
boundary = "{max_idle} days, not {grace}"

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
    error: 'title' is missing
     --> bad.toml:1:1
      |
    1 | titel = "Bad"
      | ^

    error: unknown key 'titel'
     --> bad.toml:1:1
      |
    1 | titel = "Bad"
      | ^^^^^
      |
      = help: did you mean 'title'?

    error: unknown severity 'hgih'; one of informational, low, medium, high, critical
     --> bad.toml:2:12
      |
    2 | severity = "hgih"
      |            ^^^^^^

    error: the message uses '{max_age}', but the rule has no such parameter
     --> bad.toml:4:11
      |
    4 | message = "more than {max_age} days"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: the boundary uses '{grace}', but the rule has no such parameter
     --> bad.toml:5:12
      |
    5 | boundary = "{max_idle} days, not {grace}"
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: 'default' must be a whole number
     --> bad.toml:8:11
      |
    8 | default = "45"
      |           ^^^^

    error: unknown verdict 'broken'; one of not-applicable, pass, undetermined, fail
      --> bad.toml:14:11
       |
    14 | verdict = "broken"
       |           ^^^^^^^^

    error: reports have no column 'access_key_1_activ'
      --> bad.toml:15:11
       |
    15 | cells = { access_key_1_activ = "true" }
       |           ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean 'access_key_1_active'?
    "#);
}

#[test]
fn own_rules_are_added_and_built_in_ones_overridden() {
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
    let page = rule_page(changed, &[]);
    assert!(page.contains("A key idle for exactly 30 days fails"), "{page}");
}

#[test]
fn the_old_word_for_not_applicable_is_accepted() {
    let text = "title = \"x\"\nlogic = \"IamUser should have mfaActive\"\n[[example]]\nname = \"x\"\nverdict = \"not-relevant\"\n";
    let rule = Rule::parse("x", "x.toml", text).unwrap();
    assert_eq!(rule.examples[0].verdict, Verdict::NotApplicable);
}

#[test]
fn errors_in_own_rules_are_located_in_their_files() {
    let mut catalogue = catalogue();
    let mut report = String::new();
    for file in [
        "own.gsl: # a\nIamUser should have mfaActive\n\nIamUser\n  should have mfaActiv\n",
        "access-key-unused.toml: title = \"x\"\nlogic = \"IamUser should have mfaActive\"\n",
        "o.toml: extends = \"access-key-unusd\"\n",
        "o.toml: extends = \"access-key-unused\"\nlogic = \"x\"\nparameters = { max_idl = 3, max_idle = 0 }\n",
        "deep.toml: title = \"x\"\nlogic = '''\nIamUser\nshould have passwordNextRotation <= 45'''\n",
        "line.toml: title = \"x\"\nlogic = \"IamUser where tags isEmpty() should have mfaActive\"\n",
        "broken.toml: title = \nlogic",
    ] {
        let (origin, text) = file.split_once(": ").unwrap();
        report += &rendered(&catalogue.add(origin, text).unwrap_err());
    }
    insta::assert_snapshot!(report, @r#"
    error: IamUser has no attribute `mfaActiv`
     --> own.gsl:5:15
      |
    5 |   should have mfaActiv
      |               ^^^^^^^^ unknown attribute
      |
      = help: did you mean `mfaActive`?
    error: access-key-unused.toml: rule 'access-key-unused' already exists in rules/access-key-unused.toml
     |
     = help: rename the file, or use `extends = "access-key-unused"` to change severity and parameters
    error: unknown rule 'access-key-unusd'
     --> o.toml:1:11
      |
    1 | extends = "access-key-unusd"
      |           ^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean 'access-key-unused'?
    error: an override cannot change the logic
     --> o.toml:2:9
      |
    2 | logic = "x"
      |         ^^^
      |
      = help: for other logic, write a new rule: a file without `extends` and with a new name

    error: the rule has no parameter 'max_idl'
     --> o.toml:3:16
      |
    3 | parameters = { max_idl = 3, max_idle = 0 }
      |                ^^^^^^^
      |
      = help: did you mean 'max_idle'?

    error: max_idle must be 1 to 3650 days, got 0
     --> o.toml:3:29
      |
    3 | parameters = { max_idl = 3, max_idle = 0 }
      |                             ^^^^^^^^
    error: `passwordNextRotation` is a time and cannot be compared with a number
     --> deep.toml:4:37
      |
    4 | should have passwordNextRotation <= 45'''
      |                                     ^^ a number
      |
      = help: CloudGuard compares seconds since 1970: no time is <= 45; an absent time always is
              write `passwordNextRotation before(45, 'days')`
    error: `tags` is not in a credential report
     --> line.toml:2:24
      |
    2 | logic = "IamUser where tags isEmpty() should have mfaActive"
      |                        ^^^^ needs data that a credential report lacks
    error: string values must be quoted, expected literal string
     --> broken.toml:1:9
      |
    1 | title = 
      |         ^

    error: key with no value, expected `=`
     --> broken.toml:2:6
      |
    2 | logic
      |      ^
    "#);
}

#[test]
fn lints_of_suspicious_logic() {
    let mut report = String::new();
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
        "IamUser should have name like 'ext-*' or name = 'a?' or name in('b', 'c*')",
    ] {
        let mut catalogue = catalogue();
        catalogue.add("own.gsl", logic).unwrap();
        let lints = lint(catalogue.rule("own-1").unwrap()).unwrap();
        let warnings = lints.iter().filter(|lint| !lint.code.starts_with("no-"));
        report += logic;
        report.push('\n');
        report.extend(warnings.map(|lint| format!("  {lint}\n")));
    }
    insta::assert_snapshot!(report, @"
    IamUser where mfaActive and not mfaActive should have passwordEnabled
      own-1: no row can match 'where' (contradiction)
    IamUser where name = 'a' and name = 'b' should have mfaActive
      own-1: no row can match 'where' (contradiction)
    IamUser where createDate before(-90, 'days') and createDate after(-45, 'days') should have mfaActive
      own-1: no row can match 'where' (contradiction)
    IamUser where passwordEnabled should have mfaActive exclude passwordEnabled = true
      own-1: 'exclude' removes every row that 'where' matches (contradiction)
    IamAccessKey where isActive should not have isActive
      own-1: every row that the rule applies to fails (never-passes)
    IamAccessKey where isActive should have isActive or lastUsedDate isEmpty()
      own-1: no row can fail (never-fails)
    IamUser should not have firstAccessKey.isActive
      own-1: checks only the first access key, but AWS can move it to the other slot; IamAccessKey evaluates each access key (one-slot)
    IamAccessKey should have lastRotated before(90, 'days')
      own-1: lastRotated is never in the future; did you mean -90 instead of 90? (future)
    IamUser where name in('a', 'b') and not name like '%b%' and name regexMatch /^b/ should have mfaActive
      own-1: no row can match 'where' (contradiction)
    IamUser should have createDate dateDifference(passwordLastUsed, 'days') >= 0
      own-1: no row can fail (never-fails)
    IamUser should have name like 'ext-*' or name = 'a?' or name in('b', 'c*')
      own-1: GSL's wildcard is %, not * or ?; did you mean name like 'c%'? (wildcard)
    ");
}

/// Files that the test changes: it cuts out a piece and inserts another.
const WHOLE: [&str; 3] = [
    include_str!("../../../rules/access-key-unused.toml"),
    include_str!("../../../frameworks/gxp-21-cfr-11.toml"),
    "[[suppress]]\nrule = \"IAM.3\"\nuser = \"bu\u{df}ild-*\"\nreason = \"x\"\nexpires = 2026-06-30\n",
];

proptest! {
    #[test]
    fn no_file_breaks_the_reader(
        which in 0..WHOLE.len(),
        cut in (0.0..1.0f64, 0_usize..40),
        piece in "[\\[\\]{}='\"#\\n\u{df}a-z0-9_*]{0,8}",
    ) {
        let letters: Vec<char> = WHOLE[which].chars().collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index in a short text")]
        let at = (cut.0 * letters.len() as f64) as usize;
        let rest = &letters[(at + cut.1).min(letters.len())..];
        let text: String = letters[..at].iter().copied().chain(piece.chars()).chain(rest.iter().copied()).collect();
        let mut catalogue = catalogue();
        let failed = [
            Framework::parse("f", "f.toml", &text).err(),
            Suppressions::parse("s.toml", &text, &catalogue).err(),
        ];
        let own = catalogue.add("own.toml", &text).err().unwrap_or_default();
        for error in failed.into_iter().flatten().chain(own) {
            prop_assert!(!error.render(true).is_empty() && !error.to_string().is_empty());
        }
    }
}

#[test]
fn an_alias_is_a_name_or_a_table_with_values_that_the_rule_allows() {
    let rule = |aliases: &str| {
        let logic = r#"logic = "IamUser should not have createDate before(-{days}, 'days')""#;
        let parameter = "[parameters.days]\ndefault = 1\nmin = 1\nmax = 9";
        let text = format!("title = 'T'\naliases = {aliases}\n{logic}\n{parameter}");
        Rule::parse("r", "r.toml", &text)
    };
    let read = rule("['a', { name = 'b', days = 9, undecided = 'more' }]").unwrap();
    let aliases: Vec<_> = read
        .aliases
        .iter()
        .map(|alias| (alias.name.as_str(), &alias.parameters))
        .collect();
    assert_eq!(aliases[0].0, "a");
    assert_eq!((aliases[1].0, aliases[1].1["days"]), ("b", 9));
    for (aliases, message) in [
        ("'a'", "'aliases' must be a list"),
        ("[1]", "'aliases' must be a list of texts and tables"),
        ("[{ days = 2 }]", "'name' is missing"),
        ("[{ name = 'b', days = 10 }]", "days must be 1 to 9, got 10"),
        ("[{ name = 'b', day = 2 }]", "the rule has no parameter 'day'"),
        ("[{ name = 'b', days = 'x' }]", "'days' must be a whole number"),
    ] {
        let error = rule(aliases).unwrap_err().render(false);
        assert!(error.contains(message), "{aliases}: {error}");
    }
}

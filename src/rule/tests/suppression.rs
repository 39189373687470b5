//! Suppressions: what they match, when they expire, and errors in their files.

use super::catalogue;
use crate::report::schema::{Credential, Slot};
use crate::rule::{Subject, Suppressions};

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
    let words = [&found.ticket, &found.expires].map(|word| word.as_deref().unwrap());
    assert_eq!(words, ["SEC-1", "2026-06-30"]);
    assert!(rule.find(&build, at("2026-07-01")).is_none());
    for (account, user) in [(None, "build-7"), (Some("123456789012"), "build-77")] {
        let other = Subject {
            account,
            user: Some(user),
            ..build
        };
        assert!(rule.find(&other, at("2026-06-30")).is_none());
    }
    let alice = Subject {
        user: Some("alice"),
        credential: Some(Credential::AccessKey(Slot::Two)),
        ..Subject::default()
    };
    assert!(rule.find(&alice, at("2026-06-30")).is_none());
    let diagnostics = suppressions.diagnostics(Some(at("2026-07-01")));
    let diagnostics: Vec<String> = diagnostics
        .into_iter()
        .map(|it| format!("{}: {}", it.code, it.message))
        .collect();
    insta::assert_debug_snapshot!(diagnostics, @r#"
    [
        "suppression-expired: line 2: the suppression expired on 2026-06-30; findings reported again: 1",
        "suppression-unused: line 10: the suppression matched no finding",
    ]
    "#);
}

#[test]
fn all_errors_in_suppressions_are_reported_at_once() {
    let text = "[[suppress]]\nrule = \"access-key-unusd\"\nexpires = \"tomorrow\"\nusr = \"a\"\n\n[[suppress]]\nuser = \"[\"\nreason = \" \"\n";
    let error = Suppressions::parse("s.toml", text, &catalogue()).unwrap_err();
    insta::assert_snapshot!(error.render(false), @r#"
    error: a suppression needs a 'reason'
     --> s.toml:1:1
      |
    1 | [[suppress]]
      | ^^^^^^^^^^^^

    error: unknown rule 'access-key-unusd'; did you mean 'access-key-unused'?
     --> s.toml:2:8
      |
    2 | rule = "access-key-unusd"
      |        ^^^^^^^^^^^^^^^^^^

    error: 'expires' must be a date such as 2026-12-31
     --> s.toml:3:11
      |
    3 | expires = "tomorrow"
      |           ^^^^^^^^^^

    error: unknown key 'usr'
     --> s.toml:4:1
      |
    4 | usr = "a"
      | ^^^
      |
      = help: did you mean 'user'?

    error: 'rule' is missing; it must be an id, an alias or a glob
     --> s.toml:6:1
      |
    6 | [[suppress]]
      | ^^^^^^^^^^^^

    error: 'user' is not a valid glob: unclosed character class; missing ']'
     --> s.toml:7:8
      |
    7 | user = "["
      |        ^^^

    error: a suppression needs a 'reason'
     --> s.toml:8:10
      |
    8 | reason = " "
      |          ^^^
    "#);
}

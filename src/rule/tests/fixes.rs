//! The instructions of built-in rules, filled in for findings.

use super::catalogue;
use crate::finding::{Command, Fix, FixStep};
use crate::report::schema::{Credential, Slot};
use crate::rule::instruction_text::{Block, Line, blocks};
use crate::rule::{FixSubject, FixTemplate, KeyFacts, Rule, Section, Subject, UserKind, rule_page};

/// The blocks of a rule's commands.
fn command_blocks(rule: &Rule) -> Vec<Block> {
    let text = rule.fix.get(&Section::Cli).map_or("", String::as_str);
    blocks(text, &rule.defaults())
}

fn fill(rule: &str, subject: &FixSubject<'_>) -> Fix {
    let catalogue = catalogue();
    let rule = catalogue.rule(rule).unwrap();
    FixTemplate::new(rule, &rule.defaults()).fill(subject)
}

fn key(id: Option<&'static str>, created: &str) -> KeyFacts<'static> {
    KeyFacts {
        id,
        created: created.parse().ok(),
        is_inactive: false,
    }
}

/// alice with a key in the second slot.
fn alice(id: Option<&'static str>) -> FixSubject<'static> {
    FixSubject {
        subject: Subject {
            path: None,
            account: Some("111122223333"),
            user: Some("alice"),
            credential: Some(Credential::AccessKey(Slot::Two)),
            created: "2026-01-02T03:04:05Z".parse().ok(),
        },
        name: "alice",
        account: Some("111122223333"),
        partition: Some("aws"),
        keys: [None, Some(key(id, "2026-01-02T03:04:05Z"))],
        ..FixSubject::default()
    }
}

fn named(name: &'static str) -> FixSubject<'static> {
    let mut subject = alice(None);
    (subject.name, subject.subject.user) = (name, Some(name));
    subject
}

fn commands(fix: &Fix) -> Vec<&str> {
    let commands = fix.steps.iter().filter_map(|step| match step {
        FixStep::Command { shell, .. } => Some(shell.as_str()),
        FixStep::Text { .. } => None,
    });
    commands.collect()
}

/// The steps, words as comments.
fn shown(fix: &Fix) -> String {
    let lines = fix.steps.iter().map(|step| match step {
        FixStep::Command { shell, fill_in, .. } if fill_in.is_empty() => format!("{shell}\n"),
        FixStep::Command { shell, fill_in, .. } => format!("{shell}  [{}]\n", fill_in.join(" ")),
        FixStep::Text { text } => format!("# {text}\n"),
    });
    lines.collect()
}

#[test]
fn every_command_of_a_built_in_rule_can_be_filled_in() {
    let catalogue = catalogue();
    for rule in catalogue.rules() {
        let texts = rule.fix.values().flat_map(|text| text.split('{'));
        let unknown = texts.filter(|rest| {
            let name = rest.split('}').next().unwrap_or_default();
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let known = [
                "user",
                "account",
                "key_id",
                "certificate_id",
                "service_credential_id",
                "device_arn",
                "new_password",
            ];
            rest.contains('}') && is_name && !known.contains(&name) && !rule.parameters.contains_key(name)
        });
        assert_eq!(unknown.count(), 0, "{}", rule.id);
        for word in ["USER_NAME", "KEY_ID", "CERT_ID", "ACCOUNT_ID", "--user-name "] {
            assert!(
                !rule.fix.values().any(|text| text.contains(word)),
                "{}: {word}",
                rule.id
            );
        }
        for block in command_blocks(rule) {
            match block {
                Block::Code(code) => panic!("{}: not commands: {code}", rule.id),
                Block::Words(_) => {}
                Block::Commands(lines) => lines.iter().for_each(|line| {
                    if let Line::Command(argv) = line {
                        assert_eq!(argv[0], "aws", "{}", rule.id);
                    }
                }),
            }
        }
    }
}

#[test]
fn what_a_finding_shows_is_what_the_page_shows() {
    let catalogue = catalogue();
    let mut compared = 0;
    for rule in catalogue.rules() {
        let page = rule_page(rule, &[]).replace(" \\\n ", "");
        let mut subject = named("USER_NAME");
        subject.subject.credential = None;
        subject.certificates = subject.keys;
        subject.service_credential = subject.keys[0].or(subject.keys[1]);
        subject.account = None;
        let fix = FixTemplate::new(rule, &rule.defaults()).fill(&subject);
        // Where the page does not list the keys, the finding does.
        let of_page =
            |line: &str| page.contains(line) || line == "aws iam list-access-keys --user-name=USER_NAME";
        let shown = commands(&fix);
        assert!(shown.iter().all(|line| of_page(line)), "{}: {shown:?}", rule.id);
        let blocks = command_blocks(rule);
        let on_page = blocks.iter().map(|block| match block {
            Block::Commands(lines) => lines
                .iter()
                .filter(|line| matches!(line, Line::Command(_)))
                .count(),
            Block::Words(_) | Block::Code(_) => 0,
        });
        assert!(shown.len() >= on_page.sum(), "{}: {shown:?}", rule.id);
        compared += shown.len();
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn a_key_without_a_known_id_is_found_by_its_creation_time() {
    insta::assert_snapshot!(shown(&fill("access-key-not-rotated", &alice(None))), @"
    # With credentials of account 111122223333 (`aws sts get-caller-identity` shows whose are used):
    aws iam list-access-keys --user-name=alice
    # KEY_ID is access_key_2 (created 2026-01-02T03:04:05Z): compare CreateDate in the answer of `list-access-keys`. Slots may have changed since the report.
    aws iam create-access-key --user-name=alice
    # Switch every consumer to the new key, then check whether the old one (KEY_ID) is still used.
    aws iam get-access-key-last-used --access-key-id=KEY_ID  [KEY_ID]
    aws iam update-access-key --user-name=alice --access-key-id=KEY_ID --status=Inactive  [KEY_ID]
    # Wait; if something breaks, run the same command with --status=Active.
    aws iam delete-access-key --user-name=alice --access-key-id=KEY_ID  [KEY_ID]
    ");
}

#[test]
fn a_known_key_id_is_filled_in() {
    let mut subject = alice(Some("AKIAIOSFODNN7EXAMPLE"));
    subject.partition = Some("aws-us-gov");
    insta::assert_snapshot!(shown(&fill("access-key-unused", &subject)), @"
    # With credentials of account 111122223333 and a region of its partition, such as us-gov-west-1 (`aws sts get-caller-identity` shows whose are used):
    aws iam list-access-keys --user-name=alice
    # AKIAIOSFODNN7EXAMPLE is access_key_2 (created 2026-01-02T03:04:05Z).
    aws iam get-access-key-last-used --access-key-id=AKIAIOSFODNN7EXAMPLE
    aws iam update-access-key --user-name=alice --access-key-id=AKIAIOSFODNN7EXAMPLE --status=Inactive
    # Wait; if something breaks, run the same command with --status=Active.
    aws iam delete-access-key --user-name=alice --access-key-id=AKIAIOSFODNN7EXAMPLE
    # Set the key's status back to Active (console: Actions > Activate). Check the status with `aws iam list-access-keys`; the time of last use does not show it. A deleted key cannot be restored: create a new one and distribute it.
    ");
    for hostile in ["AKIA", "AKIAIOSFODNN7EXAMPLE; id", "--output=textxxxxxxxxxx"] {
        let fix = fill("access-key-unused", &alice(Some(hostile)));
        assert!(!shown(&fix).contains(hostile), "{hostile}");
    }
}

#[test]
fn a_rotation_needs_a_free_slot() {
    let mut subject = alice(None);
    subject.keys[0] = Some(key(None, "2020-01-02T03:04:05Z"));
    assert!(shown(&fill("access-key-not-rotated", &subject)).contains("# The user has two keys"));
    subject.keys[0] = None;
    assert!(!shown(&fill("access-key-not-rotated", &subject)).contains("two keys"));
}

#[test]
fn commands_that_have_nothing_to_act_on_are_left_out() {
    let mut subject = alice(None);
    subject.subject.credential = None;
    let all = fill("user-dormant", &subject);
    subject.without_password = true;
    subject.keys = [None, None];
    let fewer = fill("user-dormant", &subject);
    let difference = |it: &Fix| {
        commands(it)
            .iter()
            .any(|line| line.contains("delete-login-profile"))
    };
    assert!(difference(&all) && !difference(&fewer));
    assert!(
        commands(&all)
            .iter()
            .any(|line| line.contains("update-access-key"))
    );
    assert!(!commands(&fewer).iter().any(|line| line.contains("access-key")));
    assert_eq!(commands(&fewer).len(), 2, "{:?}", commands(&fewer));
}

#[test]
fn names_that_iam_does_not_allow_get_words() {
    let long = "x".repeat(65);
    for name in ["", "a b", "$(id)", "a;b", "tokyo/東京", "a\nb", "'", long.leak()] {
        let fix = fill("access-key-not-rotated", &named(name));
        assert_eq!(commands(&fix), [""; 0], "{name}");
        assert!(
            shown(&fix).starts_with("# No commands, because "),
            "{}",
            shown(&fix)
        );
        assert!(fix.steps.len() > 3, "the words for the console are there");
    }
    for name in ["-rf", "--user-name=x", "a,b", "+=,.@_-"] {
        let line = Command::new(["aws", "iam", "list-access-keys", &format!("--user-name={name}")]).shell();
        let fix = fill("access-key-not-rotated", &named(name));
        assert_eq!(commands(&fix)[0], line);
    }
}

#[test]
fn root_gets_words_from_every_rule() {
    let catalogue = catalogue();
    let mut subject = named("<root_account>");
    subject.kind = UserKind::Root;
    for rule in catalogue.rules() {
        let fix = FixTemplate::new(rule, &rule.defaults()).fill(&subject);
        assert_eq!(commands(&fix), [""; 0], "{}", rule.id);
        assert!(fix.steps.len() > 1, "{}", rule.id);
    }
}

#[test]
fn of_two_keys_that_are_meant_both_are_described() {
    let mut subject = alice(None);
    subject.subject.credential = None;
    subject.keys[0] = Some(key(Some("AKIAIOSFODNN7EXAMPLE"), "2020-01-02T03:04:05Z"));
    let text = shown(&fill("two-active-access-keys", &subject));
    let both = "KEY_ID is either AKIAIOSFODNN7EXAMPLE, access_key_1 (created 2020-01-02T03:04:05Z) or access_key_2 \
                (created 2026-01-02T03:04:05Z)";
    assert!(text.contains(both), "{text}");
    assert!(
        text.contains("--access-key-id=KEY_ID --status=Inactive  [KEY_ID]"),
        "{text}"
    );
}

#[test]
fn a_rule_without_instructions_has_no_steps() {
    let mut catalogue = catalogue();
    catalogue.add("own.gsl", "IamUser should have mfaActive").unwrap();
    let rule = catalogue.rule("own-1").unwrap();
    let fix = FixTemplate::new(rule, &rule.defaults()).fill(&alice(None));
    assert_eq!(fix.steps, []);
    assert!(fix.suppression.unwrap().contains("rule = \"own-1\""));
}

#[test]
fn parameters_are_filled_in() {
    let catalogue = catalogue();
    let rule = catalogue.rule("console-password-expires-late").unwrap();
    let fix = FixTemplate::new(rule, &[("max_age".to_owned(), 60)].into()).fill(&alice(None));
    let has = |text: &str| commands(&fix).iter().any(|line| line.contains(text));
    assert!(has("--max-password-age 60 "), "{}", shown(&fix));
}

#[test]
fn a_service_specific_credential_has_no_slot_that_changes() {
    let mut subject = alice(None);
    subject.subject.credential = Some(Credential::ServiceCredential);
    subject.service_credential = Some(key(None, "2026-01-02T03:04:05Z"));
    let text = shown(&fill("service-credential-not-rotated", &subject));
    assert!(
        text.contains(
            "# SERVICE_CREDENTIAL_ID is service_credential (created 2026-01-02T03:04:05Z): compare "
        ),
        "{text}"
    );
    assert!(!text.contains("Slots"), "{text}");
}

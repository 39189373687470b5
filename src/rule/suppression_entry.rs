//! The `[[suppress]]` entry that accepts one finding, as TOML.

use std::fmt::Write as _;

use super::suppression::Subject;
use crate::report::escape::must_be_escaped;

/// What people replace by their reason.
const REASON: &str = "write here why this is accepted";

/// The entry for a finding of this rule about this subject. A key or certificate is named by its creation time, since
/// slots change; by its slot, too, if the other one was created in the same second. None where no entry can name the
/// user: it would accept more than this finding.
pub fn suppression_entry(rule: &str, subject: &Subject<'_>, same_second: bool) -> Option<String> {
    let user = subject.user?;
    let mut out = format!("[[suppress]]\nrule = {}\n", toml_text(rule));
    let mut add = |key: &str, value: &str| {
        let _ = writeln!(out, "{key} = {}", toml_text(value));
    };
    if let Some(account) = subject.account {
        add("account", &glob_of(account));
    }
    add("user", &glob_of(user));
    if let Some(credential) = subject.credential
        && (same_second || subject.created.is_none())
    {
        add("credential", credential.name());
    }
    if let Some(created) = subject.created {
        add("created", &created.to_string());
    }
    add("reason", REASON);
    Some(out)
}

/// The glob that matches this text alone. Texts in our files end before blanks, so that a blank at the end is the
/// only one of some alternatives: sets of globs are of bytes.
fn glob_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char.is_whitespace() && chars.peek().is_none() {
            out.extend(['{', char, '}']);
            break;
        }
        if matches!(char, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// A basic string of TOML. What could control a terminal or end a block of Markdown is escaped, so that the entry can
/// be shown and copied as it is.
fn toml_text(text: &str) -> String {
    let mut out = "\"".to_owned();
    for char in text.chars() {
        let code = u32::from(char);
        let _ = match char {
            '"' | '\\' => write!(out, "\\{char}"),
            '`' => write!(out, "\\u{code:04x}"),
            _ if must_be_escaped(char) && code > 0xffff => write!(out, "\\U{code:08x}"),
            _ if must_be_escaped(char) => write!(out, "\\u{code:04x}"),
            _ => write!(out, "{char}"),
        };
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::schema::{Credential, Slot};
    use crate::report::time::Timestamp;
    use crate::rule::{Catalogue, Suppressions};

    fn accepts(entry: &str, subject: &Subject<'_>) -> bool {
        let catalogue = Catalogue::builtin();
        let all = Suppressions::parse("s.toml", entry, &catalogue).expect("a valid entry");
        all.for_rule("access-key-unused")
            .find(subject, Timestamp(0))
            .is_some()
    }

    fn subject<'a>(user: &'a str, account: Option<&'a str>) -> Subject<'a> {
        Subject {
            path: None,
            account,
            user: Some(user),
            credential: Some(Credential::AccessKey(Slot::Two)),
            created: "2026-01-02T03:04:05Z".parse().ok(),
        }
    }

    #[test]
    fn an_entry_names_the_key_by_its_creation_time() {
        let alice = subject("alice", Some("111122223333"));
        let entry = suppression_entry("access-key-unused", &alice, false).unwrap();
        insta::assert_snapshot!(entry, @r#"
        [[suppress]]
        rule = "access-key-unused"
        account = "111122223333"
        user = "alice"
        created = "2026-01-02T03:04:05Z"
        reason = "write here why this is accepted"
        "#);
        let in_other_slot = Subject {
            credential: Some(Credential::AccessKey(Slot::One)),
            ..alice
        };
        assert!(accepts(&entry, &in_other_slot));
        let entry = suppression_entry("access-key-unused", &alice, true).unwrap();
        assert!(accepts(&entry, &alice) && !accepts(&entry, &in_other_slot));
    }

    #[test]
    fn no_entry_accepts_users_without_a_name() {
        let nameless = Subject {
            user: None,
            ..subject("", None)
        };
        assert_eq!(suppression_entry("access-key-unused", &nameless, false), None);
    }

    proptest! {
        #[test]
        fn an_entry_accepts_its_user_and_no_other(
            user in "([*?\\[\\]{}\\\\,\"'`!a-c]|[\\x00-\u{2ff}]|\u{202e}|\u{e0001}){0,8}[ \u{a0}\u{2003}]?",
            other in "[a-c*]{0,3}",
            account in "[0-9*\\[\\]\\\\]{1,4}",
        ) {
            let mine = subject(&user, Some(&account));
            let entry = suppression_entry("access-key-unused", &mine, false).unwrap();
            prop_assert!(!entry.chars().any(|char| char != '\n' && (must_be_escaped(char) || char == '`')), "{entry}");
            prop_assert!(accepts(&entry, &mine), "{entry}");
            prop_assert!(user == other || !accepts(&entry, &subject(&other, Some(&account))), "{entry}");
        }
    }
}

//! `--details`: what AWS knows about the users of a live report beside it, and what a run says where some is missing.

use serde_json::Value;

use super::answers::{service_credentials, tags};
use super::cli::{Ended, accounts, credlens};
use super::server::{ACCOUNT, Account, CALLER, Call, Server};
use super::{OWNERS, error};

pub(super) const LIST: &str = "ListServiceSpecificCredentials";
pub(super) const TAGS: &str = "ListUserTags";

/// A scan of a fresh folder for these rules, as JSON.
pub(super) fn scan(server: &Server, rules: &[&str], more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![
        "scan",
        "--details",
        "--max-report-age",
        "36500d",
        "--format",
        "json",
    ];
    all.extend(rules.iter().flat_map(|rule| ["--rule", rule]));
    credlens(server, folder.path(), &[&all[..], more].concat())
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err))
}

/// The users with failing verdicts, and the rules.
fn failing(ended: &Ended) -> Vec<(String, String)> {
    let json = json(ended);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let failing = findings.filter(|finding| finding["status"] == "fail");
    failing
        .map(|finding| (text(&finding["user"]), text(&finding["rule"])))
        .collect()
}

/// The messages of diagnostics with this code.
fn diagnostics(ended: &Ended, code: &str) -> Vec<String> {
    let json = json(ended);
    let all = json["diagnostics"].as_array().unwrap().iter();
    let of_code = all.filter(|diagnostic| diagnostic["code"] == code);
    of_code
        .map(|diagnostic| diagnostic["message"].as_str().unwrap().to_owned())
        .collect()
}

/// The calls of an action since the last call of this.
fn calls(server: &Server, action: &str) -> Vec<Call> {
    let calls = server.calls().into_iter();
    calls.filter(|call| call.action == action).collect()
}

fn users(calls: &[Call]) -> Vec<String> {
    let mut users: Vec<_> = calls
        .iter()
        .filter_map(|call| call.parameter("UserName"))
        .collect();
    users.sort();
    users
}

#[test]
fn service_credentials_of_all_pages_are_evaluated() {
    let server = Server::start(accounts(1));
    let first = [
        ("alice", "ACCAALICE", "Active", None),
        ("bob", "ACCABOB1", "Inactive", None),
    ];
    let second = [
        ("bob", "ACCABOB2", "Expired", Some("2025-02-01T00:00:00Z")),
        // Created after the report.
        ("carol", "ACCACAROL", "Active", None),
    ];
    server.answer_where(
        LIST,
        ("Marker", None),
        200,
        &service_credentials(&first, Some("more")),
    );
    server.answer_where(
        LIST,
        ("Marker", Some("more")),
        200,
        &service_credentials(&second, None),
    );
    let rules = ["service-credential-never-expires", "service-credential-inactive"];
    let ended = scan(&server, &rules, &[]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    let expected = [
        ("alice", "service-credential-never-expires"),
        ("bob", "service-credential-inactive"),
        // An expired one cannot be used, as an inactive one.
        ("bob", "service-credential-inactive"),
    ];
    let expected = expected.map(|(user, rule)| (user.to_owned(), rule.to_owned()));
    assert_eq!(failing(&ended), expected);
    let calls = calls(&server, LIST);
    assert_eq!(calls.len(), 2);
    for call in &calls {
        assert_eq!(call.parameter("AllUsers").as_deref(), Some("true"));
        assert_eq!(call.parameter("UserName"), None);
    }
    assert_eq!(
        diagnostics(&ended, "service-credentials-unknown"),
        [] as [&str; 0]
    );
}

#[test]
fn an_unknown_status_is_neither_active_nor_inactive() {
    let server = Server::start(accounts(1));
    let listed = [("alice", "ACCAALICE", "Suspended", None)];
    server.answer_instead(LIST, 200, &service_credentials(&listed, None));
    let rules = ["service-credential-inactive", "access-key-not-rotated"];
    let ended = scan(&server, &rules, &[]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    let findings = json(&ended)["findings"].clone();
    let findings = findings.as_array().unwrap();
    let about = |finding: &&Value| finding["rule"] == rules[0];
    let statuses: Vec<_> = findings.iter().filter(about).map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["undetermined"]);
}

/// What cannot be listed is left out, and the account is evaluated all the same.
#[test]
fn service_credentials_that_cannot_be_listed() {
    for (code, status, most, expected) in [
        (
            "AccessDenied",
            403,
            1,
            "AWS denied iam:ListServiceSpecificCredentials",
        ),
        ("Throttling", 400, 3, "last response: Throttling;"),
        ("ServiceNotSupported", 404, 1, "(ServiceNotSupported)"),
        // A server that asks for a user.
        ("ValidationError", 400, 1, "(ValidationError)"),
        ("NoSuchEntity", 404, 1, "(NoSuchEntity)"),
        ("InvalidAction", 400, 1, "(InvalidAction)"),
    ] {
        let server = Server::start(accounts(1));
        server.answer_instead(LIST, status, &error(code));
        let ended = scan(
            &server,
            &["access-key-*", "service-credential-*"],
            &["--timeout", "3s"],
        );
        assert_eq!(ended.exit, 1, "{code}: {}", ended.err);
        let unknown = diagnostics(&ended, "service-credentials-unknown");
        assert_eq!(unknown.len(), 1, "{code}: {unknown:?}");
        assert!(unknown[0].contains(expected), "{code}: {unknown:?}");
        assert!(ended.err.contains(expected), "{code}: {}", ended.err);
        assert_eq!(diagnostics(&ended, "rules-not-run").len(), 1, "{code}");
        let calls = calls(&server, LIST).len();
        assert!((1..=most).contains(&calls), "{code}: {calls}");
    }
}

/// A part of the list would hide the rest: none of it is used.
#[test]
fn a_list_that_does_not_end_is_left_out() {
    let listed = [("alice", "ACCAALICE", "Active", None)];
    let body = service_credentials(&listed, Some("again"));
    let without_marker = body.replace("<Marker>again</Marker>", "");
    for (body, most) in [(body, 2), (without_marker, 1)] {
        let server = Server::start(accounts(1));
        server.answer_instead(LIST, 200, &body);
        let ended = scan(&server, &["access-key-*", "service-credential-*"], &[]);
        assert_eq!(ended.exit, 1, "{}", ended.err);
        assert_eq!(calls(&server, LIST).len(), most);
        let unknown = diagnostics(&ended, "service-credentials-unknown");
        assert!(unknown[0].contains("could not be read"), "{unknown:?}");
        let rules = failing(&ended);
        assert!(
            rules.iter().all(|(_, rule)| rule.starts_with("access-key")),
            "{rules:?}"
        );
    }
}

#[test]
fn markers_that_take_turns_end_too() {
    let server = Server::start(accounts(1));
    for (marker, next) in [(None, "a"), (Some("a"), "b"), (Some("b"), "a")] {
        let page = tags(&[("k", "v")], Some(next));
        server.answer_where(TAGS, ("Marker", marker), 200, &page);
    }
    let ended = scan(&server, &["access-key-not-rotated"], &[]);
    let unknown = diagnostics(&ended, "tags-unknown");
    assert_eq!(unknown.len(), 1, "{}", ended.err);
    assert!(
        unknown[0].starts_with("the tags of 1 user are unknown: the response to iam:ListUserTags"),
        "{unknown:?}"
    );
    assert_eq!(calls(&server, TAGS).len(), 3);
}

#[test]
fn only_users_with_findings_are_asked_for_tags() {
    let server = Server::start(accounts(1));
    let ended = scan(&server, &["access-key-not-rotated"], &[]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    assert_eq!(users(&calls(&server, TAGS)), ["alice"]);
    // A finding about a service-specific credential is one.
    let listed = [("bob", "ACCABOB", "Active", None)];
    server.answer_instead(LIST, 200, &service_credentials(&listed, None));
    let ended = scan(&server, &["service-credential-never-expires"], &[]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    assert_eq!(users(&calls(&server, TAGS)), ["bob"]);
    let rules = ["access-key-not-rotated", "service-credential-never-expires"];
    for (more, expected) in [
        (&["--min-severity", "critical"][..], &["alice", "bob"][..]),
        (&["--user", "b*"], &["bob"]),
        (&["--as-of", "2020-01-02"], &["bob"]),
        (
            &["--as-of", "2020-01-02", "--due-within", "90d"],
            &["alice", "bob"],
        ),
    ] {
        scan(&server, &rules, more);
        assert_eq!(users(&calls(&server, TAGS)), expected, "{more:?}");
    }
    // Root has no tags.
    let ended = scan(&server, &["root-*"], &[]);
    assert_eq!(users(&calls(&server, TAGS)), [] as [&str; 0], "{}", ended.err);
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["list", "users", "--details"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert_eq!(users(&calls(&server, TAGS)), ["alice", "bob"]);
}

/// The account of a filter is known to the choice of users, too.
#[test]
fn tags_with_a_filter_by_the_name_of_an_account() {
    let server = Server::start(accounts(2));
    let more = ["--org", "--account", "name of 000000000002"];
    let ended = scan(&server, &["access-key-not-rotated"], &more);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    assert_eq!(users(&calls(&server, TAGS)), ["alice"]);
}

#[test]
fn tags_that_cannot_be_listed() {
    for (code, status, most) in [
        ("AccessDenied", 403, 4),
        ("Throttling", 400, 12),
        ("ValidationError", 400, OWNERS),
    ] {
        let server = Server::start([(CALLER.to_owned(), Account::Large)].into());
        server.answer_instead(TAGS, status, &error(code));
        let ended = scan(&server, &["access-key-not-rotated"], &["--timeout", "3s"]);
        assert_eq!(ended.exit, 1, "{code}: {}", ended.err);
        let unknown = diagnostics(&ended, "tags-unknown");
        assert_eq!(unknown.len(), 1, "{code}: {}", ended.err);
        let expected = format!("the tags of {OWNERS} users are unknown: ");
        assert!(unknown[0].starts_with(&expected), "{code}: {unknown:?}");
        assert!(ended.err.contains(&expected), "{code}: {}", ended.err);
        let calls = calls(&server, TAGS).len();
        assert!((1..=most).contains(&calls), "{code}: {calls}");
    }
}

/// A user that was deleted after the report was generated is not a failure.
#[test]
fn users_that_were_deleted_since_are_skipped() {
    let server = Server::start(accounts(1));
    for action in [TAGS, "ListAccessKeys"] {
        server.answer_where(action, ("UserName", Some("alice")), 404, &error("NoSuchEntity"));
    }
    let ended = scan(&server, &["access-key-not-rotated"], &[]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    assert_eq!(diagnostics(&ended, "tags-unknown"), [] as [&str; 0]);
    assert_eq!(
        diagnostics(&ended, "key-gone"),
        ["1 access key was deleted after the report was generated"]
    );
}

/// One policy allows all details, and names what was denied.
#[test]
fn the_policy_for_details() {
    let server = Server::start(accounts(1));
    for action in [LIST, TAGS] {
        server.answer_instead(action, 403, &error("AccessDenied"));
    }
    let ended = scan(&server, &["access-key-not-rotated"], &[]);
    let expected = "iam:ListServiceSpecificCredentials and iam:ListUserTags are needed. The smallest policy for the \
                    principal that reads the report, for --details:";
    assert_eq!(
        ended.err.matches("The smallest policy").count(),
        1,
        "{}",
        ended.err
    );
    assert!(ended.err.contains(expected), "{}", ended.err);
    let (_, policy) = ended.err.split_once("--details:\n").unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    for action in [
        "iam:ListAccessKeys",
        "iam:ListServiceSpecificCredentials",
        "iam:ListUserTags",
    ] {
        assert!(policy.to_string().contains(action), "{policy}");
    }
    let server = Server::start([(CALLER.to_owned(), Account::Denied)].into());
    let ended = scan(&server, &["access-key-not-rotated"], &[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(ended.err.contains("iam:ListUserTags"), "{}", ended.err);
}

/// What is denied in one account is known of the other.
#[test]
fn details_of_one_account_of_two_are_denied() {
    let server = Server::start(accounts(2));
    let listed = [("alice", "ACCAALICE", "Active", None)];
    let denied = (ACCOUNT, Some("000000000002"));
    server.answer_where(LIST, denied, 403, &error("AccessDenied"));
    server.answer_where(LIST, ("Marker", None), 200, &service_credentials(&listed, None));
    let ended = scan(&server, &["service-credential-never-expires"], &["--org"]);
    assert_eq!((ended.exit, failing(&ended).len()), (1, 1), "{}", ended.err);
    let json = json(&ended);
    assert_eq!(json["findings"][0]["account"], CALLER);
    let diagnostics = json["diagnostics"].as_array().unwrap();
    let unknown: Vec<_> = diagnostics
        .iter()
        .filter(|it| it["code"] == "service-credentials-unknown")
        .collect();
    assert_eq!(unknown.len(), 1, "{}", ended.err);
    assert_eq!(unknown[0]["path"], "aws://000000000002");
    assert!(ended.err.contains("2 accounts: 2 fetched"), "{}", ended.err);
}

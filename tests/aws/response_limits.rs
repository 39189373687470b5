//! Responses that exceed the limit of their length.

use super::answers::{assumed, caller};
use super::cli::{accounts, credlens};
use super::server::{GENERATED, Server};
use super::{generated, got};

/// A valid answer, padded with line breaks.
fn padded(answer: &str, mebibytes: usize) -> String {
    format!("{answer}{}", "\n".repeat(mebibytes << 20))
}

#[test]
fn responses_that_are_too_long_are_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    for (action, answer, arguments) in [
        ("ListAccounts", r#"{"Accounts":[]}"#, &["fetch", "--org"][..]),
        ("GetCallerIdentity", &caller("aws"), &["fetch", "--org"]),
        (
            "AssumeRole",
            &assumed("000000000002"),
            &["fetch", "--org", "--accounts", "000000000002"],
        ),
        (
            "AssumeRole",
            &assumed("000000000002"),
            &["fetch", "--role-arn", "arn:aws:iam::000000000002:role/Scan"],
        ),
        ("GenerateCredentialReport", &generated("COMPLETE"), &["fetch"]),
    ] {
        for (mebibytes, is_error) in [(1, false), (17, true)] {
            let server = Server::start(accounts(2));
            server.answer_instead(action, 200, &padded(answer, mebibytes));
            let all = [arguments, &["--timeout", "4s", "--output", "out/"]].concat();
            let ended = credlens(&server, folder.path(), &all);
            let words = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = format!("{action} could not be read");
            assert_eq!(words.contains(&expected), is_error, "{action}: {words}");
            assert!(ended.exit == 3 || !is_error, "{action}: {words}");
        }
    }
}

/// Objects are streams without a limit.
#[test]
fn a_long_object_is_read() {
    let server = Server::start(accounts(1));
    let csv = super::large_report("000000000001") + &"\n".repeat(17 << 20);
    server.answer_instead("GET /bucket/key.csv", 200, &csv);
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["scan", "s3://bucket/key.csv"]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
}

#[test]
fn a_long_report_is_fetched() {
    let server = Server::start(accounts(1));
    let csv = super::large_report("000000000001") + &" ".repeat(20 << 20);
    server.answer_instead("GetCredentialReport", 200, &got(&csv, GENERATED));
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["fetch", "--max-report-age", "36500d"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let saved = std::fs::read_to_string(folder.path().join(ended.out.trim())).unwrap();
    assert_eq!(saved.len(), csv.len());
}

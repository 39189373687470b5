//! Credentials that end in the middle of a run over several accounts: the caller's end the run, those of one account's
//! role do not.

use std::path::Path;

use super::cli::{Ended, accounts, credlens};
use super::server::{Account, Server};

const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];
const OUTCOMES: [&str; 2] = ["--outcomes", "outcomes.json"];

fn fetch(server: &Server, folder: &Path, arguments: &[&str]) -> Ended {
    let first = ["fetch", "--output", "out/"];
    credlens(server, folder, &[&first, &YOUNG[..], arguments].concat())
}

fn failed(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("outcomes.json")).unwrap();
    credlens::aws::Outcomes::parse(&text).unwrap().failed().count()
}

#[test]
fn no_other_account_is_begun() {
    for code in [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "RequestExpired",
        "SignatureDoesNotMatch",
    ] {
        let server = Server::start(accounts(60));
        let folder = tempfile::tempdir().unwrap();
        server.end_caller_after(5, code);
        let org = [&["--org", "--concurrency", "4"][..], &OUTCOMES].concat();
        let ended = fetch(&server, folder.path(), &org);
        assert_eq!(ended.exit, 4, "{}", ended.err);
        assert_eq!(ended.out.lines().count(), 5, "{}", ended.out);
        assert!(
            ended.err.contains("60 accounts: 5 fetched, 55 failed"),
            "{}",
            ended.err
        );
        // One line for those at which AWS refused the credentials, and one for those that were not begun.
        let shown: Vec<_> = ended.err.lines().filter(|line| line.contains(code)).collect();
        assert!((1..=2).contains(&shown.len()), "{}", ended.err);
        let is_not_begun = |line: &&str| line.contains("accounts: AWS was not called, because");
        assert!(shown.iter().any(is_not_begun), "{}", ended.err);
        assert!(ended.err.lines().count() < 8, "{}", ended.err);
        let asked = server.counts()["AssumeRole"];
        assert!(asked <= 4 + 4, "{asked}");
        assert_eq!(failed(folder.path()), 55);
        // Another run takes the rest.
        server.renew_caller();
        let resume = [&["--resume", "outcomes.json"][..], &OUTCOMES].concat();
        let ended = fetch(&server, folder.path(), &resume);
        assert_eq!(ended.exit, 0, "{}", ended.err);
        assert!(
            ended.err.contains("55 accounts: 55 fetched, 0 failed"),
            "{}",
            ended.err
        );
        assert_eq!(failed(folder.path()), 0);
    }
}

#[test]
fn nothing_is_fetched_with_credentials_that_have_ended() {
    let server = Server::start(accounts(50));
    let folder = tempfile::tempdir().unwrap();
    server.end_caller_after(0, "ExpiredToken");
    let ended = fetch(&server, folder.path(), &["--org", "--concurrency", "1"]);
    assert_eq!((ended.exit, ended.out.as_str()), (3, ""), "{}", ended.err);
    // Which account comes first is left to chance.
    let lines: Vec<_> = ended.err.lines().map(str::trim_start).collect();
    assert_eq!(lines[0], "50 accounts: 0 fetched, 50 failed");
    let rest = "49 accounts: AWS was not called, because the AWS credentials have expired (ExpiredToken); renew them, \
        for example with `aws sso login`; --resume fetches the rest";
    assert!(lines.contains(&rest), "{}", ended.err);
    let refused =
        "  the AWS credentials have expired (ExpiredToken); renew them, for example with `aws sso login`";
    let refused = lines.iter().filter(|line| line.ends_with(refused));
    assert_eq!(refused.count(), 1, "{}", ended.err);
    let counts = server.counts();
    let count = |action| counts.get(action).copied().unwrap_or(0);
    assert_eq!(count("GetCredentialReport") + count("AssumeRole"), 1);
}

#[test]
fn findings_of_the_accounts_before_are_written() {
    let server = Server::start(accounts(30));
    let folder = tempfile::tempdir().unwrap();
    server.end_caller_after(10, "ExpiredToken");
    let scan = ["scan", "--org", "--concurrency", "2", "--format", "ndjson"];
    let ended = credlens(&server, folder.path(), &[&scan[..], &YOUNG, &OUTCOMES].concat());
    assert_eq!(ended.exit, 4, "{}", ended.err);
    assert!(!ended.out.is_empty());
    assert!(
        ended.err.contains("30 accounts: 10 fetched, 20 failed"),
        "{}",
        ended.err
    );
    assert_eq!(failed(folder.path()), 20);
}

#[test]
fn the_session_of_a_role_ends_alone() {
    let server = Server::start(accounts(40));
    server.set("000000000003", Account::Expired);
    let folder = tempfile::tempdir().unwrap();
    let org = ["--org", "--concurrency", "1"];
    let ended = fetch(&server, folder.path(), &org);
    assert_eq!((ended.exit, ended.out.lines().count()), (4, 39), "{}", ended.err);
    insta::assert_snapshot!(ended.err, @"
    40 accounts: 39 fetched, 1 failed
      000000000003  name of 000000000003  AWS does not accept the session of the assumed role any more (ExpiredToken); fetch this account again, for example with --resume
    ");
}

/// It is not the failure of some accounts, however many may fail.
#[test]
fn no_number_of_allowed_failures_hides_the_end() {
    for (accounts_before, allowed) in [(5, "100"), (29, "1")] {
        let server = Server::start(accounts(30));
        let folder = tempfile::tempdir().unwrap();
        for command in [
            &["fetch", "--output", "out/"][..],
            &["scan", "--format", "summary"],
            #[cfg(feature = "archive")]
            &["fetch", "--archive", "ar"],
        ] {
            server.end_caller_after(accounts_before, "ExpiredToken");
            let org = ["--org", "--concurrency", "1", "--allow-failed", allowed];
            let ended = credlens(&server, folder.path(), &[command, &YOUNG, &org].concat());
            assert_eq!(ended.exit, 4, "{command:?}: {}", ended.err);
        }
    }
}

/// The source gives credentials once, which expire at once, and fails when they are renewed.
#[cfg(unix)]
#[test]
fn a_source_that_fails_later_is_not_missing() {
    use super::cli::run;
    let server = Server::start(accounts(5));
    let folder = tempfile::tempdir().unwrap();
    let process = folder.path().join("process");
    let given = r#"{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"x","Expiration":"2036-01-01T00:00:00Z"}"#;
    // Within the margin of the SDK, so that every call asks for new ones.
    let script = format!(
        "#!/bin/sh\n[ -e used ] && exit 1\ntouch used\n\
         echo '{given}' | sed \"s/2036-01-01T00:00:00Z/$(date -u -d '+5 seconds' +%Y-%m-%dT%H:%M:%SZ)/\"\n"
    );
    std::fs::write(&process, script).unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    let config = format!("[default]\ncredential_process = /bin/sh {}\n", process.display());
    std::fs::write(folder.path().join(".aws/config"), config).unwrap();
    let region = [("AWS_REGION", "us-east-1")];
    let list = "000000000002\n000000000003\n000000000004\n";
    std::fs::write(folder.path().join("accounts"), list).unwrap();
    let fetch = ["fetch", "--accounts-file", "accounts", "--concurrency", "1"];
    let ended = run(&server, folder.path(), &region, &fetch);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(
        ended.err.contains(
            "the AWS credentials have ended, and new ones were not issued: the configured source failed"
        ),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("accounts: AWS was not called, because"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains("no AWS credentials found"), "{}", ended.err);
}

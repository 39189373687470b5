//! Accounts of an organization that are suspended or closing: listed with their state, and skipped.

use std::path::Path;

use super::cli::{Ended, accounts, credlens};
use super::server::{Account, Server};

fn server() -> Server {
    let server = Server::start(accounts(5));
    server.set("000000000003", Account::Suspended);
    server.set("000000000004", Account::Closing);
    server
}

fn outcomes(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("outcomes.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The lines about skipped accounts.
fn skipped(ended: &Ended) -> Vec<&str> {
    ended
        .err
        .lines()
        .filter(|line| line.contains("skipped"))
        .collect()
}

#[test]
fn they_are_skipped_with_their_state() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let fetch = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--outcomes",
        "outcomes.json",
    ];
    let ended = credlens(&server, folder.path(), &fetch);
    assert_eq!((ended.exit, ended.out.lines().count()), (0, 3), "{}", ended.err);
    insta::assert_snapshot!(ended.err, @"
    5 accounts: 3 fetched, 0 failed, 2 skipped
      000000000003  name of 000000000003  skipped: the account is SUSPENDED
      000000000004  name of 000000000004  skipped: the account is PENDING_CLOSURE
    ");
    assert_eq!(server.counts()["AssumeRole"], 2);
    let of = outcomes(folder.path());
    let expected = serde_json::json!({
        "account": "000000000003", "name": "name of 000000000003", "role": null, "outcome": "skipped",
        "generated": null, "error": null, "state": "SUSPENDED",
    });
    assert_eq!(of["accounts"][2], expected);
    assert_eq!(of["accounts"][3]["state"], "PENDING_CLOSURE");
    assert_eq!(of["accounts"][4].get("state"), None);
    // A quiet run without failures prints nothing.
    let ended = credlens(&server, folder.path(), &[&fetch[..], &["--quiet"]].concat());
    assert_eq!((ended.exit, ended.err.as_str()), (0, ""));
    let scan = ["scan", "--org", "--format", "summary", "--fail-on", "never"];
    let ended = credlens(&server, folder.path(), &scan);
    assert_eq!((ended.exit, skipped(&ended).len()), (0, 3), "{}", ended.err);
}

#[test]
fn a_named_one_does_not_stop_the_others() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let named = ["fetch", "--org", "--output", "out/", "--accounts"];
    let ended = credlens(
        &server,
        folder.path(),
        &[&named[..], &["000000000002,name of 000000000003"]].concat(),
    );
    assert_eq!((ended.exit, ended.out.lines().count()), (0, 1), "{}", ended.err);
    assert_eq!(
        skipped(&ended)[0],
        "warning: account 000000000003 (name of 000000000003) is SUSPENDED; it is skipped"
    );
    // One that was excluded is not listed.
    let without = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--exclude-accounts",
        "000000000003,000000000004",
    ];
    let ended = credlens(&server, folder.path(), &without);
    assert_eq!((ended.exit, skipped(&ended).len()), (0, 0), "{}", ended.err);
}

#[test]
fn nothing_is_fetched_where_all_are_skipped() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let only = [
        "--org",
        "--accounts",
        "000000000003,000000000004",
        "--outcomes",
        "outcomes.json",
    ];
    let mut commands = vec![vec!["fetch"], vec!["scan"]];
    if cfg!(feature = "archive") {
        commands.push(vec!["fetch", "--archive", "archive"]);
    }
    for command in &commands {
        let ended = credlens(&server, folder.path(), &[&command[..], &only].concat());
        assert_eq!((ended.exit, ended.out.as_str()), (3, ""), "{}", ended.err);
        insta::allow_duplicates! {
            insta::assert_snapshot!(ended.err, @"
            warning: account 000000000003 (name of 000000000003) is SUSPENDED; it is skipped
            warning: account 000000000004 (name of 000000000004) is PENDING_CLOSURE; it is skipped
            2 accounts: 0 fetched, 0 failed, 2 skipped
              000000000003  name of 000000000003  skipped: the account is SUSPENDED
              000000000004  name of 000000000004  skipped: the account is PENDING_CLOSURE
            error: no account was fetched: none of the chosen accounts is active
            ");
        }
        let counts = server.counts();
        assert!(!counts.contains_key("AssumeRole"), "{counts:?}");
        assert!(!counts.contains_key("GetCredentialReport"), "{counts:?}");
        assert_eq!(outcomes(folder.path())["accounts"][1]["outcome"], "skipped");
    }
    let resumed = credlens(&server, folder.path(), &["scan", "--resume", "outcomes.json"]);
    assert_eq!(resumed.exit, 0, "{}", resumed.err);
}

#[test]
fn a_resumed_run_leaves_them_as_they_are() {
    let server = server();
    server.set("000000000005", Account::Closed);
    let folder = tempfile::tempdir().unwrap();
    let files = ["--outcomes", "outcomes.json"];
    let fetch = ["fetch", "--org", "--output", "out/"];
    let ended = credlens(&server, folder.path(), &[&fetch[..], &files].concat());
    assert_eq!(ended.exit, 4, "{}", ended.err);
    server.set("000000000005", Account::Answers);
    let resume = ["fetch", "--output", "out/", "--resume", "outcomes.json"];
    // One that was skipped is known by its name.
    let named = ["--accounts", "000000000003,000000000005"];
    let ended = credlens(&server, folder.path(), &[&resume[..], &named].concat());
    assert_eq!((ended.exit, skipped(&ended).len()), (0, 3), "{}", ended.err);
    let ended = credlens(&server, folder.path(), &[&resume[..], &files].concat());
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(
        ended.err.ends_with("\n1 account: 1 fetched, 0 failed\n"),
        "{}",
        ended.err
    );
    let of = outcomes(folder.path());
    let of: Vec<_> = of["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(of, ["fetched", "fetched", "skipped", "skipped", "fetched"]);
}

#[test]
fn an_account_without_a_state_is_not_called_unknown() {
    let server = server();
    let listed = r#"{"Accounts":[{"Id":"000000000001","State":"ACTIVE"},{"Id":"000000000002","Name":"b"}]}"#;
    server.answer_instead("ListAccounts", 200, listed);
    let folder = tempfile::tempdir().unwrap();
    let fetch = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--accounts",
        "000000000001,b",
    ];
    let ended = credlens(&server, folder.path(), &fetch);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    insta::assert_snapshot!(ended.err, @"
    warning: account 000000000002 (b) has an unknown state; it is skipped
    2 accounts: 1 fetched, 0 failed, 1 skipped
      000000000002  b  skipped: its state is unknown
    ");
}

//! `credlens list` without an input: the live account, and those of an organization.

use serde_json::Value;

use super::cli::{Ended, accounts, credlens};
use super::server::{Account, CALLER, Server};

fn items(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_keys_of_the_live_account_with_their_ids() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let live = credlens(
        &server,
        folder.path(),
        &["list", "keys", "--resolve-keys", "--format", "ndjson"],
    );
    assert_eq!(live.exit, 0, "{}", live.err);
    let items = items(&live);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["user"], "alice");
    assert_eq!(items[0]["access_key_id"], format!("AKIA{CALLER}"));
    assert!(server.counts().contains_key("ListAccessKeys"));
    let mistaken = credlens(&server, folder.path(), &["list", "keys", "--where", "active"]);
    assert_eq!(mistaken.exit, 2, "{}", mistaken.err);
    assert!(
        server.counts().is_empty(),
        "AWS was asked before the condition was read"
    );
}

#[test]
fn the_users_of_an_organization() {
    let server = Server::start(accounts(3));
    server.set("000000000002", Account::Denied);
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let fixed = [
            "list",
            "users",
            "--org",
            "--where",
            "firstAccessKey.isActive",
            "--format",
            "ndjson",
        ];
        credlens(&server, folder.path(), &[&fixed[..], more].concat())
    };
    let live = run(&[]);
    assert_eq!(live.exit, 4, "{}", live.err);
    let names: Vec<_> = items(&live)
        .iter()
        .map(|item| item["account_name"].clone())
        .collect();
    assert_eq!(names, ["name of 000000000001", "name of 000000000003"]);
    assert_eq!(run(&["--allow-failed", "1"]).exit, 0);
}

#[test]
fn a_live_account_that_refuses() {
    let server = Server::start([(CALLER.to_owned(), Account::Denied)].into());
    let folder = tempfile::tempdir().unwrap();
    let live = credlens(&server, folder.path(), &["list", "users"]);
    assert_eq!((live.exit, live.out.as_str()), (3, ""), "{}", live.err);
    assert!(live.err.contains("iam:GetCredentialReport"), "{}", live.err);
}

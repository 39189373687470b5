//! Roles on the program: the calls to STS, the credentials that fetch the reports, and the policies that are shown.

use std::fs;
use std::path::Path;

use super::cli::{Ended, accounts, credlens, run};
use super::server::{Account, CALLER, Call, Server};

const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];

fn of_action(calls: &[Call], action: &str) -> Vec<Call> {
    calls
        .iter()
        .filter(|call| call.action == action)
        .cloned()
        .collect()
}

/// The statements of each policy that is shown.
pub(super) fn policies(err: &str) -> Vec<serde_json::Value> {
    let blocks = err.split("The smallest policy").skip(1);
    let policies = blocks.map(|block| {
        let from = block.find('{').unwrap();
        let to = block.find("\n}").unwrap();
        let policy: serde_json::Value = serde_json::from_str(&block[from..to + 2]).unwrap();
        policy["Statement"].clone()
    });
    policies.collect()
}

#[test]
fn the_report_is_fetched_in_the_role() {
    let server = Server::start(accounts(3));
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "fetch",
        "--role-arn",
        "arn:aws:iam::000000000003:role/audit/Scan",
        "--external-id",
        "an-external-id",
        "--role-session-name",
        "nightly",
        "-vvv",
    ];
    let ended = credlens(&server, folder.path(), &[&arguments[..], &YOUNG].concat());
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(ended.out.starts_with("000000000003_"), "{}", ended.out);
    let calls = server.calls();
    let assumed = of_action(&calls, "AssumeRole");
    assert_eq!(assumed.len(), 1, "{calls:?}");
    let parameter = |name| assumed[0].parameter(name).unwrap();
    assert_eq!(parameter("RoleArn"), "arn:aws:iam::000000000003:role/audit/Scan");
    assert_eq!(parameter("ExternalId"), "an-external-id");
    assert_eq!(parameter("RoleSessionName"), "nightly");
    assert_eq!(assumed[0].account, CALLER);
    let got = of_action(&calls, "GetCredentialReport");
    let signed: Vec<_> = got.iter().map(|call| call.account.as_str()).collect();
    assert_eq!(signed, ["000000000003"]);
}

#[test]
fn flags_apply_to_the_roles_of_accounts() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--role-name",
        "/audit/Scan",
        "--external-id",
        "an-external-id",
        "--role-session-name",
        "nightly",
    ];
    let ended = credlens(&server, folder.path(), &[&arguments[..], &YOUNG].concat());
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let assumed = of_action(&server.calls(), "AssumeRole");
    let parameters = |name| {
        assumed
            .iter()
            .filter_map(|call| call.parameter(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        parameters("RoleArn"),
        ["arn:aws:iam::000000000002:role/audit/Scan"]
    );
    assert_eq!(parameters("ExternalId"), ["an-external-id"]);
    assert_eq!(parameters("RoleSessionName"), ["nightly"]);
}

fn with_file(server: &Server, folder: &Path, file: &str, arguments: &[&str]) -> Ended {
    fs::write(folder.join("accounts.yml"), file).unwrap();
    let first = ["fetch", "--output", "out/", "--accounts-file", "accounts.yml"];
    credlens(server, folder, &[&first[..], &YOUNG, arguments].concat())
}

#[test]
fn listed_roles_are_assumed_in_turn() {
    let server = Server::start(accounts(4));
    let folder = tempfile::tempdir().unwrap();
    let file = "accounts:\n- account_id: '000000000004'\n  name: four\n  external_id: an-external-id\n  role:\n  \
        - arn:aws:iam::000000000002:role/Jump\n  - Scan\n";
    let ended = with_file(&server, folder.path(), file, &["--outcomes", "outcomes.json"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let calls = server.calls();
    let assumed: Vec<_> = of_action(&calls, "AssumeRole")
        .iter()
        .map(|call| (call.account.clone(), call.parameter("RoleArn").unwrap()))
        .collect();
    let expected = [
        (CALLER, "arn:aws:iam::000000000002:role/Jump"),
        ("000000000002", "arn:aws:iam::000000000004:role/Scan"),
    ];
    assert_eq!(
        assumed,
        expected.map(|(by, role)| (by.to_owned(), role.to_owned()))
    );
    assert_eq!(
        of_action(&calls, "GetCredentialReport")[0].account,
        "000000000004"
    );
    // The outcomes file stores the list of roles for a resumed run.
    server.set("000000000004", Account::Denied);
    let ended = with_file(&server, folder.path(), file, &["--outcomes", "outcomes.json"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    server.set("000000000004", Account::Answers);
    server.calls();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    let resumed = ["fetch", "--output", "out/", "--resume", "outcomes.json"];
    let ended = credlens(&server, folder.path(), &[&resumed[..], &YOUNG].concat());
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert_eq!(of_action(&server.calls(), "AssumeRole").len(), 2);
}

#[test]
fn invalid_entries_do_not_affect_other_accounts() {
    let server = Server::start(accounts(3));
    let folder = tempfile::tempdir().unwrap();
    let file = "accounts:\n- {account_id: '000000000002', name: two}\n- {account_id: ../../x, name: invalid}\n\
        - {account_id: '000000000003', name: three, profile: by-profile}\n";
    let ended = with_file(&server, folder.path(), file, &["--outcomes", "outcomes.json"]);
    assert_eq!(ended.exit, 4, "{}", ended.err);
    assert!(
        ended.err.contains("3 accounts: 1 fetched, 2 failed"),
        "{}",
        ended.err
    );
    for (account, why) in [("three", "by-profile"), ("invalid", "not an account id")] {
        let lines = ended
            .err
            .lines()
            .filter(|line| line.contains(account) && line.contains(why));
        assert_eq!(lines.count(), 1, "{}", ended.err);
    }
    assert_eq!(server.counts()["AssumeRole"], 1);
    let resumed = credlens(
        &server,
        folder.path(),
        &["scan", "--resume", "outcomes.json", "--accounts", "invalid"],
    );
    assert_eq!(resumed.exit, 3, "{}", resumed.err);
    assert!(resumed.err.contains("not an account id"), "{}", resumed.err);
    // The outcomes file stores why the entry is invalid, so the common role is not used.
    let resumed = ["scan", "--resume", "outcomes.json", "--accounts", "three"];
    let resumed = credlens(&server, folder.path(), &resumed);
    assert_eq!(resumed.exit, 3, "{}", resumed.err);
    assert!(resumed.err.contains("by-profile"), "{}", resumed.err);
    assert!(!server.counts().contains_key("AssumeRole"));
}

#[test]
fn the_policy_names_the_denied_role() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let role = "arn:aws-cn:iam::000000000009:role/Own";
    let ended = credlens(&server, folder.path(), &["scan", "--role-arn", role]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    let expected = serde_json::json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}]);
    assert_eq!(policies(&ended.err), [expected], "{}", ended.err);
    // For several accounts: each role once, and nothing about listing.
    let file = "accounts:\n- {account_id: '000000000008', name: a, role: Own}\n\
        - {account_id: '000000000007', name: b}\n- {account_id: '000000000006', name: c}\n";
    let ended = with_file(&server, folder.path(), file, &["--role-name", "Scan"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    let roles = ["arn:aws:iam::*:role/Scan", "arn:aws:iam::000000000008:role/Own"];
    let expected = serde_json::json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}]);
    assert_eq!(policies(&ended.err), [expected], "{}", ended.err);
}

#[test]
fn the_policy_is_for_the_callers_partition() {
    let server = Server::start(accounts(1));
    server.refuse("ListAccounts", "AccessDeniedException");
    let folder = tempfile::tempdir().unwrap();
    // The partition comes from the profile's region or the caller, not from flags.
    let ended = credlens(&server, folder.path(), &["scan", "--org", "--role-name", "Scan"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    let resource = |ended: &Ended| policies(&ended.err)[0][1]["Resource"].clone();
    assert_eq!(resource(&ended), "arn:aws:iam::*:role/Scan", "{}", ended.err);
    server.move_caller_to("aws-us-gov");
    let ended = credlens(&server, folder.path(), &["scan", "--org", "--role-name", "Scan"]);
    assert_eq!(
        resource(&ended),
        "arn:aws-us-gov:iam::*:role/Scan",
        "{}",
        ended.err
    );
}

#[test]
fn web_identity_tokens() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "GOODTOKEN").unwrap();
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ROLE_ARN", "arn:aws:iam::000000000002:role/Pipeline"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
    ];
    let fetch = |arguments: &[&str]| {
        let all = [&["fetch", "-vvv"], &YOUNG[..], arguments].concat();
        run(&server, folder.path(), &variables, &all)
    };
    let ended = fetch(&[]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let calls = server.calls();
    let traded = of_action(&calls, "AssumeRoleWithWebIdentity");
    assert_eq!(traded.len(), 1, "{calls:?}");
    let role = traded[0].parameter("RoleArn").unwrap();
    assert_eq!(role, "arn:aws:iam::000000000002:role/Pipeline");
    assert_eq!(
        of_action(&calls, "GetCredentialReport")[0].account,
        "000000000002"
    );
    // The error shows the code, not the token.
    fs::write(&token, "BADTOKEN").unwrap();
    let ended = fetch(&[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(ended.err.contains("InvalidIdentityToken"), "{}", ended.err);
    assert!(!ended.err.contains("BADTOKEN"), "{}", ended.err);
}

//! Users whose ARN names no account belong to the one in a column of the report, in every command.

use std::fmt::Write as _;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::ended;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,account_id,account_name\n";

/// A consolidated report: bob has an ARN; alice of two accounts has none, and carol's account has only a name.
fn report(is_active: [bool; 4]) -> String {
    let rows = [
        (
            "bob",
            "arn:aws:iam::111122223333:user/bob",
            "111122223333",
            "prod",
        ),
        ("alice", "N/A", "111122223333", "prod"),
        ("alice", "", "444455556666", "dev"),
        ("carol", "", "", "sandbox"),
    ];
    let mut text = HEADER.to_owned();
    for ((user, arn, id, name), is_active) in rows.into_iter().zip(is_active) {
        let _ = writeln!(
            text,
            "{user},{arn},2021-01-02T03:04:05Z,false,false,{is_active},2021-01-02T03:04:05Z,false,N/A,{id},{name}"
        );
    }
    text
}

/// The older report has the first two keys, the newer one the last two.
fn reports() -> TempDir {
    let folder = tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("2026-01-01.csv", report([true, true, false, false]));
    write("2026-01-02.csv", report([false, false, true, true]));
    folder
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let mut command = Command::cargo_bin("credlens").unwrap();
    let rest = ["--rule", "access-key-not-rotated", "--quiet", "--format", "json"];
    let (_, out, err) = ended(
        command
            .current_dir(folder)
            .args(args)
            .args(["--fail-on", "never"].iter().filter(|_| args[0] == "scan"))
            .args(rest),
    );
    assert_eq!(err, "");
    serde_json::from_str(&out).unwrap()
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value[member].as_str()
}

/// Id, account, its name and user of each.
fn identities(findings: &Value) -> BTreeSet<[Option<&str>; 4]> {
    let findings = findings.as_array().unwrap().iter();
    findings
        .map(|finding| ["id", "account", "account_name", "user"].map(|member| text(finding, member)))
        .collect()
}

#[test]
fn findings_are_the_same_in_scan_diff_and_trend() {
    let folder = reports();
    let diff = json(folder.path(), &["diff", "2026-01-01.csv", "2026-01-02.csv"]);
    let [old, new] = ["2026-01-01.csv", "2026-01-02.csv"].map(|path| json(folder.path(), &["scan", path]));
    let resolved = identities(&diff["findings"]["resolved"]);
    assert_eq!(resolved, identities(&old["findings"]));
    assert_eq!(resolved.len(), 2);
    let opened = identities(&diff["findings"]["opened"]);
    assert_eq!(opened, identities(&new["findings"]));
    let users: Vec<_> = opened.iter().map(|[_, rest @ ..]| rest).collect();
    assert!(users.contains(&&[Some("444455556666"), Some("dev"), Some("alice")]));
    assert!(users.contains(&&[None, Some("sandbox"), Some("carol")]));
    let trend = json(folder.path(), &["trend", "."]);
    assert_eq!(identities(&trend["oldest"]), opened);
    assert_eq!(trend["snapshots"][1]["accounts"], 3);
    assert_eq!(trend["snapshots"][1]["opened"], 2);
}

#[test]
fn users_of_one_name_in_two_accounts_are_two_users() {
    let folder = reports();
    let diff = json(folder.path(), &["diff", "2026-01-01.csv", "2026-01-02.csv"]);
    let diagnostics = diff["diagnostics"].as_array().unwrap().iter();
    let codes: BTreeSet<_> = diagnostics.filter_map(|it| text(it, "code")).collect();
    assert_eq!(codes, BTreeSet::from(["missing-columns"]));
    let kinds: Vec<_> = diff["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["kind"])
        .collect();
    assert!(
        !kinds
            .iter()
            .any(|kind| *kind == "user-created" || *kind == "user-deleted"),
        "{kinds:?}"
    );
    assert_eq!(kinds.len(), 4);
}

#[test]
fn filters_go_by_the_column() {
    let folder = reports();
    for (account, users) in [("444455556666", 1), ("dev", 1), ("sandbox", 1), ("prod", 2)] {
        let args = ["diff", "2026-01-01.csv", "2026-01-02.csv", "--account", account];
        let diff = json(folder.path(), &args);
        assert_eq!(diff["new"]["users"], users, "{account}");
        let trend = json(folder.path(), &["trend", ".", "--account", account]);
        assert_eq!(trend["snapshots"][1]["users"], users, "{account}");
    }
}

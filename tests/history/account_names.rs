//! Where `diff` and `trend` show an account, they show its name, too.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::{TempDir, tempdir};

use crate::support::ended;
use crate::support::schemas::assert_document;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,account_name\n";

/// A report of two accounts with their names; bob's key is active or not.
fn report(names: [&str; 2], is_active: bool) -> String {
    let account = |id: &str, name: &str, users: &[&str]| -> String {
        let root = format!(
            "<root_account>,arn:aws:iam::{id}:root,2020-01-02T03:04:05Z,not_supported,true,false,N/A"
        );
        let rows = users.iter().map(|user| {
            format!("{user},arn:aws:iam::{id}:user/{user},2021-01-02T03:04:05Z,false,false,{is_active},2021-01-02T03:04:05Z")
        });
        let rows = [root].into_iter().chain(rows);
        rows.map(|row| [&*row, ",", name, "\n"].concat()).collect()
    };
    let [one, other] = names;
    HEADER.to_owned() + &account("111122223333", one, &["bob"]) + &account("444455556666", other, &["carol"])
}

/// Two reports; an account is renamed in between.
fn reports() -> TempDir {
    let folder = tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("2026-01-01.csv", report(["old", "<b>dev</b>"], false));
    write("2026-02-01.csv", report(["prod", "<b>dev</b>"], true));
    folder
}

fn written(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("credlens").unwrap();
    let (code, out, err) = ended(command.current_dir(folder).args(args));
    assert_eq!((code, &*err), (0, ""));
    out
}

fn diff(format: &str) -> String {
    let args = [
        "diff",
        "2026-01-01.csv",
        "2026-02-01.csv",
        "--rule",
        "access-key-not-rotated",
    ];
    written(
        reports().path(),
        &[&args[..], &["--quiet", "--format", format]].concat(),
    )
}

fn trend(format: &str) -> String {
    let args = [
        "trend",
        ".",
        "--by",
        "account",
        "--rule",
        "access-key-not-rotated",
    ];
    written(
        reports().path(),
        &[&args[..], &["--quiet", "--format", format]].concat(),
    )
}

#[test]
fn diff_for_programs() {
    let json = diff("json");
    assert_document("diff.v1", &json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for all in [&json["events"], &json["findings"]["opened"]] {
        let names: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["account_name"])
            .collect();
        assert_eq!(names, ["prod", "<b>dev</b>"], "the newer report's name counts");
    }
    let lines = diff("ndjson");
    assert!(
        lines.contains(r#""account":"111122223333","account_name":"prod""#),
        "{lines}"
    );
}

#[test]
fn diff_for_people() {
    let table = diff("table");
    assert!(
        table.contains("key-activated  bob    111122223333 (prod)"),
        "{table}"
    );
    // Of several accounts, findings say whose they are.
    assert!(table.contains("account 444455556666 (<b>dev</b>)"), "{table}");
    let markdown = diff("markdown");
    assert!(
        markdown.contains("`444455556666` &#60;b&#62;dev&#60;/b&#62;"),
        "{markdown}"
    );
}

#[test]
fn trend_for_programs() {
    let json = trend("json");
    assert_document("trend.v1", &json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names = |all: &str| -> Vec<String> {
        let all = json[all].as_array().unwrap().iter();
        all.map(|it| it["account_name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("snapshots"), ["old", "<b>dev</b>", "prod", "<b>dev</b>"]);
    let mut oldest = names("oldest");
    oldest.sort();
    assert_eq!(oldest, ["<b>dev</b>", "prod"]);
    let csv = trend("csv");
    assert!(csv.starts_with("as_of,account,account_name,accounts,"), "{csv}");
    assert!(csv.contains(",111122223333,prod,1,"), "{csv}");
}

#[test]
fn trend_for_people() {
    let table = trend("table");
    assert!(table.contains("account 111122223333 (prod)\n"), "{table}");
    assert!(
        table.contains("access-key-not-rotated  111122223333 (prod)"),
        "{table}"
    );
    let html = trend("html");
    assert!(
        html.contains(">Account 444455556666 (&lt;b&gt;dev&lt;/b&gt;)</h2>"),
        "{html}"
    );
    assert!(html.contains("<td>111122223333 (prod)</td>"), "{html}");
    let markdown = trend("markdown");
    assert!(markdown.contains("## Account `111122223333` prod"), "{markdown}");
    assert!(markdown.contains("| `111122223333` prod |"), "{markdown}");
}

#[test]
fn messages() {
    let folder = reports();
    let one = report(["prod", "dev"], true);
    let one: String = one.lines().take(3).map(|line| line.to_owned() + "\n").collect();
    fs::write(folder.path().join("2026-03-01.csv"), one).unwrap();
    let out = written(folder.path(), &["diff", "2026-02-01.csv", "2026-03-01.csv"]);
    assert!(
        out.replace('\n', " ")
            .contains("account 444455556666 (<b>dev</b>) is not in"),
        "{out}"
    );
    let out = written(folder.path(), &["trend", "."]);
    assert!(
        out.contains("account 444455556666 (<b>dev</b>) is missing at 2026-03-01"),
        "{out}"
    );
}

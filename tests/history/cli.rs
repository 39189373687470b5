//! The commands, on real files.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::support::schemas::assert_document;

use super::simulation::{Account, DAY, HEADER, text};

/// A folder with a report of each of these days, named by its time.
fn reports(days: &[i64]) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut account = Account::new(7, 20);
    let start = account.now;
    let names = days.iter().map(|day| {
        account.live_until(start + day * DAY);
        let name = format!("{}.csv", text(account.now).replace(':', ""));
        std::fs::write(
            folder.path().join(&name),
            format!("{HEADER}\n{}", account.report()),
        )
        .unwrap();
        name
    });
    let names = names.collect();
    (folder, names)
}

fn credlens(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn diff_tells_and_fails_on_new_findings() {
    let (folder, names) = reports(&[0, 60]);
    let [old, new] = [&*names[0], &*names[1]];
    let (status, table, errors) = credlens(folder.path(), &["diff", old, new]);
    assert_eq!((status, &*errors), (0, ""));
    assert!(
        table.contains("key-rotated") && table.contains("still open"),
        "{table}"
    );
    let arguments = ["diff", old, new, "--format", "json", "--fail-on-new", "low"];
    let (status, json, _) = credlens(folder.path(), &arguments);
    assert_eq!(status, 1);
    assert_document("diff.v1", &json);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "credlens.diff/v1");
    assert_eq!(document["old"]["as_of"], "2025-01-01T00:00:00Z");
    let (status, ..) = credlens(folder.path(), &["diff", old, old, "--fail-on-new", "low"]);
    assert_eq!(status, 0, "nothing is new");
}

#[test]
fn diff_of_what_cannot_be_compared() {
    let (folder, names) = reports(&[0]);
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "missing.csv"]);
    assert_eq!(status, 3, "{errors}");
    assert!(errors.contains("missing.csv"), "{errors}");
    let other = Account::new(8, 3);
    std::fs::write(
        folder.path().join("other.csv"),
        format!("{HEADER}\n{}", other.report()),
    )
    .unwrap();
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "other.csv"]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("different accounts"), "{errors}");
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "."]);
    assert_eq!(status, 2, "{errors}");
}

#[test]
fn trend_in_the_order_of_time() {
    let (folder, names) = reports(&[0, 30, 60, 90]);
    let arguments = [
        "trend", &names[2], &names[0], &names[3], &names[1], "--format", "json",
    ];
    let (status, json, errors) = credlens(folder.path(), &arguments);
    assert_eq!((status, &*errors), (0, ""));
    assert_document("trend.v1", &json);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let days: Vec<_> = document["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["as_of"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(days.len(), 4);
    assert!(days.is_sorted(), "{days:?}");
    let (_, same, _) = credlens(
        folder.path(),
        &["trend", ".", "--format", "json", "--threads", "1"],
    );
    assert_eq!(same.replace("./", ""), json);
    let (status, page, _) = credlens(
        folder.path(),
        &["trend", ".", "--format", "html", "--by", "account"],
    );
    assert!(status == 0 && page.contains("<svg"));
}

#[test]
fn trend_of_what_can_be_read() {
    let (folder, _) = reports(&[0, 30]);
    std::fs::write(folder.path().join("2025-02-30.txt"), "no report\n").unwrap();
    let (status, table, errors) = credlens(folder.path(), &["trend", "."]);
    assert_eq!(status, 4, "{errors}");
    assert!(
        table.starts_with("2 snapshots") && errors.contains("2025-02-30.txt"),
        "{errors}"
    );
    let (status, ..) = credlens(folder.path(), &["trend", "2025-02-30.txt"]);
    assert_eq!(status, 3);
    let (status, ..) = credlens(folder.path(), &["trend", "-"]);
    assert_eq!(status, 2);
}

//! The commands, on real files.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

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

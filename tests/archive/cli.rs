//! `credlens archive` as people use it.

use std::fs;

use tempfile::tempdir;

use super::{PLAIN, credlens, saved};
use crate::support::schemas::assert_document;

#[test]
fn add_list_export_verify() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (code, out, err) = run(&["archive", "add", "archive", "reports"]);
    assert_eq!((code, out.lines().count()), (0, 3), "{out}{err}");
    assert_eq!(err, "4 reports with 12 users added\n");
    let (code, out, err) = run(&["archive", "add", "archive", "reports"]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(err, "0 reports with 0 users added, 4 were there already\n");
    let (code, out, _) = run(&["archive", "list", "archive"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @r"
     As of                 Account       Name  Users  Added from
     2026-01-01T23:59:59Z  111122223333        3      reports/2026-01-01.csv
     2026-02-01T23:59:59Z  111122223333        3      reports/2026-02-01.csv
     2026-03-01T23:59:59Z  111122223333        3      reports/2026-03-01.csv
     2026-03-01T23:59:59Z  444455556666        3      reports/other-2026-03-01.csv
    4 reports, 12 rows
    ");
    let (_, out, _) = run(&[
        "archive",
        "list",
        "archive",
        "--at",
        "2026-02-10",
        "--format",
        "json",
    ]);
    assert_document("archive-list.v1", &out);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(list["reports"].as_array().unwrap().len(), 1);
    assert_eq!(list["reports"][0]["as_of"], "2026-02-01T23:59:59Z");
    let (code, out, _) = run(&["archive", "export", "archive", "--output", "out/"]);
    assert_eq!((code, out.lines().count()), (0, 4));
    let exported =
        fs::read_to_string(directory.path().join("out/111122223333_20260101T235959Z.csv")).unwrap();
    assert_eq!(exported, PLAIN);
    let (code, out, _) = run(&[
        "archive",
        "export",
        "archive",
        "--at",
        "2026-01-31",
        "--output",
        "-",
    ]);
    assert_eq!((code, out.as_str()), (0, PLAIN));
    let (code, _, err) = run(&["archive", "export", "archive", "--output", "-"]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = run(&[
        "archive",
        "export",
        "archive",
        "--account",
        "999999999999",
        "--output",
        "-",
    ]);
    assert_eq!(code, 3, "{err}");
    let (code, out, _) = run(&["archive", "verify", "archive"]);
    assert_eq!((code, out.as_str()), (0, "3 files with 4 reports: all whole\n"));
    fs::write(directory.path().join("archive/stray"), "x").unwrap();
    let (code, out, _) = run(&["archive", "verify", "archive"]);
    assert_eq!(code, 1);
    assert!(out.contains("problem: stray: "), "{out}");
    let (_, out, _) = run(&["archive", "verify", "archive", "--format", "json"]);
    assert_document("archive-verify.v1", &out);
    insta::assert_snapshot!(out, @r#"
    {
      "schema": "credlens.archive-verify/v1",
      "files": 3,
      "reports": 4,
      "problems": [
        {
          "path": "stray",
          "message": "no file of the archive: no run of credlens has put it there; move it away"
        }
      ],
      "notes": []
    }
    "#);
}

/// A scan of an archive finds what a scan of its reports finds, each as of its own instant.
#[test]
fn archived_reports_judge_identically() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let findings = |input: &str| {
        let (code, out, err) = run(&[
            "scan", input, "--rule", "*", "--status", "all", "--format", "ndjson",
        ]);
        assert_eq!(code, 1, "{err}");
        let mut findings: Vec<_> = out
            .lines()
            .map(|line| {
                let mut finding: serde_json::Value = serde_json::from_str(line).unwrap();
                if finding["source"]["row"].is_null() {
                    // One finding for a whole input is named after its path.
                    finding["id"] = serde_json::Value::Null;
                }
                finding["source"]["path"] = serde_json::Value::Null;
                finding.to_string()
            })
            .collect();
        findings.sort();
        findings
    };
    let (saved, archived) = (findings("reports"), findings("archive"));
    assert!(saved.len() > 50);
    assert!(saved == archived, "an archived report judges otherwise");
    let trend = |input: &str| run(&["trend", input, "--format", "json"]).1;
    let without_paths = |json: String| {
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["diagnostics"] = serde_json::Value::Null;
        json
    };
    assert_eq!(without_paths(trend("reports")), without_paths(trend("archive")));
}

/// One report of a file that holds several is an input of its own.
#[test]
fn a_report_in_a_file_of_several() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let (_, out, _) = run(&["archive", "list", "archive", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let file = list["reports"][3]["file"].as_str().unwrap();
    assert!(file.ends_with("#2"), "{file}");
    let (code, out, err) = run(&["scan", &format!("archive/{file}"), "--format", "json"]);
    assert_eq!(code, 1, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["inputs"].as_array().unwrap().len(), 1);
    assert_eq!(json["inputs"][0]["kind"], "archive");
    let (code, _, err) = run(&["scan", &format!("archive/{}", file.replace("#2", "#3"))]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("holds 2"), "{err}");
}

#[test]
fn what_is_no_archive_is_told() {
    let directory = tempdir().unwrap();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (code, _, err) = run(&["archive", "list", "nowhere"]);
    assert_eq!(code, 2);
    assert!(err.contains("archive add"), "{err}");
    fs::write(
        directory.path().join("x.parquet"),
        "PAR1 and nothing that Parquet would be PAR1",
    )
    .unwrap();
    let (code, _, err) = run(&["scan", "x.parquet"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("x.parquet"), "{err}");
    // Content decides: a CSV may be called what it likes.
    fs::write(directory.path().join("y.parquet"), PLAIN).unwrap();
    let (code, _, err) = run(&["scan", "y.parquet", "--as-of", "2026-01-01"]);
    assert_eq!(code, 1, "{err}");
    let (code, _, err) = run(&["archive", "add", "archive", "y.parquet"]);
    assert_eq!(code, 3);
    assert!(err.contains("--as-of"), "{err}");
}

/// Two dates of an archive compare like the two reports that were the last ones then.
#[test]
fn diff_at_two_dates() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let events = |args: &[&str]| {
        let (code, out, err) = run(&[&["diff"], args, &["--format", "ndjson", "--quiet"]].concat());
        assert_eq!(code, 0, "{err}");
        out
    };
    let between = |old: &str, new: &str, account: &[&str]| {
        events(&[&["--archive", "archive", old, new], account].concat())
    };
    let january = events(&["reports/2026-01-01.csv", "reports/2026-02-01.csv"]);
    assert_eq!(january.lines().count(), 1, "{january}");
    assert_eq!(between("2026-01-15", "2026-02-15", &[]), january);
    assert_eq!(between("2026-01-15", "2026-02-28T00:00:00Z", &[]), january);
    let whole = events(&["reports/2026-01-01.csv", "reports/2026-03-01.csv"]);
    assert!(whole.lines().count() > 1, "{whole}");
    // The other account has nothing to be compared with: it was not created.
    assert_eq!(between("2026-01-15", "2026-03-01", &[]), whole);
    assert_eq!(
        between("2026-01-15", "2026-03-01", &["--account", "111122223333"]),
        whole
    );
    let (code, _, err) = run(&["diff", "--archive", "archive", "2026-01-15", "2026-03-01"]);
    assert!(code == 0 && err.contains("444455556666"), "{err}");
    let (code, _, err) = run(&["diff", "--archive", "archive", "2025-01-15", "2026-03-01"]);
    assert_eq!(code, 3, "{err}");
    let (code, _, err) = run(&[
        "diff",
        "--archive",
        "archive",
        "reports/2026-01-01.csv",
        "2026-03-01",
    ]);
    assert_eq!(code, 2, "{err}");
}

/// Accounts whose snapshots are of different days are compared in one go, each as of its own instant.
#[test]
fn diff_of_several_accounts() {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join("reports").join(name), csv).unwrap();
    let other = PLAIN.replace("111122223333", "444455556666");
    write("one-2026-01-01.csv", PLAIN);
    write("other-2026-01-05.csv", &other);
    write("one-2026-02-01.csv", &PLAIN.replace("alice", "anna"));
    write("other-2026-02-05.csv", &other.replace("bob", "bill"));
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let (code, out, err) = run(&[
        "diff",
        "--archive",
        "archive",
        "2026-01-31",
        "2026-02-28",
        "--format",
        "json",
    ]);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["new"]["as_of"], "2026-02-05T23:59:59Z");
    let events: Vec<_> = json["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            [&event["kind"], &event["account"], &event["user"]].map(|text| text.as_str().unwrap().to_owned())
        })
        .collect();
    let event = |kind: &str, account: &str, user: &str| [kind, account, user].map(str::to_owned);
    assert_eq!(
        events,
        [
            event("user-created", "111122223333", "anna"),
            event("user-created", "444455556666", "bill"),
            event("user-deleted", "111122223333", "alice"),
            event("user-deleted", "444455556666", "bob"),
        ]
    );
}

/// Of a report of several accounts only those count of which it is the last one.
#[test]
fn diff_where_a_report_of_all_lies_between_reports_of_one() {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join("reports").join(name), csv).unwrap();
    let other = PLAIN.replace("111122223333", "444455556666");
    let rows = |csv: &str| csv.split_once('\n').unwrap().1.to_owned();
    write("one-2026-01-01.csv", PLAIN);
    write("other-2026-01-01.csv", &other);
    // In the middle everybody, and a user of the first account who is gone again at the end.
    write(
        "all-2026-01-15.csv",
        &format!(
            "{}\n{}",
            PLAIN.replace("alice", "tmp"),
            rows(&other.replace("bob", "bill"))
        ),
    );
    write("one-2026-02-01.csv", &PLAIN.replace("bob", "cy"));
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let (code, out, err) = run(&[
        "diff",
        "--archive",
        "archive",
        "2026-01-01",
        "2026-02-01",
        "--format",
        "ndjson",
    ]);
    assert_eq!(code, 0, "{err}");
    let mut events: Vec<_> = out
        .lines()
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("account"), text("kind"), text("user"))
        })
        .collect();
    events.sort();
    assert_eq!(
        events,
        [
            "111122223333 user-created cy",
            "111122223333 user-deleted bob",
            "444455556666 user-created bill",
            "444455556666 user-deleted bob",
        ]
    );
    let (_, out, _) = run(&[
        "diff",
        "--archive",
        "archive",
        "2026-01-01",
        "2026-02-01",
        "--account",
        "444455556666",
        "--format",
        "ndjson",
    ]);
    assert_eq!(out.lines().count(), 2, "{out}");
}

/// A damaged file makes unknown which report is the last one: no comparison then.
#[test]
fn no_diff_of_a_damaged_archive() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (_, out, _) = run(&["archive", "add", "archive", "reports"]);
    let last = directory.path().join(out.lines().last().unwrap());
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 8]).unwrap();
    let (code, _, err) = run(&["diff", "--archive", "archive", "2026-01-01", "2026-03-31"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("damaged") && !err.contains("panicked"), "{err}");
}

/// Two reports of one account and instant are exported under two names; what two writers both added is judged once.
#[test]
fn twins_and_doubles() {
    let directory = tempdir().unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join(name), csv).unwrap();
    write("a-2026-01-01.csv", PLAIN);
    write("b-2026-01-01.csv", &PLAIN.replace("bob", "eve"));
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (code, _, err) = run(&[
        "archive",
        "add",
        "archive",
        "a-2026-01-01.csv",
        "b-2026-01-01.csv",
    ]);
    assert!(code == 0 && err.contains("cannot both be true"), "{err}");
    let (code, out, err) = run(&["archive", "export", "archive", "--output", "out/"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{err}");
    run(&["archive", "add", "second", "a-2026-01-01.csv"]);
    let (_, out, _) = run(&["scan", "archive", "second", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["inputs"].as_array().unwrap().len(), 2);
}

/// Reports without ARNs are taken for those of one account.
#[test]
fn diff_of_reports_without_accounts() {
    let directory = tempdir().unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join(name), csv).unwrap();
    write(
        "2026-01-01.csv",
        "user,mfa_active,password_enabled\nal,true,true\n",
    );
    write(
        "2026-02-01.csv",
        "user,mfa_active,password_enabled\nal,false,true\n",
    );
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "2026-01-01.csv", "2026-02-01.csv"]);
    let (code, out, err) = run(&[
        "diff",
        "--archive",
        "archive",
        "2026-01-31",
        "2026-02-28",
        "--format",
        "ndjson",
    ]);
    assert!(code == 0 && out.contains("mfa-deactivated"), "{out}{err}");
}

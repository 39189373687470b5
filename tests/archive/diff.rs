//! `credlens diff --archive`: compares two dates of an archive.

use std::fs;

use tempfile::tempdir;

use super::{PLAIN, credlens, saved};
use crate::support::schemas::assert_document;

/// Comparing two dates compares the last reports of each.
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
    let (code, out, err) = run(&["diff", "--archive", "archive", "2026-01-15", "2026-03-01"]);
    assert!(
        code == 0 && out.contains("account 444455556666 has no report as of OLD"),
        "{out}{err}"
    );
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

/// Accounts whose snapshots are of different days are compared in one run, each as of its own instant.
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
    assert_eq!(json["old"]["as_of"], "2026-01-05T23:59:59Z");
    // What differs between the reports is shown by account, not as if of one.
    for (side, month) in [("old", "01"), ("new", "02")] {
        let side = &json[side];
        assert_eq!(side["reports"], 2);
        assert_eq!(side["first_as_of"], format!("2026-{month}-01T23:59:59Z"));
        for member in ["path", "account_name", "kind", "as_of_source", "generated"] {
            assert!(side[member].is_null(), "{member}: {side}");
        }
        let accounts = side["accounts"].as_array().unwrap().iter();
        let accounts: Vec<_> = accounts
            .map(|it| [&it["account"], &it["as_of"]].map(|text| text.as_str().unwrap()))
            .collect();
        let times = ["01", "05"].map(|day| format!("2026-{month}-{day}T23:59:59Z"));
        let right = [["111122223333", &*times[0]], ["444455556666", &*times[1]]];
        assert_eq!(accounts, right);
        let mut paths = side["accounts"].as_array().unwrap().iter().map(|it| &it["path"]);
        assert!(
            paths.all(|path| path.as_str().unwrap().contains(".parquet")),
            "{side}"
        );
    }
    assert_document("diff.v1", &out);
    for format in ["table", "markdown"] {
        let args = [
            "diff",
            "--archive",
            "archive",
            "2026-01-31",
            "2026-02-28",
            "--format",
            format,
        ];
        let (_, text, _) = run(&args);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let right = "2026-01-01T23:59:59Z to 2026-01-05T23:59:59Z";
        assert!(text.contains("2 reports") && text.contains(right), "{text}");
    }
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
    // An event is dated by the reports of its account, even if the user is in only one of them.
    let (_, out, _) = run(&[
        "diff",
        "--archive",
        "archive",
        "2026-01-31",
        "2026-02-28",
        "--format",
        "ndjson",
    ]);
    for line in out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let day = if event["account"] == "111122223333" {
            "01"
        } else {
            "05"
        };
        assert_eq!(event["old_as_of"], format!("2026-01-{day}T23:59:59Z"), "{line}");
        assert_eq!(event["new_as_of"], format!("2026-02-{day}T23:59:59Z"), "{line}");
    }
}

/// A report of several accounts counts only for those of which it is the last report.
#[test]
fn diff_with_a_report_of_several_accounts_in_between() {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join("reports").join(name), csv).unwrap();
    let other = PLAIN.replace("111122223333", "444455556666");
    let rows = |csv: &str| csv.split_once('\n').unwrap().1.to_owned();
    write("one-2026-01-01.csv", PLAIN);
    write("other-2026-01-01.csv", &other);
    // In between, a report of both accounts, with a user of the first account who is deleted at the end.
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

/// With a damaged file, the last report is not known, so nothing is compared.
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

/// Reports without ARNs are treated as those of one account.
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
    write("named-2025-01-01.csv", PLAIN);
    write("named-2026-02-01.csv", PLAIN);
    run(&[
        "archive",
        "add",
        "later",
        "2026-02-01.csv",
        "named-2025-01-01.csv",
        "named-2026-02-01.csv",
    ]);
    let (_, err, _) = run(&["diff", "--archive", "later", "2025-01-31", "2026-02-28"]);
    assert!(
        err.contains("reports that name no account are not compared"),
        "{err}"
    );
    for account in ["x;", "", "12345678901", "1234567890123"] {
        let (code, out, err) = run(&["archive", "list", "later", "--account", account]);
        assert!(
            code == 2 && out.is_empty() && err.contains("twelve digits"),
            "{account}: {err}"
        );
        let args = [
            "diff",
            "--archive",
            "later",
            "2025-01-31",
            "2026-02-28",
            "--account",
            account,
        ];
        let (code, out, err) = run(&args);
        let right = format!("no report of --account '{account}'");
        assert!(
            code == 3 && out.is_empty() && err.contains(&right),
            "{account}: {err}"
        );
    }
}

/// An account whose last report is the same at both dates is not compared: it is listed, and its findings are counted by
/// themselves.
#[test]
fn accounts_without_a_newer_report() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let other = PLAIN.replace("111122223333", "444455556666");
    fs::write(directory.path().join("reports/other-2026-01-01.csv"), &other).unwrap();
    fs::remove_file(directory.path().join("reports/other-2026-03-01.csv")).unwrap();
    run(&["archive", "add", "archive", "reports"]);
    let between = |format: &str| {
        let days = ["2026-01-01", "2026-02-01"];
        let (code, out, err) = run(&[
            "diff",
            "--archive",
            "archive",
            days[0],
            days[1],
            "--format",
            format,
        ]);
        assert_eq!(code, 0, "{err}");
        (out, err)
    };
    let (json, err) = between("json");
    let note = "accounts without a newer report: 444455556666, last of 2026-01-01";
    assert!(err.contains("stale-account") && err.contains(note), "{err}");
    assert_document("diff.v1", &json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    // Nothing else in the document is about it.
    let (_, failing, _) = run(&[
        "scan",
        "reports/other-2026-01-01.csv",
        "--format",
        "ndjson",
        "--status",
        "fail",
    ]);
    let stale = serde_json::json!([{
        "account": "444455556666",
        "account_name": null,
        "as_of": "2026-01-01T23:59:59Z",
        "findings": failing.lines().count(),
    }]);
    assert_eq!(json["stale_accounts"], stale);
    assert!(failing.lines().count() > 0);
    for part in ["old", "new", "events", "findings"] {
        assert!(!json[part].to_string().contains("444455556666"), "{part}");
    }
    let (alone, _) = {
        let args = ["--account", "111122223333", "--format", "json"];
        let (code, out, err) = run(&[
            &["diff", "--archive", "archive", "2026-01-01", "2026-02-01"],
            &args[..],
        ]
        .concat());
        assert_eq!(code, 0, "{err}");
        (serde_json::from_str::<serde_json::Value>(&out).unwrap(), err)
    };
    assert_eq!(
        (&alone["events"], &alone["findings"]),
        (&json["events"], &json["findings"])
    );
    assert_eq!(alone["stale_accounts"], serde_json::json!([]));
    for format in ["table", "markdown"] {
        let (text, _) = between(format);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let count = format!(
            "; not counted here: {} of 1 account without a newer report",
            credlens::output::counted(failing.lines().count() as u64, "finding")
        );
        assert!(text.contains(note) && text.contains(&count), "{format}: {text}");
    }
    let (events, err) = between("ndjson");
    assert!(
        err.contains(note) && !events.contains("444455556666"),
        "{events}{err}"
    );
    // Without a newer report of any account there is nothing to compare.
    let (code, out, err) = run(&["diff", "--archive", "archive", "2026-02-01", "2026-02-10"]);
    assert_eq!((code, &*out), (3, ""), "{err}");
    let all = "no account has a newer report than as of OLD: 444455556666, last of 2026-01-01; 111122223333, last of 2026-02-01";
    assert!(err.contains(all), "{err}");
}

/// Of a report of several accounts, those that have a newer report are compared with it, and the others are not.
#[test]
fn accounts_of_one_report_of_which_some_have_no_newer_one() {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join("reports").join(name), csv).unwrap();
    let other = PLAIN.replace("111122223333", "444455556666");
    let rows = other.split_once('\n').unwrap().1;
    write("all-2026-01-01.csv", &format!("{PLAIN}\n{rows}"));
    write("one-2026-02-01.csv", &PLAIN.replace("bob", "cy"));
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let args = [
        "diff",
        "--archive",
        "archive",
        "2026-01-31",
        "2026-02-28",
        "--format",
        "json",
    ];
    let (code, out, err) = run(&args);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["stale_accounts"][0]["account"], "444455556666");
    assert_eq!(json["stale_accounts"].as_array().unwrap().len(), 1);
    let events = json["events"].to_string();
    assert!(
        events.contains("111122223333") && !events.contains("444455556666"),
        "{events}"
    );
}

/// A report compared with itself, by name, has no changes.
#[test]
fn a_file_of_an_archive_and_its_copy() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let other = PLAIN.replace("111122223333", "444455556666");
    fs::write(directory.path().join("reports/other-2026-01-01.csv"), &other).unwrap();
    fs::remove_file(directory.path().join("reports/other-2026-03-01.csv")).unwrap();
    run(&["archive", "add", "archive", "reports"]);
    let (_, out, _) = run(&["archive", "list", "archive", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let file = format!("archive/{}", list["reports"][2]["file"].as_str().unwrap());
    fs::copy(
        directory.path().join(&file),
        directory.path().join("copy.parquet"),
    )
    .unwrap();
    for other in [&*file, "copy.parquet"] {
        let (code, out, err) = run(&["diff", &file, other]);
        assert!(code == 0 && out.contains("no changes to users"), "{out}{err}");
    }
    // A file of several reports is not one of the two.
    let (_, out, _) = run(&[
        "archive",
        "list",
        "archive",
        "--at",
        "2026-01-01",
        "--format",
        "json",
    ]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let (several, _) = list["reports"][0]["file"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap();
    let (code, _, err) = run(&["diff", &format!("archive/{several}"), &file]);
    assert!(
        code == 2 && err.contains("contains several reports") && err.contains(&format!("{several}#1")),
        "{code} {err}"
    );
}

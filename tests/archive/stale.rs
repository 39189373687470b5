//! `credlens archive list --stale`: the accounts without a recent report.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{PLAIN, credlens, saved};
use crate::support::schemas::assert_document;

#[test]
fn accounts_whose_last_report_is_older() {
    let directory = saved();
    let run = |args: &[&str]| {
        credlens(
            directory.path(),
            &[&["archive", "list", "archive"], args].concat(),
        )
    };
    let other = PLAIN.replace("111122223333", "444455556666");
    fs::remove_file(directory.path().join("reports/other-2026-03-01.csv")).unwrap();
    fs::write(directory.path().join("reports/other-2026-02-20.csv"), other).unwrap();
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert_eq!(code, 0, "{err}");
    // The last report of the other account is of the second of 20 February.
    let at = |at: &str, stale: &str| {
        let (code, out, err) = run(&["--stale", stale, "--until", at, "--format", "json"]);
        assert_eq!(err, "");
        assert_document("archive-list.v1", &out);
        let list: Value = serde_json::from_str(&out).unwrap();
        let stale = list["stale_accounts"].as_array().unwrap().iter();
        let accounts: Vec<_> = stale
            .map(|it| it["account"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(list["reports"].as_array().unwrap().len(), accounts.len());
        (code, accounts)
    };
    let other = vec!["444455556666".to_owned()];
    assert_eq!(at("2026-03-02T11:59:59Z", "36h"), (1, other.clone()));
    assert_eq!(
        at("2026-02-22T11:59:59Z", "36h"),
        (1, vec!["111122223333".to_owned()])
    );
    assert_eq!(
        at("2026-02-22T12:00:00Z", "36h"),
        (1, [vec!["111122223333".to_owned()], other].concat())
    );
    assert_eq!(at("2026-03-02T11:59:59Z", "2w"), (0, Vec::new()));
    // Counted back from now, both are.
    let (code, out, _) = run(&["--stale", "1d"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("2 accounts without a report of the 1 day before 20"),
        "{out}"
    );
    let (code, out, err) = run(&["--stale", "36h", "--until", "2026-03-02T12:00:00Z"]);
    assert_eq!((code, &*err), (1, ""));
    let hash = out
        .find("T235959Z-")
        .map(|at| at + "T235959Z-".len())
        .expect("a file");
    let out = format!("{}HASH{}", &out[..hash], &out[hash + 32..]);
    insta::assert_snapshot!(out, @"
    account       name  last report              age  file
    444455556666        2026-02-20T23:59:59Z  9 days  …T235959Z-HASH.parquet

    1 account without a report of the 36 hours before 2026-03-02T12:00:00Z
    ");
    let (code, out, _) = run(&["--stale", "30d", "--at", "2026-03-02T12:00:00Z"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @"every account has a report of the 30 days before 2026-03-02T12:00:00Z");
    let (code, out, _) = run(&[]);
    assert!(code == 0 && out.contains("4 reports"), "{out}");
}

/// An account that is asked for and has no report is stale; an archive without reports is not clean.
#[test]
fn what_is_not_there_is_not_recent() {
    let directory = saved();
    let run = |args: &[&str]| {
        credlens(
            directory.path(),
            &[&["archive", "list", "archive"], args].concat(),
        )
    };
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let args = ["--stale", "36h", "--until", "2026-03-02", "--format", "json"];
    let accounts = ["--account", "000011112222", "--account", "111122223333"];
    let (code, out, err) = run(&[&args[..], &accounts].concat());
    assert_eq!(code, 1, "{err}");
    let list: Value = serde_json::from_str(&out).unwrap();
    let never = json!([{"account": "000011112222", "account_name": null, "as_of": null, "file": null}]);
    assert_eq!(list["stale_accounts"], never);
    let (_, out, _) = run(&[
        "--stale",
        "36h",
        "--until",
        "2026-03-02",
        "--account",
        "000011112222",
    ]);
    assert!(out.contains("000011112222") && out.contains("never"), "{out}");
    let (code, out, err) = run(&["--stale", "36h", "--until", "2025-01-01"]);
    assert_eq!((code, &*out), (3, ""), "{err}");
    for wrong in [
        &["--stale", "36"][..],
        &["--stale", "36h", "--since", "2026-01-01"],
    ] {
        let (code, _, err) = run(wrong);
        assert_eq!(code, 2, "{err}");
    }
    let empty = tempdir().unwrap();
    let (code, _, err) = credlens(empty.path(), &["archive", "list", ".", "--stale", "36h"]);
    assert_eq!(code, 3, "{err}");
}

/// A report dated after now does not count as a recent one.
#[test]
fn reports_of_the_future_are_left_out() {
    let directory = saved();
    fs::write(directory.path().join("reports/other-2030-01-01.csv"), PLAIN).unwrap();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let args = ["archive", "list", "archive", "--stale", "36h"];
    let (code, out, err) = credlens(directory.path(), &args);
    assert!(code == 1 && out.contains("2 accounts without"), "{out}{err}");
    assert!(
        err.contains("dated after now are left out") && err.contains("of 2030-01-01"),
        "{err}"
    );
}

/// While a file is damaged, an account may have a newer report in it.
#[test]
fn a_damaged_file_comes_before_stale_accounts() {
    let directory = saved();
    let (_, out, _) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let last = directory.path().join(out.lines().last().unwrap());
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 8]).unwrap();
    let args = ["archive", "list", "archive", "--stale", "36h"];
    let (code, out, err) = credlens(directory.path(), &args);
    assert!(
        code == 4 && out.contains("111122223333") && err.contains("damaged"),
        "{out}{err}"
    );
}

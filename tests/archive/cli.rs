//! The commands `credlens archive add`, `list`, `export` and `verify`.

use std::fs;
use std::io::Write as _;

use tempfile::tempdir;

use super::{PLAIN, copy, credlens, saved};
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
    as of                 account       name  users  added from
    2026-01-01T23:59:59Z  111122223333            3  reports/2026-01-01.csv
    2026-02-01T23:59:59Z  111122223333            3  reports/2026-02-01.csv
    2026-03-01T23:59:59Z  111122223333            3  reports/2026-03-01.csv
    2026-03-01T23:59:59Z  444455556666            3  reports/other-2026-03-01.csv

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
    assert_eq!((code, out.as_str()), (0, "3 files with 4 reports: all intact\n"));
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
      "details": 0,
      "problems": [
        {
          "path": "stray",
          "message": "not a file of the archive: credlens did not write it; move it away"
        }
      ],
      "notes": []
    }
    "#);
}

/// A scan of an archive finds what a scan of its reports finds, each as of its own instant.
#[test]
fn archived_reports_give_the_same_findings() {
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
                finding["source"]["path"] = serde_json::Value::Null;
                finding.to_string()
            })
            .collect();
        findings.sort();
        findings
    };
    let (saved, archived) = (findings("reports"), findings("archive"));
    assert!(saved.len() > 50);
    assert!(saved == archived, "an archived report gives other findings");
    let trend = |input: &str| run(&["trend", input, "--format", "json"]).1;
    let without_paths = |json: String| {
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["diagnostics"] = serde_json::Value::Null;
        json
    };
    assert_eq!(without_paths(trend("reports")), without_paths(trend("archive")));
}

/// One report of a file that has several is an input of its own.
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
    assert!(err.contains("numbered from 1 to 2"), "{err}");
}

#[test]
fn what_is_not_an_archive_is_an_error() {
    let directory = tempdir().unwrap();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (code, _, err) = run(&["archive", "list", "nowhere"]);
    assert_eq!(code, 3);
    assert!(err.contains("archive add"), "{err}");
    fs::write(
        directory.path().join("x.parquet"),
        "PAR1 and nothing that Parquet would be PAR1",
    )
    .unwrap();
    let (code, _, err) = run(&["scan", "x.parquet"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("x.parquet"), "{err}");
    // The content decides, not the name.
    fs::write(directory.path().join("y.parquet"), PLAIN).unwrap();
    let (code, _, err) = run(&["scan", "y.parquet", "--as-of", "2026-01-01"]);
    assert_eq!(code, 1, "{err}");
    let (code, _, err) = run(&["archive", "add", "archive", "y.parquet"]);
    assert_eq!(code, 3);
    assert!(err.contains("--as-of"), "{err}");
}

/// Two reports of one account and instant are exported under two names. A report that two writers added is evaluated once.
#[test]
fn contradictory_and_duplicate_reports() {
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
    assert!(code == 0 && err.contains("at most one is right"), "{err}");
    let (code, out, err) = run(&["archive", "export", "archive", "--output", "out/"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{err}");
    // As on S3, where there is no lock.
    run(&["archive", "add", "second", "a-2026-01-01.csv"]);
    copy(
        &directory.path().join("second"),
        &directory.path().join("archive"),
    );
    let inputs = |args: &[&str]| {
        let (_, out, _) = run(&[&["scan", "--format", "json"], args].concat());
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        json["inputs"].as_array().unwrap().len()
    };
    assert_eq!(inputs(&["archive"]), 2);
    assert_eq!(
        inputs(&["archive", "second"]),
        3,
        "a report is read once per archive"
    );
}

/// No output replaces an archived file, and no CSV is exported into an archive.
#[test]
fn outputs_do_not_change_an_archive() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let (_, out, _) = run(&["archive", "add", "archive", "reports"]);
    let (file, several) = (out.lines().next().unwrap(), out.lines().last().unwrap());
    let one = format!("{several}#2");
    for (args, output) in [
        (&["scan", "archive"][..], file),
        (&["scan", &one], several),
        (&["trend", "archive"], file),
        (
            &["diff", "--archive", "archive", "2026-01-01", "2026-02-01"],
            several,
        ),
    ] {
        let (code, _, err) = run(&[args, &[&format!("--format=json={output}")]].concat());
        assert!(code == 2 && err.contains("is an input"), "{args:?}: {code} {err}");
    }
    for output in [
        "archive",
        "archive/",
        "archive/new/",
        "archive/snapshot_date=2026-01-01/x.csv",
    ] {
        let (code, out, err) = run(&["archive", "export", "archive", "--at", "2026-01-01", "-o", output]);
        assert!(
            code == 2 && out.is_empty() && err.contains("is an archive"),
            "{output}: {out}{err}"
        );
    }
    #[cfg(feature = "aws")]
    for args in [
        &["fetch", "--output", "archive"][..],
        &["fetch", "--archive", "archive", "--org", "--outcomes", file],
    ] {
        let (code, _, err) = run(args);
        assert!(code == 2 && err.contains("archive"), "{args:?}: {code} {err}");
    }
    let (code, out, _) = run(&["archive", "verify", "archive"]);
    assert_eq!((code, &*out), (0, "3 files with 4 reports: all intact\n"));
}

/// Reading a pipe a second time would wait forever.
#[cfg(unix)]
#[test]
fn pipes_are_read_once_or_refused() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let pipe = |name: &str| {
        let path = directory.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        std::thread::spawn(move || {
            let mut writer = fs::File::options().write(true).open(&path).unwrap();
            writer.write_all(PLAIN.as_bytes()).unwrap();
            drop(writer);
            // A second read fails, rather than waiting forever.
            fs::remove_file(&path).unwrap();
            fs::write(&path, "read twice").unwrap();
        })
    };
    let writer = pipe("2025-12-01.csv");
    let (code, out, err) = run(&["archive", "add", "archive", "2025-12-01.csv", "reports"]);
    assert_eq!((code, out.lines().count()), (0, 4), "{out}{err}");
    writer.join().unwrap();
    let (code, out, _) = run(&["archive", "export", "archive", "--at", "2025-12-31", "-o", "-"]);
    assert_eq!((code, out.as_str()), (0, PLAIN));
    let path = directory.path().join("2025-12-02.csv");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .unwrap()
            .success()
    );
    let (code, _, err) = run(&["trend", "reports", "2025-12-02.csv"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("2025-12-02.csv, a named pipe, cannot be read twice; save it"),
        "{err}"
    );
}

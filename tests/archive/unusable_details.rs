//! Details in an archive that are damaged, hostile, or of another report: they are found, and never used.

use std::fs;
use std::path::Path;

use super::details::{REPORT, archived, details, path_in, scan, without_details};
use super::{credlens, files};
use crate::support::schemas::assert_document;

#[test]
fn unusable_details_are_found_and_never_used() {
    let huge = "h".repeat(64);
    let nested = format!(r#"{{"schema":{}"#, "[".repeat(100_000));
    let cases: [(&[u8], &str); 6] = [
        (b"", "not valid details"),
        (b"\xff\0\x1b]0;x\x07", "not valid details"),
        (nested.as_bytes(), "not valid details"),
        (
            br#"{"schema":"credlens.details/v2"}"#,
            "its schema is 'credlens.details/v2'",
        ),
        (
            br#"{"schema":"credlens.details/v1","users":{"alice":7}}"#,
            "not valid details",
        ),
        (huge.as_bytes(), "not valid details"),
    ];
    let other = details("another report", "ACCAEXAMPLE");
    let cases = cases
        .into_iter()
        .chain([(other.as_bytes(), "it was fetched with another report")]);
    let directory = archived();
    let path = path_in(&directory.path().join("archive"), REPORT);
    for (json, why) in cases {
        fs::write(&path, json).unwrap();
        assert_unusable(directory.path(), why);
    }
    let large = fs::File::create(&path).unwrap();
    large.set_len((256 << 20) + 1).unwrap();
    assert_unusable(directory.path(), "it is too large");
}

/// Every command over the archive says why the details of the report of May are not used, and works otherwise.
fn assert_unusable(directory: &Path, why: &str) {
    let (findings, err) = scan(directory, &["archive", "--all-snapshots", "-v"]);
    assert_eq!(findings, [without_details(), without_details()].concat());
    let unused = format!(".json is not used: {why}");
    assert!(
        err.contains("archive/_details/") && err.contains(&unused),
        "{err}"
    );
    assert_eq!(err.matches("is not used").count(), 1, "{err}");
    let (code, out, _) = credlens(directory, &["archive", "verify", "archive"]);
    assert_eq!(code, 1, "{out}");
    let problem = format!("it is not used: {why}");
    assert!(
        out.starts_with("problem: _details/") && out.contains(&problem),
        "{out}"
    );
    assert!(out.ends_with("2 files, 2 intact reports, 1 problem\n"), "{out}");
    let (code, _, err) = credlens(directory, &["archive", "export", "archive", "--output", "out/"]);
    assert!(code == 4 && err.contains(&unused), "{code} {err}");
    assert_eq!(fs::read_dir(directory.join("out")).unwrap().count(), 2);
    // Reports that are compared have no details.
    let (code, _, err) = credlens(directory, &["trend", "archive"]);
    assert!(code == 0 && !err.contains("details"), "{code} {err}");
    let compare = ["diff", "--archive", "archive", "2026-05-02", "2026-06-02"];
    let (code, _, err) = credlens(directory, &compare);
    assert!(code == 0 && !err.contains("details"), "{code} {err}");
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_not_waited_for() {
    let directory = archived();
    let path = path_in(&directory.path().join("archive"), REPORT);
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let file = files(&directory.path().join("archive"));
    let may = file.iter().find(|path| path.contains("=2026-05")).unwrap();
    for input in ["archive", &format!("archive/{may}")] {
        let (findings, err) = scan(directory.path(), &[input, "--all-snapshots", "-v"]);
        assert!(findings.contains(&without_details()[0]), "{findings:?}");
        assert!(
            err.contains("is not used: it is a named pipe, not a file"),
            "{err}"
        );
    }
    let (code, out, _) = credlens(directory.path(), &["archive", "verify", "archive"]);
    assert!(code == 1 && out.contains("a named pipe"), "{out}");
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert!(
        code == 5 && err.contains("a named pipe is in the way"),
        "{code} {err}"
    );
}

#[test]
fn verify_notes_details_without_their_report() {
    let directory = archived();
    let archive = directory.path().join("archive");
    let other = "another report";
    fs::write(path_in(&archive, other), details(other, "ACCAEXAMPLE")).unwrap();
    let (code, out, _) = credlens(
        directory.path(),
        &["archive", "verify", "archive", "--format", "json"],
    );
    assert_eq!(code, 0);
    assert_document("archive-verify.v1", &out);
    insta::assert_snapshot!(out, @r#"
    {
      "schema": "credlens.archive-verify/v1",
      "files": 2,
      "reports": 2,
      "details": 2,
      "problems": [],
      "notes": [
        {
          "path": "_details/3e468cbc19374e893c2af927cbf69517b94e1c49bd39c71e103c30ef26c529d7.json",
          "message": "details of a report that is not in a readable file of the archive; they are not used until it is added, and may be deleted"
        }
      ]
    }
    "#);
    // A name that details cannot have.
    fs::write(archive.join("_details/x.json"), "{}").unwrap();
    let (code, out, _) = credlens(directory.path(), &["archive", "verify", "archive"]);
    assert!(
        code == 1 && out.contains("problem: _details/x.json: not a file of the archive"),
        "{out}"
    );
}

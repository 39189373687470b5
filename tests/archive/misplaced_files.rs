//! Files of an archive under another name or in another directory: every command counts their reports, as a scan does,
//! and says so. Directories that are not an archive.

use std::fs;
use std::path::Path;

use super::{credlens, files, saved};

/// The reports that a command knows of.
fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn a_misplaced_file_counts_for_every_command() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports"]);
    let archive = directory.path().join("archive");
    let january = files(&archive).remove(0);
    assert!(january.contains("2026-01-01"));
    let day = "snapshot_date=2026-01-02";
    fs::rename(archive.join("snapshot_date=2026-01-01"), archive.join(day)).unwrap();
    let moved = files(&archive).remove(0);
    fs::write(archive.join("notes.txt"), "mine").unwrap();
    let warnings = format!(
        "warning: renamed or misplaced files of archive, which are read nevertheless: {moved}; `credlens archive \
         verify` says what their names should be\n\
         warning: files in archive that are not of the archive, and are left out: notes.txt; move them away\n"
    );
    let (code, out, err) = run(&["archive", "list", "archive"]);
    assert_eq!((code, &*err), (0, &*warnings));
    assert!(out.contains("4 reports, 12 rows"), "{out}");
    let (code, out, err) = run(&["archive", "export", "archive", "--output", "out/"]);
    assert_eq!((code, out.lines().count(), &*err), (0, 4, &*warnings));
    let days = ["2026-01-01", "2026-02-01"];
    let (code, _, err) = run(&["diff", "--archive", "archive", days[0], days[1]]);
    assert_eq!((code, &*err), (0, &*warnings));
    let (_, out, _) = run(&["scan", "archive", "--all-snapshots", "--format", "json"]);
    assert_eq!(count(&out, "\"kind\":\"archive\""), 4, "{out}");
    let (code, out, err) = run(&["archive", "verify", "archive"]);
    assert_eq!(code, 1, "{err}");
    assert_eq!(
        out,
        format!(
            "problem: notes.txt: not a file of the archive: credlens did not write it; move it away\n\
             problem: {moved}: renamed or misplaced: its name should be {january}; rename it\n\
             3 files, 4 intact reports, 2 problems\n"
        )
    );
    // What it says can be done.
    fs::create_dir(archive.join("snapshot_date=2026-01-01")).unwrap();
    fs::rename(archive.join(moved), archive.join(january)).unwrap();
    fs::remove_file(archive.join("notes.txt")).unwrap();
    let (code, out, err) = run(&["archive", "verify", "archive"]);
    assert_eq!(
        (code, &*out, &*err),
        (0, "3 files with 4 reports: all intact\n", "")
    );
}

/// A damaged file is named once, whatever its name.
#[test]
fn a_damaged_file_is_named_once() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports/2026-01-01.csv"]);
    let archive = directory.path().join("archive");
    let name = files(&archive).remove(0);
    let mut bytes = fs::read(archive.join(&name)).unwrap();
    bytes[100] ^= 1;
    fs::write(archive.join(&name), &bytes).unwrap();
    fs::write(archive.join("other.parquet"), &bytes).unwrap();
    for at in ["archive", "archive/"] {
        let (code, out, _) = run(&["archive", "verify", at]);
        assert_eq!(code, 1);
        assert_eq!(
            (count(&out, &name), count(&out, "other.parquet")),
            (1, 1),
            "{out}"
        );
        assert!(
            out.contains(": it is damaged: its bytes do not match the hash in its name; ")
                && out.contains(": it is damaged or cut off; "),
            "{out}"
        );
        let (code, _, err) = run(&["archive", "export", at, "-o", "out/"]);
        assert_eq!(code, 4, "{err}");
        assert_eq!(
            count(&err, &format!("error: archive/{name} is damaged: ")),
            1,
            "{err}"
        );
    }
}

/// An archive whose files are gone is empty; a directory that never was one is none.
#[test]
fn neither_is_an_archive_without_reports() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let all: [&[&str]; 4] = [
        &["list"],
        &["verify"],
        &["export", "-o", "out/"],
        &["list", "--format=json"],
    ];
    let each = |archive: &str| {
        all.map(|args| {
            let (code, out, err) = run(&[&["archive"], args, &[archive]].concat());
            (code, out + &err)
        })
    };
    fs::create_dir(directory.path().join("empty")).unwrap();
    for place in ["reports", "empty"] {
        let error = format!(
            "error: {place} is not an archive: no file in it was archived; `credlens archive add` adds reports to one\n"
        );
        for found in each(place) {
            assert_eq!(found, (3, error.clone()));
        }
        let (code, out, err) = run(&["diff", "--archive", place, "2026-01-01", "2026-02-01"]);
        assert_eq!((code, out + &err), (3, error));
    }
    run(&["archive", "add", "archive", "reports"]);
    for file in files(&directory.path().join("archive")) {
        fs::remove_file(directory.path().join("archive").join(file)).unwrap();
    }
    let [list, verify, export, json] = each("archive");
    assert_eq!(list, (0, "archive has no archived report\n".to_owned()));
    let error = (3, "error: archive has no archived report\n".to_owned());
    assert_eq!(verify, (0, "archive has no archived report\n".to_owned()));
    assert_eq!(export, error);
    assert!(json.0 == 0 && json.1.contains("\"reports\": []"), "{json:?}");
    assert!(!Path::new("out").exists());
}

//! Details of archived reports: key ids, tags and service-specific credentials in files of their own.

use std::fs;
use std::path::{Path, PathBuf};

use credlens::finding::digest::sha256;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::{credlens, files};
use crate::support::schemas::assert_document;

pub(crate) const REPORT: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
    access_key_2_active,access_key_2_last_rotated\n\
    <root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,false,true,false,N/A,false,N/A\n\
    alice,arn:aws:iam::111122223333:user/alice,2019-01-01T00:00:00Z,false,true,true,2019-01-01T00:00:00Z,false,N/A\n";

pub(crate) const RULES: [&str; 6] = [
    "--rule",
    "service-credential-*",
    "--rule",
    "access-key-not-rotated",
    "--format",
    "ndjson",
];

/// Details of a report, with a credential of this id.
pub(crate) fn details(report: &str, credential: &str) -> String {
    let credential = json!({
        "id": credential, "service": "bedrock.amazonaws.com", "active": true,
        "created": "2026-01-01T00:00:00Z", "expires": null,
    });
    let details = json!({
        "schema": "credlens.details/v1",
        "account": "111122223333",
        "generated": null,
        "report_sha256": sha256(report.as_bytes()),
        "service_credentials_listed": true,
        "users": {
            "alice": {
                "access_key_ids": ["AKIAIOSFODNN7EXAMPLE", null],
                "tags": {"owner": "data team"},
                "service_credentials": [credential],
            },
        },
    });
    let details: credlens::report::details::Details = serde_json::from_value(details).unwrap();
    details.to_json()
}

/// Where an archive has the details of a report.
pub(super) fn path_in(archive: &Path, report: &str) -> PathBuf {
    archive
        .join("_details")
        .join(format!("{}.json", sha256(report.as_bytes())))
}

/// A report of May with details, and one of June without.
pub(super) fn saved() -> TempDir {
    let directory = tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    write("reports/r-2026-05-01.csv", REPORT);
    write(
        "reports/r-2026-05-01.details.json",
        &details(REPORT, "ACCAEXAMPLEMAY"),
    );
    write("reports/r-2026-06-01.csv", &june());
    directory
}

fn june() -> String {
    REPORT.replace("alice", "anna")
}

/// The same in an archive.
pub(super) fn archived() -> TempDir {
    let directory = saved();
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert_eq!(
        (code, &*err),
        (0, "2 reports with 4 users added, details of 1 report added\n")
    );
    directory
}

/// The findings of a scan: rule, key id, id of the service-specific credential; and what it prints on standard error.
pub(super) fn scan(directory: &Path, arguments: &[&str]) -> (Vec<[String; 3]>, String) {
    let (code, out, err) = credlens(directory, &[&["scan"], arguments, &RULES].concat());
    assert!(matches!(code, 1), "{code} {err}");
    let finding = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        [
            text(&finding["rule"]),
            text(&finding["access_key_id"]),
            text(&finding["evidence"]["service_credential_id"]),
        ]
    };
    let mut findings: Vec<_> = out.lines().map(finding).collect();
    findings.sort();
    (findings, err)
}

/// What a scan of a report finds whose details have this credential.
pub(super) fn found(credential: &str) -> Vec<[String; 3]> {
    [
        ["access-key-not-rotated", "AKIAIOSFODNN7EXAMPLE", "-"],
        ["service-credential-never-expires", "-", credential],
        ["service-credential-not-rotated", "-", credential],
    ]
    .map(|finding| finding.map(str::to_owned))
    .into()
}

pub(super) fn without_details() -> Vec<[String; 3]> {
    vec![["access-key-not-rotated", "-", "-"].map(str::to_owned)]
}

fn details_of_list(directory: &Path) -> Vec<bool> {
    let (code, out, err) = credlens(directory, &["archive", "list", "archive", "--format", "json"]);
    assert_eq!((code, &*err), (0, ""));
    assert_document("archive-list.v1", &out);
    let list: Value = serde_json::from_str(&out).unwrap();
    let reports = list["reports"].as_array().unwrap().iter();
    reports
        .map(|report| report["details"].as_bool().unwrap())
        .collect()
}

#[test]
fn details_go_through_an_archive_unchanged() {
    let directory = archived();
    let at = |path: &str| directory.path().join(path);
    let may = details(REPORT, "ACCAEXAMPLEMAY");
    let path = path_in(&at("archive"), REPORT);
    assert_eq!(fs::read_to_string(&path).unwrap(), may);
    assert_eq!(details_of_list(directory.path()), [true, false]);
    let (code, out, _) = credlens(directory.path(), &["archive", "verify", "archive"]);
    assert_eq!(
        (code, &*out),
        (0, "2 files with 2 reports, details of 1: all intact\n")
    );
    assert_eq!(
        scan(directory.path(), &["archive", "--all-snapshots", "-q"]).0,
        [without_details(), found("ACCAEXAMPLEMAY")].concat()
    );
    let (code, out, _) = credlens(
        directory.path(),
        &["archive", "export", "archive", "--output", "out/"],
    );
    assert_eq!((code, out.lines().count()), (0, 2), "the paths of reports: {out}");
    let exported = at("out/111122223333_20260501T235959Z.details.json");
    assert_eq!(fs::read_to_string(&exported).unwrap(), may);
    assert_eq!(fs::read_dir(at("out")).unwrap().count(), 3);
    let (findings, _) = scan(directory.path(), &["out/111122223333_20260501T235959Z.csv"]);
    assert_eq!(findings, found("ACCAEXAMPLEMAY"));
    let export = [
        "archive",
        "export",
        "archive",
        "--until",
        "2026-05-02",
        "--output",
    ];
    let (code, out, _) = credlens(directory.path(), &[&export[..], &["-"]].concat());
    assert_eq!((code, &*out), (0, REPORT));
    // Again, where nothing has to be written; and where other details are in the way.
    let (code, _, err) = credlens(directory.path(), &[&export[..], &["out/"]].concat());
    assert_eq!(code, 0, "{err}");
    fs::write(&exported, "mine").unwrap();
    let (code, _, err) = credlens(directory.path(), &[&export[..], &["out/"]].concat());
    assert_eq!(code, 5, "{err}");
    assert!(
        err.contains("details.json: a file with other content is in the way"),
        "{err}"
    );
    assert_eq!(fs::read(&exported).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_details() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = archived();
    let output = [
        "archive",
        "export",
        "archive",
        "--until",
        "2026-05-02",
        "--output",
        "r.csv",
    ];
    assert_eq!(credlens(directory.path(), &output).0, 0);
    for path in [
        path_in(&directory.path().join("archive"), REPORT),
        directory.path().join("r.details.json"),
    ] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn each_snapshot_has_its_own_details() {
    let directory = saved();
    fs::write(
        directory.path().join("reports/r-2026-06-01.details.json"),
        details(&june(), "ACCAEXAMPLEJUNE").replace("alice", "anna"),
    )
    .unwrap();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert_eq!(details_of_list(directory.path()), [true, true]);
    // The newest one.
    assert_eq!(
        scan(directory.path(), &["archive", "-q"]).0,
        found("ACCAEXAMPLEJUNE")
    );
    let (mut all, _) = scan(directory.path(), &["archive", "--all-snapshots", "-q"]);
    let mut expected = [found("ACCAEXAMPLEJUNE"), found("ACCAEXAMPLEMAY")].concat();
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn a_file_of_an_archive_that_is_named_has_its_details() {
    let directory = saved();
    // Two reports in one file.
    let other = REPORT.replace("111122223333", "444455556666");
    fs::write(directory.path().join("reports/a-2026-05-01.csv"), other).unwrap();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let archive = directory.path().join("archive");
    let file = files(&archive)
        .into_iter()
        .find(|path| path.contains("=2026-05"))
        .unwrap();
    let (day, name) = file.split_once('/').unwrap();
    let (both, numbered) = (format!("archive/{file}"), format!("archive/{file}#2"));
    assert_eq!(
        scan(directory.path(), &[&both, "-q"]).0,
        [without_details(), found("ACCAEXAMPLEMAY")].concat()
    );
    assert_eq!(scan(directory.path(), &[&numbered]).0, found("ACCAEXAMPLEMAY"));
    let in_day = scan(&archive.join(day), &[&format!("{name}#2")]);
    assert_eq!(in_day.0, found("ACCAEXAMPLEMAY"));
    // Moved within the archive, its details are those that the search found.
    fs::rename(archive.join(&file), archive.join("moved.parquet")).unwrap();
    assert_eq!(
        scan(directory.path(), &["archive", "--all-snapshots", "-q"]).0,
        [without_details(), without_details(), found("ACCAEXAMPLEMAY")].concat()
    );
}

#[test]
fn what_was_added_first_is_kept() {
    let directory = archived();
    let beside = directory.path().join("reports/r-2026-05-01.details.json");
    let path = path_in(&directory.path().join("archive"), REPORT);
    let add = ["archive", "add", "archive", "reports"];
    let there = "0 reports with 0 users added, 2 were there already\n";
    assert_eq!(
        credlens(directory.path(), &add),
        (0, String::new(), there.to_owned())
    );
    fs::write(&beside, details(REPORT, "ACCAEXAMPLELATER")).unwrap();
    let (code, _, err) = credlens(directory.path(), &add);
    assert_eq!(code, 0, "{err}");
    let kept = "warning: reports/r-2026-05-01.csv: the archive has other details of this report, which were added first and are \
                kept\n";
    assert_eq!(err, format!("{kept}{there}"));
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        details(REPORT, "ACCAEXAMPLEMAY")
    );
    // A report that is there gets the details that it lacks, as after a run that ended between the two.
    fs::remove_file(&path).unwrap();
    let (code, _, err) = credlens(directory.path(), &add);
    assert_eq!(code, 0);
    assert_eq!(
        err,
        "0 reports with 0 users added, details of 1 report added, 2 were there already\n"
    );
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        details(REPORT, "ACCAEXAMPLELATER")
    );
}

#[test]
fn details_that_are_not_of_the_report_are_not_added() {
    let directory = tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("r-2026-05-01.csv", REPORT);
    // The archive has the CSV without its byte order mark.
    let marked = format!("\u{feff}{REPORT}");
    write("s-2026-06-01.csv", &marked);
    write("s-2026-06-01.details.json", &details(&marked, "ACCAEXAMPLE"));
    for (text, why) in [
        (
            details("other", "ACCAEXAMPLE"),
            "it was fetched with another report",
        ),
        ("{".to_owned(), "not valid details"),
        (
            r#"{"schema":"credlens.details/v9"}"#.to_owned(),
            "its schema is 'credlens.details/v9'",
        ),
    ] {
        write("r-2026-05-01.details.json", &text);
        let add = [
            "archive",
            "add",
            "archive",
            "r-2026-05-01.csv",
            "s-2026-06-01.csv",
        ];
        let (code, _, err) = credlens(directory.path(), &add);
        assert_eq!(code, 0, "{err}");
        let unused = format!("warning: r-2026-05-01.csv: r-2026-05-01.details.json is not used: {why}");
        assert!(err.contains(&unused), "{err}");
        let marked =
            "s-2026-06-01.csv: its details were not added, because they were fetched with another report";
        assert!(err.contains(marked), "{err}");
        assert!(!directory.path().join("archive/_details").exists());
        fs::remove_dir_all(directory.path().join("archive")).unwrap();
    }
}

#[test]
fn an_archive_is_added_to_another_with_its_details() {
    let directory = archived();
    let archive = directory.path().join("archive");
    // Files that were renamed have their details, too.
    let file = files(&archive)
        .into_iter()
        .find(|path| path.contains("=2026-05"))
        .unwrap();
    fs::rename(archive.join(file), archive.join("z.parquet")).unwrap();
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "copy", "archive"]);
    assert_eq!(
        (code, &*err),
        (0, "2 reports with 4 users added, details of 1 report added\n")
    );
    let copied = path_in(&directory.path().join("copy"), REPORT);
    assert_eq!(
        fs::read_to_string(copied).unwrap(),
        details(REPORT, "ACCAEXAMPLEMAY")
    );
}

#[test]
fn no_details_are_left_of_a_report_that_is_not_added() {
    let directory = tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    // Without a date.
    write("report.csv", REPORT);
    write("report.details.json", &details(REPORT, "ACCAEXAMPLE"));
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "archive", "report.csv"]);
    assert_eq!(code, 3, "{err}");
    assert!(!directory.path().join("archive").exists());
}

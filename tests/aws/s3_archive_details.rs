//! Details of reports in an archive in S3, against the stub of S3 that stores objects.

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use credlens::finding::digest::sha256;

use super::s3_store::S3Store;
use crate::archive::details::{REPORT, RULES, details};

const ARCHIVE: &str = "s3://audit/keep";

fn run(store: &S3Store, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(folder)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE")
        .env("HOME", folder)
        .args(arguments)
        .args(["--region", "us-east-1", "--endpoint-url", &store.url])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn key() -> String {
    format!("keep/_details/{}.json", sha256(REPORT.as_bytes()))
}

/// An archive with a report of May, which has details, and reports of nine other days without.
fn archived(store: &S3Store) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("r-2026-05-01.csv", REPORT);
    write("r-2026-05-01.details.json", &details(REPORT, "ACCAEXAMPLEMAY"));
    let mut arguments = ["archive", "add", ARCHIVE, "r-2026-05-01.csv"]
        .map(str::to_owned)
        .to_vec();
    for day in 2..11 {
        let name = format!("r-2026-04-{day:02}.csv");
        write(&name, &REPORT.replace("alice", &format!("user-{day}")));
        arguments.push(name);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (exit, _, err) = run(store, folder.path(), &arguments);
    assert_eq!(
        (exit, &*err),
        (0, "10 reports with 20 users added, details of 1 report added\n")
    );
    folder
}

#[test]
fn details_go_through_an_archive_in_s3() {
    let store = S3Store::start(Duration::ZERO);
    let folder = archived(&store);
    let may = details(REPORT, "ACCAEXAMPLEMAY");
    assert_eq!(store.objects.lock().unwrap()[&key()], may.as_bytes());
    let (exit, out, err) = run(&store, folder.path(), &["archive", "verify", ARCHIVE]);
    assert_eq!(exit, 0, "{err}");
    assert_eq!(out, "10 files with 10 reports, details of 1: all intact\n");
    let list = ["archive", "list", ARCHIVE, "--format", "json"];
    let (_, out, _) = run(&store, folder.path(), &list);
    assert_eq!(out.matches("\"details\": true").count(), 1, "{out}");
    assert_eq!(out.matches("\"details\": false").count(), 9, "{out}");
    let export = ["archive", "export", ARCHIVE, "--output", "out/"];
    assert_eq!(run(&store, folder.path(), &export).0, 0);
    let exported = folder
        .path()
        .join("out/111122223333_20260501T235959Z.details.json");
    assert_eq!(std::fs::read_to_string(exported).unwrap(), may);
    // Those that were added first are kept.
    let beside = folder.path().join("r-2026-05-01.details.json");
    std::fs::write(beside, details(REPORT, "ACCAEXAMPLELATER")).unwrap();
    let add = ["archive", "add", ARCHIVE, "r-2026-05-01.csv"];
    let (exit, _, err) = run(&store, folder.path(), &add);
    assert!(
        exit == 0 && err.contains("the archive has other details of this report"),
        "{exit} {err}"
    );
    assert_eq!(store.objects.lock().unwrap()[&key()], may.as_bytes());
}

#[test]
fn details_are_read_once_and_only_where_there_are_some() {
    let store = S3Store::start(Duration::ZERO);
    let folder = archived(&store);
    let scan = [&["scan", ARCHIVE, "--all-snapshots"][..], &RULES].concat();
    let newest = [&["scan", ARCHIVE][..], &RULES].concat();
    // To choose the newest snapshots, files are read more than once, but not details.
    for (arguments, files) in [(&scan, Some(10)), (&newest, None)] {
        store.requests();
        let (exit, out, err) = run(&store, folder.path(), arguments);
        assert_eq!(exit, 1, "{err}");
        assert!(
            out.contains("ACCAEXAMPLEMAY") && out.contains("AKIAIOSFODNN7EXAMPLE"),
            "{out}{err}"
        );
        let requests = store.requests();
        let of = |part: &str| requests.iter().filter(|request| request.contains(part)).count();
        assert_eq!(of("_details/"), 1, "{requests:#?}");
        // What is read ahead stays so, and is not asked for again.
        let count = of(".parquet");
        assert!(files.is_none_or(|files| files == count), "{count} {requests:#?}");
    }
    store.refuse("GET /audit/keep/_details", "AccessDenied");
    let (exit, out, err) = run(&store, folder.path(), &[&scan[..], &["-v"]].concat());
    assert!(exit == 1 && !out.contains("ACCAEXAMPLEMAY"), "{exit} {out}");
    assert!(
        err.contains(&format!("s3://audit/{} is not used", key())),
        "{err}"
    );
    store.objects.lock().unwrap().remove(&key());
    store.requests();
    assert_eq!(run(&store, folder.path(), &scan).0, 1);
    let requests = store.requests();
    assert!(
        !requests.iter().any(|request| request.contains("_details")),
        "{requests:#?}"
    );
}

//! An archive in S3, against the S3 server stub.

use assert_cmd::Command;

use super::report;
use super::s3_server::{Bucket, answer, fails, listed, script};

/// A damaged object is not mistaken for the report that is added.
#[test]
fn damaged_objects_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    for day in ["2026-11-20", "2026-11-21"] {
        std::fs::write(folder.path().join(format!("{day}.csv")), report("111122223333")).unwrap();
    }
    let add = ["archive", "add"];
    let inputs = ["2026-11-20.csv", "2026-11-21.csv"];
    let local = Command::cargo_bin("credlens").unwrap();
    let local = { local }
        .current_dir(folder.path())
        .args(add)
        .arg("local")
        .args(inputs)
        .output();
    let local = String::from_utf8(local.unwrap().stdout).unwrap();
    // The name is derived from the bytes, so it is the same in S3.
    let file = local.lines().next().unwrap().strip_prefix("local/").unwrap();
    let key: &'static str = Box::leak(format!("keep/{file}").into_boxed_str());
    let bucket = Bucket::start(script(&[
        (
            "prefix=keep%2Fsnapshot_date%3D2026-11-20",
            &[listed(&[key], None)],
        ),
        ("list-type=2", &[listed(&[], None)]),
        (
            "GET /audit/keep/snapshot_date%3D2026-11-20",
            &[answer(200, "rotten")],
        ),
        (
            "PUT /audit/keep/snapshot_date%3D2026-11-20",
            &[fails(412, "PreconditionFailed")],
        ),
        ("PUT /audit/keep/snapshot_date%3D2026-11-21", &[answer(200, "")]),
    ]));
    let (exit, out, err) =
        bucket.credlens(folder.path(), &[&add[..], &["s3://audit/keep"], &inputs].concat());
    assert_eq!(
        (exit, out.lines().count()),
        (4, 1),
        "{out}{err}{:#?}",
        bucket.requests()
    );
    let err = err.replace(key, "KEY");
    insta::assert_snapshot!(err, @r"
    error: 2026-11-20.csv: not added: the bytes of s3://audit/KEY do not match the hash in its name, and objects are not replaced; delete it, then add this report again
    warning: s3://audit/KEY is damaged: its bytes do not match the hash in its name; restore it from a backup, or add its reports again and delete it if this error stays
    1 report with 3 users added, 1 not added
    ");
}

/// The inputs of `archive add` are those of `scan`, objects among them.
#[test]
fn reports_in_s3_are_added() {
    let bucket = Bucket::start(script(&[
        (
            "list-type=2",
            &[listed(&["d/2026-11-21.csv", "d/2026-11-20.csv"], None)],
        ),
        ("/audit/d/2026-11-21.csv", &[answer(200, &report("111111111111"))]),
        ("/audit/d/2026-11-20.csv", &[answer(200, &report("111111111111"))]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let (exit, out, err) = bucket.credlens(folder.path(), &["archive", "add", "archive", "s3://audit/d/"]);
    assert_eq!((exit, out.lines().count()), (0, 2), "{err}");
    assert_eq!(err, "2 reports with 6 users added\n");
    let list = Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(folder.path())
        .args(["archive", "list", "archive", "--format", "json"])
        .output();
    let list = String::from_utf8(list.unwrap().stdout).unwrap();
    for day in ["2026-11-20", "2026-11-21"] {
        assert!(list.contains(&format!("s3://audit/d/{day}.csv")), "{list}");
    }
}

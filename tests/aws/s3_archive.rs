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
        ("prefix=keep%2Fsnapshot_date%3D2026-11", &[listed(&[key], None)]),
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

/// What is not there has one status, on the file system and in S3, whatever reads it.
#[test]
fn an_archive_that_is_not_there_exits_with_3() {
    let bucket = Bucket::start(script(&[
        ("GET /audit/?list-type=2", &[listed(&[], None)]),
        ("GET /none/?list-type=2", &[fails(404, "NoSuchBucket")]),
        ("GET /locked/?list-type=2", &[fails(403, "AccessDenied")]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for at in [
        "missing",
        "file",
        "s3://audit/typo",
        "s3://none/x",
        "s3://locked/x",
    ] {
        for arguments in [
            &["archive", "list", at][..],
            &["archive", "verify", at],
            &["archive", "export", at, "--output", "out/"],
            &["diff", "--archive", at, "2026-11-20", "2026-11-21"],
            &["scan", at],
            &["trend", at],
            &["archive", "add", "archive", at],
        ] {
            let in_s3 = at.starts_with("s3://");
            let (exit, err) = if in_s3 {
                let (exit, _, err) = bucket.credlens(folder.path(), arguments);
                (exit, err)
            } else {
                let mut command = Command::cargo_bin("credlens").unwrap();
                let output = command.current_dir(folder.path()).args(arguments).output();
                let output = output.unwrap();
                (
                    output.status.code().unwrap(),
                    String::from_utf8(output.stderr).unwrap(),
                )
            };
            assert_eq!(exit, 3, "{arguments:?}: {err}");
        }
    }
}

/// The timeout limits every command on S3, and a message says what the run waits for.
#[test]
fn waiting_for_s3_is_announced_and_limited() {
    // Connections are made, and nothing is answered.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("credlens").unwrap();
        let output = command
            .current_dir(folder.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE")
            .env("HOME", folder.path())
            .args(arguments)
            .args(["--endpoint-url", &url])
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), err)
    };
    let (exit, err) = run(&["archive", "list", "s3://audit/keep", "--timeout", "5s"]);
    assert_eq!(exit, 3, "{err}");
    insta::assert_snapshot!(err, @"
    waiting for s3:ListBucket of s3://audit/keep/, for at most 5 seconds (--timeout)
    error: cannot list the archive s3://audit/keep: AWS could not be reached for s3:ListBucket: no answer in time; check the network, --region and --endpoint-url
    ");
    let (exit, err) = run(&["scan", "s3://audit/a.csv", "--timeout", "4s"]);
    assert_eq!(exit, 3, "{err}");
    let waiting = "waiting for s3:GetObject of s3://audit/a.csv, for at most 4 seconds (--timeout)\n";
    assert!(err.starts_with(waiting), "{err}");
    let (exit, err) = run(&["scan", "s3://audit/a.csv", "--timeout", "4s", "--quiet"]);
    assert_eq!((exit, err.contains("waiting")), (3, false), "{err}");
    let (exit, err) = run(&["trend", "s3://audit/d/", "--timeout", "1s"]);
    assert_eq!((exit, err.contains("waiting")), (3, false), "{err}");
    let (exit, err) = run(&["archive", "verify", "s3://audit/keep", "--timeout", "0s"]);
    assert_eq!(exit, 2, "{err}");
}

/// Whatever else the command would ask of it.
#[test]
fn a_bucket_that_does_not_answer_is_asked_once() {
    use super::s3_store::S3Store;
    use std::time::{Duration, Instant};
    let server = super::server::Server::start(super::cli::accounts(2));
    let store = S3Store::start(Duration::from_mins(1));
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_S3", store.url.as_str()),
    ];
    for (command, exit) in [
        (&["scan", "s3://audit/x/"][..], 3),
        (&["scan", "s3://audit/x.csv", "s3://audit/y.csv"], 3),
        (&["trend", "s3://audit/x/"], 3),
        (&["diff", "s3://audit/x.csv", "s3://audit/y.csv"], 3),
        (
            &["diff", "--archive", "s3://audit/x", "2026-01-01", "2026-02-01"],
            3,
        ),
        (&["archive", "list", "s3://audit/x"], 3),
        (&["archive", "verify", "s3://audit/x"], 3),
        (&["fetch", "--org", "--archive", "s3://audit/x"], 5),
    ] {
        let start = Instant::now();
        let arguments = [command, &["--timeout", "3s"]].concat();
        let ended = super::cli::run(&server, folder.path(), &variables, &arguments);
        assert_eq!(ended.exit, exit, "{command:?}: {}", ended.err);
        let taken = start.elapsed();
        assert!(taken < Duration::from_millis(5_500), "{command:?}: {taken:?}");
    }
}

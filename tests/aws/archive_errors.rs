//! `fetch --archive` where the archive fails: nothing is called fetched that is not saved, and no report is fetched that
//! cannot be.

use std::fs;
use std::path::Path;
use std::time::Duration;

use credlens::aws::Outcomes;

use super::cli::{Ended, accounts, run};
use super::roles::policies;
use super::s3_store::S3Store;
use super::server::{Account, Server};

const FETCH: [&str; 7] = [
    "fetch",
    "--org",
    "--max-report-age",
    "36500d",
    "--outcomes",
    "outcomes.json",
    "--archive",
];

fn credlens(server: &Server, store: &S3Store, folder: &Path, arguments: &[&str]) -> Ended {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_S3", store.url.as_str()),
    ];
    run(server, folder, &variables, arguments)
}

/// Each account and its error, by last digit.
fn errors(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("outcomes.json")).unwrap();
    let accounts = Outcomes::parse(&text).unwrap().accounts;
    let line = |outcome: &credlens::aws::Outcome| {
        let id = outcome.account.trim_start_matches('0');
        format!("{id} {}\n", outcome.error.as_deref().unwrap_or("fetched"))
    };
    accounts.iter().map(line).collect()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().count() == 0
}

/// Before AWS is asked for anything, and with a policy that names all that is needed.
#[test]
fn what_a_bucket_denies_is_found_first() {
    let server = Server::start(accounts(3));
    for (denied, permission) in [("GET /audit", "s3:ListBucket"), ("PUT /audit", "s3:PutObject")] {
        let store = S3Store::start(Duration::ZERO);
        store.refuse(denied, "AccessDenied");
        let folder = tempfile::tempdir().unwrap();
        let archive = "s3://audit/reports";
        let ended = credlens(&server, &store, folder.path(), &[&FETCH[..], &[archive]].concat());
        assert_eq!((ended.exit, server.counts().len()), (5, 0), "{}", ended.err);
        let message = format!("the archive {archive}: AWS denied {permission} to these credentials");
        assert!(ended.err.contains(&message), "{}", ended.err);
        assert_eq!(policies(&ended.err).len(), 1, "{}", ended.err);
        assert!(store.objects.lock().unwrap().is_empty());
        assert!(is_empty(folder.path()));
    }
    let store = S3Store::start(Duration::ZERO);
    store.refuse("/audit", "NoSuchBucket");
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(
        &server,
        &store,
        folder.path(),
        &[&FETCH[..], &["s3://audit"]].concat(),
    );
    assert_eq!((ended.exit, server.counts().len()), (5, 0), "{}", ended.err);
    assert!(ended.err.contains("bucket 'audit' not found"), "{}", ended.err);
}

/// What the check leaves is one hidden object, of which no command says anything.
#[test]
fn the_check_of_a_bucket_leaves_no_trace_in_the_archive() {
    let server = Server::start(accounts(3));
    let store = S3Store::start(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let ended = credlens(&server, &store, folder.path(), arguments);
        assert_eq!(ended.exit, 0, "{arguments:?}: {}", ended.err);
        ended
    };
    for _ in 0..2 {
        run(&[&FETCH[..], &["s3://audit/reports"]].concat());
        let writes = store
            .requests()
            .into_iter()
            .filter(|request| !request.starts_with("GET"));
        assert!(
            writes
                .into_iter()
                .all(|request| request.starts_with("PUT /audit/reports/"))
        );
    }
    let keys: Vec<_> = store.objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert_eq!(keys[0], "reports/.credlens");
    let list = run(&["archive", "list", "s3://audit/reports"]);
    assert_eq!(list.err, "");
    let verified = run(&["archive", "verify", "s3://audit/reports"]);
    assert!(
        verified.out.contains("1 file with 3 reports: all intact"),
        "{}",
        verified.out
    );
    let scan = credlens(
        &server,
        &store,
        folder.path(),
        &["scan", "s3://audit/reports", "--format", "summary"],
    );
    assert_eq!(
        (scan.exit, scan.err.contains(".credlens")),
        (1, false),
        "{}",
        scan.err
    );
}

/// The bucket denies the file itself: at the end, when all is fetched.
#[test]
fn what_a_bucket_denies_at_the_end_is_the_error_of_every_report() {
    let server = Server::start(accounts(3));
    server.set("000000000002", Account::Denied);
    let store = S3Store::start(Duration::ZERO);
    store.refuse("PUT /audit/reports/snapshot", "AccessDenied");
    let folder = tempfile::tempdir().unwrap();
    let fetch = [&FETCH[..], &["s3://audit/reports"]].concat();
    let ended = credlens(&server, &store, folder.path(), &fetch);
    assert_eq!(ended.exit, 5, "{}", ended.err);
    for line in [
        "0 reports with 0 users added, 3 not added",
        "3 accounts: 0 fetched, 3 failed",
        "  2 accounts: the report was fetched, but not saved: cannot write s3://audit/reports/",
    ] {
        assert!(ended.err.contains(line), "{line}: {}", ended.err);
    }
    let found = errors(folder.path());
    let name = found
        .split("snapshot_date")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    let found = found.replace(name, "NAME");
    insta::assert_snapshot!(found, @"
    1 the report was fetched, but not saved: cannot write s3://audit/reports/snapshot_dateNAME: AWS denied s3:PutObject to these credentials (Unknown)
    2 AWS denied iam:GetCredentialReport to these credentials (Unknown)
    3 the report was fetched, but not saved: cannot write s3://audit/reports/snapshot_dateNAME: AWS denied s3:PutObject to these credentials (Unknown)
    ");
    let resumed = credlens(
        &server,
        &S3Store::start(Duration::ZERO),
        folder.path(),
        &[
            "fetch",
            "--resume",
            "outcomes.json",
            "--archive",
            "s3://audit/reports",
        ],
    );
    assert!(
        resumed.err.contains("3 accounts: 2 fetched, 1 failed"),
        "{}",
        resumed.err
    );
}

/// The directory of the day is a symlink, which is not followed.
#[cfg(unix)]
#[test]
fn what_a_directory_refuses_is_the_error_of_every_report() {
    let server = Server::start(accounts(4));
    server.set("000000000003", Account::Closed);
    let store = S3Store::start(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("ar")).unwrap();
    let day = folder.path().join("ar/snapshot_date=2026-11-21");
    std::os::unix::fs::symlink(folder.path(), &day).unwrap();
    let ended = credlens(&server, &store, folder.path(), &[&FETCH[..], &["ar"]].concat());
    assert_eq!(ended.exit, 5, "{}", ended.err);
    let found = errors(folder.path());
    let name = found
        .split("snapshot_date")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    insta::assert_snapshot!(found.replace(name, "NAME"), @"
    1 the report was fetched, but not saved: cannot write ar/snapshot_dateNAME: its directory is a symlink, which is not followed
    2 the report was fetched, but not saved: cannot write ar/snapshot_dateNAME: its directory is a symlink, which is not followed
    3 AWS denied sts:AssumeRole to these credentials (Unknown)
    4 the report was fetched, but not saved: cannot write ar/snapshot_dateNAME: its directory is a symlink, which is not followed
    ");
    let left = fs::read_dir(folder.path().join("ar")).unwrap();
    let mut left = left.map(|entry| entry.unwrap().path());
    assert!(left.all(|path| path.extension().is_none_or(|extension| extension != "tmp")));
}

/// Accounts that were not fetched when the archive failed.
#[test]
fn accounts_that_wait_are_not_fetched() {
    let server = Server::start(accounts(2));
    let store = S3Store::start(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    store.refuse("prefix=reports/snapshot_date", "AccessDenied");
    server.set("000000000002", Account::Mute);
    let ended = credlens(
        &server,
        &store,
        folder.path(),
        &[&FETCH[..], &["s3://audit/reports"]].concat(),
    );
    assert_ne!(ended.exit, 0, "{}", ended.err);
    insta::assert_snapshot!(errors(folder.path()), @"
    1 the report was fetched, but not saved: cannot list the archive s3://audit/reports: AWS denied s3:ListBucket to these credentials (Unknown)
    2 not fetched, since the run ended: cannot list the archive s3://audit/reports: AWS denied s3:ListBucket to these credentials (Unknown)
    ");
}

//! Where `fetch` saves reports: unusable targets are found before AWS is called, and printing the paths may fail.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use credlens::aws::{OutcomeStatus, Outcomes};

use super::cli::{accounts, credlens};
use super::server::Server;

const FETCH: [&str; 5] = ["fetch", "--org", "--max-report-age", "36500d", "--outcomes"];

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Runs `fetch` with this standard output; returns the exit status and standard error.
fn run_into(server: &Server, folder: &Path, out: impl Into<Stdio>) -> (Option<i32>, String) {
    let ended = Command::new(assert_cmd::cargo::cargo_bin("credlens"))
        .current_dir(folder)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .args(FETCH)
        .args(["outcomes.json", "--output", "out/", "--region", "us-east-1"])
        .args(["--endpoint-url", &server.url])
        .stdout(out)
        .output()
        .unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

fn all_are_saved(folder: &Path, count: usize) {
    assert_eq!(files(&folder.join("out")), count);
    let text = fs::read_to_string(folder.join("outcomes.json")).unwrap();
    let outcomes = Outcomes::parse(&text).unwrap().accounts;
    assert_eq!(outcomes.len(), count);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.outcome == OutcomeStatus::Fetched)
    );
    assert!(outcomes.is_sorted_by_key(|outcome| outcome.account.clone()));
}

#[test]
fn a_closed_standard_output_is_not_an_error() {
    let server = Server::start(accounts(40));
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (exit, err) = run_into(&server, folder.path(), writer);
    assert_eq!(exit, Some(0), "{err}");
    assert!(!err.contains("warning"), "{err}");
    all_are_saved(folder.path(), 40);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error_and_the_reports_are_saved() {
    let server = Server::start(accounts(3));
    let folder = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (exit, err) = run_into(&server, folder.path(), full);
    assert_eq!(exit, Some(5), "{err}");
    assert_eq!(err.matches("cannot write the paths").count(), 1, "{err}");
    all_are_saved(folder.path(), 3);
}

#[test]
fn unusable_outputs_are_errors_before_any_call() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("afile"), "x").unwrap();
    for arguments in [
        &["fetch", "--org", "-o", "afile"][..],
        &["fetch", "--org", "-o", "afile/below/"],
        &["fetch", "-o", "afile/report.csv"],
        &["fetch", "-o", "missing/report.csv"],
        #[cfg(target_os = "linux")]
        &["fetch", "--org", "-o", "/proc/none/"],
    ] {
        let ended = credlens(&server, folder.path(), arguments);
        assert_eq!(ended.exit, 5, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("by --output"), "{}", ended.err);
    }
    assert_eq!(server.counts().len(), 0);
    assert_eq!(files(folder.path()), 1);
}

/// The temporary file of `--outcomes` is created before AWS is called.
#[test]
fn no_file_is_left_if_the_accounts_cannot_be_listed() {
    let server = Server::start(accounts(2));
    server.refuse("ListAccounts", "AccessDenied");
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        let ended = credlens(&server, folder.path(), &[&FETCH[..], &["outcomes.json"]].concat());
        assert_eq!(ended.exit, 3, "{}", ended.err);
        assert_eq!(files(folder.path()), 0);
    }
}

/// An archive that cannot be written is found before AWS is called.
#[cfg(all(feature = "archive", target_os = "linux"))]
#[test]
fn an_archive_that_cannot_be_written_is_found_first() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let all = [&FETCH[..], &["outcomes.json", "--archive", "/proc/none"]].concat();
    let ended = credlens(&server, folder.path(), &all);
    assert_eq!(ended.exit, 5, "{}", ended.err);
    assert_eq!((server.counts().len(), files(folder.path())), (0, 0));
}

/// Every report has root's row.
#[test]
fn a_header_alone_is_not_saved() {
    let server = Server::start(accounts(1));
    let report = super::report(super::server::CALLER);
    let header = report.lines().next().unwrap();
    for csv in [header.to_owned(), format!("{header}\r\n \n")] {
        server.answer_instead(
            "GetCredentialReport",
            200,
            &super::got(&csv, super::server::GENERATED),
        );
        let folder = tempfile::tempdir().unwrap();
        for command in [
            &["fetch"][..],
            &["fetch", "--output", "-"],
            &["fetch", "--org", "--output", "out/"],
        ] {
            let ended = credlens(&server, folder.path(), command);
            assert_eq!((ended.exit, ended.out.as_str()), (3, ""), "{}", ended.err);
            assert!(
                ended.err.contains("a header without a single user"),
                "{}",
                ended.err
            );
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

//! `fetch --archive` against the AWS server stub.

use super::cli::{accounts, credlens};
use super::server::{Account, Server};

/// A run over an organization adds one file to the archive, with the names of the accounts, and lists the failures.
#[test]
fn an_organization_is_added_as_one_file() {
    let mut known = accounts(5);
    *known.values_mut().last().unwrap() = Account::Denied;
    let server = Server::start(known);
    let folder = tempfile::tempdir().unwrap();
    let fetch = ["fetch", "--org", "--archive", "archive"];
    let fetched = credlens(&server, folder.path(), &fetch);
    assert_eq!(fetched.exit, 4, "{}", fetched.err);
    assert_eq!(fetched.out.lines().count(), 1, "one file: {}", fetched.out);
    assert!(fetched.err.contains("4 reports with"), "{}", fetched.err);
    assert!(
        fetched.err.contains("5 accounts: 4 fetched, 1 failed"),
        "{}",
        fetched.err
    );
    let again = credlens(&server, folder.path(), &fetch);
    assert_eq!((again.exit, again.out.as_str()), (4, ""), "{}", again.err);
    assert!(again.err.contains("4 were there already"), "{}", again.err);
    let listed = credlens(
        &server,
        folder.path(),
        &["archive", "list", "archive", "--format", "json"],
    );
    let list: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let reports = list["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 4);
    assert_eq!(reports[0]["as_of_source"], "generated");
    assert!(
        reports.iter().all(|report| report["account_name"].is_string()),
        "{list}"
    );
    // The bytes are those that `fetch` saves.
    credlens(&server, folder.path(), &["fetch", "--org", "--output", "saved/"]);
    credlens(
        &server,
        folder.path(),
        &["archive", "export", "archive", "--output", "exported/"],
    );
    let names = |directory: &str| {
        let entries = std::fs::read_dir(folder.path().join(directory)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("saved"), names("exported"));
    for name in names("saved") {
        let bytes = |directory: &str| std::fs::read(folder.path().join(directory).join(&name)).unwrap();
        assert_eq!(bytes("saved"), bytes("exported"));
    }
}

#[test]
fn counts_of_one_are_singular() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let mut counted = String::new();
    for arguments in [
        &["fetch", "--org", "--archive", "archive"][..],
        &["fetch", "--org", "--archive", "archive"],
        &["archive", "list", "archive"],
        &["archive", "verify", "archive"],
    ] {
        let ended = credlens(&server, folder.path(), arguments);
        let lines = [&ended.out[..], &ended.err].concat();
        let counts = lines
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
        counted.extend(
            counts
                .filter(|line| !line.contains("archive"))
                .map(|line| format!("{line}\n")),
        );
    }
    insta::assert_snapshot!(counted, @r"
    1 report with 3 users added
    1 account: 1 fetched, 0 failed
    0 reports with 0 users added, 1 was there already
    1 account: 1 fetched, 0 failed
    2026-11-21T08:00:00Z  000000000001  name of 000000000001      3  aws://000000000001
    1 report, 3 rows
    1 file with 1 report: all intact
    ");
}

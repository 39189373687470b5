//! The script of docs/aws.md for every night, run as written, for some days.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cli::accounts;
use super::report;
use super::server::{Account, Server};

const OTHER: &str = "000000000002";
const THIRD: &str = "000000000003";

/// The script, and a directory for it, with a `date` that shows the time of the test.
struct Nightly {
    folder: tempfile::TempDir,
    server: Server,
}

impl Nightly {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/aws.md")).unwrap();
        let mut blocks = page.split("```sh\n").skip(1);
        let block = blocks.find(|block| block.contains("nightly.sh")).unwrap();
        fs::write(
            folder.path().join("nightly.sh"),
            block.split("```").next().unwrap(),
        )
        .unwrap();
        let date = folder.path().join("date");
        fs::write(&date, "#!/bin/sh\necho \"$NOW\"\n").unwrap();
        fs::set_permissions(&date, fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let server = Server::start(accounts(3));
        Self { folder, server }
    }

    /// Runs it at nine, with reports generated at eight, and returns its status and the directory of the night.
    fn night(&self, day: &str) -> (i32, PathBuf) {
        self.server.generate_at(&format!("{day}T08:00:00Z"));
        let now = format!("{day}T09:00:00Z");
        let program = Path::new(env!("CARGO_BIN_EXE_credlens")).parent().unwrap();
        let path = [
            self.folder.path(),
            program,
            Path::new("/usr/bin"),
            Path::new("/bin"),
        ];
        let run = Command::new("sh")
            .arg(self.folder.path().join("nightly.sh"))
            .env_clear()
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("NOW", &now)
            .env("CREDLENS_HOME", self.home())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &self.server.url)
            .output()
            .unwrap();
        let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(said, ["", ""], "cron sends what a script prints");
        (run.status.code().unwrap(), self.home().join("runs").join(now))
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }
}

fn read(night: &Path, name: &str) -> String {
    fs::read_to_string(night.join(name)).unwrap_or_default()
}

#[test]
fn three_days_and_more() {
    let nightly = Nightly::new();
    // The first night has nothing to compare with.
    let (status, night) = nightly.night("2026-11-21");
    assert_eq!(status, 0, "{}", read(&night, "digest.txt"));
    assert!(!night.join("changes.txt").exists());
    assert!(read(&night, "stale.txt").starts_with("every account has a report"));

    // In the second, a user of one account gets a password without MFA, and another account cannot be reached.
    let csv = report(OTHER);
    let bob = csv.lines().find(|line| line.starts_with("bob")).unwrap();
    let with_password = bob.replacen(
        "false,N/A,N/A",
        "true,2026-11-21T10:00:00Z,2026-11-21T10:00:00Z",
        1,
    );
    nightly
        .server
        .replace_report(OTHER, &csv.replace(bob, &with_password));
    nightly.server.set(THIRD, Account::Closed);
    let (status, night) = nightly.night("2026-11-22");
    let digest = read(&night, "digest.txt");
    assert_eq!(status, 1, "{digest}");
    let changes = read(&night, "changes.txt");
    assert!(
        changes.contains("password-enabled") && changes.contains("console-user-without-mfa"),
        "{changes}"
    );
    assert!(
        changes.contains("accounts without a newer report: 000000000003"),
        "{changes}"
    );
    assert!(
        read(&night, "stale.txt").starts_with("every account has a report"),
        "{digest}"
    );
    assert!(read(&night, "fetch.txt").contains(THIRD), "{digest}");
    assert!(read(&night, "outcomes.json").contains(THIRD));
    for part in ["== fetch", "== changes", "== stale"] {
        assert!(digest.contains(part), "{digest}");
    }

    // In the third, nothing is new, but an account has had no report for two nights.
    let (status, night) = nightly.night("2026-11-23");
    let digest = read(&night, "digest.txt");
    assert_eq!(status, 1, "{digest}");
    assert!(
        read(&night, "changes.txt").contains("findings: 0 opened"),
        "{digest}"
    );
    assert!(read(&night, "stale.txt").contains(THIRD), "{digest}");

    // AWS is not reachable: the next night compares with the last one that fetched.
    nightly.server.refuse("ListAccounts", "AccessDeniedException");
    let (status, night) = nightly.night("2026-11-24");
    assert_eq!(status, 3, "{}", read(&night, "digest.txt"));
    assert_eq!(read(&nightly.home(), "last-run"), "2026-11-23T09:00:00Z\n");

    // All is well again, and the account that was missing is compared with its last report.
    nightly.server.answer_again("ListAccounts");
    nightly.server.set(THIRD, Account::Answers);
    nightly.server.replace_report(OTHER, &csv);
    let (status, night) = nightly.night("2026-11-25");
    let changes = read(&night, "changes.txt");
    assert_eq!(status, 0, "{}", read(&night, "digest.txt"));
    assert!(
        changes.contains("password-disabled") && !changes.contains("without a newer report"),
        "{changes}"
    );
    assert!(read(&night, "stale.txt").starts_with("every account has a report"));
}

/// An account that was never fetched is missing, too; one that is closed is not, and one that left is not either.
#[test]
fn accounts_that_were_never_fetched() {
    let nightly = Nightly::new();
    let fourth = "000000000004";
    nightly.server.set(fourth, Account::Closed);
    let (status, night) = nightly.night("2026-11-21");
    assert_eq!(status, 1, "{}", read(&night, "digest.txt"));
    let stale = read(&night, "stale.txt");
    assert!(
        stale.contains("000000000004  name of 000000000004  never"),
        "{stale}"
    );
    nightly.server.answer_instead("ListAccounts", 200, &{
        let one = |id: &str, state: &str| format!(r#"{{"Id":"{id}","Name":"x","State":"{state}"}}"#);
        let accounts = [
            one("000000000001", "ACTIVE"),
            one(OTHER, "ACTIVE"),
            one(fourth, "CLOSED"),
        ];
        format!(r#"{{"Accounts":[{}]}}"#, accounts.join(","))
    });
    for day in ["2026-11-22", "2026-11-23", "2026-11-24"] {
        let (status, night) = nightly.night(day);
        assert_eq!(status, 0, "{}", read(&night, "digest.txt"));
    }
}

/// What could not be done comes before what was found.
#[test]
fn more_failures_than_allowed() {
    let nightly = Nightly::new();
    for number in 4..=9 {
        nightly.server.set(&format!("{number:012}"), Account::Closed);
    }
    let (status, night) = nightly.night("2026-11-21");
    assert_eq!(status, 4, "{}", read(&night, "digest.txt"));
    assert!(read(&night, "stale.txt").contains("6 accounts without a report"));
    assert_eq!(read(&nightly.home(), "last-run"), "2026-11-21T09:00:00Z\n");
}

//! Signals at many points of `fetch`: before the first report, between reports, while the archive or the outcomes are
//! written. No file is left half, and what is called fetched is saved.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use credlens::aws::{Outcome, OutcomeStatus, Outcomes};

use super::cli::accounts;
use super::s3_store::S3Store;
use super::server::{Account, Server};

const ACCOUNTS: u32 = 6;
const SIGNALS: [(&str, i32); 3] = [("TERM", 15), ("INT", 2), ("HUP", 1)];
/// Runs of each way to save reports.
const RUNS: u32 = 30;

struct Place {
    folder: tempfile::TempDir,
    server: Server,
    store: S3Store,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            server: Server::start(accounts(ACCOUNTS)),
            store: S3Store::start(Duration::from_millis(10)),
        };
        fs::create_dir(place.at("tmp")).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("TMPDIR", self.at("tmp"))
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &self.server.url)
            .env("AWS_ENDPOINT_URL_S3", &self.store.url)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn fetch(&self, to: [&str; 2]) -> Child {
        let fetch = [
            "fetch",
            "--org",
            "--max-report-age",
            "36500d",
            "--outcomes",
            "outcomes.json",
        ];
        self.command(&[&fetch[..], &to].concat()).spawn().unwrap()
    }

    /// The results, if they were written.
    fn outcomes(&self) -> Vec<Outcome> {
        match fs::read_to_string(self.at("outcomes.json")) {
            Ok(text) => Outcomes::parse(&text).unwrap().accounts,
            Err(_) => Vec::new(),
        }
    }

    /// The accounts whose reports are saved.
    fn saved(&self, to: [&str; 2]) -> BTreeSet<String> {
        if to[0] == "--output" {
            let names = fs::read_dir(self.at(to[1])).into_iter().flatten();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            return names
                .map(|name| name.split('_').next().unwrap().to_owned())
                .collect();
        }
        let listed = self.command(&["archive", "list", to[1], "--format", "json"]);
        let listed = { listed }.stdout(Stdio::piped()).output().unwrap();
        let Ok(list) = serde_json::from_slice::<serde_json::Value>(&listed.stdout) else {
            return BTreeSet::new();
        };
        let verified = self.command(&["archive", "verify", to[1]]).status().unwrap();
        assert!(matches!(verified.code(), Some(0 | 3)), "{verified}");
        let reports = list["reports"].as_array().unwrap().iter();
        let accounts = reports.map(|report| report["accounts"][0].as_str().unwrap().to_owned());
        accounts.collect()
    }
}

fn send(child: &Child, signal: &str) {
    let kill = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

fn wait(child: &mut Child) -> ExitStatus {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < until, "the run goes on");
        sleep(Duration::from_millis(5));
    }
}

/// Temporary files, anywhere.
fn temporaries(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(temporaries(&path));
        } else if path.extension().is_some_and(|extension| extension == "tmp") {
            found.push(path);
        }
    }
    found
}

/// What must hold after a run that a signal ended somewhere. Whether it was ended after the accounts were known.
fn check(place: &Place, to: [&str; 2], status: ExitStatus, signal: i32) -> bool {
    assert_eq!(
        temporaries(place.folder.path()),
        Vec::<PathBuf>::new(),
        "{status}"
    );
    let (outcomes, saved) = (place.outcomes(), place.saved(to));
    let is_fetched = |outcome: &&Outcome| outcome.outcome == OutcomeStatus::Fetched;
    let fetched: BTreeSet<_> = outcomes
        .iter()
        .filter(is_fetched)
        .map(|outcome| outcome.account.clone())
        .collect();
    assert!(
        fetched.is_subset(&saved),
        "{fetched:?} are called fetched, {saved:?} are saved"
    );
    if status.signal() == Some(signal) {
        // The program had not begun.
        assert_eq!((outcomes.len(), saved.len()), (0, 0));
        return false;
    }
    match status.code() {
        Some(0) => assert_eq!(fetched.len(), ACCOUNTS as usize),
        code => assert_eq!(code, Some(128 + signal), "{outcomes:?}"),
    }
    assert!(
        outcomes.is_empty() || outcomes.len() == ACCOUNTS as usize,
        "{outcomes:?}"
    );
    assert!(
        !outcomes.is_empty() || saved.is_empty(),
        "{saved:?} without outcomes"
    );
    // What was saved is called so, unless the run was ended between the two.
    assert_eq!(fetched, saved);
    !outcomes.is_empty() && status.code() != Some(0)
}

fn at_many_points(to: [&str; 2]) {
    let start = Instant::now();
    let place = Place::new();
    assert!(wait(&mut place.fetch(to)).success());
    let duration = start.elapsed();
    let mut interrupted = 0;
    for run in 0..RUNS {
        let (name, number) = SIGNALS[run as usize % SIGNALS.len()];
        let place = Place::new();
        let mut child = place.fetch(to);
        sleep(duration * run / (RUNS - 5));
        send(&child, name);
        let status = wait(&mut child);
        interrupted += u32::from(check(&place, to, status, number));
        // The others are fetched by another run.
        if run % 9 == 0 && !place.outcomes().is_empty() {
            let resume = [
                "fetch",
                "--resume",
                "outcomes.json",
                "--outcomes",
                "outcomes.json",
            ];
            let resumed = place
                .command(&[&resume[..], &["--max-report-age", "36500d"], &to].concat())
                .status();
            assert_eq!(resumed.unwrap().code(), Some(0));
            assert_eq!(place.saved(to).len(), ACCOUNTS as usize);
        }
    }
    assert!(
        interrupted > 0,
        "no run was interrupted after the accounts were known"
    );
}

#[test]
fn into_a_directory() {
    at_many_points(["--output", "out/"]);
}

#[test]
fn into_an_archive() {
    at_many_points(["--archive", "ar"]);
}

#[test]
fn into_an_archive_in_s3() {
    at_many_points(["--archive", "s3://audit/ar"]);
}

/// All is fetched, and the object takes longer than a run that waits for a pipe may take to end: it is finished.
#[test]
fn an_archive_that_is_being_written_is_finished() {
    for (name, number) in SIGNALS {
        let mut place = Place::new();
        place.store = S3Store::start(Duration::from_millis(1_500));
        let mut child = place.fetch(["--archive", "s3://audit/ar"]);
        let until = Instant::now() + Duration::from_secs(30);
        // The list of the day follows the two requests of the check.
        while place
            .store
            .requests()
            .iter()
            .all(|request| request != "PUT /audit/ar/.credlens")
        {
            assert!(Instant::now() < until, "nothing is checked");
            sleep(Duration::from_millis(20));
        }
        while !place.server.counts().contains_key("GetCredentialReport") {
            assert!(Instant::now() < until, "nothing is fetched");
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(700));
        send(&child, name);
        let status = wait(&mut child);
        assert_eq!(status.code(), Some(128 + number));
        assert_eq!(temporaries(place.folder.path()), Vec::<PathBuf>::new());
        let fetched = place
            .outcomes()
            .iter()
            .filter(|outcome| outcome.error.is_none())
            .count();
        assert_eq!(fetched, ACCOUNTS as usize, "{:?}", place.outcomes());
    }
}

/// Whether the run waits for a call that it cannot cancel, or is over before there is one.
#[test]
fn the_end_is_always_reported() {
    for (name, number) in SIGNALS {
        let mut place = Place::new();
        place.store = S3Store::start(Duration::from_mins(1));
        let fetch = ["fetch", "--org", "--archive", "s3://audit/ar"];
        let mut child = place.command(&fetch).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_secs(1));
        send(&child, name);
        let status = wait(&mut child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(status.code(), Some(128 + number));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
    }
}

/// A run that is killed loses the reports since the last batch alone.
#[test]
fn batches_outlive_a_run_that_is_killed() {
    let mute = "000000000006";
    for to in [["--archive", "ar"], ["--archive", "s3://audit/ar"]] {
        for saves in [false, true] {
            let place = Place::new();
            place.server.set(mute, Account::Mute);
            let mut child = place.fetch(to);
            let until = Instant::now() + Duration::from_mins(1);
            if saves {
                while place.saved(to).is_empty() {
                    assert!(Instant::now() < until, "nothing is saved");
                    sleep(Duration::from_millis(200));
                }
            } else {
                sleep(Duration::from_secs(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let saved = if saves { ACCOUNTS as usize - 1 } else { 0 };
            assert_eq!(place.saved(to).len(), saved);
            // The next run adds the others.
            place.server.set(mute, Account::Answers);
            assert!(wait(&mut place.fetch(to)).success());
            assert_eq!(place.saved(to).len(), ACCOUNTS as usize);
            let verified = place.command(&["archive", "verify", to[1]]);
            let verified = { verified }.stdout(Stdio::piped()).output().unwrap();
            let verified = String::from_utf8(verified.stdout).unwrap();
            let files = if saves { "2 files" } else { "1 file" };
            assert!(
                verified.starts_with(&format!("{files} with 6 reports: all intact")),
                "{verified}"
            );
        }
    }
}

//! Ctrl-C at different times of a run: exit status 130, and no partial file.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use credlens::aws::{OutcomeStatus, Outcomes};

use super::server::{Account, Server};

/// A run whose standard output is a pipe that no one reads; it ends with its test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Run {
    fn start(folder: &Path, url: &str, arguments: &[&str]) -> Self {
        let program = Command::new(assert_cmd::cargo::cargo_bin("credlens"));
        Self::start_by(program, folder, url, arguments)
    }

    fn start_by(mut program: Command, folder: &Path, url: &str, arguments: &[&str]) -> Self {
        let child = program
            .current_dir(folder)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .args(arguments)
            .args(["--region", "us-east-1", "--endpoint-url", url])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn interrupt(&self) {
        self.send("INT");
    }

    fn send(&self, signal: &str) {
        let kill = Command::new("kill")
            .args(["-s", signal, &self.0.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the exit status, at most this long.
    fn ends_within(&mut self, limit: Duration) -> Option<i32> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "the run goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Waits until this many reports were fetched, and for their findings to fill the pipe.
fn wait_until_fetched(server: &Server, expected: usize) {
    let until = Instant::now() + Duration::from_secs(30);
    let mut fetched = 0;
    while fetched < expected {
        assert!(Instant::now() < until, "no report is fetched");
        std::thread::sleep(Duration::from_millis(50));
        fetched += server.counts().get("GetCredentialReport").unwrap_or(&0);
    }
    std::thread::sleep(Duration::from_secs(1));
}

const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];
/// All verdicts are emitted, so that the pipe fills.
const SCAN: [&str; 6] = ["scan", "--status", "all", "--format", "ndjson", "--format"];

fn large(count: u32) -> Server {
    let accounts = (1..=count).map(|number| (format!("{number:012}"), Account::Large));
    Server::start(accounts.collect())
}

#[test]
fn while_no_response_arrives() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::start(folder.path(), &url, &["scan", "--format", "json=out.json"]);
    // It has connected, and waits.
    drop(listener.accept().map(std::mem::ManuallyDrop::new));
    run.interrupt();
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
    assert_eq!(files(folder.path()), 0);
}

#[test]
fn while_the_only_report_goes_into_a_full_pipe() {
    let server = large(1);
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&SCAN[..], &["json=out.json"], &YOUNG].concat();
    let mut run = Run::start(folder.path(), &server.url, &arguments);
    wait_until_fetched(&server, 1);
    assert_eq!(files(folder.path()), 1, "the temporary file");
    run.interrupt();
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
    assert_eq!(files(folder.path()), 0);
}

#[test]
fn while_the_first_of_several_reports_goes_into_a_full_pipe() {
    let server = large(6);
    for signals in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [&SCAN[..], &["json=out.json", "--org", "--threads", "1"], &YOUNG].concat();
        let mut run = Run::start(folder.path(), &server.url, &arguments);
        wait_until_fetched(&server, 6);
        for _ in 0..signals {
            run.interrupt();
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
        assert_eq!(files(folder.path()), 0);
    }
}

#[test]
fn while_a_saved_report_goes_into_a_full_pipe() {
    let server = large(1);
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["fetch", "--output", "-"][..], &YOUNG].concat();
    let mut run = Run::start(folder.path(), &server.url, &arguments);
    wait_until_fetched(&server, 1);
    run.interrupt();
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
}

/// The results of the accounts in the outcomes file, by last digit.
fn results(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("outcomes.json")).unwrap();
    let outcomes = Outcomes::parse(&text).unwrap();
    let words = outcomes.accounts.iter().map(|outcome| {
        let id = outcome.account.trim_start_matches('0');
        match outcome.outcome {
            OutcomeStatus::Fetched => format!("{id} done"),
            OutcomeStatus::Failed => format!("{id} {}", outcome.error.as_deref().unwrap_or("")),
            OutcomeStatus::Skipped => format!("{id} skipped"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Saved reports are not fetched again; `--resume` fetches the others.
#[test]
fn saved_reports_are_done() {
    let accounts = (1..=5).map(|number| (format!("{number:012}"), Account::Answers));
    let server = Server::start(accounts.collect());
    server.set("000000000003", Account::Mute);
    let folder = tempfile::tempdir().unwrap();
    let fetch = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--outcomes",
        "outcomes.json",
    ];
    let mut run = Run::start(folder.path(), &server.url, &[&fetch[..], &YOUNG].concat());
    wait_until_fetched(&server, 5);
    run.interrupt();
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
    assert_eq!(
        results(folder.path()),
        "1 done, 2 done, 3 interrupted, 4 done, 5 done"
    );
    server.set("000000000003", Account::Answers);
    let resumed = [
        "fetch",
        "--resume",
        "outcomes.json",
        "--outcomes",
        "outcomes.json",
        "--output",
        "out/",
    ];
    let mut run = Run::start(folder.path(), &server.url, &[&resumed[..], &YOUNG].concat());
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(0));
    assert_eq!(server.counts()["GetCredentialReport"], 1);
    assert_eq!(results(folder.path()), "1 done, 2 done, 3 done, 4 done, 5 done");
    assert_eq!(files(&folder.path().join("out")), 5);
}

/// The temporary file of `--outcomes` is created before AWS is called.
#[test]
fn while_the_accounts_are_listed() {
    let server = large(3);
    server.silence("ListAccounts");
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["fetch", "--org", "--outcomes", "outcomes.json"];
        let mut run = Run::start(folder.path(), &server.url, &arguments);
        let until = Instant::now() + Duration::from_secs(30);
        while !server.counts().contains_key("ListAccounts") {
            assert!(Instant::now() < until, "nothing is listed");
            std::thread::sleep(Duration::from_millis(20));
        }
        run.interrupt();
        assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
        assert_eq!(files(folder.path()), 0);
    }
}

/// Ctrl-C also works where no live account is fetched: while the accounts of several inputs are looked up, which
/// writes nothing yet, and while the inputs are evaluated.
#[test]
fn while_an_object_is_read() {
    for (arguments, temporary_files) in [(&[][..], 0), (&["--all-snapshots"][..], 1)] {
        let server = large(1);
        let (first, second) = ("GET /bucket/one.csv", "GET /bucket/two.csv");
        server.answer_instead(first, 200, &super::large_report("000000000001"));
        server.silence(second);
        let folder = tempfile::tempdir().unwrap();
        let scan = ["scan", "s3://bucket/one.csv", "s3://bucket/two.csv"];
        let mut run = Run::start(
            folder.path(),
            &server.url,
            &[&scan[..], arguments, &["--format", "json=out.json"]].concat(),
        );
        let until = Instant::now() + Duration::from_secs(30);
        while !server.counts().contains_key(second) {
            assert!(Instant::now() < until, "the object is not requested");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(files(folder.path()), temporary_files, "{arguments:?}");
        run.interrupt();
        assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
        assert_eq!(files(folder.path()), 0);
    }
}

/// A pending report does not delay the others.
#[cfg(feature = "archive")]
#[test]
fn arrived_reports_are_added_to_an_archive() {
    let accounts = (1..=4).map(|number| (format!("{number:012}"), Account::Answers));
    let server = Server::start(accounts.collect());
    server.set("000000000002", Account::Mute);
    let folder = tempfile::tempdir().unwrap();
    let fetch = ["fetch", "--org", "--archive", "ar", "--outcomes", "outcomes.json"];
    let mut run = Run::start(folder.path(), &server.url, &[&fetch[..], &YOUNG].concat());
    wait_until_fetched(&server, 4);
    run.interrupt();
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
    assert_eq!(results(folder.path()), "1 done, 2 interrupted, 3 done, 4 done");
}

/// Findings are written together, so no account of an interrupted scan is done.
#[test]
fn no_account_of_an_interrupted_scan_is_done() {
    let server = large(3);
    server.set("000000000003", Account::Denied);
    for signals in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [
            &SCAN[..],
            &["json=out.json", "--org", "--outcomes", "outcomes.json"],
            &YOUNG,
        ]
        .concat();
        let mut run = Run::start(folder.path(), &server.url, &arguments);
        wait_until_fetched(&server, 3);
        for _ in 0..signals {
            run.interrupt();
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(run.ends_within(Duration::from_secs(10)), Some(130));
        assert_eq!(files(folder.path()), 1);
        assert!(
            results(folder.path()).starts_with("1 interrupted, 2 interrupted, 3 "),
            "{}",
            results(folder.path())
        );
    }
}

/// Shells start background jobs with SIGINT ignored.
#[test]
fn an_ignored_interrupt_stays_ignored() {
    let server = Server::start([("000000000001".to_owned(), Account::Mute)].into_iter().collect());
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' INT; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin("credlens"));
    let mut run = Run::start_by(
        shell,
        folder.path(),
        &server.url,
        &[&["fetch", "--org", "--output", "out/"], &YOUNG[..]].concat(),
    );
    std::thread::sleep(Duration::from_millis(500));
    run.interrupt();
    // An interrupted run would end within two seconds.
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(run.0.try_wait().unwrap().is_none());
    run.send("TERM");
    assert_eq!(run.ends_within(Duration::from_secs(10)), Some(143));
}

/// SIGTERM and SIGHUP end a live run at once: what is done is written to the file of `--outcomes` all the same.
#[test]
fn other_signals_end_a_live_run_at_once() {
    let accounts = (1..=2).map(|number| (format!("{number:012}"), Account::Answers));
    let server = Server::start(accounts.collect());
    server.set("000000000002", Account::Mute);
    for (signal, status) in [("TERM", 143), ("HUP", 129)] {
        let folder = tempfile::tempdir().unwrap();
        let fetch = [
            "fetch",
            "--org",
            "--output",
            "out/",
            "--outcomes",
            "outcomes.json",
        ];
        let mut run = Run::start(folder.path(), &server.url, &[&fetch[..], &YOUNG].concat());
        wait_until_fetched(&server, 2);
        assert_eq!(files(folder.path()), 2, "the directory and the temporary file");
        run.send(signal);
        assert_eq!(run.ends_within(Duration::from_secs(10)), Some(status), "{signal}");
        assert_eq!(files(folder.path()), 2, "{signal}");
        assert_eq!(results(folder.path()), "1 done, 2 interrupted", "{signal}");
    }
}

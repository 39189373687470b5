//! Runs that are killed, and runs at the same time: no report is lost, and no file is half-written.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use credlens::archive::store::{Directory, Store as _};
use credlens::archive::verify::verify;
use tempfile::tempdir;

use super::{PLAIN, credlens, csvs, saved};

fn adding(archive: &Path, report: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_credlens"))
        .args(["archive", "add", "--quiet"])
        .args([archive, report])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A report of a day, with enough users that writing it takes a while.
fn report(directory: &Path, day: usize) -> PathBuf {
    let path = directory.join(format!("2026-{:02}-{:02}.csv", day / 28 + 1, day % 28 + 1));
    let user = |number| {
        format!(
            "\nu{number},arn:aws:iam::111122223333:user/u{number},2022-01-02T03:04:05Z,false,false,false,N/A"
        )
    };
    fs::write(&path, PLAIN.to_owned() + &(0..400).map(user).collect::<String>()).unwrap();
    path
}

/// The temporary files of an archive.
fn temporaries(archive: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(archive).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().ends_with(".tmp"))
        .collect()
}

/// Every other run is killed at some point of the time that a run takes, and the others soon after their temporary file
/// appears, until enough were killed in the middle of a write: a killed run that was not leaves no new temporary file.
#[test]
fn killed_a_hundred_times() {
    let directory = tempdir().unwrap();
    let archive = directory.path().join("archive");
    let store = Directory::new(&archive);
    let start = Instant::now();
    assert!(
        adding(&archive, &report(directory.path(), 0))
            .wait()
            .unwrap()
            .success()
    );
    let duration = start.elapsed();
    let (mut runs, mut interrupted, mut added) = (0, 0, 1);
    while runs < 100 || interrupted < 20 {
        assert!(
            runs < 1_000,
            "of {runs} runs only {interrupted} were killed in the middle of a write"
        );
        let before = temporaries(&archive);
        let mut run = adding(&archive, &report(directory.path(), added));
        if runs % 2 == 0 {
            sleep(duration * (runs / 2 % 50) / 40);
        } else {
            while run.try_wait().unwrap().is_none() && temporaries(&archive).is_subset(&before) {
                sleep(Duration::from_micros(50));
            }
            sleep(duration * (runs / 2 % 10) / 20);
        }
        run.kill().unwrap();
        run.wait().unwrap();
        runs += 1;
        interrupted += u32::from(!temporaries(&archive).is_subset(&before));
        let verified = verify(&store).unwrap();
        assert_eq!(verified.problems, vec![], "after {runs} runs");
        assert!(verified.reports >= added, "lost one after {runs} runs");
        added = verified.reports;
    }
    let status = adding(&archive, directory.path()).wait().unwrap();
    assert!(status.success() || status.code() == Some(4), "{status}");
    let days = fs::read_dir(directory.path()).unwrap().count() - 1;
    assert_eq!(csvs(&archive).len(), days, "every day, once no run is killed");
    assert_eq!(
        temporaries(&archive),
        BTreeSet::new(),
        "what killed runs left is removed"
    );
}

#[test]
fn two_at_once_lose_nothing() {
    let directory = tempdir().unwrap();
    let archive = directory.path().join("archive");
    let reports: Vec<_> = (0..12).map(|day| report(directory.path(), day)).collect();
    // Each report twice, all at the same time.
    let runs: Vec<_> = reports
        .iter()
        .chain(&reports)
        .map(|report| adding(&archive, report))
        .collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    let verified = verify(&Directory::new(&archive)).unwrap();
    assert_eq!((verified.files, verified.reports), (12, 12));
    assert_eq!((verified.problems, verified.notes), (vec![], vec![]));
}

/// A run that waits for another one says so.
#[test]
fn waiting_for_the_lock_is_reported() {
    let directory = saved();
    let archive = directory.path().join("archive");
    let lock = Directory::new(&archive).lock().unwrap();
    let adding = |quiet: &'static [&'static str]| {
        let at = directory.path().to_owned();
        std::thread::spawn(move || {
            credlens(&at, &[&["archive", "add", "archive", "reports"], quiet].concat())
        })
    };
    let (loud, quiet) = (adding(&[]), adding(&["--quiet"]));
    sleep(Duration::from_secs(3));
    drop(lock);
    let (code, _, err) = loud.join().unwrap();
    assert_eq!(code, 0);
    assert!(
        err.starts_with("another run uses archive; waiting for it to end\n"),
        "{err}"
    );
    let (code, _, err) = quiet.join().unwrap();
    assert_eq!((code, err.as_str()), (0, ""));
}

//! Runs that are killed, and runs at the same time: nothing is lost, and nothing half-written is left.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

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

/// A report of a day, of enough users that writing it takes a while.
fn report(directory: &Path, day: usize) -> std::path::PathBuf {
    let path = directory.join(format!("2026-{:02}-{:02}.csv", day / 28 + 1, day % 28 + 1));
    let user = |number| {
        format!(
            "\nu{number},arn:aws:iam::111122223333:user/u{number},2022-01-02T03:04:05Z,false,false,false,N/A"
        )
    };
    fs::write(
        &path,
        PLAIN.to_owned() + &(0..day * 20).map(user).collect::<String>(),
    )
    .unwrap();
    path
}

#[test]
fn killed_a_hundred_times() {
    let directory = tempdir().unwrap();
    let archive = directory.path().join("archive");
    let store = Directory::new(&archive);
    let mut known = 0;
    for day in 0..100 {
        let mut run = adding(&archive, &report(directory.path(), day));
        sleep(Duration::from_micros(300 * (day as u64 % 50)));
        run.kill().unwrap();
        run.wait().unwrap();
        let verified = verify(&store).unwrap();
        assert_eq!(verified.problems, vec![], "after {day} runs");
        assert!(verified.reports >= known, "lost one after {day} runs");
        known = verified.reports;
    }
    let status = adding(&archive, directory.path()).wait().unwrap();
    assert!(status.success() || status.code() == Some(4), "{status}");
    assert_eq!(csvs(&archive).len(), 100, "all days, once all could be added");
    let left = fs::read_dir(&archive).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".tmp")
    });
    assert_eq!(left.count(), 0, "what killed runs left over is gone");
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

/// Who waits for another run says so.
#[test]
fn a_lock_is_waited_for_aloud() {
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
        err.starts_with("another run is adding to archive; waiting for it to end\n"),
        "{err}"
    );
    let (code, _, err) = quiet.join().unwrap();
    assert_eq!((code, err.as_str()), (0, ""));
}

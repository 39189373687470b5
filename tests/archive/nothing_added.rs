//! A run that adds nothing leaves nothing that was not there before.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use tempfile::{TempDir, tempdir};

use super::{PLAIN, credlens, saved};

/// All paths below a directory, hidden ones, too.
fn tree(directory: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        paths.insert(path.display().to_string());
        if path.is_dir() {
            paths.extend(tree(&path));
        }
    }
    paths
}

/// Reports that cannot be added: other files, a cut gzip, a header alone.
fn no_reports() -> TempDir {
    let directory = tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for name in ["readme", "there", "old"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::write(at("readme/README.md"), "# Reports\n").unwrap();
    fs::write(at("2026-01-01.csv.gz"), b"\x1f\x8b\x08\0\0\0\0\0").unwrap();
    fs::write(at("2026-01-02.csv"), "user,arn\n").unwrap();
    // An empty archive stays one.
    fs::write(at("old/.credlens.lock"), "").unwrap();
    directory
}

#[test]
fn nothing_is_left_of_a_run_that_adds_nothing() {
    let directory = no_reports();
    let before = tree(directory.path());
    for input in ["readme", "2026-01-01.csv.gz", "2026-01-02.csv", "nowhere.csv"] {
        for archive in ["new", "a/b/new", "there", "there/new", "old"] {
            let (code, out, err) = credlens(directory.path(), &["archive", "add", archive, input]);
            assert_eq!((code, &*out), (3, ""), "{input} {archive}: {err}");
            assert_eq!(tree(directory.path()), before, "{input} {archive}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_where_no_archive_can_be() {
    let directory = no_reports();
    let before = tree(directory.path());
    for (archive, message) in [
        (
            "/proc/nope",
            "cannot lock the archive /proc/nope: No such file or directory",
        ),
        (
            "/proc/a/b",
            "cannot lock the archive /proc/a/b: No such file or directory",
        ),
    ] {
        let (code, _, err) = credlens(directory.path(), &["archive", "add", archive, "2026-01-02.csv"]);
        assert!(code == 5 && err.contains(message), "{code} {err}");
    }
    assert_eq!(tree(directory.path()), before);
}

/// A run that adds the first half of a report, and waits for the rest.
#[cfg(unix)]
fn adding(directory: &Path, archive: &str) -> (Child, File) {
    let fifo = directory.join("2026-01-03.csv");
    if !fifo.exists() {
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    }
    let child = Command::new(env!("CARGO_BIN_EXE_credlens"))
        .args(["archive", "add", archive, "2026-01-03.csv"])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // To open it for reading, too, does not wait for the other side.
    let mut pipe = File::options().read(true).write(true).open(fifo).unwrap();
    pipe.write_all(PLAIN.as_bytes()).unwrap();
    (child, pipe)
}

#[cfg(unix)]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "it takes too long");
        sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_left_of_a_run_that_was_interrupted() {
    let directory = no_reports();
    let before = tree(directory.path());
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for archive in ["a/new", "there"] {
            let (mut child, pipe) = adding(directory.path(), archive);
            let lock = directory.path().join(archive).join(".credlens.lock");
            wait_until(|| lock.exists());
            let id = child.id().to_string();
            let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status();
            assert!(sent.unwrap().success());
            wait_until(|| child.try_wait().unwrap().is_some());
            assert_eq!(child.wait().unwrap().code(), Some(status), "{signal} {archive}");
            drop(pipe);
            fs::remove_file(directory.path().join("2026-01-03.csv")).unwrap();
            assert_eq!(tree(directory.path()), before, "{signal} {archive}");
        }
    }
}

/// Runs that add nothing take back the lock for which others wait: no report is lost by that.
#[test]
fn runs_at_the_same_time_that_add_nothing() {
    for _ in 0..10 {
        let directory = saved();
        fs::write(directory.path().join("2026-01-02.csv"), "user,arn\n").unwrap();
        let months = ["2026-01-01", "2026-02-01", "2026-03-01"].map(|month| format!("reports/{month}.csv"));
        let inputs = (0..12).map(|number| match months.get(number / 2) {
            Some(month) if number % 2 == 1 => &**month,
            _ => "2026-01-02.csv",
        });
        let runs = inputs.map(|input| {
            Command::new(env!("CARGO_BIN_EXE_credlens"))
                .args(["archive", "add", "a/new", input])
                .current_dir(directory.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        });
        let codes: Vec<_> = runs
            .collect::<Vec<_>>()
            .into_iter()
            .map(|mut run| run.wait().unwrap().code())
            .collect();
        let added = codes.iter().filter(|&&code| code == Some(0)).count();
        let refused = codes.iter().filter(|&&code| code == Some(3)).count();
        assert_eq!((added, refused), (3, 9), "{codes:?}");
        let verified = verify(&Directory::new(&directory.path().join("a/new"))).unwrap();
        assert_eq!((verified.reports, verified.problems), (3, vec![]));
    }
}

/// `list` and `verify` agree on an archive of which only the lock is left.
#[test]
fn an_empty_archive_is_intact() {
    let directory = no_reports();
    for command in ["list", "verify"] {
        let (code, out, err) = credlens(directory.path(), &["archive", command, "old"]);
        assert_eq!(
            (code, &*out, &*err),
            (0, "old has no archived report\n", ""),
            "{command}"
        );
        let json = ["archive", command, "old", "--format", "json"];
        let (code, out, _) = credlens(directory.path(), &json);
        assert_eq!((code, out.starts_with('{')), (0, true), "{command}");
    }
}

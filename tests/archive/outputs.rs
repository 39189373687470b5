//! What the commands of an archive write: signals leave nothing half-written, what cannot be written is 5, the umask
//! decides who reads it, and nothing of it reaches a terminal as it is.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use tempfile::{TempDir, tempdir};

use super::{PLAIN, credlens, files, saved};
use crate::support::hostile::{HOSTILE, raw};

/// Runs a line of the shell in which `$0` is the program: its exit status and standard error.
fn shell(directory: &Path, script: &str) -> (Option<i32>, String) {
    let run = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_credlens")])
        .current_dir(directory)
        .output()
        .unwrap();
    (run.status.code(), String::from_utf8(run.stderr).unwrap())
}

/// An archive of reports of many accounts, so that exporting them takes a while, and their CSV.
fn many() -> (TempDir, String) {
    let directory = tempdir().unwrap();
    let user = |number| {
        format!(
            "\nu{number},arn:aws:iam::111122223333:user/u{number},2022-01-02T03:04:05Z,false,false,false,N/A"
        )
    };
    let csv = PLAIN.to_owned() + &(0..300).map(user).collect::<String>();
    fs::create_dir(directory.path().join("reports")).unwrap();
    for account in 0..60 {
        let csv = csv.replace("111122223333", &format!("1111222233{account:02}"));
        fs::write(
            directory.path().join(format!("reports/{account}-2026-01-01.csv")),
            csv,
        )
        .unwrap();
    }
    let (code, _, err) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert_eq!(code, 0, "{err}");
    (directory, csv)
}

/// The files of a directory, and whether a temporary one is among them.
fn entries(directory: &Path) -> (Vec<String>, bool) {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let is_writing = names.iter().any(|name| name.starts_with('.'));
    (names, is_writing)
}

fn exporting(directory: &Path, to: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_credlens"))
        .args(["archive", "export", "archive", "--output", to])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
fn send(run: &Child, signal: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{signal}"), &run.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// The run is stopped while its temporary file is there, so that it is in the middle of a write when the signal comes.
#[cfg(unix)]
#[test]
fn an_export_that_is_interrupted_leaves_whole_files() {
    let (directory, csv) = many();
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let end = Instant::now() + Duration::from_mins(2);
        for attempt in 0.. {
            assert!(Instant::now() < end, "no run was in the middle of a write");
            let to = format!("{signal}-{attempt}");
            let out = directory.path().join(&to);
            let mut run = exporting(directory.path(), &format!("{to}/"));
            while run.try_wait().unwrap().is_none() && !entries(&out).1 {
                sleep(Duration::from_micros(20));
            }
            if run.try_wait().unwrap().is_some() {
                continue;
            }
            send(&run, "STOP");
            // It stops a little later.
            sleep(Duration::from_millis(20));
            let is_writing = entries(&out).1;
            send(&run, signal);
            send(&run, "CONT");
            assert_eq!(run.wait().unwrap().code(), Some(status), "SIG{signal}");
            let (names, is_left) = entries(&out);
            assert!(!is_left && names.len() < 60, "SIG{signal}: {names:?}");
            for name in names {
                let expected = csv.replace("111122223333", name.split_once('_').unwrap().0);
                assert!(fs::read_to_string(out.join(&name)).unwrap() == expected, "{name}");
            }
            if is_writing {
                break;
            }
        }
    }
}

/// Each names what could not be written, and where.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_5() {
    let directory = saved();
    let run = |script: &str| shell(directory.path(), script);
    assert_eq!(
        run("exec \"$0\" archive add ar reports/2026-01-01.csv").0,
        Some(0)
    );
    fs::write(directory.path().join("file"), "mine").unwrap();
    let full = "to standard output: No space left on device";
    let limit = "trap '' XFSZ; ulimit -f 0; exec \"$0\"";
    for (script, message) in [
        (
            "exec \"$0\" archive list ar >/dev/full",
            format!("the list (table) {full}"),
        ),
        (
            "exec \"$0\" archive list ar --format json >/dev/full",
            format!("the list (json) {full}"),
        ),
        (
            "exec \"$0\" archive verify ar >/dev/full",
            format!("the result (table) {full}"),
        ),
        (
            "exec \"$0\" archive verify ar --format json >/dev/full",
            format!("the result (json) {full}"),
        ),
        (
            "exec \"$0\" archive export ar --at 2026-01-01 -o - >/dev/full",
            format!("the report as csv {full}"),
        ),
        (
            "exec \"$0\" archive export ar -o out/ >/dev/full",
            format!("the path of a report {full}"),
        ),
        (
            "exec \"$0\" archive add ar reports/2026-02-01.csv >/dev/full",
            format!("the names of the files that were added {full}"),
        ),
        (
            "exec \"$0\" archive export ar --at 2026-01-01 -o file",
            "file as csv: a file with other content is in the way".to_owned(),
        ),
        (
            "exec \"$0\" archive export ar --at 2026-01-01 -o no/x",
            "no/x as csv: No such file or directory (os error 2)".to_owned(),
        ),
        (
            "exec \"$0\" archive export ar --at 2026-01-01 -o /proc/x",
            "/proc/x as csv: No such file or directory (os error 2)".to_owned(),
        ),
        (
            &format!("{limit} archive export ar --at 2026-01-01 -o x"),
            "x as csv: File too large".to_owned(),
        ),
        (
            &format!("{limit} archive add ar reports/2026-03-01.csv"),
            "into the archive ar: File too large".to_owned(),
        ),
        ("exec \"$0\" --version >/dev/full", format!("the version {full}")),
        (
            "exec \"$0\" archive --help >/dev/full",
            format!("the help {full}"),
        ),
    ] {
        let (code, err) = run(script);
        let message = format!("cannot write {message}");
        assert_eq!(
            (code, err.matches(&message).count()),
            (Some(5), 1),
            "{script}: {err}"
        );
        assert!(
            !err.contains(".credlens-") && !err.contains(".tmp"),
            "{script}: {err}"
        );
    }
    assert_eq!(fs::read_to_string(directory.path().join("file")).unwrap(), "mine");
    let verified = verify(&Directory::new(&directory.path().join("ar"))).unwrap();
    assert_eq!((verified.reports, verified.problems), (2, vec![]));
    assert!(!entries(directory.path()).1 && !directory.path().join("x").exists());
}

/// Outputs in the words of the system, whoever creates their temporary file.
#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = saved();
    let locked = directory.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(locked.join("x"), "").is_ok() {
        // Permissions do not stop root.
        return;
    }
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "ar", "reports/2026-01-01.csv"]);
    for (args, message) in [
        (
            &["archive", "export", "ar", "-o", "locked/x"][..],
            "locked/x as csv: Permission denied",
        ),
        (
            &["scan", "reports", "--format", "json=locked/x"],
            "locked/x as json: cannot create a file in locked: Permission denied",
        ),
    ] {
        let (code, _, err) = run(args);
        assert!(code == 5 && err.contains(message), "{code} {err}");
    }
}

#[cfg(unix)]
#[test]
fn the_umask_decides_who_reads_archives_and_exports() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = saved();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (umask, file_mode, directory_mode) in [
        ("022", 0o644, 0o755),
        ("027", 0o640, 0o750),
        ("077", 0o600, 0o700),
    ] {
        let script = format!(
            "umask {umask}; \"$0\" archive add {umask} reports && exec \"$0\" archive export {umask} -o {umask}.out/"
        );
        assert_eq!(shell(directory.path(), &script).0, Some(0));
        let [archive, exported] =
            [umask.to_owned(), format!("{umask}.out")].map(|name| directory.path().join(name));
        let written = files(&archive).into_iter().map(|file| archive.join(file));
        let exports = entries(&exported).0.into_iter().map(|name| exported.join(name));
        for path in written.chain(exports).chain([archive.join(".credlens.lock")]) {
            assert_eq!(mode(&path), file_mode, "umask {umask}: {}", path.display());
            assert_eq!(mode(path.parent().unwrap()), directory_mode, "umask {umask}");
        }
    }
}

/// Names of users, files and directories in what the commands say.
#[cfg(unix)]
#[test]
fn hostile_names_are_escaped() {
    let directory = tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let run = |args: &[&str]| {
        let (code, out, err) = credlens(directory.path(), args);
        assert_eq!(
            raw(&(out.clone() + &err)),
            [' '; 0],
            "{args:?}: {}{}",
            out.escape_debug(),
            err.escape_debug()
        );
        (code, out, err)
    };
    let name = format!("{HOSTILE}-2026-01-01.csv");
    let archive = "ar\u{1b}\u{9b}\u{202e}\u{3164}\u{e0001}";
    let user = |more: &str| PLAIN.replace("alice", &format!("{HOSTILE}{more}"));
    fs::write(at(&name), user("")).unwrap();
    fs::write(at(&format!("other{name}")), user("x")).unwrap();
    fs::write(at(&format!("cut{HOSTILE}.csv")), "user,arn\n").unwrap();
    let cut = format!("cut{HOSTILE}.csv");
    let (code, out, err) = run(&["archive", "add", archive, &name, &format!("other{name}"), &cut]);
    assert_eq!((code, out.lines().count()), (4, 1), "{err}");
    assert!(
        err.contains("contradicts the report of account 111122223333"),
        "{err}"
    );
    let file = files(&at(archive)).remove(0);
    fs::write(at(archive).join(format!("{HOSTILE}.txt")), "").unwrap();
    fs::copy(
        at(archive).join(&file),
        at(archive).join(format!("{HOSTILE}.parquet")),
    )
    .unwrap();
    fs::write(at(archive).join(format!("cut{HOSTILE}.parquet")), "PAR1PAR1").unwrap();
    for format in ["table", "json"] {
        let (code, out, err) = run(&["archive", "list", archive, "--format", format]);
        assert_eq!((code, err.lines().count()), (4, 3), "{out}{err}");
        let (code, out, err) = run(&["archive", "verify", archive, "--format", format]);
        assert_eq!((code, err.as_str()), (1, ""), "{out}");
        assert!(out.matches(".parquet").count() > 2, "{out}");
    }
    let (_, json, _) = run(&["archive", "list", archive, "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(list["reports"][0]["path"], name, "the value is as it was");
    let (code, out, err) = run(&["archive", "export", archive, "-o", &format!("out{HOSTILE}/")]);
    assert_eq!((code, out.lines().count()), (4, 2), "{err}");
    let (code, _, err) = run(&["archive", "export", archive, "-o", &name]);
    assert_eq!(code, 5, "{err}");
    let nowhere = format!("nowhere{HOSTILE}");
    for command in [&["list"][..], &["verify"], &["export", "-o", "-"]] {
        assert_eq!(run(&[&["archive"], command, &[&nowhere]].concat()).0, 3);
    }
    fs::create_dir(at(&nowhere)).unwrap();
    for command in [&["list"][..], &["verify"], &["export", "-o", "-"]] {
        assert_eq!(run(&[&["archive"], command, &[&nowhere]].concat()).0, 3);
    }
}

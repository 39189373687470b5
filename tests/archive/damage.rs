//! Damaged and foreign files in an archive are found, and do no harm to the others.

use std::fs;
use std::path::Path;

use credlens::archive::store::Directory;
use credlens::archive::verify::{Verified, verify};
use tempfile::{TempDir, tempdir};

use super::{PLAIN, add_to, copy, credlens, csvs, files, memory, saved};

fn archive() -> (TempDir, String) {
    let directory = tempdir().unwrap();
    add_to(directory.path(), &mut memory(&[("a.csv", PLAIN)]));
    let file = files(directory.path()).remove(0);
    (directory, file)
}

fn verified(directory: &Path) -> Verified {
    verify(&Directory::new(directory)).unwrap()
}

/// Damages a copy of an archive, and returns the one problem that `verify` finds.
fn problem(of: &Path, damage: impl FnOnce(&Path)) -> String {
    let directory = tempdir().unwrap();
    copy(of, directory.path());
    damage(directory.path());
    let problems = verified(directory.path()).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{}: {}", problems[0].path, problems[0].message)
        .replace(&directory.path().display().to_string(), "A")
}

#[test]
fn every_kind_of_damage_is_found() {
    let (directory, file) = archive();
    let clean = verified(directory.path());
    assert_eq!((clean.files, clean.reports), (1, 1));
    assert_eq!((clean.problems, clean.notes), (vec![], vec![]));
    let bytes = fs::read(directory.path().join(&file)).unwrap();
    for length in [0, 1, 3, 4, 11, bytes.len() / 2, bytes.len() - 1] {
        let message = problem(directory.path(), |at| {
            fs::write(at.join(&file), &bytes[..length]).unwrap();
        });
        assert!(message.contains("is damaged"), "cut to {length}: {message}");
    }
    for place in (0..bytes.len()).step_by(97) {
        let mut rotten = bytes.clone();
        rotten[place] ^= 0x10;
        let message = problem(directory.path(), |at| fs::write(at.join(&file), &rotten).unwrap());
        assert!(message.contains("is damaged"), "bit of byte {place}: {message}");
    }
    let moved = file.replace("2026-01-01/", "2026-01-02/");
    assert_ne!(moved, file);
    let message = problem(directory.path(), |at| {
        fs::create_dir(at.join("snapshot_date=2026-01-02")).unwrap();
        fs::rename(at.join(&file), at.join(&moved)).unwrap();
    });
    assert_eq!(
        message,
        format!("{moved}: renamed or misplaced: its name should be {file}; rename it")
    );
    let renamed = "snapshot_date=2026-01-01/part-0.parquet";
    let put = |name: &'static str, bytes: &[u8]| {
        problem(directory.path(), |at| {
            let path = at.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        })
    };
    for copy in [renamed, "x/y/z.parquet"] {
        let expected = format!("{copy}: a copy of {file} under another name; delete it");
        assert_eq!(put(copy, &bytes), expected);
    }
    let cut = put(renamed, &bytes[..bytes.len() / 2]);
    assert!(
        cut.starts_with(&format!("{renamed}: it is damaged or cut off; ")),
        "{cut}"
    );
    for (foreign, bytes) in [("notes.txt", &bytes[..]), ("x/y.parquet", b"notes")] {
        let expected = "not a file of the archive: credlens did not write it; move it away";
        assert_eq!(put(foreign, bytes), format!("{foreign}: {expected}"));
    }
}

/// A damaged file is not read, the others are, and its reports can be added again.
#[test]
fn a_damaged_file_is_replaced_by_adding_again() {
    let (directory, file) = archive();
    let other = PLAIN.replace("111122223333", "444455556666");
    add_to(directory.path(), &mut memory(&[("b.csv", &other)]));
    let path = directory.path().join(&file);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let added = add_to(
        directory.path(),
        &mut memory(&[("a.csv", PLAIN), ("b.csv", &other)]),
    );
    assert_eq!(
        (added.added.len(), added.known.len(), added.unreadable.len()),
        (1, 1, 1)
    );
    assert_eq!(verified(directory.path()).problems, vec![], "it was replaced");
    assert_eq!(csvs(directory.path()).len(), 2);
}

#[test]
fn archives_can_be_merged_by_copying() {
    let (directory, _) = archive();
    let (other, _) = archive();
    let more = PLAIN.replace("bob", "eve");
    add_to(other.path(), &mut memory(&[("a.csv", PLAIN), ("b.csv", &more)]));
    copy(other.path(), directory.path());
    assert_eq!(csvs(directory.path()).len(), 2);
}

/// A damaged page in a file whose metadata can still be read.
#[test]
fn a_damaged_page_is_replaced_by_adding_again() {
    let (directory, file) = archive();
    let path = directory.path().join(&file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let added = add_to(directory.path(), &mut memory(&[("a.csv", PLAIN)]));
    assert_eq!(
        (added.added.len(), added.known.len(), added.unreadable.len()),
        (1, 0, 1)
    );
    assert_eq!(verified(directory.path()).problems, vec![]);
}

/// Only temporary files of credlens are removed.
#[test]
fn other_hidden_files_are_kept() {
    let directory = tempdir().unwrap();
    for name in [
        ".credlens-suppressions.toml",
        ".credlens-0.tmp",
        ".credlens-archive-notes",
    ] {
        fs::write(directory.path().join(name), "mine").unwrap();
    }
    fs::write(directory.path().join(".credlens-archive-x.tmp"), "left over").unwrap();
    add_to(directory.path(), &mut memory(&[("a.csv", PLAIN)]));
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".credlens-0.tmp",
            ".credlens-archive-notes",
            ".credlens-suppressions.toml",
            ".credlens.lock",
            "snapshot_date=2026-01-01"
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_a_symlink_is_not_written_into() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let partition = directory.path().join("snapshot_date=2026-01-01");
    std::os::unix::fs::symlink(elsewhere.path(), partition).unwrap();
    let mut added = credlens::archive::add::Added::default();
    let mut source = memory(&[("a.csv", PLAIN)]);
    let result = credlens::archive::add::add(&Directory::new(directory.path()), &mut source, &mut added);
    assert!(result.unwrap_err().to_string().contains("symlink"));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// Something with the name of an archived file that is not a file is an error. Reading it might never end.
#[cfg(unix)]
#[test]
fn pipes_directories_and_devices_are_not_files_of_the_archive() {
    let (directory, file) = archive();
    let digits = "0123456789abcdef0123456789abcdef";
    let name = |hour| format!("snapshot_date=2026-01-01/20260101T0{hour}0000Z-{digits}.parquet");
    let at = |hour| directory.path().join(name(hour));
    let made = std::process::Command::new("mkfifo").arg(at(1)).status();
    assert!(made.unwrap().success());
    fs::create_dir(at(2)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at(3)).unwrap();
    let shown = |error: &str| error.replace(&directory.path().display().to_string(), "A");
    let problems = verified(directory.path()).problems;
    let named = |path: &str, message: &str| message.replacen("it is", &format!("A/{path} is"), 1);
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| named(&problem.path, &problem.message))
        .collect();
    insta::assert_snapshot!(problems.join("\n"), @r"
    A/snapshot_date=2026-01-01/20260101T010000Z-0123456789abcdef0123456789abcdef.parquet is a named pipe, not a file of the archive; move it away
    A/snapshot_date=2026-01-01/20260101T020000Z-0123456789abcdef0123456789abcdef.parquet is a directory, not a file of the archive; move it away
    A/snapshot_date=2026-01-01/20260101T030000Z-0123456789abcdef0123456789abcdef.parquet is a device, not a file of the archive; move it away
    ");
    let listing = credlens::archive::list::list(&Directory::new(directory.path())).unwrap();
    let errors: Vec<_> = listing
        .errors
        .iter()
        .map(|error| shown(&error.to_string()))
        .collect();
    assert_eq!((listing.reports.len(), &errors), (1, &problems));
    assert_eq!(listing.reports[0].file, file);
    // They do not keep reports from being added.
    let added = add_to(directory.path(), &mut memory(&[("a.csv", PLAIN)]));
    assert_eq!((added.known.len(), added.unreadable.len()), (1, 3));
}

/// Neither pipe blocks the program.
#[cfg(unix)]
#[test]
fn pipes_among_the_files_and_outputs() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports/2026-01-01.csv"]);
    let name = "archive/snapshot_date=2026-01-01/20260101T000000Z-0123456789abcdef0123456789abcdef.parquet";
    for pipe in [name, "pipe"] {
        let made = std::process::Command::new("mkfifo")
            .arg(directory.path().join(pipe))
            .status();
        assert!(made.unwrap().success());
    }
    let (code, out, err) = run(&["archive", "list", "archive"]);
    assert_eq!((code, out.lines().count()), (4, 4), "{out}");
    insta::assert_snapshot!(err, @"error: archive/snapshot_date=2026-01-01/20260101T000000Z-0123456789abcdef0123456789abcdef.parquet is a named pipe, not a file of the archive; move it away");
    let (code, _, _) = run(&["scan", "archive"]);
    assert_eq!(code, 1, "the intact file is evaluated");
    let pipe = directory.path().join("report.parquet");
    fs::rename(directory.path().join("pipe"), &pipe).unwrap();
    let writer = std::thread::spawn(move || fs::write(&pipe, PLAIN).unwrap());
    let (code, _, err) = run(&["scan", "report.parquet"]);
    assert_eq!(code, 1, "a pipe that is named is read, whatever its name: {err}");
    writer.join().unwrap();
    fs::rename(
        directory.path().join("report.parquet"),
        directory.path().join("pipe"),
    )
    .unwrap();
    let (code, _, err) = run(&["archive", "export", "archive", "--output", "pipe"]);
    assert_eq!(code, 5);
    insta::assert_snapshot!(err.lines().last().unwrap(), @"error: cannot write pipe as csv: a named pipe is in the way; move it away, or name another path");
}

/// Opening a pipe would block, and following a symlink would create a file elsewhere.
#[cfg(unix)]
#[test]
fn a_lock_must_be_a_file() {
    let directory = tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let lock = at("archive/.credlens.lock");
    fs::create_dir(at("archive")).unwrap();
    fs::write(at("2026-01-01.csv"), PLAIN).unwrap();
    let refuses = |what: &str| {
        let (code, out, err) = credlens(directory.path(), &["archive", "add", "archive", "2026-01-01.csv"]);
        assert_eq!((code, &*out), (3, ""), "{err}");
        let refused =
            format!("error: archive/.credlens.lock is {what}, not a file of the archive; move it away");
        assert!(err.contains(&refused), "{err}");
    };
    std::os::unix::fs::symlink("../elsewhere", &lock).unwrap();
    refuses("a symlink");
    assert!(!at("elsewhere").exists());
    fs::remove_file(&lock).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&lock).status();
    assert!(made.unwrap().success());
    refuses("a named pipe");
}

//! Compacted and upgraded archives have every report once, byte for byte, and the same findings; wherever a run ended.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use credlens::archive::add::{Added, add};
use credlens::archive::error::Error;
use credlens::archive::list::list;
use credlens::archive::rewrite::{Rewritten, compact, upgrade};
use credlens::archive::store::{Directory, Store, StoredFile};
use credlens::archive::verify::verify;
use credlens::engine::Memory;
use credlens::finding::digest::sha256;
use credlens::io::container::FileBytes;
use credlens::io::temporary::TemporaryFile;
use credlens::io::write_once::WriteOutcome;
use credlens::report::time::Timestamp;
use memchr::memmem;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::columns::{PROGRAM, found, inputs};
use super::lossless::report;
use super::{PLAIN, add_to, copy, credlens, csvs, files, saved};
use crate::support::pipeline::{AS_OF, evaluate};

const DAY: i64 = 86_400;

/// The reports of an archive, each as often as it is listed: its time and its bytes.
fn reports(directory: &Path) -> Vec<(Timestamp, Vec<u8>)> {
    let listing = list(&Directory::new(directory)).unwrap();
    let times = listing.reports.iter().map(|listed| listed.report.as_of);
    times.zip(csvs(directory)).collect()
}

/// What is found in the reports of an archive, in any order.
fn all_found(directory: &Path) -> Vec<String> {
    let Value::Array(parts) = found(evaluate(&PROGRAM, inputs(directory), 2)) else {
        panic!("not what was found")
    };
    let mut all: Vec<String> = Vec::new();
    for part in parts {
        let values = part.as_array().cloned().unwrap_or_else(|| vec![part]);
        all.extend(values.iter().map(ToString::to_string));
    }
    all.sort();
    all
}

/// Reports of some days from 2026-01-01 on.
fn archive(days: &[(i64, Vec<u8>)]) -> Option<TempDir> {
    let directory = tempdir().unwrap();
    for (day, csv) in days {
        let mut memory = Memory::default();
        let csv = str::from_utf8(csv).ok()?;
        memory.add("a.csv", csv, Timestamp(AS_OF.0 + day * DAY)).ok()?;
        add(
            &Directory::new(directory.path()),
            &mut memory,
            &mut Added::default(),
        )
        .unwrap();
    }
    Some(directory)
}

fn compacted(directory: &Path) -> Rewritten {
    let mut outcome = Rewritten::default();
    compact(&Directory::new(directory), None, &mut outcome).unwrap();
    assert!(outcome.errors.is_empty(), "{outcome:?}");
    outcome
}

/// A report of one of two accounts that changes from day to day.
fn plain(account: i64, day: i64) -> String {
    let csv = PLAIN.replace("111122223333", &format!("1111222233{account:02}"));
    let csv = if day % 3 == 0 {
        csv.replace("bob", &format!("bob{day}"))
    } else {
        csv
    };
    csv + &format!("\neve{day},arn:aws:iam::1111222233{account:02}:user/eve{day},soon,N/A,true,false,N/A")
}

fn two_accounts() -> TempDir {
    let days = (0..70).map(|day| (day, plain(day % 2, day / 2).into_bytes()));
    archive(&days.collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_month_is_one_file() {
    let directory = two_accounts();
    let (before, found_before) = (reports(directory.path()), all_found(directory.path()));
    let outcome = compacted(directory.path());
    assert_eq!(
        (outcome.removed.len(), outcome.written.len(), outcome.reports),
        (70, 3, 70)
    );
    assert_eq!(files(directory.path()).len(), 3);
    assert_eq!(reports(directory.path()), before);
    assert_eq!(all_found(directory.path()), found_before);
    let verified = verify(&Directory::new(directory.path())).unwrap();
    assert_eq!(
        (verified.reports, verified.problems, verified.notes),
        (70, vec![], vec![])
    );
    // Again, there is nothing to do.
    let again = compacted(directory.path());
    assert_eq!((again.removed.len(), again.left), (0, 3));
    // A report that is there is not added again, and others join the file of their month.
    let mut memory = Memory::default();
    memory
        .add("a.csv", &plain(1, 0), Timestamp(AS_OF.0 + DAY))
        .unwrap();
    memory
        .add("b.csv", &plain(1, 9), Timestamp(AS_OF.0 + DAY))
        .unwrap();
    let added = add_to(directory.path(), &mut memory);
    assert_eq!((added.added.len(), added.known.len()), (1, 1));
    let outcome = compacted(directory.path());
    assert_eq!(
        (outcome.removed.len(), outcome.written.len(), outcome.left),
        (2, 1, 2)
    );
    assert_eq!(reports(directory.path()).len(), 71);
}

#[test]
fn only_what_is_old_is_compacted() {
    let directory = two_accounts();
    let mut outcome = Rewritten::default();
    let until = Timestamp::parse(b"2026-02-10T00:00:00Z");
    compact(&Directory::new(directory.path()), until, &mut outcome).unwrap();
    assert_eq!((outcome.removed.len(), outcome.left), (41, 29));
    assert_eq!(reports(directory.path()).len(), 70);
}

/// In its file, a renamed compacted file is still a part of the archive.
#[test]
fn a_renamed_compacted_file_is_read_and_found() {
    let directory = two_accounts();
    compacted(directory.path());
    let before = all_found(directory.path());
    let file = files(directory.path())[0].clone();
    let other = directory.path().join("x.parquet");
    fs::rename(directory.path().join(&file), other).unwrap();
    assert_eq!(all_found(directory.path()), before);
    let verified = verify(&Directory::new(directory.path())).unwrap();
    let expected = format!("renamed or misplaced: its name should be {file}; rename it");
    assert_eq!(verified.problems[0].message, expected);
}

/// A copy of an archive of version 1, and its reports.
fn version_1() -> TempDir {
    let directory = tempdir().unwrap();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archive/version-1"),
        directory.path(),
    );
    directory
}

#[test]
fn files_of_version_1_are_upgraded() {
    let directory = version_1();
    let (before, found_before) = (reports(directory.path()), all_found(directory.path()));
    let old = files(directory.path());
    let mut outcome = Rewritten::default();
    upgrade(&Directory::new(directory.path()), &mut outcome).unwrap();
    assert_eq!((outcome.removed.len(), outcome.written.len()), (1, 1));
    assert_ne!(files(directory.path()), old);
    assert_eq!(reports(directory.path()), before);
    assert_eq!(all_found(directory.path()), found_before);
    let mut again = Rewritten::default();
    upgrade(&Directory::new(directory.path()), &mut again).unwrap();
    assert_eq!((again.removed.len(), again.left), (0, 1));
}

/// A damaged file stays, and the others of its month are compacted.
#[test]
fn a_damaged_file_stays_as_it_is() {
    let directory = two_accounts();
    let damaged = directory.path().join(&files(directory.path())[4]);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[40] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let mut outcome = Rewritten::default();
    compact(&Directory::new(directory.path()), None, &mut outcome).unwrap();
    assert_eq!(
        (outcome.errors.len(), outcome.removed.len(), outcome.left),
        (1, 69, 1)
    );
    assert_eq!(fs::read(&damaged).unwrap(), bytes);
    // Once more, there is nothing else to do.
    let mut again = Rewritten::default();
    compact(&Directory::new(directory.path()), None, &mut again).unwrap();
    assert_eq!((again.errors.len(), again.written.len(), again.left), (1, 0, 4));
}

/// A file as a release wrote it that read cells differently: its metadata say so, and with them its hashes.
fn of_other_semantics(archive: &Path, file: &str) {
    let bytes = fs::read(archive.join(file)).unwrap();
    let at = |bytes: &[u8], part: &[u8]| memmem::find(bytes, part).unwrap();
    let start = at(&bytes, br#"{"version":2,"semantics":1"#);
    let json_end = start + memmem::rfind(&bytes[start..], b"]}").unwrap() + 2;
    let json = str::from_utf8(&bytes[start..json_end]).unwrap();
    let other = json.replacen(r#""semantics":1"#, r#""semantics":0"#, 1);
    let mut bytes = bytes.clone();
    let hash = at(&bytes, sha256(json).as_bytes());
    bytes[hash..hash + 64].copy_from_slice(sha256(&other).as_bytes());
    bytes[start..json_end].copy_from_slice(other.as_bytes());
    // The seal has the hash of the footer, which begins behind it.
    let seal = at(&bytes, b"credlens.sealed1");
    let footer = sha256(&bytes[seal + 80..]);
    for (place, digits) in (seal + 48..).zip(footer.as_bytes().chunks(2)) {
        bytes[place] = u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    fs::remove_file(archive.join(file)).unwrap();
    let (named, _) = file.rsplit_once('-').unwrap();
    let named = format!("{named}-{}.parquet", &sha256(&bytes)[..32]);
    fs::write(archive.join(named), bytes).unwrap();
}

/// What such a file says is unknown is outdated: its rows are read from what was written, and `upgrade` brings it up to date.
#[test]
fn rows_of_other_semantics_are_read_again() {
    let directory = two_accounts();
    let (before, found_before) = (reports(directory.path()), all_found(directory.path()));
    let file = files(directory.path())[7].clone();
    of_other_semantics(directory.path(), &file);
    assert_eq!(reports(directory.path()), before);
    assert_eq!(all_found(directory.path()), found_before);
    let verified = verify(&Directory::new(directory.path())).unwrap();
    assert_eq!((verified.reports, verified.problems), (70, vec![]));
    let mut outcome = Rewritten::default();
    upgrade(&Directory::new(directory.path()), &mut outcome).unwrap();
    assert_eq!((outcome.removed.len(), outcome.left), (1, 69));
    assert!(files(directory.path()).contains(&file), "it is what it was");
}

/// A store that stops working after some calls, as one whose process ends.
struct Stopping {
    inner: Directory,
    calls: Cell<u32>,
}

impl Stopping {
    fn call(&self) -> Result<(), Error> {
        let Some(left) = self.calls.get().checked_sub(1) else {
            return Err(Error::Unwritable {
                what: "the process ended".to_owned(),
                error: io::ErrorKind::Other.into(),
            });
        };
        self.calls.set(left);
        Ok(())
    }
}

impl Store for Stopping {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn shown(&self, path: &str) -> String {
        self.inner.shown(path)
    }

    fn is_marked(&self) -> bool {
        self.inner.is_marked()
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredFile>, Error> {
        self.call()?;
        self.inner.list(prefix)
    }

    fn read(&self, path: &str) -> Result<FileBytes, Error> {
        self.call()?;
        self.inner.read(path)
    }

    fn temporary(&self) -> Result<TemporaryFile, Error> {
        self.call()?;
        self.inner.temporary()
    }

    fn put(&self, file: TemporaryFile, path: &str) -> Result<(), Error> {
        self.call()?;
        self.inner.put(file, path)
    }

    fn put_once(&self, bytes: &[u8], path: &str) -> Result<Option<WriteOutcome>, Error> {
        self.call()?;
        self.inner.put_once(bytes, path)
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        self.call()?;
        self.inner.remove(path)
    }

    fn lock_out_readers(&self) -> Result<Box<dyn Send>, Error> {
        self.inner.lock_out_readers()
    }

    fn check(&self) -> Result<(), Error> {
        self.inner.check()
    }

    fn lock(&self) -> Result<Box<dyn Send>, Error> {
        self.inner.lock()
    }
}

/// Ends a run at each of its calls. Every report is there once before, in between and after.
fn end_anywhere(archive: impl Fn() -> TempDir, run: fn(&dyn Store, &mut Rewritten) -> Result<(), Error>) {
    let before = reports(archive().path());
    for calls in 0.. {
        let directory = archive();
        let stopping = Stopping {
            inner: Directory::new(directory.path()),
            calls: Cell::new(calls),
        };
        let ended = run(&stopping, &mut Rewritten::default());
        assert_eq!(reports(directory.path()), before, "after {calls} calls");
        let verified = verify(&stopping.inner).unwrap();
        assert_eq!(verified.problems, vec![], "after {calls} calls");
        run(&stopping.inner, &mut Rewritten::default()).unwrap();
        assert_eq!(
            reports(directory.path()),
            before,
            "once the run was repeated, after {calls} calls"
        );
        let verified = verify(&stopping.inner).unwrap();
        assert_eq!(
            (verified.reports, verified.notes),
            (before.len(), vec![]),
            "after {calls} calls"
        );
        if ended.is_ok() && stopping.calls.get() > 0 {
            return;
        }
    }
}

#[test]
fn a_run_may_end_anywhere() {
    let few = || {
        let days = (0..8).map(|day| (day * 5, plain(day % 2, day).into_bytes()));
        archive(&days.collect::<Vec<_>>()).unwrap()
    };
    end_anywhere(few, |store, outcome| compact(store, None, outcome));
    end_anywhere(version_1, |store, outcome| upgrade(store, outcome));
}

fn compacting(archive: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
    command.args(["archive", "compact", "--quiet"]).arg(archive);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_killed_run_loses_nothing() {
    let original = two_accounts();
    let before = reports(original.path());
    let fresh = || {
        let directory = tempdir().unwrap();
        copy(original.path(), directory.path());
        directory
    };
    let start = Instant::now();
    assert!(compacting(fresh().path()).status().unwrap().success());
    let duration = start.elapsed();
    let mut states = BTreeSet::new();
    for run in 0..24 {
        let directory = fresh();
        let mut child = compacting(directory.path()).spawn().unwrap();
        sleep(duration * run / 24);
        child.kill().unwrap();
        child.wait().unwrap();
        states.insert(files(directory.path()).len());
        assert_eq!(reports(directory.path()), before, "killed after {run}/24");
        assert!(compacting(directory.path()).status().unwrap().success());
        assert_eq!(reports(directory.path()), before, "repeated after {run}/24");
        assert_eq!(files(directory.path()).len(), 3);
    }
    assert!(states.len() > 1, "{states:?}");
}

/// What reads an archive has its files until it ends.
#[test]
fn files_are_not_removed_under_a_reader() {
    let directory = two_accounts();
    let parent = tempdir().unwrap();
    let archive = parent.path().join("below/archive");
    copy(directory.path(), &archive);
    fs::write(archive.join(".credlens.lock"), "").unwrap();
    let day = archive.join("snapshot_date=2026-01-01");
    for path in [parent.path(), &archive, &day, &archive.join(&files(&archive)[0])] {
        let reader = Directory::begin_reading(path);
        assert_eq!(reader.len(), 1, "{}", path.display());
        let mut run = compacting(&archive).spawn().unwrap();
        sleep(Duration::from_millis(400));
        if path == parent.path() {
            assert!(run.try_wait().unwrap().is_none(), "it waits");
            assert!(files(&archive).len() >= 70);
        }
        drop(reader);
        assert!(run.wait().unwrap().success());
        assert_eq!(files(&archive).len(), 3);
    }
}

#[test]
fn the_commands_say_what_they_did() {
    let directory = saved();
    let (status, ..) = credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    assert_eq!(status, 0);
    let (status, out, err) = credlens(directory.path(), &["archive", "compact", "archive"]);
    assert_eq!((status, &*out), (0, ""), "{err}");
    assert!(err.starts_with("nothing to do: 3 files as before"), "{err}");
    let more = PLAIN.replace("alice", "amy");
    fs::write(directory.path().join("reports/2026-03-02.csv"), more).unwrap();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let (status, out, err) = credlens(directory.path(), &["archive", "compact", "archive"]);
    assert!(
        err.contains("2 files (") && err.contains(") became 1 (") && err.contains("; 2 files as before"),
        "{err}"
    );
    assert!(
        out.starts_with("archive/snapshot_date=2026-03-01/20260301T235959Z-compacted-"),
        "{out}"
    );
    assert_eq!(status, 0);
    let (_, out, _) = credlens(directory.path(), &["archive", "list", "archive"]);
    assert!(out.contains("5 reports, 15 rows"), "{out}");
    let (status, out, _) = credlens(directory.path(), &["archive", "upgrade", "archive"]);
    assert_eq!((status, &*out), (0, ""));
    let (status, _, err) = credlens(directory.path(), &["archive", "compact", "s3://bucket/archive"]);
    assert!(status == 2 && err.contains("needs a directory"), "{err}");
    let (status, _, err) = credlens(directory.path(), &["archive", "upgrade", "nowhere"]);
    assert!(status == 3 && err.contains("there is no such directory"), "{err}");
    let (status, _, err) = credlens(directory.path(), &["archive", "compact", "reports"]);
    assert!(status == 3 && err.contains("is not an archive"), "{err}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_reports_are_given_back(days in proptest::collection::vec((0_i64..80, report()), 1..6)) {
        let Some(directory) = archive(&days) else { return Ok(()) };
        let (before, found_before) = (reports(directory.path()), all_found(directory.path()));
        compacted(directory.path());
        prop_assert_eq!(reports(directory.path()), before);
        prop_assert_eq!(all_found(directory.path()), found_before);
        let verified = verify(&Directory::new(directory.path())).unwrap();
        prop_assert_eq!(verified.problems, vec![]);
    }
}

//! The archive: reports are exported byte for byte as they were added, and damage is found.

mod cli;
mod columns;
mod crash;
mod damage;
pub(crate) mod details;
mod diff;
mod engines;
mod lossless;
mod misplaced_files;
mod nothing_added;
mod old_versions;
mod outputs;
mod renamed_files;
mod rewrite;
mod rewritten_files;
mod stale;
mod unusable_details;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use assert_cmd::Command;
use credlens::archive::add::{Added, add};
use credlens::archive::csv::ReportCsv;
use credlens::archive::file::ArchiveFile;
use credlens::archive::list::list;
use credlens::archive::store::{Directory, Store as _};
use credlens::engine::{Memory, Source};
use tempfile::{TempDir, tempdir};

use crate::support::ended;
use crate::support::pipeline::AS_OF;

/// A report as AWS writes it.
const PLAIN: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,\
    access_key_1_last_rotated\n\
    <root_account>,arn:aws:iam::111122223333:root,2020-01-02T03:04:05Z,not_supported,true,false,N/A\n\
    alice,arn:aws:iam::111122223333:user/alice,2021-01-02T03:04:05Z,true,false,true,2025-06-07T08:09:10Z\n\
    bob,arn:aws:iam::111122223333:user/b/bob,2022-01-02T03:04:05Z,false,false,false,N/A";

fn memory(reports: &[(&str, &str)]) -> Memory {
    let mut memory = Memory::default();
    for (path, csv) in reports {
        memory.add(path, csv, AS_OF).unwrap();
    }
    memory
}

fn add_to(directory: &Path, source: &mut dyn Source) -> Added {
    let mut added = Added::default();
    add(&Directory::new(directory), source, &mut added).unwrap();
    added
}

/// The CSV of every report, in the order of the list.
fn csvs(directory: &Path) -> Vec<Vec<u8>> {
    let store = Directory::new(directory);
    let listing = list(&store).unwrap();
    assert!(listing.errors.is_empty(), "{listing:?}");
    let csv = |listed: &credlens::archive::list::ListedReport| {
        let mut file = ArchiveFile::open(&store, &listed.file).unwrap();
        let mut csv = Vec::new();
        ReportCsv::new(&mut file, listed.index)
            .unwrap()
            .read_to_end(&mut csv)
            .unwrap();
        csv
    };
    listing.reports.iter().map(csv).collect()
}

/// The paths of the files of an archive, below it.
fn files(directory: &Path) -> Vec<String> {
    let entries = Directory::new(directory).list("").unwrap();
    entries.into_iter().map(|entry| entry.path).collect()
}

/// Copies the files of an archive.
fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let to = to.join(&path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(&path), to).unwrap();
    }
}

/// Runs credlens in a directory, and returns its exit status, standard output and standard error.
fn credlens(directory: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("credlens").unwrap();
    ended(command.current_dir(directory).args(args).env("COLUMNS", "100"))
}

/// A directory with reports: three months of one account, and a day of another.
fn saved() -> TempDir {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("reports")).unwrap();
    let write = |name: &str, csv: &str| fs::write(directory.path().join("reports").join(name), csv).unwrap();
    write("2026-01-01.csv", PLAIN);
    write(
        "2026-02-01.csv",
        &PLAIN.replace("true,false,true,2025-06", "true,true,true,2025-06"),
    );
    write("2026-03-01.csv", &PLAIN.replace("alice", "anna"));
    write(
        "other-2026-03-01.csv",
        &PLAIN.replace("111122223333", "444455556666"),
    );
    directory
}

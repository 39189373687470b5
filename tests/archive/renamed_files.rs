//! Files of an archive that are not in their places: no name has the hash of their bytes, so their reports are checked.

use std::fs;

use credlens::archive::store::Directory;
use credlens::archive::verify::verify;

use super::{PLAIN, credlens, files, saved};

/// Of bytes of the pages, the metadata and the footer a bit is flipped: the file is not evaluated, or nothing of it has
/// changed. A decoder may give up on the whole run where a length in the footer is damaged.
#[test]
fn a_flipped_bit_changes_nothing_unnoticed() {
    let directory = saved();
    let scan = || {
        let mut command = assert_cmd::Command::cargo_bin("credlens").unwrap();
        let args = ["scan", "moved", "--format", "csv", "--threads", "1"];
        let output = command.current_dir(directory.path()).args(args).output().unwrap();
        (output.status.code(), output.stdout)
    };
    credlens(
        directory.path(),
        &["archive", "add", "archive", "reports/2026-01-01.csv"],
    );
    let archive = directory.path().join("archive");
    let bytes = fs::read(archive.join(&files(&archive)[0])).unwrap();
    fs::create_dir(directory.path().join("moved")).unwrap();
    let write = |bytes: &[u8]| fs::write(directory.path().join("moved/x.parquet"), bytes).unwrap();
    write(&bytes);
    let intact = scan();
    assert_eq!(intact.0, Some(1));
    let mut unread = 0;
    for place in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        write(&flipped);
        let found = scan();
        let is_read = matches!(found.0, Some(0 | 1));
        unread += usize::from(!is_read);
        assert!(!is_read || found == intact, "byte {place} of {}", bytes.len());
    }
    assert!(unread > 20, "{unread}");
}

#[test]
fn a_renamed_file_is_read_or_an_error() {
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports/2026-01-01.csv"]);
    let archive = directory.path().join("archive");
    let bytes = fs::read(archive.join(&files(&archive)[0])).unwrap();
    let scan = |args: &[&str]| {
        let (code, out, err) = run(&[&["scan", "--format", "csv"], args].concat());
        (code, out.lines().count(), err)
    };
    let intact = scan(&["archive"]);
    fs::create_dir(directory.path().join("moved")).unwrap();
    let write = |bytes: &[u8]| fs::write(directory.path().join("moved/x.parquet"), bytes).unwrap();
    write(&bytes);
    let is_intact = |(code, lines, _)| (code, lines) == (intact.0, intact.1);
    assert!(is_intact(scan(&["moved"])));
    assert!(is_intact(scan(&["moved/x.parquet"])));
    let key = b"credlens.archive";
    let of_key = memchr::memmem::find(&bytes, key).unwrap();
    for place in [0, of_key, of_key + key.len() + 20, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        write(&flipped);
        for input in ["moved", "moved/x.parquet"] {
            let (code, lines, err) = scan(&[input]);
            assert_eq!((code, lines), (3, 1), "{place}: {err}");
            assert!(
                err.starts_with("error: moved/x.parquet: ") && !err.contains("passed over"),
                "{err}"
            );
        }
        let (code, _, err) = run(&["archive", "add", "new", "moved"]);
        assert_eq!(code, 3, "{err}");
        assert_eq!(files(&directory.path().join("new")), [""; 0]);
    }
}

/// Parquet files of other programs are errors where they are named, and passed over where a search finds them.
#[test]
fn foreign_parquet_files() {
    use polars::prelude::{Column, DataFrame, ParquetWriter};
    let directory = saved();
    let mut frame = DataFrame::new(2, vec![Column::new("name".into(), ["a", "b"])]).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    fs::write(directory.path().join("reports/other.parquet"), bytes).unwrap();
    let run = |args: &[&str]| credlens(directory.path(), args);
    let note = "1 file in the directories is not a report and was passed over: reports/other.parquet";
    let (code, _, err) = run(&["scan", "reports", "--format", "csv"]);
    assert!(code == 1 && err.contains(note), "{code} {err}");
    let (code, _, err) = run(&["archive", "add", "archive", "reports"]);
    assert!(code == 0 && err.contains(note), "{code} {err}");
    let (code, _, err) = run(&["scan", "reports/other.parquet"]);
    assert!(
        code == 3 && err.contains("but credlens did not write it"),
        "{err}"
    );
}

/// What was read before the damage is not added, and the archive stays as it was.
#[test]
fn a_cut_gzip_is_not_added() {
    use std::io::Write as _;
    let directory = saved();
    let run = |args: &[&str]| credlens(directory.path(), args);
    run(&["archive", "add", "archive", "reports/2026-01-01.csv"]);
    let archive = directory.path().join("archive");
    let before = files(&archive);
    let (header, rows) = PLAIN.split_once('\n').unwrap();
    let many = format!("{header}\n{}", format!("{rows}\n").repeat(20_000));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(many.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(
        directory.path().join("2026-04-01.csv.gz"),
        &packed[..packed.len() / 2],
    )
    .unwrap();
    let (code, out, err) = run(&["archive", "add", "archive", "2026-04-01.csv.gz"]);
    assert_eq!((code, &*out), (3, ""), "{err}");
    let message = "error: 2026-04-01.csv.gz: its gzip data is damaged or cut off";
    assert!(
        err.starts_with(message) && err.contains("; the report was not added; "),
        "{err}"
    );
    assert!(
        !err.contains("are evaluated") && err.contains("0 reports with 0 users added, 1 not added"),
        "{err}"
    );
    assert_eq!(files(&archive), before);
    let (code, _, err) = run(&["archive", "add", "archive", "2026-04-01.csv.gz", "reports"]);
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains("3 reports with 9 users added, 1 was there already, 1 not added"),
        "{err}"
    );
    let verified = verify(&Directory::new(&archive)).unwrap();
    assert_eq!((verified.reports, verified.problems), (4, vec![]));
}

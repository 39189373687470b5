//! Files of an archive that are not in their places: no name has the hash of their bytes, so their reports are checked.

use std::fs;
use std::path::Path;

use credlens::archive::inputs::ArchiveFormat;
use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use credlens::io::container::{ContainedReport, ContainerFormat as _, FileBytes};
use memchr::memmem;
use tempfile::tempdir;

use super::{PLAIN, add_to, credlens, files, memory, saved};

/// Of bytes of the pages, the seal and the footer a bit is flipped: the file is not evaluated, or nothing of it has
/// changed. The other inputs are evaluated all the same.
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
        let is_read = found.0 == Some(1);
        assert!(is_read || found.0 == Some(3), "byte {place}: {:?}", found.0);
        unread += usize::from(!is_read);
        assert!(!is_read || found == intact, "byte {place} of {}", bytes.len());
    }
    assert!(unread > 20, "{unread}");
}

/// The bytes of a file of an archive, and those of the same file of an earlier release, which had no seal.
fn sealed_and_not() -> [Vec<u8>; 2] {
    let directory = tempdir().unwrap();
    add_to(directory.path(), &mut memory(&[("a.csv", PLAIN)]));
    let sealed = fs::read(directory.path().join(&files(directory.path())[0])).unwrap();
    let seal = memmem::find(&sealed, b"credlens.sealed1").unwrap();
    let without = [&sealed[..seal], &sealed[seal + 80..]].concat();
    [sealed, without]
}

/// The reports and rows of a file with a name that has no hash, or the error.
fn content(bytes: &[u8]) -> Result<(Vec<ContainedReport>, Vec<u8>), String> {
    let bytes = FileBytes::Memory(bytes.into());
    let container = ArchiveFormat.open(Path::new("x.parquet"), bytes);
    let mut container = container.map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    for rows in container.rows(0).map_err(|error| error.to_string())? {
        rows.text(&mut text).map_err(|error| error.to_string())?;
    }
    // Only of a file with its seal are the accounts known before its rows are read.
    let mut reports = container.reports();
    for report in &mut reports {
        report.account.rows = None;
    }
    Ok((reports, text))
}

/// Flips bits and compares what is read. An allocation that fails would end this process.
fn flip(bytes: &[u8], flips: impl Iterator<Item = (usize, usize)>) -> usize {
    let intact = content(bytes).unwrap();
    let mut read = 0;
    for (place, bit) in flips {
        let mut flipped = bytes.to_vec();
        flipped[place] ^= 1 << bit;
        match content(&flipped) {
            Ok(found) => {
                read += 1;
                assert!(found == intact, "bit {bit} of byte {place}");
            }
            Err(error) => assert!(
                !error.contains("arquet") || error.contains("but credlens did not write it"),
                "bit {bit} of byte {place}: {error}"
            ),
        }
    }
    read
}

#[test]
fn no_flipped_bit_ends_the_process_or_is_read() {
    let [sealed, without] = sealed_and_not();
    let flips = |step| (0..sealed.len()).step_by(step).map(|place| (place, place % 8));
    let mark = "credlens.sealed1".len();
    assert!(
        flip(&sealed, flips(1)) <= mark,
        "only without its mark is there no seal"
    );
    let flips = flips(5).filter(|&(place, _)| place < without.len());
    flip(&without, flips);
}

#[test]
#[ignore = "takes minutes"]
fn no_flipped_bit_of_all_ends_the_process() {
    for bytes in sealed_and_not() {
        flip(
            &bytes,
            (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))),
        );
    }
}

/// The page header of a column claims a negative number of values, which the decoder took for most of all memory.
#[test]
fn a_page_that_claims_too_much_is_damage() {
    let [_, bytes] = sealed_and_not();
    let pages = memmem::find_iter(&bytes, b"\x2c\x15\x06\x15").collect::<Vec<_>>();
    assert!(pages.len() > 20);
    for page in pages {
        let mut flipped = bytes.clone();
        flipped[page + 2] ^= 1;
        let error = content(&flipped).unwrap_err();
        assert!(error.contains("it is damaged or cut off; restore it"), "{error}");
    }
}

/// In the words of this program, not in those of the library.
#[test]
fn a_renamed_file_that_was_cut_off() {
    for bytes in sealed_and_not() {
        for end in [0, 1, 4, 5, 8, 11, 12, 13, bytes.len() / 2, bytes.len() - 1] {
            let error = content(&bytes[..end]).unwrap_err();
            let message = "it is damaged or cut off; restore it from a backup, or add its reports again and delete it if this \
                           error stays";
            assert_eq!(error, message, "{end}");
        }
    }
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
    let of_key = memmem::find(&bytes, key).unwrap();
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
    use polars::prelude::{Column, DataFrame};
    use polars_io::parquet::write::ParquetWriter;
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

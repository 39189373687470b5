//! Files that another program rewrote: their hash is right, but not their content. Columns may be missing then, and
//! everything else that cannot be read is an error.

use std::fs::{self, File};

use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use polars::prelude::{Column, DataFrame};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::{KeyValueMetadata, ParquetWriter};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::{TempDir, tempdir};

use super::{PLAIN, add_to, credlens, files, memory};

/// An archive of one report, whose file was rewritten.
struct Altered {
    directory: TempDir,
    /// The path of the file below the archive.
    file: String,
}

impl Altered {
    /// Archives a report, and rewrites the file with other columns, under the name for its new bytes.
    fn new(csv: &str, change: impl FnOnce(&mut DataFrame)) -> Self {
        let directory = tempdir().unwrap();
        let archive = directory.path().join("archive");
        add_to(&archive, &mut memory(&[("a.csv", csv)]));
        let name = files(&archive).remove(0);
        let mut reader = ParquetReader::new(File::open(archive.join(&name)).unwrap());
        let metadata = reader.get_metadata().unwrap();
        let pairs = metadata.key_value_metadata().clone().unwrap().into_iter();
        let pairs = pairs.filter(|pair| pair.key == "credlens.archive");
        let pairs = pairs.map(|pair| (pair.key, pair.value.unwrap())).collect();
        let mut frame = reader.finish().unwrap();
        change(&mut frame);
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(pairs)))
            .finish(&mut frame)
            .unwrap();
        fs::remove_file(archive.join(&name)).unwrap();
        let hash = Sha256::digest(&bytes);
        let hex = |hex: String, byte: &u8| hex + &format!("{byte:02x}");
        let hash = hash[..16].iter().fold(String::new(), hex);
        let (before, _) = name.rsplit_once('-').unwrap();
        let file = format!("{before}-{hash}.parquet");
        fs::write(archive.join(&file), bytes).unwrap();
        Self { directory, file }
    }

    /// What `verify` and `export` say; neither gives the report back.
    fn errors(&self) -> String {
        let archive = self.directory.path().join("archive");
        let verified = verify(&Directory::new(&archive)).unwrap();
        assert_eq!((verified.files, verified.reports), (1, 0));
        let (code, out, err) = self.run(&["archive", "export", "archive", "--output", "-"]);
        assert_eq!((code, &*out), (4, ""));
        let mut lines: Vec<_> = verified
            .problems
            .iter()
            .map(|problem| &*problem.message)
            .collect();
        lines.extend(err.lines());
        lines
            .join("\n")
            .replace(archive.to_str().unwrap(), "archive")
            .replace(&self.file, "FILE")
    }

    /// The same of a file that cannot be scanned either.
    fn damage(&self) -> String {
        let (code, _, err) = self.run(&["scan", "archive"]);
        assert_eq!(code, 3, "{err}");
        self.errors()
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        credlens(self.directory.path(), args)
    }

    /// The findings of a scan by all rules, without their source and, per input, the columns that it lacks.
    fn scan(&self, input: &str) -> (Vec<Value>, Vec<Value>) {
        let args = [
            "scan",
            input,
            "--as-of",
            "2026-01-01",
            "--rule",
            "*",
            "--status",
            "all",
        ];
        let (code, out, err) = self.run(&[&args[..], &["--format", "json"]].concat());
        assert_eq!(code, 1, "{err}");
        let mut json: Value = serde_json::from_str(&out).unwrap();
        let mut findings = std::mem::take(json["findings"].as_array_mut().unwrap());
        for finding in &mut findings {
            finding["source"]["path"] = Value::Null;
        }
        let diagnostics = json["diagnostics"].as_array().unwrap().iter();
        let missing = diagnostics.filter(|diagnostic| diagnostic["code"] == "missing-columns");
        (
            findings,
            missing.map(|diagnostic| diagnostic["message"].clone()).collect(),
        )
    }
}

/// A report without this column.
fn without(csv: &str, column: &str) -> String {
    let position = csv.split([',', '\n']).position(|name| name == column).unwrap();
    let line = |line: &str| {
        let mut cells: Vec<_> = line.split(',').collect();
        cells.remove(position);
        cells.join(",") + "\n"
    };
    csv.lines().map(line).collect()
}

/// What the file has lost is missing from the report, and nothing else: its cells are unknown, not absent.
#[test]
fn a_lost_column_is_missing_from_the_report() {
    for column in ["mfa_active", "access_key_1_last_rotated", "arn"] {
        let altered = Altered::new(PLAIN, |frame| {
            frame.drop_in_place(column).unwrap();
        });
        fs::write(
            altered.directory.path().join("without.csv"),
            without(PLAIN, column),
        )
        .unwrap();
        let (findings, missing) = altered.scan("archive");
        let expected = altered.scan("without.csv");
        assert_eq!(missing, expected.1);
        assert!(findings == expected.0, "{column}");
        assert!(missing[0].as_str().unwrap().contains(column), "{missing:?}");
        let undetermined = findings
            .iter()
            .filter(|finding| finding["status"] == "undetermined");
        assert!(undetermined.count() > 0, "{column}");
    }
    let altered = Altered::new(PLAIN, |frame| {
        frame.drop_in_place("mfa_active").unwrap();
    });
    insta::assert_snapshot!(altered.errors(), @"
    it has lost columns of its reports (mfa_active): a scan treats them as missing from the report, but its CSV cannot be exported; restore the file from a backup, or delete it and add its reports again
    error: archive/FILE has lost columns of its reports (mfa_active): a scan treats them as missing from the report, but its CSV cannot be exported; restore the file from a backup, or delete it and add its reports again
    ");
}

/// A row that is stored as its bytes still has the cell, so that it has a cell too many: it cannot be matched, so it has no
/// findings.
#[test]
fn a_lost_column_of_an_irregular_row() {
    let csv = PLAIN.replace("bob,", "\"bob\",");
    let altered = Altered::new(&csv, |frame| {
        frame.drop_in_place("mfa_active").unwrap();
    });
    let (_, out, err) = altered.run(&["scan", "archive", "--as-of", "2026-01-01", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["user"] != "bob"));
    // The row is not lost: one diagnostic stands for everything about this user.
    let diagnostics = json["diagnostics"].as_array().unwrap().iter();
    let mut ragged = diagnostics.filter(|it| it["code"] == "ragged-row");
    let message = ragged.next().expect(&err)["message"].as_str().unwrap();
    assert!(
        message.starts_with("the row of '\"bob\"' has 7 fields"),
        "{message}"
    );
    assert_eq!(ragged.count(), 0);
}

/// No report has `additional_credentials_info`: nothing is lost without it.
#[test]
fn a_lost_column_that_no_report_has() {
    let altered = Altered::new(PLAIN, |frame| {
        frame.drop_in_place("additional_credentials_info").unwrap();
        frame.drop_in_place("cert_1_active").unwrap();
    });
    let (code, out, err) = altered.run(&["archive", "verify", "archive"]);
    assert_eq!(
        (code, &*out, &*err),
        (0, "1 file with 1 report: all intact\n", "")
    );
    let (code, out, _) = altered.run(&["archive", "export", "archive", "--output", "-"]);
    assert_eq!((code, &*out), (0, PLAIN));
    let csv = PLAIN
        .replace('\n', ",x\n")
        .replacen(",x", ",additional_credentials_info", 1)
        + ",x";
    let altered = Altered::new(&csv, |frame| {
        frame.drop_in_place("additional_credentials_info").unwrap();
    });
    fs::write(altered.directory.path().join("plain.csv"), PLAIN).unwrap();
    assert_eq!(
        altered.scan("archive"),
        altered.scan("plain.csv"),
        "it is absent, which says nothing"
    );
    assert!(altered.errors().contains("lost columns"));
}

#[test]
fn a_column_besides_those_of_the_report() {
    let altered = Altered::new(PLAIN, |frame| {
        frame.drop_in_place("as_written").unwrap();
    });
    insta::assert_snapshot!(altered.damage(), @"
    it is damaged: its column as_written is missing; restore it from a backup, or add its reports again and delete it if this error stays
    error: archive/FILE is damaged: its column as_written is missing; restore it from a backup, or add its reports again and delete it if this error stays
    ");
}

#[test]
fn a_column_of_another_type() {
    let altered = Altered::new(PLAIN, |frame| {
        let words = Column::new("mfa_active".into(), ["true", "false", "false"]);
        frame.with_column(words).unwrap();
    });
    insta::assert_snapshot!(altered.damage(), @"
    it is damaged: its column mfa_active has another type; restore it from a backup, or add its reports again and delete it if this error stays
    error: archive/FILE is damaged: its column mfa_active has another type; restore it from a backup, or add its reports again and delete it if this error stays
    ");
}

#[test]
fn cells_as_written_that_cannot_be_parsed() {
    let errors = ["{\"mfa_active\":", "[]", "{\"mfa_active\":null}"].map(|json| {
        let altered = Altered::new(PLAIN, |frame| {
            let cells = Column::new("as_written".into(), [None, Some(json), None]);
            frame.with_column(cells).unwrap();
        });
        altered.damage().lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(errors.join("\n"), @"
    it is damaged: its cells as written cannot be read; restore it from a backup, or add its reports again and delete it if this error stays
    it is damaged: its cells as written cannot be read; restore it from a backup, or add its reports again and delete it if this error stays
    it is damaged: its cells as written cannot be read; restore it from a backup, or add its reports again and delete it if this error stays
    ");
}

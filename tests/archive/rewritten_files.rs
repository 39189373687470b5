//! Files that another program wrote anew, whose bytes are whole but not what this one would write: nothing is taken
//! for absent that cannot be read.

use std::fs::{self, File};

use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{Column, DataFrame, ParquetReader, ParquetWriter, SerReader as _};
use sha2::{Digest as _, Sha256};
use tempfile::tempdir;

use super::{PLAIN, add_to, credlens, files, memory};

/// Writes the one file of an archive with other columns, under the name that its bytes make, and tells what `verify`
/// and `export` say of it.
fn told_of(change: impl FnOnce(&mut DataFrame)) -> String {
    let directory = tempdir().unwrap();
    let archive = directory.path().join("archive");
    add_to(&archive, &mut memory(&[("a.csv", PLAIN)]));
    let name = files(&archive).remove(0);
    let mut reader = ParquetReader::new(File::open(archive.join(&name)).unwrap());
    let pairs = reader
        .get_metadata()
        .unwrap()
        .key_value_metadata()
        .clone()
        .unwrap();
    let pairs = pairs.into_iter().filter(|pair| pair.key == "credlens.archive");
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
    let digits = hash[..16].iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hash: String = digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    let (before, _) = name.rsplit_once('-').unwrap();
    let altered = format!("{before}-{hash}.parquet");
    fs::write(archive.join(&altered), bytes).unwrap();
    let verified = verify(&Directory::new(&archive)).unwrap();
    assert_eq!((verified.files, verified.reports), (1, 0));
    let problems = verified.problems.into_iter().map(|problem| problem.message);
    let (code, out, err) = credlens(
        directory.path(),
        &["archive", "export", "archive", "--output", "-"],
    );
    assert_eq!(
        (code, out.as_str()),
        (4, ""),
        "nothing of the report is given back"
    );
    let (code, _, scanned) = credlens(directory.path(), &["scan", "archive", "--format", "summary"]);
    assert_eq!(code, 3, "and nothing of it is judged: {scanned}");
    let told = problems.collect::<Vec<_>>().join("\n") + "\n" + &err;
    let archive = archive.display().to_string();
    told.replace(&archive, "archive").replace(&altered, "FILE")
}

#[test]
fn a_column_that_is_gone() {
    insta::assert_snapshot!(told_of(|frame| {
        frame.drop_in_place("mfa_active").unwrap();
    }), @r#"
    archive/FILE is damaged: its column mfa_active is missing; restore it from a backup, or add its reports again and, if it is still told then, delete it
    error: archive/FILE is damaged: its column mfa_active is missing; restore it from a backup, or add its reports again and, if it is still told then, delete it
    "#);
    insta::assert_snapshot!(told_of(|frame| {
        frame.drop_in_place("as_written").unwrap();
    }), @r#"
    archive/FILE is damaged: its column as_written is missing; restore it from a backup, or add its reports again and, if it is still told then, delete it
    error: archive/FILE is damaged: its column as_written is missing; restore it from a backup, or add its reports again and, if it is still told then, delete it
    "#);
}

#[test]
fn a_column_of_another_type() {
    insta::assert_snapshot!(told_of(|frame| {
        let words = Column::new("mfa_active".into(), ["true", "false", "false"]);
        frame.with_column(words).unwrap();
    }), @r#"
    archive/FILE is damaged: invalid series dtype: expected `Boolean`, got `str` for series with name `mfa_active`; restore it from a backup, or add its reports again and, if it is still told then, delete it
    error: archive/FILE is damaged: invalid series dtype: expected `Boolean`, got `str` for series with name `mfa_active`; restore it from a backup, or add its reports again and, if it is still told then, delete it
    "#);
}

#[test]
fn cells_as_written_that_cannot_be_read() {
    let told = ["{\"mfa_active\":", "[]", "{\"mfa_active\":null}"].map(|json| {
        let told = told_of(|frame| {
            let cells = Column::new("as_written".into(), [None, Some(json), None]);
            frame.with_column(cells).unwrap();
        });
        told.lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    archive/FILE is damaged: its cells as written cannot be read (EOF while parsing a value at line 1 column 14); restore it from a backup, or add its reports again and, if it is still told then, delete it
    archive/FILE is damaged: its cells as written cannot be read (invalid type: sequence, expected a map at line 1 column 0); restore it from a backup, or add its reports again and, if it is still told then, delete it
    archive/FILE is damaged: its cells as written cannot be read (invalid type: null, expected a string at line 1 column 18); restore it from a backup, or add its reports again and, if it is still told then, delete it
    ");
}

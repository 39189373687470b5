//! The details of archived reports: `_details/SHA256.json` in their archive, named after the hash of their report.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs::Limits;
use super::temporary::file_kind;
use crate::engine::AccountInfo;
use crate::finding::{Code, Diagnostic};
use crate::report::details::Details;

/// The directory of an archive that has them. Spark, Hive, Trino, Athena and Arrow take every file below a table for one of
/// its own, except below names that begin with `_` or `.`; hidden files, whose names begin with a dot, are not searched.
const DIRECTORY: &str = "_details";
const EXTENSION: &str = ".json";

/// What is wrong with details that are not read.
pub const TOO_LARGE: &str = "it is too large";

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// The path below an archive of the details of the report with this SHA-256.
pub fn path_of(sha256: &str) -> String {
    format!("{DIRECTORY}/{sha256}{EXTENSION}")
}

/// The SHA-256 of the report whose details are at this path below an archive; none if it is not a path of details.
pub fn report_of(path: &str) -> Option<&str> {
    let (directory, name) = path.split_once('/')?;
    let sha256 = name.strip_suffix(EXTENSION)?;
    let is_hash = sha256.len() == DIGITS
        && sha256
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (directory == DIRECTORY && is_hash).then_some(sha256)
}

/// Whether a file, or an object, has the name of archived details, in any archive.
pub fn is_named_so(path: &Path) -> bool {
    let directory = path.parent().and_then(Path::file_name);
    let name = path.file_name().and_then(OsStr::to_str);
    directory == Some(OsStr::new(DIRECTORY))
        && name.is_some_and(|name| report_of(&format!("{DIRECTORY}/{name}")).is_some())
}

/// The details that a search of inputs found.
#[derive(Debug, Default)]
pub(super) struct FoundDetails(BTreeSet<PathBuf>);

impl FoundDetails {
    pub(super) fn add(&mut self, path: PathBuf) {
        self.0.insert(path);
    }

    pub(super) fn extend(&mut self, paths: Vec<PathBuf>) {
        self.0.extend(paths);
    }

    /// All of them.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.iter()
    }

    /// Those of a report in this file, from the nearest directory above it: a file may have been moved in its archive.
    pub(super) fn of(&self, file: &Path, sha256: &str) -> Option<PathBuf> {
        let name = path_of(sha256);
        let mut directories = file.ancestors().skip(1);
        directories.find_map(|directory| self.0.get(&directory.join(&name)).cloned())
    }
}

/// Where the details of a report in this file are, if it is in its place in an archive and on this machine. They may not
/// exist.
pub(super) fn near(file: &Path, sha256: &str) -> PathBuf {
    let day = file.parent().unwrap_or(Path::new(""));
    let named = day.file_name().and_then(|_| day.parent());
    named
        .map_or_else(|| day.join(".."), Path::to_owned)
        .join(path_of(sha256))
}

/// Reads a file with details whole; none if there is none. Opening a pipe would wait for its writer.
pub(super) fn read(path: &Path, limits: Limits) -> Option<Result<Vec<u8>, String>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(error.to_string())),
        Ok(metadata) => metadata,
    };
    if !metadata.is_file() {
        let what = file_kind(metadata.file_type());
        return Some(Err(format!("it is {what}, not a file")));
    }
    if metadata.len() > limits.held as u64 {
        return Some(Err(TOO_LARGE.to_owned()));
    }
    let opened = File::open(path).map_err(|error| error.to_string());
    Some(opened.and_then(|file| read_all(file, limits)))
}

/// The bytes of details that are not larger than what is held in memory.
pub(super) fn read_all(reader: impl Read, limits: Limits) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(limits.held as u64 + 1).read_to_end(&mut bytes);
    match read {
        Err(error) => Err(error.to_string()),
        Ok(_) if bytes.len() > limits.held => Err(TOO_LARGE.to_owned()),
        Ok(_) => Ok(bytes),
    }
}

/// Reads the details of the report with this SHA-256.
///
/// # Errors
/// If they are damaged, of a later version, or of another report: what is wrong with the file.
pub fn parse(json: &[u8], sha256: &str) -> Result<Details, String> {
    let details = Details::parse(json).map_err(|error| error.to_string())?;
    if details.report_sha256 == sha256 {
        Ok(details)
    } else {
        Err("it was fetched with another report".to_owned())
    }
}

/// Adds the details of a report to what is known of its account, or says why the file is not used.
pub(super) fn add(
    account: &mut AccountInfo,
    details: Result<Details, String>,
    (file, report): (&Path, &str),
) {
    match details {
        Ok(details) => account.details = Some(Arc::new(details)),
        Err(why) => {
            let message = format!("{} is not used: {why}", file.display());
            let diagnostic = Diagnostic::new(Code::DetailsNotUsed, message);
            account.diagnostics.push(diagnostic.in_path(report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_archived_details() {
        let sha256 = "0123456789abcdef".repeat(4);
        let path = path_of(&sha256);
        assert_eq!(report_of(&path), Some(&*sha256));
        for archive in ["", "archive/", "./", "s3://bucket/", "s3://bucket/a/b/"] {
            assert!(is_named_so(Path::new(&format!("{archive}{path}"))), "{archive}");
        }
        for other in [
            format!("details/{sha256}.json"),
            format!("{sha256}.json"),
            format!("_details/{sha256}.csv"),
            format!("_details/{}.json", &sha256[1..]),
            format!("_details/{}.json", sha256.to_uppercase()),
            format!("_details/x/{sha256}.json"),
        ] {
            assert_eq!(report_of(&other), None);
            assert!(!is_named_so(Path::new(&other)), "{other}");
        }
    }

    #[test]
    fn the_nearest_details_are_those_of_a_report() {
        let sha256 = "a".repeat(64);
        let mut found = FoundDetails::default();
        for archive in ["s3://bucket/one", "s3://bucket/one/two"] {
            found.add(Path::new(archive).join(path_of(&sha256)));
        }
        let of = |file: &str| found.of(Path::new(file), &sha256);
        let in_archive = |archive: &str| Some(Path::new(archive).join(path_of(&sha256)));
        assert_eq!(of("s3://bucket/one/day/x.parquet"), in_archive("s3://bucket/one"));
        assert_eq!(
            of("s3://bucket/one/two/x.parquet"),
            in_archive("s3://bucket/one/two")
        );
        assert_eq!(of("s3://bucket/x.parquet"), None);
        assert_eq!(
            found.of(Path::new("s3://bucket/one/x.parquet"), &"b".repeat(64)),
            None
        );
    }

    #[test]
    fn details_near_a_file_that_is_named() {
        for (file, archive) in [
            ("archive/day/x.parquet", "archive"),
            ("day/x.parquet", ""),
            ("x.parquet", ".."),
            ("../x.parquet", "../.."),
            ("/a/day/x.parquet", "/a"),
        ] {
            assert_eq!(
                near(Path::new(file), "s"),
                Path::new(archive).join("_details/s.json")
            );
        }
    }
}

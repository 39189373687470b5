//! Details beside reports: `NAME.csv` has those of its report in `NAME.details.json`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::archived_details::{add, parse, read};
use super::inputs::Limits;
use super::stream::{InputStream, decompress};
use super::temporary::{TemporaryFile, directory, has_content, sync_directory};
use super::write_once::other;
use crate::engine::AccountInfo;
use crate::finding::digest::sha256;
use crate::report::details::Details;

/// How the names of files with details end.
const ENDING: &str = ".details.json";

/// Where the details of the report at this path are.
pub fn path_of(report: &Path) -> PathBuf {
    let mut name = Path::new(report.file_name().unwrap_or_default());
    while let (Some(stem), Some("gz" | "zst")) = (name.file_stem(), ending(name).as_deref()) {
        name = Path::new(stem);
    }
    let stem = name.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    name.push(ENDING);
    report.with_file_name(name)
}

fn ending(name: &Path) -> Option<String> {
    Some(name.extension()?.to_str()?.to_ascii_lowercase())
}

/// Whether a file with this name has details, as far as that shows.
pub(super) fn is_name_of_details(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::as_encoded_bytes);
    name.is_some_and(|name| name.ends_with(ENDING.as_bytes()))
}

/// Writes details beside the report at this path, which only their owner may read: whole, or not at all. Older ones of the
/// same report are replaced, and so are those of a report that is not there.
///
/// # Errors
/// Those of the file system, and when the path is taken by something else.
pub fn write_beside(report: &Path, details: &Details) -> io::Result<()> {
    let path = path_of(report);
    let json = details.to_json();
    let found = has_content(&path, json.len() as u64, json.as_bytes())?;
    if found == Some(true) {
        return Ok(());
    }
    let directory = directory(&path);
    let mut file = TemporaryFile::private(directory, ".credlens-")?;
    file.write_all(json.as_bytes())?;
    if found.is_some() {
        check_replaceable(&path, report, details)?;
        file.file().sync_all()?;
        file.replace(&path)?;
    } else {
        // None: another process wrote others in the meantime.
        file.persist_new(&path)?.ok_or_else(other)?;
    }
    // The file is in place. Unreadable directories and some network shares cannot be synced.
    drop(sync_directory(directory));
    Ok(())
}

/// What is there is older details, and of no other report that is still there.
fn check_replaceable(path: &Path, report: &Path, details: &Details) -> io::Result<()> {
    let older = Details::parse(&fs::read(path)?).map_err(|_| other())?;
    if older.report_sha256 == details.report_sha256 || !report.exists() {
        Ok(())
    } else {
        Err(other())
    }
}

/// What the details beside a report say, if there are any. If they are damaged or of another report, a diagnostic says it.
pub(super) fn beside(report: &Path, limits: Limits) -> AccountInfo {
    let path = path_of(report);
    // Opening a named pipe would wait for its writer.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return AccountInfo::default();
    }
    let mut account = AccountInfo::default();
    let Some(json) = read(&path, limits) else {
        return account;
    };
    let details = json.and_then(|json| parse(&json, &digest(report, limits).unwrap_or_default()));
    add(&mut account, details, (&path, &report.to_string_lossy()));
    account
}

/// The SHA-256 of a report as it was fetched: of what is in the file, decompressed.
fn digest(report: &Path, limits: Limits) -> Option<String> {
    let stream = InputStream::new(Box::new(File::open(report).ok()?));
    let mut text = Vec::new();
    let (mut stream, _) = decompress(stream, &mut text, limits).ok()?;
    stream.read_all(&mut text, limits.held).ok()?;
    Some(sha256(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_named_after_their_report() {
        for (report, expected) in [
            ("report.csv", "report.details.json"),
            ("a/b.c/report.csv", "a/b.c/report.details.json"),
            ("report.csv.gz", "report.details.json"),
            ("REPORT.CSV.GZ.zst", "REPORT.details.json"),
            ("report.gz", "report.details.json"),
            ("report", "report.details.json"),
            ("prod.2026-11-20.csv", "prod.2026-11-20.details.json"),
            (".report", ".report.details.json"),
        ] {
            let path = path_of(Path::new(report));
            assert_eq!(path, Path::new(expected), "{report}");
            assert!(is_name_of_details(&path), "{report}");
        }
        assert!(!is_name_of_details(Path::new("report.json")));
    }

    fn details(sha256: &str, listed: bool) -> Details {
        Details {
            service_credentials_listed: listed,
            ..Details::new(None, None, sha256.to_owned())
        }
    }

    fn read(path: &Path) -> Details {
        Details::parse(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn only_older_details_of_the_same_report_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (report, path) = (
            folder.path().join("report.csv"),
            folder.path().join("report.details.json"),
        );
        for older in [details("a", false), details("a", true), details("b", true)] {
            write_beside(&report, &older).unwrap();
            assert_eq!(read(&path), older);
        }
        fs::write(&report, "there").unwrap();
        write_beside(&report, &details("b", false)).unwrap();
        let error = write_beside(&report, &details("a", true)).unwrap_err();
        assert!(error.to_string().contains("in the way"), "{error}");
        assert_eq!(read(&path), details("b", false));
        fs::write(&path, "{}").unwrap();
        write_beside(&report, &details("a", true)).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"{}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_details() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.csv");
        for listed in [false, true] {
            write_beside(&report, &details("a", listed)).unwrap();
            let metadata = fs::metadata(path_of(&report)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }
}

//! The details beside a report: `report.details.json` next to `report.csv`, as `credlens fetch --details` writes them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs::Limits;
use super::stream::{InputStream, decompress};
use crate::engine::AccountInfo;
use crate::finding::digest::sha256;
use crate::finding::{Code, Diagnostic};
use crate::report::details::Details;

/// How the names of such files end.
const ENDING: &str = ".details.json";

/// Where the details of a report at this path are: the same name, with another ending.
pub fn path_of(report: &Path) -> PathBuf {
    let name = report.file_name().unwrap_or_default().to_string_lossy();
    let packed = [".gz", ".zst"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    let name = packed.unwrap_or(&name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    report.with_file_name(format!("{stem}{ENDING}"))
}

/// Whether a file has the name of details.
pub(super) fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() > ENDING.len() && name.ends_with(ENDING)
}

/// What the details beside a report say, if there are any. If they are damaged or of another report, a diagnostic says it.
pub(super) fn beside(report: &Path, limits: Limits) -> AccountInfo {
    let path = path_of(report);
    let read = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return AccountInfo::default(),
        opened => opened.and_then(|file| read_all(file, limits)),
    };
    let details = read
        .map_err(|error| error.to_string())
        .and_then(|json| Details::parse(&json).map_err(|error| error.to_string()))
        .and_then(|details| {
            if Some(&details.report_sha256) == digest(report, limits).as_ref() {
                Ok(details)
            } else {
                Err("it was fetched with another report".to_owned())
            }
        });
    match details {
        Ok(details) => AccountInfo {
            details: Some(Arc::new(details)),
            ..AccountInfo::default()
        },
        Err(why) => {
            let message = format!("{} is not used: {why}", path.display());
            let diagnostic = Diagnostic::new(Code::DetailsNotUsed, message);
            AccountInfo {
                diagnostics: vec![diagnostic.in_path(report.to_string_lossy())],
                ..AccountInfo::default()
            }
        }
    }
}

/// The bytes of a file that is not larger than what is held in memory.
fn read_all(file: File, limits: Limits) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limits.held as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limits.held {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
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
    fn the_names_of_details() {
        for (report, details) in [
            ("a/r.csv", "a/r.details.json"),
            ("r.csv.gz", "r.details.json"),
            (
                "111122223333_2026-11-20T00-00-00Z.csv",
                "111122223333_2026-11-20T00-00-00Z.details.json",
            ),
            ("report", "report.details.json"),
        ] {
            let found = path_of(Path::new(report));
            assert_eq!(found, Path::new(details));
            assert!(is_named_so(&found));
        }
        assert!(!is_named_so(Path::new(ENDING)));
        assert!(!is_named_so(Path::new("details.json")));
    }
}

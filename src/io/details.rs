//! The details beside a report: `report.details.json` next to `report.csv`, as `credlens fetch --details` writes them.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::archived_details::{add, parse, read};
use super::inputs::Limits;
use super::stream::{InputStream, decompress};
use crate::engine::AccountInfo;
use crate::finding::digest::sha256;

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

//! Whether a file that the search of a directory found is clearly not a report, so that it is passed over. What may be a
//! damaged report, or was saved in place of one, is an error.

use std::path::Path;

use super::details::is_name_of_details;
use super::error::InputError;
use crate::report::not_a_report::NotAReport;

/// How the names of reports end.
const OF_REPORTS: [&str; 4] = ["csv", "tsv", "json", "b64"];

/// How the names of text that is written for people or programs end. It may quote a report.
const OF_DOCUMENTS: [&str; 32] = [
    "adoc", "asc", "bat", "cfg", "cmd", "conf", "css", "env", "go", "htm", "html", "ini", "ipynb", "js",
    "lock", "md", "md5", "ps1", "py", "rb", "rs", "rst", "sh", "sha256", "sig", "sql", "svg", "swp", "tf",
    "toml", "ts", "xml",
];

/// The names of such texts without an ending.
const DOCUMENTS: [&str; 9] = [
    "authors",
    "changelog",
    "codeowners",
    "contributing",
    "copying",
    "dockerfile",
    "license",
    "makefile",
    "readme",
];

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Report,
    Yaml,
    /// A file of an archive.
    Archive,
    Document,
    Nothing,
}

/// Whether the file at this path, which cannot be read as a report, is clearly not one.
pub(super) fn is_passed_over(path: &Path, error: &InputError) -> bool {
    let promise = promise(path);
    match error {
        InputError::ForeignParquet => true,
        InputError::NotAReport(what) => is_other(what, promise),
        InputError::Open(_)
        | InputError::Read(_)
        | InputError::Remote(_)
        | InputError::NoRemote
        | InputError::EmptyDirectory
        | InputError::StdinTwice
        | InputError::Corrupt { .. }
        | InputError::Bomb { .. }
        | InputError::Nested(_)
        | InputError::TooLarge(_)
        | InputError::RecordTooLong(_)
        | InputError::Archive(_)
        | InputError::NoSuchReport(_) => false,
    }
}

/// Whether the file at this path, which cannot be read as a report, has the details of one.
pub(super) fn is_details(path: &Path, error: &InputError) -> bool {
    is_name_of_details(path) && matches!(error, InputError::NotAReport(NotAReport::OwnOutput))
}

fn is_other(what: &NotAReport, promise: Promise) -> bool {
    match what {
        NotAReport::OwnOutput | NotAReport::OtherJson | NotAReport::Packed(_) | NotAReport::Workbook => true,
        // A file of an archive begins with a magic number, unless it is damaged.
        NotAReport::Binary(NotAReport::UNKNOWN) | NotAReport::Empty => {
            matches!(promise, Promise::Document | Promise::Nothing)
        }
        NotAReport::Binary(_) | NotAReport::OtherTable(_) => promise != Promise::Archive,
        NotAReport::OtherYaml => !matches!(promise, Promise::Archive | Promise::Report),
        NotAReport::Text(_) | NotAReport::OtherColumns(_) | NotAReport::Html | NotAReport::Xml => {
            matches!(promise, Promise::Document | Promise::Nothing)
        }
        NotAReport::CutOff(..)
        | NotAReport::WithoutArns
        | NotAReport::LinesBefore
        | NotAReport::Headerless
        | NotAReport::Compressed(_)
        | NotAReport::AwsXml => false,
        NotAReport::NoUsers
        | NotAReport::Parts
        | NotAReport::PartOfHeader
        | NotAReport::LongLine
        | NotAReport::Json(_)
        | NotAReport::BehindJson(_)
        | NotAReport::EscapedLineBreaks
        | NotAReport::Generation
        | NotAReport::Yaml
        | NotAReport::Base64(_)
        | NotAReport::PythonBytes
        | NotAReport::Colours
        | NotAReport::Utf16
        | NotAReport::CliMessage(_)
        | NotAReport::CliTable
        | NotAReport::Parquet => promise == Promise::Document,
    }
}

/// What the name of a file promises, also where more was put behind it, as in `report.csv.gz.1`.
fn promise(path: &Path) -> Promise {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let mut parts = name.trim_end_matches('~').split('.');
    let stem = parts.next().unwrap_or_default();
    let packed = |part: &&str| matches!(*part, "gz" | "zst");
    let endings: Vec<&str> = parts.collect();
    let last = endings
        .iter()
        .rev()
        .find(|ending| !packed(ending))
        .copied()
        .unwrap_or_default();
    if last == "parquet" {
        Promise::Archive
    } else if OF_DOCUMENTS.contains(&last) || DOCUMENTS.contains(&stem) {
        Promise::Document
    } else if matches!(last, "yaml" | "yml") {
        Promise::Yaml
    } else if endings
        .iter()
        .any(|ending| packed(ending) || OF_REPORTS.contains(ending))
    {
        Promise::Report
    } else {
        Promise::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_what_they_end_with() {
        for (name, promised) in [
            ("r.csv", Promise::Report),
            ("R.CSV.GZ", Promise::Report),
            ("r.gz", Promise::Report),
            ("r.csv.gz.1", Promise::Report),
            ("2026.11.20.csv~", Promise::Report),
            ("r.json.zst", Promise::Report),
            ("a.parquet", Promise::Archive),
            ("r.yaml.gz", Promise::Yaml),
            ("notes.md", Promise::Document),
            ("notes.md.gz", Promise::Document),
            ("README", Promise::Document),
            ("readme.txt", Promise::Document),
            ("notes.txt", Promise::Nothing),
            ("credential-report", Promise::Nothing),
        ] {
            assert_eq!(promise(Path::new(name)), promised, "{name}");
        }
    }
}

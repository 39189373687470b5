//! Files in directories that are not reports.

use super::{Code, Diagnostic, Level};

/// How many files the diagnostic names.
const NAMED: usize = 3;

/// A file that the search of a directory found, and that is clearly not a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its path.
    pub path: String,
    /// What it is instead.
    pub what: String,
    /// Whether it belongs to a report, as details do: then only a list of all these files has it.
    pub is_beside_report: bool,
}

impl PassedOver {
    /// What it is, as a note of its own.
    pub fn note(&self) -> Diagnostic {
        Diagnostic::new(Code::NotReports, format!("passed over: {}", self.what)).in_path(&self.path)
    }

    /// The one diagnostic for all of them, if there are any. `is_all` says whether nothing else was found, which is an
    /// error.
    pub fn diagnostic(files: &[Self], is_all: bool) -> Option<Diagnostic> {
        let files: Vec<_> = files
            .iter()
            .filter(|file| is_all || !file.is_beside_report)
            .collect();
        let count = files.len();
        let mut names: Vec<&str> = files.iter().take(NAMED).map(|file| &*file.path).collect();
        let more = format!("and {} more", count.saturating_sub(NAMED));
        let separator = if count > NAMED { " " } else { "" };
        let names = format!(
            "{}{separator}{}",
            std::mem::take(&mut names).join(", "),
            if count > NAMED { &more } else { "" }
        );
        let (what, level) = match (is_all, count) {
            (_, 0) => return None,
            (true, 1) => (
                "nothing in the directories is a report; 1 file was passed over",
                Level::Error,
            ),
            (true, _) => (
                "nothing in the directories is a report; {} files were passed over",
                Level::Error,
            ),
            (false, 1) => (
                "1 file in the directories is not a report and was passed over",
                Level::Note,
            ),
            (false, _) => (
                "{} files in the directories are not reports and were passed over",
                Level::Note,
            ),
        };
        let message = format!("{}: {names}", what.replace("{}", &count.to_string()));
        Some(Diagnostic::new(Code::NotReports, message).with_level(level))
    }
}

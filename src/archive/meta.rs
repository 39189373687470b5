//! The metadata of an archived file: JSON in the Parquet footer, with a version and what the columns do not store.

use serde::{Deserialize, Serialize};

use super::csv_format::CsvStyle;
use crate::engine::{AccountRows, ReportAccounts};
use crate::finding::AsOfSource;
use crate::report::schema::{Column, ColumnSet};
use crate::report::time::Timestamp;

/// The key of the JSON in the footer.
pub(super) const KEY: &str = "credlens.archive";

/// The key of the SHA-256 of that JSON. Files of earlier releases lack it.
pub(super) const HASH_KEY: &str = "credlens.archive.sha256";

/// The version that is written. A reader refuses later ones and reads all earlier ones.
pub(super) const VERSION: u32 = 2;

/// What is read from a cell, of which rows a report has and what is wrong with them. Raised when any of that changes: what
/// is stored about the rows of other files is read again from what was written then.
pub(super) const SEMANTICS: u32 = 1;

/// How many columns a report had when version 1 was written: the first ones.
const IN_VERSION_1: usize = 23;

/// The order of the rows of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowOrder {
    /// Report by report, as added.
    #[default]
    Report,
    /// By account, user and time: that of compacted files.
    User,
}

/// The metadata of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileMeta {
    pub(super) version: u32,
    /// See [`SEMANTICS`]; 0 in version 1, which stores less.
    #[serde(default)]
    pub(super) semantics: u32,
    /// The names of the report's columns that are stored as typed columns; empty in version 1. The cells of other columns
    /// are stored as written.
    #[serde(default)]
    pub(super) columns: Vec<String>,
    #[serde(default)]
    pub(super) order: RowOrder,
    /// Its reports, in the order of their rows, or of their time.
    pub(super) reports: Vec<ReportMeta>,
}

impl FileMeta {
    /// What is written about these reports.
    pub(super) fn new(order: RowOrder, reports: Vec<ReportMeta>) -> Self {
        Self {
            version: VERSION,
            semantics: SEMANTICS,
            columns: Column::ALL.map(|column| column.name().to_owned()).to_vec(),
            order,
            reports,
        }
    }

    /// The report columns that are stored as typed columns.
    pub(super) fn typed(&self) -> ColumnSet {
        let all = Column::ALL.into_iter();
        if self.version == 1 {
            return all.take(IN_VERSION_1).collect();
        }
        all.filter(|column| self.columns.iter().any(|name| name == column.name()))
            .collect()
    }

    /// Whether its rows say all that is read from them now.
    pub(super) fn is_current(&self) -> bool {
        self.version == VERSION
            && self.semantics == SEMANTICS
            && self.typed() == Column::ALL.into_iter().collect()
    }
}

impl FileMeta {
    /// Checks that the metadata fits a file with this many rows, and is safe to make paths of.
    pub(super) fn check(&self, rows: u64) -> Result<(), String> {
        let total = self
            .reports
            .iter()
            .try_fold(0_u64, |sum, report| sum.checked_add(report.rows));
        if total != Some(rows) {
            return Err(format!("its metadata does not describe its {rows} rows"));
        }
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(is_hex);
        let is_account = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let is_sound =
            |report: &ReportMeta| is_hash(&report.sha256) && report.accounts.iter().all(is_account);
        if !self.reports.iter().all(is_sound) {
            return Err("its metadata has invalid account ids or hashes".to_owned());
        }
        Ok(())
    }
}

/// One archived report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportMeta {
    /// The accounts that its ARNs name, sorted, each once.
    pub accounts: Vec<String>,
    /// The name of its account in the organization.
    pub account_name: Option<String>,
    /// The instant at which it is evaluated.
    pub as_of: Timestamp,
    /// Where that instant came from when the report was added.
    pub as_of_source: AsOfSource,
    /// When AWS generated it, if known.
    pub generated: Option<Timestamp>,
    /// The path from which it was added. Only shown, never opened.
    pub path: String,
    /// Number of its rows.
    pub rows: u64,
    /// The size of its CSV in bytes.
    pub bytes: u64,
    /// SHA-256 of its CSV, in hexadecimal.
    pub sha256: String,
    /// The bytes before the first row.
    pub(super) header: RawBytes,
    #[serde(flatten)]
    pub(super) style: CsvStyle,
    /// Whether the last row has a line end.
    pub(super) ends_line: bool,
    /// The bytes after the last row.
    pub(super) tail: RawBytes,
    /// Not in version 1.
    #[serde(default)]
    pub(super) facts: Option<RowsFacts>,
}

/// What the rows of a report have in common, so that some questions are answered without reading them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RowsFacts {
    /// The accounts that have rows, with what is known of these.
    pub(super) accounts: Vec<AccountFacts>,
    /// Whether there are rows without an account.
    pub(super) other_rows: bool,
    /// Number of data rows, including those that were left out.
    pub(super) data_rows: u64,
    /// The issues of what follows the last row that is stored.
    pub(super) issues_after: String,
    /// If no row gives a diagnostic at any as-of from some instant on: that instant.
    pub(super) quiet_from: Option<Timestamp>,
    /// Whether each ARN is [the usual one](super::usual_arn) of its row, so that it need not be read.
    pub(super) usual_arns: bool,
}

/// An account of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AccountFacts {
    pub(super) account: RawBytes,
    /// Whether root's row is among its rows.
    pub(super) root: bool,
    /// The last of the times at which its rows say they were generated.
    pub(super) generated: Option<Timestamp>,
}

impl RowsFacts {
    /// The accounts as a survey finds them.
    pub(super) fn surveyed(&self) -> ReportAccounts {
        let accounts = self.accounts.iter().map(|of| {
            let rows = AccountRows {
                has_root: of.root,
                time: of.generated,
                digest: 0,
            };
            (of.account.0.clone(), rows)
        });
        ReportAccounts {
            accounts: accounts.collect(),
            has_other_rows: self.other_rows,
            quiet_from: self.quiet_from,
        }
    }

    /// The same, from a survey.
    pub(super) fn of(surveyed: ReportAccounts) -> Self {
        let accounts = surveyed.accounts.into_iter().map(|(account, rows)| AccountFacts {
            account: RawBytes(account),
            root: rows.has_root,
            generated: rows.time,
        });
        Self {
            accounts: accounts.collect(),
            other_rows: surveyed.has_other_rows,
            quiet_from: surveyed.quiet_from,
            ..Self::default()
        }
    }
}

/// Bytes, serialized as text if they are UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawBytesJson", into = "RawBytesJson")]
pub(super) struct RawBytes(pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RawBytesJson {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<RawBytesJson> for RawBytes {
    fn from(packed: RawBytesJson) -> Self {
        match packed {
            RawBytesJson::Text(text) => Self(text.into_bytes()),
            RawBytesJson::Bytes(bytes) => Self(bytes),
        }
    }
}

impl From<RawBytes> for RawBytesJson {
    fn from(bytes: RawBytes) -> Self {
        String::from_utf8(bytes.0).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::cell;

    #[test]
    fn raw_bytes_round_trip() {
        for bytes in [&b"user,arn\n"[..], b"\xff\x00,\n", b""] {
            let json = serde_json::to_string(&RawBytes(bytes.to_vec())).expect("JSON");
            let back: RawBytes = serde_json::from_str(&json).expect("what was written");
            assert_eq!(back.0, bytes, "{json}");
        }
    }

    /// What earlier files say is unknown is outdated once this changes.
    #[test]
    fn what_is_read_from_cells_is_that_of_these_semantics() {
        let cells = [
            "",
            " ",
            "N/A",
            " n/a ",
            "no_information",
            "No_Information",
            "not_supported",
            "NOT_SUPPORTED",
            "true",
            "TRUE",
            "False",
            "yes",
            "1",
            "t",
            "-",
            "null",
            "never",
            "2026-01-02",
            "2026-01-02T03:04:05Z",
            "2026-01-02 03:04:05",
            "2026-01-02T03:04:05.9Z",
            "2026-01-02T03:04:05+01:00",
            "2026-01-02T03:04:05-0130",
            "2026-02-29",
            "2024-02-29",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:04:60Z",
            "2026-1-2",
            "20260102",
            "2026-01-02T03:04Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01",
            "0001-01-01T00:00:00Z",
            "0000-01-01",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59-01:00",
            "1767225600",
            "2026-01-02T03:04:05z",
            "arn:aws:iam::1:root",
            "arn:aws:iam::1:user/a:root",
            "<root_account>",
        ];
        let read = cells.map(|text| {
            let text = text.as_bytes();
            format!(
                "{} {:?} {:?} {:?}",
                cell::time(text),
                cell::flag(text),
                cell::text(text),
                cell::stands_in(text)
            )
        });
        let read = crate::finding::digest::sha256(read.join("\n"));
        assert_eq!(
            (SEMANTICS, &read[..16]),
            (1, "02c88714d16d265a"),
            "if cells are read in another way, raise SEMANTICS"
        );
    }

    /// Paths and counts are made of the metadata, which may be forged.
    #[test]
    fn forged_metadata_is_refused() {
        let report = serde_json::json!({
            "accounts": ["111122223333"], "account_name": null, "as_of": "2026-01-01T00:00:00Z",
            "as_of_source": "generated", "generated": null, "path": "x", "rows": 10, "bytes": 1,
            "sha256": "0".repeat(64), "header": "", "utc": "Z", "line_end": "lf", "quotes": "needed",
            "ends_line": true, "tail": "",
        });
        let check = |name: &str, value: serde_json::Value| {
            let mut report = report.clone();
            report[name] = value;
            let meta = serde_json::json!({ "version": 1, "reports": [report, report] });
            let meta: FileMeta = serde_json::from_value(meta).expect("metadata");
            meta.check(20)
        };
        assert_eq!(check("path", "../../x".into()), Ok(()), "a path is only shown");
        let forged: [(&str, serde_json::Value); 8] = [
            ("rows", 11.into()),
            ("rows", (u64::MAX - 5).into()),
            ("sha256", "../../../../x".into()),
            ("sha256", "/x".into()),
            ("sha256", "".into()),
            ("accounts", vec!["../x"].into()),
            ("accounts", vec!["\u{1b}]0;x\u{7}"].into()),
            ("accounts", vec![""].into()),
        ];
        for (name, value) in forged {
            assert!(check(name, value.clone()).is_err(), "{name}: {value}");
        }
    }
}

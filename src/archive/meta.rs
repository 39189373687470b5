//! The metadata of an archived file: JSON in the Parquet footer, with a version and what the columns do not store.

use serde::{Deserialize, Serialize};

use super::csv_format::CsvStyle;
use crate::finding::AsOfSource;
use crate::report::schema::{Column, ColumnSet};
use crate::report::time::Timestamp;

/// The key of the JSON in the footer.
pub(super) const KEY: &str = "credlens.archive";

/// The key of the SHA-256 of that JSON. Files of earlier releases lack it.
pub(super) const HASH_KEY: &str = "credlens.archive.sha256";

/// The version that is written. A reader refuses later ones and reads all earlier ones.
pub(super) const VERSION: u32 = 1;

/// The columns that credlens has learnt since version 1, each with the first version that stores it as a typed column.
const ADDED: &[(Column, u32)] = &[];

const _: () = assert!(
    Column::COUNT == 23 + ADDED.len(),
    "a new column needs a new VERSION of the archive and a line in ADDED"
);

/// The report columns that files of a version store as typed columns. The cells of other columns are stored as written.
pub(super) fn columns(version: u32) -> ColumnSet {
    let is_typed = |column: &Column| {
        let mut added = ADDED.iter().filter(|(added, _)| added == column);
        added.all(|&(_, since)| since <= version)
    };
    Column::ALL.into_iter().filter(is_typed).collect()
}

/// The metadata of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileMeta {
    pub(super) version: u32,
    /// Its reports, in the order of their rows.
    pub(super) reports: Vec<ReportMeta>,
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

    #[test]
    fn raw_bytes_round_trip() {
        for bytes in [&b"user,arn\n"[..], b"\xff\x00,\n", b""] {
            let json = serde_json::to_string(&RawBytes(bytes.to_vec())).expect("JSON");
            let back: RawBytes = serde_json::from_str(&json).expect("what was written");
            assert_eq!(back.0, bytes, "{json}");
        }
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

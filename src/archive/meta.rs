//! What an archived file says of itself: JSON in its footer.

use serde::{Deserialize, Serialize};

use super::csv_format::{LineEnd, Quotes, UtcSuffix};
use crate::finding::AsOfSource;
use crate::report::time::Timestamp;

/// The key of the footer's metadata.
pub(super) const KEY: &str = "credlens.archive";

/// The version that is written. A reader refuses later ones, and reads all earlier ones.
pub(super) const VERSION: u32 = 1;

/// What an archived file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileMeta {
    pub(super) version: u32,
    /// Its reports; their rows follow each other in this order.
    pub(super) reports: Vec<ReportMeta>,
}

impl FileMeta {
    /// Whether it can be true of a file of this many rows, and names can be made of it.
    pub(super) fn check(&self, rows: u64) -> Result<(), String> {
        let total = self
            .reports
            .iter()
            .try_fold(0_u64, |sum, report| sum.checked_add(report.rows));
        if total != Some(rows) {
            return Err(format!(
                "its metadata does not tell of the {rows} rows that it holds"
            ));
        }
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(is_hex);
        let is_account = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let is_sound =
            |report: &ReportMeta| is_hash(&report.sha256) && report.accounts.iter().all(is_account);
        if !self.reports.iter().all(is_sound) {
            return Err("its metadata names accounts or hashes that are none".to_owned());
        }
        Ok(())
    }
}

/// One archived report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportMeta {
    /// The accounts that its ARNs name, in order, each once.
    pub accounts: Vec<String>,
    /// As the organization calls its one account.
    pub account_name: Option<String>,
    /// The instant at which it is judged.
    #[serde(with = "instant")]
    pub as_of: Timestamp,
    /// Where that instant came from when it was added.
    pub as_of_source: AsOfSource,
    /// When AWS made it, where that was told.
    #[serde(with = "instant::option")]
    pub generated: Option<Timestamp>,
    /// As it was named when it was added.
    pub path: String,
    /// Number of its rows.
    pub rows: u64,
    /// RawBytes of its CSV.
    pub bytes: u64,
    /// SHA-256 of its CSV, in hexadecimal.
    pub sha256: String,
    /// All before the first row.
    pub(super) header: RawBytes,
    pub(super) utc: UtcSuffix,
    pub(super) line_end: LineEnd,
    pub(super) quotes: Quotes,
    /// Whether the last row's line ends.
    pub(super) ends_line: bool,
    /// What stands behind the last row and is none.
    pub(super) tail: RawBytes,
}

/// RawBytes, as text where they are UTF-8.
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

/// Instants as `YYYY-MM-DDTHH:MM:SSZ`.
mod instant {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::report::time::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        parse(&String::deserialize(deserializer)?)
    }

    fn parse<E: serde::de::Error>(text: &str) -> Result<Timestamp, E> {
        Timestamp::parse(text.as_bytes()).ok_or_else(|| E::custom(format!("'{text}' is no instant")))
    }

    /// The same where there may be none.
    pub(super) mod option {
        use super::{Deserializer, Serializer, Timestamp, parse};
        use serde::{Deserialize as _, Serialize as _};

        #[expect(clippy::ref_option, reason = "serde gives a reference")]
        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(|time| time.to_string()).serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| parse(&text)).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        for bytes in [&b"user,arn\n"[..], b"\xff\x00,\n", b""] {
            let json = serde_json::to_string(&RawBytes(bytes.to_vec())).expect("JSON");
            let back: RawBytes = serde_json::from_str(&json).expect("what was written");
            assert_eq!(back.0, bytes, "{json}");
        }
    }

    /// What a file says of itself is made into paths and counts: it may lie.
    #[test]
    fn lies_are_refused() {
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
        assert_eq!(
            check("path", "../../x".into()),
            Ok(()),
            "a path is told only, never used"
        );
        let lies: [(&str, serde_json::Value); 8] = [
            ("rows", 11.into()),
            ("rows", (u64::MAX - 5).into()),
            ("sha256", "../../../../x".into()),
            ("sha256", "/x".into()),
            ("sha256", "".into()),
            ("accounts", vec!["../x"].into()),
            ("accounts", vec!["\u{1b}]0;x\u{7}"].into()),
            ("accounts", vec![""].into()),
        ];
        for (name, value) in lies {
            assert!(check(name, value.clone()).is_err(), "{name}: {value}");
        }
    }
}

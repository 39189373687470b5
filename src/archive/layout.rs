//! The paths of files in an archive:
//! `snapshot_date=2026-11-21/20261121T083000Z-0123456789abcdef0123456789abcdef.parquet`, and with the reports of several
//! days of a month `snapshot_date=2026-11-01/20261101T083000Z-compacted-0123456789abcdef0123456789abcdef.parquet`.
//!
//! A name has the earliest as-of of a file's reports and the first half of the SHA-256 of its bytes, and no text from a
//! report. So a name shows whether its file is whole, there is no index to update, and files never change.

use crate::report::time::Timestamp;

/// The partition key. No engine treats its values as numbers.
const PARTITION: &str = "snapshot_date=";
const EXTENSION: &str = ".parquet";
/// Hexadecimal digits of the hash in a name.
const DIGITS: usize = 32;
const COMPACTED: &str = "compacted-";

/// The path of a file below the archive, parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// The earliest as-of of its reports; its day names the directory.
    pub as_of: Timestamp,
    /// The beginning of the SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// Whether it has the reports of several days of a month.
    pub compacted: bool,
}

impl FileName {
    /// The name of a file with this earliest as-of and this SHA-256 in hexadecimal.
    pub(super) fn new(as_of: Timestamp, sha256: &str, compacted: bool) -> Self {
        Self {
            as_of,
            hash: sha256[..DIGITS].to_owned(),
            compacted,
        }
    }

    /// Whether the file may have a report as of this instant.
    pub(super) fn may_have(&self, as_of: Timestamp) -> bool {
        if self.compacted {
            month(self.as_of) == month(as_of)
        } else {
            partition(self.as_of) == partition(as_of)
        }
    }

    /// Parses a path below the archive, with `/`; `None` if an archived file cannot have it.
    pub fn parse(path: &str) -> Option<Self> {
        let (directory, file) = path.split_once('/')?;
        let (time, hash) = file.strip_suffix(EXTENSION)?.split_once('-')?;
        let (hash, compacted) = match hash.strip_prefix(COMPACTED) {
            Some(hash) => (hash, true),
            None => (hash, false),
        };
        let is_hash =
            hash.len() == DIGITS && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let [year, month, day] = [0..4, 4..6, 6..8].map(|range| time.get(range));
        let [hour, minute, second] = [9..11, 11..13, 13..15].map(|range| time.get(range));
        let spelled = format!("{}-{}-{}T{}:{}:{}Z", year?, month?, day?, hour?, minute?, second?);
        let name = Self {
            as_of: Timestamp::parse(spelled.as_bytes())?,
            hash: hash.to_owned(),
            compacted,
        };
        (is_hash && directory == partition(name.as_of) && name.path() == path).then_some(name)
    }

    /// The path below the archive, with `/`.
    pub fn path(&self) -> String {
        let time = self.as_of.to_string().replace(['-', ':'], "");
        let compacted = if self.compacted { COMPACTED } else { "" };
        format!(
            "{}/{time}-{compacted}{}{EXTENSION}",
            partition(self.as_of),
            self.hash
        )
    }
}

/// The directory of the snapshots of a day.
pub(super) fn partition(as_of: Timestamp) -> String {
    let instant = as_of.to_string();
    let date = instant.split_once('T').map_or(instant.as_str(), |(date, _)| date);
    format!("{PARTITION}{date}")
}

/// How the directories of a month begin.
pub(super) fn month(as_of: Timestamp) -> String {
    let day = partition(as_of);
    day[..day.len() - "-01".len()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let name = FileName::new(Timestamp(1_795_249_800), &"0123456789abcdef".repeat(4), false);
        let path = "snapshot_date=2026-11-21/20261121T083000Z-0123456789abcdef0123456789abcdef.parquet";
        assert_eq!(name.path(), path);
        assert_eq!(FileName::parse(path), Some(name));
        let compacted = FileName {
            compacted: true,
            ..FileName::parse(path).expect("a name")
        };
        let path =
            "snapshot_date=2026-11-21/20261121T083000Z-compacted-0123456789abcdef0123456789abcdef.parquet";
        assert_eq!(compacted.path(), path);
        assert!(compacted.may_have(Timestamp(1_796_000_000)));
        assert_eq!(FileName::parse(path), Some(compacted));
        for wrong in [
            "snapshot_date=2026-11-22/20261121T083000Z-0123456789abcdef0123456789abcdef.parquet",
            "snapshot_date=2026-11-21/20261121T083000Z-0123456789ABCDEF0123456789abcdef.parquet",
            "snapshot_date=2026-11-21/20261121T083000-0123456789abcdef0123456789abcdef.parquet",
            "snapshot_date=2026-11-21/20261121T083000Z-0123456789abcdef.parquet",
            "20261121T083000Z-0123456789abcdef0123456789abcdef.parquet",
            "snapshot_date=2026-11-21/x/20261121T083000Z-0123456789abcdef0123456789abcdef.parquet",
            "snapshot_date=ä/ä-0.parquet",
        ] {
            assert_eq!(FileName::parse(wrong), None, "{wrong}");
        }
    }
}

//! What journals say of keys that were deactivated: `credlens.journal/v1`, one record a line.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::history::KeyIdentity;
use crate::report::time::Timestamp;

/// What journals say was done to keys.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    keys: BTreeMap<KeyIdentity, JournalKey>,
}

/// When a key was last deactivated, and last activated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalKey {
    /// The last deactivation.
    pub deactivated: Option<Timestamp>,
    /// The last activation.
    pub activated: Option<Timestamp>,
}

/// Why a file is not a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line is not a record.
    #[error("line {0}: not a record of a journal: {1}")]
    Record(usize, serde_json::Error),
    /// It has another schema.
    #[error("line {0}: its schema is '{1}', and this version reads {SCHEMA}")]
    Schema(usize, String),
}

/// The schema of this version.
const SCHEMA: &str = "credlens.journal/v1";

/// A record, as far as a plan reads it.
#[derive(Deserialize)]
struct Record {
    schema: String,
    /// `begin`, `intent`, `result`, …
    #[serde(rename = "record")]
    kind: String,
    /// What was done.
    #[serde(default)]
    action: Option<String>,
    /// What came of it.
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    key_created: Option<Timestamp>,
}

impl Journal {
    /// Adds the records of a journal. Its last line may be cut off: the run that wrote it was killed.
    ///
    /// # Errors
    /// If it is not a journal.
    pub fn add(&mut self, text: &str) -> Result<(), JournalError> {
        let mut lines = text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            if line.trim().is_empty() {
                continue;
            }
            let record: Record = match serde_json::from_str(line) {
                Ok(record) => record,
                Err(error) if lines.peek().is_none() && error.is_eof() && number > 0 => break,
                Err(error) => return Err(JournalError::Record(number + 1, error)),
            };
            if record.schema != SCHEMA {
                return Err(JournalError::Schema(number + 1, record.schema));
            }
            self.record(record);
        }
        Ok(())
    }

    fn record(&mut self, record: Record) {
        let is_done = record.kind == "result" && record.outcome.as_deref() == Some("done");
        let (Some(user), Some(created), Some(at)) = (record.user, record.key_created, record.at) else {
            return;
        };
        if !is_done {
            return;
        }
        let key = KeyIdentity {
            account: record.account,
            user,
            created,
        };
        let of_key = self.keys.entry(key).or_default();
        let time = match record.action.as_deref() {
            Some("deactivate") => &mut of_key.deactivated,
            Some("activate") => &mut of_key.activated,
            Some(_) | None => return,
        };
        *time = (*time).max(Some(at));
    }

    /// What was done to a key.
    pub fn of(&self, key: &KeyIdentity) -> JournalKey {
        self.keys.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyIdentity {
        KeyIdentity {
            account: Some("111122223333".to_owned()),
            user: "alice".to_owned(),
            created: Timestamp::parse(b"2025-01-01").unwrap(),
        }
    }

    fn line(record: &str, outcome: &str, at: &str) -> String {
        format!(
            r#"{{"schema":"credlens.journal/v1","record":"{record}","action":"deactivate","outcome":"{outcome}","at":"{at}","account":"111122223333","user":"alice","key_created":"2025-01-01T00:00:00Z","other":1}}"#
        )
    }

    #[test]
    fn only_what_was_done_counts() {
        let mut journal = Journal::default();
        let text = [
            line("intent", "", "2026-01-01T00:00:00Z"),
            line("result", "failed", "2026-01-02T00:00:00Z"),
            line("result", "done", "2026-01-03T00:00:00Z"),
            line("result", "done", "2026-01-02T00:00:00Z"),
            r#"{"schema":"credlens.jour"#.to_owned(),
        ];
        journal.add(&text.join("\n")).unwrap();
        assert_eq!(journal.of(&key()).deactivated, Timestamp::parse(b"2026-01-03"));
        let other = KeyIdentity {
            user: "bob".to_owned(),
            ..key()
        };
        assert_eq!(journal.of(&other), JournalKey::default());
    }

    #[test]
    fn what_is_not_a_journal_is_an_error() {
        let add = |text: &str| Journal::default().add(text).unwrap_err().to_string();
        assert!(add("hello").starts_with("line 1: not a record of a journal"));
        assert!(
            add("{\"schema\":\"credlens.journal/v9\",\"record\":\"x\"}").starts_with("line 1: its schema")
        );
        assert!(add("{\"sch").starts_with("line 1: not a record"));
    }
}

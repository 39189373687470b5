//! What plans know from journals: which keys were deactivated, and which of these were activated again.

use std::collections::BTreeMap;

use super::history::KeyIdentity;
use super::journal::{ChangeOutcome, Entry, JournalError, JournalText, KeyAction};
use crate::report::time::Timestamp;

/// What journals say was done to keys.
#[derive(Clone, Debug, Default)]
pub struct EarlierChanges {
    keys: BTreeMap<KeyIdentity, ChangedKey>,
}

/// When a key was last deactivated, and last activated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedKey {
    /// The last deactivation.
    pub deactivated: Option<Timestamp>,
    /// The last activation.
    pub activated: Option<Timestamp>,
}

impl EarlierChanges {
    /// Adds the records of a journal.
    ///
    /// # Errors
    /// If it is not a journal, or damaged.
    pub fn add(&mut self, text: &str) -> Result<(), JournalError> {
        for record in JournalText::whole(text)? {
            let Entry::Result(result) = record.entry else {
                continue;
            };
            if result.outcome != ChangeOutcome::Done {
                continue;
            }
            let key = KeyIdentity {
                account: Some(result.key.account),
                user: result.key.user,
                created: result.key.key_created,
            };
            let of_key = self.keys.entry(key).or_default();
            let time = match result.action {
                KeyAction::Deactivate => &mut of_key.deactivated,
                KeyAction::Activate => &mut of_key.activated,
            };
            *time = (*time).max(Some(record.at));
        }
        Ok(())
    }

    /// What was done to a key.
    pub fn of(&self, key: &KeyIdentity) -> ChangedKey {
        self.keys.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::{Intent, KeyResult, Record, StepKey};
    use super::*;

    fn key() -> StepKey {
        StepKey {
            step: "1".to_owned(),
            account: "111122223333".to_owned(),
            user: "alice".to_owned(),
            key_created: Timestamp::parse(b"2025-01-01").unwrap(),
            access_key_id: None,
        }
    }

    fn identity() -> KeyIdentity {
        KeyIdentity {
            account: Some("111122223333".to_owned()),
            user: "alice".to_owned(),
            created: Timestamp::parse(b"2025-01-01").unwrap(),
        }
    }

    fn line(at: &str, entry: Entry) -> String {
        let at = at.parse().unwrap();
        serde_json::to_string(&Record::new(at, entry)).unwrap()
    }

    fn result(outcome: ChangeOutcome, at: &str) -> String {
        let result = KeyResult {
            action: KeyAction::Deactivate,
            key: key(),
            outcome,
            found_later: false,
            error: None,
        };
        line(at, Entry::Result(result))
    }

    #[test]
    fn only_what_was_done_counts() {
        let mut journal = EarlierChanges::default();
        let intent = Intent {
            action: KeyAction::Deactivate,
            key: key(),
            prior_status: None,
        };
        let text = [
            line("2026-01-09", Entry::Intent(intent)),
            result(ChangeOutcome::Failed, "2026-01-08"),
            result(ChangeOutcome::Done, "2026-01-03"),
            result(ChangeOutcome::Done, "2026-01-02"),
            r#"{"schema":"credlens.jour"#.to_owned(),
        ];
        journal.add(&text.join("\n")).unwrap();
        assert_eq!(
            journal.of(&identity()).deactivated,
            Timestamp::parse(b"2026-01-03")
        );
        let other = KeyIdentity {
            user: "bob".to_owned(),
            ..identity()
        };
        assert_eq!(journal.of(&other), ChangedKey::default());
    }
}

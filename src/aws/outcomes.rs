//! The outcomes file: each account's result of a run, from which `--resume` continues. Schema `credlens.outcomes/v1`.

use serde::{Deserialize, Serialize};

use super::accounts::{Account, UNKNOWN_STATE, validated};

/// The results of a run, by account id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Always `credlens.outcomes/v1`.
    schema: String,
    /// One for each account.
    pub accounts: Vec<Outcome>,
}

/// The result of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its id; empty if it is not known.
    pub account: String,
    /// Its name, where known.
    pub name: Option<String>,
    /// Its own role, if it lists one; a list if each is assumed with the credentials of the one before.
    #[serde(rename = "role", with = "one_or_list")]
    pub roles: Vec<String>,
    /// Whether its report was fetched.
    pub outcome: OutcomeStatus,
    /// The report's generation time, RFC 3339 UTC.
    pub generated: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why it was skipped: its state in the organization, such as `SUSPENDED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why its entry in the list is invalid, so that AWS was not called.
    #[serde(rename = "wrong", default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
}

/// Whether the report of an account was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeStatus {
    /// The report was fetched.
    Fetched,
    /// It was not, or could not be read or saved.
    Failed,
    /// AWS was not called, because the account is not active.
    Skipped,
}

/// The file is not an outcomes file.
#[derive(Debug, thiserror::Error)]
#[error("not a file that --outcomes wrote: {0}")]
pub struct OutcomesError(String);

impl Outcomes {
    /// Name and version of the schema.
    pub const SCHEMA: &'static str = "credlens.outcomes/v1";

    /// Sorted by account id.
    pub fn new(mut accounts: Vec<Outcome>) -> Self {
        accounts.sort_by(|one, other| one.account.cmp(&other.account));
        Self {
            schema: Self::SCHEMA.to_owned(),
            accounts,
        }
    }

    /// Parses the text of a file.
    pub fn parse(text: &str) -> Result<Self, OutcomesError> {
        let outcomes: Self = serde_json::from_str(text).map_err(|error| OutcomesError(error.to_string()))?;
        if outcomes.schema != Self::SCHEMA {
            return Err(OutcomesError(format!("its schema is not {}", Self::SCHEMA)));
        }
        Ok(outcomes)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        crate::output::pretty(self)
    }

    /// The accounts that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.accounts
            .iter()
            .filter(|outcome| outcome.outcome == OutcomeStatus::Failed)
    }

    /// All accounts, for another run; invalid ones are marked.
    pub fn known(&self) -> Vec<Account> {
        validated(self.accounts.iter().map(account_of).collect())
    }

    /// These results, with those of a run that resumed from them.
    #[must_use]
    pub fn updated(self, newer: Vec<Outcome>) -> Self {
        let is_replaced = |old: &Outcome| newer.iter().any(|new| new.account == old.account);
        let mut accounts: Vec<Outcome> = self
            .accounts
            .into_iter()
            .filter(|old| !is_replaced(old))
            .collect();
        accounts.extend(newer);
        Self::new(accounts)
    }
}

fn account_of(outcome: &Outcome) -> Account {
    let skipped = outcome.outcome == OutcomeStatus::Skipped;
    let state = || outcome.state.clone().unwrap_or_else(|| UNKNOWN_STATE.to_owned());
    Account {
        id: outcome.account.clone(),
        name: outcome.name.clone(),
        roles: outcome.roles.clone(),
        invalid: outcome.invalid.clone(),
        inactive: skipped.then(state),
        ..Account::default()
    }
}

/// Serializes no strings as null, one as a string, several as a list.
mod one_or_list {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Several(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(words: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        let words = match words {
            [] => None,
            [word] => Some(Words::One(word.clone())),
            words => Some(Words::Several(words.to_vec())),
        };
        words.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            None => Vec::new(),
            Some(Words::One(word)) => vec![word],
            Some(Words::Several(words)) => words,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(account: &str, outcome: OutcomeStatus) -> Outcome {
        Outcome {
            account: account.to_owned(),
            name: None,
            roles: Vec::new(),
            outcome,
            generated: None,
            invalid: None,
            error: None,
            state: None,
        }
    }

    #[test]
    fn a_resumed_run_replaces_results() {
        let first = Outcomes::new(vec![
            outcome("3", OutcomeStatus::Failed),
            outcome("1", OutcomeStatus::Fetched),
        ]);
        let first = Outcomes::parse(&first.text()).unwrap();
        assert_eq!(
            first
                .failed()
                .map(|failed| failed.account.as_str())
                .collect::<Vec<_>>(),
            ["3"]
        );
        let second = first.updated(vec![outcome("3", OutcomeStatus::Fetched)]);
        assert_eq!(second.failed().count(), 0);
        assert_eq!(second.accounts.len(), 2);
    }

    #[test]
    fn roles_are_null_a_string_or_a_list() {
        for (roles, text) in [
            (&[][..], "null"),
            (&["A"], "\"A\""),
            (&["A", "B"], "[\"A\",\"B\"]"),
        ] {
            let mut failed = outcome("1", OutcomeStatus::Failed);
            failed.roles = roles.iter().map(|role| (*role).to_owned()).collect();
            let outcomes = Outcomes::new(vec![failed]);
            let compact: serde_json::Value = serde_json::from_str(&outcomes.text()).unwrap();
            assert_eq!(compact["accounts"][0]["role"].to_string(), text);
            assert_eq!(Outcomes::parse(&outcomes.text()).unwrap(), outcomes);
        }
    }

    #[test]
    fn invalid_ids_are_marked() {
        let outcomes = Outcomes::new(vec![
            outcome("../../x", OutcomeStatus::Failed),
            outcome("222222222222", OutcomeStatus::Failed),
        ]);
        let accounts = outcomes.known();
        let invalid = accounts.iter().map(|account| account.invalid.is_some());
        assert_eq!(invalid.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Outcomes::parse("{}").is_err());
        assert!(Outcomes::parse(r#"{"schema":"credlens.outcomes/v2","accounts":[]}"#).is_err());
    }
}

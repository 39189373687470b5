//! How every account of a run came out, kept in a file from which another run goes on: `credlens.outcomes/v1`.

use serde::{Deserialize, Serialize};

use super::accounts::{Account, checked};

/// How the accounts came out, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Always `credlens.outcomes/v1`.
    schema: String,
    /// One an account.
    pub accounts: Vec<Outcome>,
}

/// How one account came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its id; where even that is not known, empty.
    pub account: String,
    /// Its name, where known.
    pub name: Option<String>,
    /// The role that was to be used there, where it has one of its own; a list where one was to be assumed from
    /// the other.
    #[serde(rename = "role", with = "chain")]
    pub roles: Vec<String>,
    /// What became of it.
    pub outcome: State,
    /// When AWS made its report, RFC 3339 UTC.
    pub generated: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// What was wrong with how it was listed, so that nothing was asked of AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// What became of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its report came.
    Fetched,
    /// It did not, or could not be read.
    Failed,
}

/// What is wrong with a file of outcomes.
#[derive(Debug, thiserror::Error)]
#[error("it is no file that --outcomes wrote: {0}")]
pub struct OutcomesError(String);

impl Outcomes {
    /// Name and version of this shape.
    pub const SCHEMA: &'static str = "credlens.outcomes/v1";

    /// In the order of the accounts' ids.
    pub fn new(mut accounts: Vec<Outcome>) -> Self {
        accounts.sort_by(|one, other| one.account.cmp(&other.account));
        Self {
            schema: Self::SCHEMA.to_owned(),
            accounts,
        }
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, OutcomesError> {
        let outcomes: Self = serde_json::from_str(text).map_err(|error| OutcomesError(error.to_string()))?;
        if outcomes.schema != Self::SCHEMA {
            return Err(OutcomesError(format!("its schema is not {}", Self::SCHEMA)));
        }
        Ok(outcomes)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("invariant: strings and words are JSON") + "\n"
    }

    /// Those that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.accounts
            .iter()
            .filter(|outcome| outcome.outcome == State::Failed)
    }

    /// The accounts that failed, to be tried again. What is wrong with one of them is noted in it.
    pub fn to_retry(&self) -> Vec<Account> {
        let accounts = self.failed().map(|failed| Account {
            id: failed.account.clone(),
            name: failed.name.clone(),
            roles: failed.roles.clone(),
            wrong: failed.wrong.clone(),
            ..Account::default()
        });
        checked(accounts.collect())
    }

    /// What is known after a run that went on from `self`.
    #[must_use]
    pub fn continued(self, newer: Vec<Outcome>) -> Self {
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

/// No word, one, or a list of them.
mod chain {
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

    fn outcome(account: &str, outcome: State) -> Outcome {
        Outcome {
            account: account.to_owned(),
            name: None,
            roles: Vec::new(),
            outcome,
            generated: None,
            wrong: None,
            error: None,
        }
    }

    #[test]
    fn another_run_replaces_what_it_did() {
        let first = Outcomes::new(vec![outcome("3", State::Failed), outcome("1", State::Fetched)]);
        let first = Outcomes::parse(&first.text()).unwrap();
        assert_eq!(
            first
                .failed()
                .map(|failed| failed.account.as_str())
                .collect::<Vec<_>>(),
            ["3"]
        );
        let second = first.continued(vec![outcome("3", State::Fetched)]);
        assert_eq!(second.failed().count(), 0);
        assert_eq!(second.accounts.len(), 2);
    }

    #[test]
    fn roles_are_kept_in_the_form_of_one_or_several() {
        for (roles, text) in [
            (&[][..], "null"),
            (&["A"], "\"A\""),
            (&["A", "B"], "[\"A\",\"B\"]"),
        ] {
            let mut failed = outcome("1", State::Failed);
            failed.roles = roles.iter().map(|role| (*role).to_owned()).collect();
            let outcomes = Outcomes::new(vec![failed]);
            let compact: serde_json::Value = serde_json::from_str(&outcomes.text()).unwrap();
            assert_eq!(compact["accounts"][0]["role"].to_string(), text);
            assert_eq!(Outcomes::parse(&outcomes.text()).unwrap(), outcomes);
        }
    }

    #[test]
    fn nothing_is_made_of_ids_that_are_none() {
        let outcomes = Outcomes::new(vec![
            outcome("../../x", State::Failed),
            outcome("222222222222", State::Failed),
        ]);
        let accounts = outcomes.to_retry();
        let wrong = accounts.iter().map(|account| account.wrong.is_some());
        assert_eq!(wrong.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Outcomes::parse("{}").is_err());
        assert!(Outcomes::parse(r#"{"schema":"credlens.outcomes/v2","accounts":[]}"#).is_err());
    }
}

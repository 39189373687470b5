//! Accounts: which ones, how they are called, and the role to act in there.

use std::collections::BTreeSet;

use serde::Deserialize;

/// An account to be scanned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// As the organization or the file calls it.
    pub name: Option<String>,
    /// A role's name or ARN, where this account has one of its own.
    pub role: Option<String>,
    /// What that role asks for.
    pub external_id: Option<String>,
}

/// What is wrong with a list of accounts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// Neither form.
    #[error(
        "it is neither lines of an account id and, after a blank, a name, nor YAML or JSON with `accounts`, \
         each with `account_id` and, if wanted, `name`, `role` and `external_id`: {0}"
    )]
    Unreadable(String),
    /// An id that is none.
    #[error("'{0}' is no account id, which is twelve digits")]
    NoId(String),
    /// Twice, so that it is not clear which role is meant.
    #[error("account {0} is listed twice")]
    Twice(String),
    /// Asked for, but not there.
    #[error("no active account is called '{0}', nor has it as its id")]
    Unknown(String),
    /// Nothing is left.
    #[error("no account is left to be scanned")]
    None,
}

/// A file in the form of Cloud Custodian's c7n-org.
#[derive(Deserialize)]
struct File {
    accounts: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    account_id: String,
    name: Option<String>,
    role: Option<String>,
    external_id: Option<String>,
}

/// Reads a list of accounts: lines of an id and a name, or c7n-org's YAML or JSON.
pub fn parse(text: &str) -> Result<Vec<Account>, AccountsError> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or("").trim());
    let mut lines = lines.filter(|line| !line.is_empty()).peekable();
    let is_plain = lines
        .peek()
        .is_some_and(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let accounts = if is_plain {
        lines.map(from_line).collect()
    } else {
        from_yaml(text)?
    };
    checked(accounts)
}

fn from_line(line: &str) -> Account {
    let (id, name) = line
        .split_once(|char: char| char.is_whitespace() || char == ',')
        .unwrap_or((line, ""));
    Account {
        id: id.to_owned(),
        name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        role: None,
        external_id: None,
    }
}

fn from_yaml(text: &str) -> Result<Vec<Account>, AccountsError> {
    let file: File =
        serde_saphyr::from_str(text).map_err(|error| AccountsError::Unreadable(error.to_string()))?;
    let entries = file.accounts.into_iter();
    Ok(entries
        .map(|entry| Account {
            id: entry.account_id,
            name: entry.name,
            role: entry.role,
            external_id: entry.external_id,
        })
        .collect())
}

/// Whether this is an account id, from which a file name may be made: twelve digits.
pub fn is_id(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn checked(accounts: Vec<Account>) -> Result<Vec<Account>, AccountsError> {
    let mut seen = BTreeSet::new();
    for account in &accounts {
        let id = &account.id;
        if !is_id(id) {
            return Err(AccountsError::NoId(id.clone()));
        }
        if !seen.insert(id) {
            return Err(AccountsError::Twice(id.clone()));
        }
    }
    Ok(accounts)
}

/// Those that `only` names by id or name (all of them where it names none) and `without` does not, by id.
pub fn choose(
    mut accounts: Vec<Account>,
    only: &[String],
    without: &[String],
) -> Result<Vec<Account>, AccountsError> {
    let is = |account: &Account, word: &String| account.id == *word || account.name.as_ref() == Some(word);
    for word in only.iter().chain(without) {
        if !accounts.iter().any(|account| is(account, word)) {
            return Err(AccountsError::Unknown(word.clone()));
        }
    }
    accounts.retain(|account| {
        let named = |words: &[String]| words.iter().any(|word| is(account, word));
        (only.is_empty() || named(only)) && !named(without)
    });
    accounts.sort();
    if accounts.is_empty() {
        return Err(AccountsError::None);
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, name: Option<&str>) -> Account {
        Account {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            role: None,
            external_id: None,
        }
    }

    #[test]
    fn lines() {
        let text = "# ours\n012345678901 pro duction # main\n\n222222222222,dev\r\n333333333333\n";
        let wanted = [
            account("012345678901", Some("pro duction")),
            account("222222222222", Some("dev")),
            account("333333333333", None),
        ];
        assert_eq!(parse(text).unwrap(), wanted);
    }

    #[test]
    fn custodians_files() {
        let text = "accounts:\n- account_id: 012345678901\n  name: a\n  regions: [us-east-1]\n  \
            role: arn:aws:iam::012345678901:role/C\n  vars: {charge: x}\n- account_id: '222222222222'\n  \
            name: b\n  external_id: 7\n  role: C\n";
        let accounts = parse(text).unwrap();
        assert_eq!(accounts[0].id, "012345678901");
        assert_eq!(
            accounts[0].role.as_deref(),
            Some("arn:aws:iam::012345678901:role/C")
        );
        assert_eq!(accounts[1].external_id.as_deref(), Some("7"));
        let json = r#"{"accounts": [{"account_id": "222222222222", "name": "b"}]}"#;
        assert_eq!(parse(json).unwrap(), [account("222222222222", Some("b"))]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("1234 x", "'1234' is no account id"),
            ("222222222222\n222222222222", "listed twice"),
            ("policies: []", "neither lines"),
            ("", "neither lines"),
            ("accounts:\n- account_id: 12345678901", "no account id"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn choice_by_id_and_name() {
        let all = vec![
            account("222222222222", Some("b")),
            account("111111111111", Some("a")),
        ];
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let ids = |only: &[&str], without: &[&str]| {
            let chosen = choose(all.clone(), &words(only), &words(without));
            chosen.map(|accounts| accounts.into_iter().map(|account| account.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[], &[]).unwrap(), ["111111111111", "222222222222"]);
        assert_eq!(ids(&["b"], &[]).unwrap(), ["222222222222"]);
        assert_eq!(ids(&[], &["222222222222"]).unwrap(), ["111111111111"]);
        assert!(matches!(ids(&["c"], &[]), Err(AccountsError::Unknown(_))));
        assert!(matches!(ids(&["a"], &["a"]), Err(AccountsError::None)));
    }
}

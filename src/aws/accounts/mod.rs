//! Accounts: which ones, how they are called, and the role to act in there.

mod file;

use std::collections::BTreeMap;

pub use file::parse;

/// An account to be scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Twelve digits, unless it is listed wrongly.
    pub id: String,
    /// As the organization or the file calls it.
    pub name: Option<String>,
    /// Names or ARNs of roles, each assumed from the one before, where this account has its own.
    pub roles: Vec<String>,
    /// What those roles ask for.
    pub external_id: Option<String>,
    /// Why nothing can be asked about it as it is listed.
    pub wrong: Option<String>,
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
    /// Asked for, but not there.
    #[error("no active account is called '{0}', nor has it as its id")]
    Unknown(String),
    /// Nothing is left.
    #[error("no account is left to be scanned")]
    None,
}

/// What an external id is.
pub const EXTERNAL_ID: &str = "2 to 1224 letters, digits or any of +=,.@:/_-";

/// Whether this may be what a role asks for.
pub fn is_external_id(id: &str) -> bool {
    let of_id = |char: char| char.is_ascii_alphanumeric() || "+=,.@:/_-".contains(char);
    (2..=1224).contains(&id.len()) && id.chars().all(of_id)
}

/// Whether this is the name of a role, with its path if it has one, or its ARN.
pub fn is_role(role: &str) -> bool {
    let of_role = |char: char| char.is_ascii_alphanumeric() || "+=,.@_/-".contains(char);
    let name = role.rsplit('/').next().unwrap_or("");
    !name.is_empty() && role.chars().all(of_role) || is_role_arn(role)
}

/// Whether this is the ARN of a role, in any partition.
pub fn is_role_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or("");
    let is_iam = part() == "arn" && part().starts_with("aws") && part() == "iam" && part().is_empty();
    let is_account = is_id(part());
    let name = part().strip_prefix("role/");
    is_iam && is_account && name.is_some_and(|name| !name.contains(':') && is_role(name))
}

/// Whether this is an account id, from which a file name may be made: twelve digits.
pub fn is_id(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is wrong with an account's role or external id, which is not repeated.
fn wrong(account: &Account) -> Option<String> {
    if !account.roles.iter().all(|role| is_role(role)) {
        let wrong = "its role is neither a role's name, with its path if it has one, nor an ARN";
        return Some(wrong.to_owned());
    }
    let external_id = account.external_id.as_deref()?;
    (!is_external_id(external_id)).then(|| format!("its external_id is not {EXTERNAL_ID}"))
}

/// The same, each once, and with a note where nothing may be made of what is listed.
pub(super) fn checked(accounts: Vec<Account>) -> Vec<Account> {
    let mut checked: Vec<Account> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mut account in accounts {
        if !is_id(&account.id) {
            account.wrong = Some(if account.id.trim().is_empty() {
                "it has no account id, which is twelve digits".to_owned()
            } else {
                format!("'{}' is no account id, which is twelve digits", account.id)
            });
            checked.push(account);
            continue;
        }
        account.wrong = account.wrong.take().or_else(|| wrong(&account));
        match seen.get(&account.id) {
            None => {
                seen.insert(account.id.clone(), checked.len());
                checked.push(account);
            }
            Some(&at) if checked[at] == account => {}
            Some(&at) => checked[at].wrong = Some("it is listed twice, in different ways".to_owned()),
        }
    }
    checked
}

/// Those that `only` names by id or name (all of them where it names none) and `without` does not, by id.
///
/// # Errors
/// Where a word names none, and where none is left.
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
            ..Account::default()
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

//! The accounts to fetch, their names and roles, and the checks of what a file lists.

mod file;

use std::collections::BTreeMap;

use crate::report::cell::is_account_id;

pub use file::parse;

/// An account to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Twelve digits, unless the entry is invalid.
    pub id: String,
    /// Its name in the organization or the file.
    pub name: Option<String>,
    /// Names or ARNs of its own roles, each assumed with the credentials of the one before.
    pub roles: Vec<String>,
    /// The external id that those roles require.
    pub external_id: Option<String>,
    /// Why the entry is invalid, so that AWS is not called.
    pub invalid: Option<String>,
    /// Its state in the organization, such as `SUSPENDED`, where that is not `ACTIVE`: it is skipped.
    pub inactive: Option<String>,
}

/// The state of an account for which AWS sends none.
pub const UNKNOWN_STATE: &str = "unknown";

/// A list of accounts that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// Neither format.
    #[error(
        "neither lines with an account id and an optional name, nor YAML or JSON with `accounts`, each with \
         `account_id` and optionally `name`, `role` and `external_id`: {0}"
    )]
    Unreadable(String),
}

/// The form of an external id.
pub const EXTERNAL_ID: &str = "2 to 1224 letters, digits or any of +=,.@:/_-";

/// Whether this has the form of an external id.
pub fn is_external_id(id: &str) -> bool {
    let is_id_char = |char: char| char.is_ascii_alphanumeric() || "+=,.@:/_-".contains(char);
    (2..=1224).contains(&id.len()) && id.chars().all(is_id_char)
}

/// Whether this is the name of a role, with an optional path, or an ARN.
pub fn is_role(role: &str) -> bool {
    let is_role_char = |char: char| char.is_ascii_alphanumeric() || "+=,.@_/-".contains(char);
    let name = role.rsplit('/').next().unwrap_or("");
    !name.is_empty() && role.chars().all(is_role_char) || is_role_arn(role)
}

/// Whether this is the ARN of a role, in any partition.
pub fn is_role_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or("");
    let is_iam = part() == "arn" && part().starts_with("aws") && part() == "iam" && part().is_empty();
    let is_account = is_account_id(part());
    let name = part().strip_prefix("role/");
    is_iam && is_account && name.is_some_and(|name| !name.contains(':') && is_role(name))
}

/// Why an account's role or external id, which is not shown, is invalid.
fn invalid(account: &Account) -> Option<String> {
    if !account.roles.iter().all(|role| is_role(role)) {
        return Some("its role is neither a role's name, with an optional path, nor an ARN".to_owned());
    }
    let external_id = account.external_id.as_deref()?;
    (!is_external_id(external_id)).then(|| format!("its external_id is not {EXTERNAL_ID}"))
}

/// Removes duplicates, and marks invalid entries.
pub(super) fn validated(accounts: Vec<Account>) -> Vec<Account> {
    let mut valid: Vec<Account> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mut account in accounts {
        if !is_account_id(&account.id) {
            account.invalid = Some(if account.id.trim().is_empty() {
                "it has no account id (twelve digits)".to_owned()
            } else {
                format!("'{}' is not an account id (twelve digits)", account.id)
            });
            valid.push(account);
            continue;
        }
        account.invalid = account.invalid.take().or_else(|| invalid(&account));
        match seen.get(&account.id) {
            None => {
                seen.insert(account.id.clone(), valid.len());
                valid.push(account);
            }
            Some(&at) if valid[at] == account => {}
            Some(&at) => valid[at].invalid = Some("it is listed twice, in different ways".to_owned()),
        }
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn account(id: &str, name: Option<&str>) -> Account {
        Account {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            ..Account::default()
        }
    }
}

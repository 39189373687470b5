//! Accounts: which ones, how they are called, and the role to act in there.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

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

/// A file in the form of Cloud Custodian's c7n-org.
#[derive(Deserialize)]
struct File {
    accounts: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    account_id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    role: Roles,
    external_id: Option<String>,
    profile: Option<String>,
}

/// One role, several of which each is assumed from the one before, or none.
#[derive(Default)]
enum Roles {
    #[default]
    None,
    These(Vec<String>),
    Wrong,
}

/// Reads a list of accounts: lines of an id and a name, or c7n-org's YAML or JSON. What is wrong with one of
/// them is noted in it, and keeps the others from nothing.
///
/// # Errors
/// Where it is neither form.
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
    Ok(checked(accounts))
}

fn from_line(line: &str) -> Account {
    let (id, name) = line
        .split_once(|char: char| char.is_whitespace() || char == ',')
        .unwrap_or((line, ""));
    Account {
        id: id.to_owned(),
        name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        ..Account::default()
    }
}

fn from_yaml(text: &str) -> Result<Vec<Account>, AccountsError> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| {
        // What the library says shows the lines around, where an external id may stand.
        let place = error.location().map_or_else(String::new, |at| {
            format!(" at line {}, column {}", at.line(), at.column())
        });
        AccountsError::Unreadable(format!("what stands there{place} is no YAML of accounts"))
    })?;
    Ok(file.accounts.into_iter().map(Account::from).collect())
}

impl From<Entry> for Account {
    fn from(entry: Entry) -> Self {
        let (roles, wrong) = match (entry.role, entry.profile) {
            (Roles::Wrong, _) => (
                Vec::new(),
                Some("its role is neither a role nor a list of roles".to_owned()),
            ),
            // As c7n-org has it, a role goes before a profile.
            (Roles::These(roles), _) => (roles, None),
            (Roles::None, Some(profile)) => (
                Vec::new(),
                Some(format!(
                    "it is to be read by the profile '{profile}', which one run for several accounts does not; \
                     scan it by itself with --profile, or give it a role"
                )),
            ),
            (Roles::None, None) => (Vec::new(), None),
        };
        Self {
            id: entry.account_id.unwrap_or_default(),
            name: entry.name,
            roles,
            external_id: entry.external_id,
            wrong,
        }
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RolesVisitor)
    }
}

struct RolesVisitor;

impl<'de> Visitor<'de> for RolesVisitor {
    type Value = Roles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a role or a list of roles")
    }

    fn visit_unit<E>(self) -> Result<Roles, E> {
        Ok(Roles::None)
    }

    fn visit_str<E>(self, role: &str) -> Result<Roles, E> {
        Ok(Roles::These(vec![role.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Roles, A::Error> {
        let mut roles = Vec::new();
        while let Some(role) = seq.next_element::<Roles>()? {
            match role {
                Roles::These(role) => roles.push(role),
                Roles::None | Roles::Wrong => roles.push(Vec::new()),
            }
        }
        let is_flat = !roles.is_empty() && roles.iter().all(|role| role.len() == 1);
        Ok(if is_flat {
            Roles::These(roles.concat())
        } else {
            Roles::Wrong
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Roles, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Roles::Wrong)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Roles, E> {
        Ok(Roles::Wrong)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Roles, E> {
        Ok(Roles::Wrong)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Roles, E> {
        Ok(Roles::Wrong)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Roles, E> {
        Ok(Roles::Wrong)
    }
}

/// Whether this is an account id, from which a file name may be made: twelve digits.
pub fn is_id(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same, each once, and with a note where nothing may be made of what is listed.
pub(super) fn checked(accounts: Vec<Account>) -> Vec<Account> {
    let mut checked: Vec<Account> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mut account in accounts {
        if !is_id(&account.id) {
            let wrong = format!("'{}' is no account id, which is twelve digits", account.id);
            account.wrong = Some(wrong);
            checked.push(account);
            continue;
        }
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
        assert_eq!(accounts[0].roles, ["arn:aws:iam::012345678901:role/C"]);
        assert_eq!(accounts[1].external_id.as_deref(), Some("7"));
        let json = r#"{"accounts": [{"account_id": "222222222222", "name": "b"}]}"#;
        assert_eq!(parse(json).unwrap(), [account("222222222222", Some("b"))]);
    }

    #[test]
    fn custodians_roles_may_be_chains() {
        let text = "accounts:\n- account_id: '222222222222'\n  role: [arn:aws:iam::1:role/A, B]\n\
            - account_id: '333333333333'\n  role:\n  - C\n  profile: unused\n- account_id: '444444444444'\n  role:\n";
        let roles: Vec<_> = parse(text)
            .unwrap()
            .into_iter()
            .map(|account| account.roles)
            .collect();
        assert_eq!(roles, [vec!["arn:aws:iam::1:role/A", "B"], vec!["C"], vec![]]);
    }

    #[test]
    fn no_external_id_is_shown_by_an_error() {
        let text = "accounts:\n- account_id: \"111111111112\"\n  external_id: [\"a-secret\"]\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("line 3") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn one_that_is_wrong_stops_no_other() {
        let text = "accounts:\n- {account_id: 12345, name: short}\n- {name: none}\n\
            - {account_id: '222222222222', profile: mine}\n- {account_id: '333333333333', role: {a: b}}\n\
            - {account_id: '444444444444', role: [A, 7]}\n- {account_id: '555555555555', role: A}\n\
            - {account_id: '555555555555', role: B}\n- {account_id: '666666666666'}\n- {account_id: '666666666666'}\n\
            - {account_id: '777777777777', role: 7}\n";
        let wrong = |text: &str| -> Vec<(String, Option<String>)> {
            let accounts = parse(text).unwrap().into_iter();
            accounts.map(|account| (account.id, account.wrong)).collect()
        };
        let wanted = [
            ("12345", "'12345' is no account id"),
            ("", "'' is no account id"),
            ("222222222222", "profile 'mine'"),
            ("333333333333", "neither a role nor a list"),
            ("444444444444", "neither a role nor a list"),
            ("555555555555", "listed twice"),
            ("666666666666", ""),
            ("777777777777", "neither a role nor a list"),
        ];
        let found = wrong(text);
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for ((id, wrong), (wanted, said)) in found.iter().zip(wanted) {
            let is_said = wrong
                .as_deref()
                .map_or(said.is_empty(), |wrong| !said.is_empty() && wrong.contains(said));
            assert!(id == wanted && is_said, "{id}: {wrong:?}");
        }
        let lines = wrong("1234 x\n222222222222\n222222222222 other\n../../etc\n");
        assert!(lines.iter().all(|(_, wrong)| wrong.is_some()), "{lines:?}");
    }

    #[test]
    fn what_is_neither_form_is_refused() {
        for text in ["policies: []", "", "accounts: 7", "<html>"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("neither lines"), "{text}: {error}");
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

//! Files of accounts: lines of an id and a name, or c7n-org's YAML or JSON.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Account, AccountsError, checked};

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
    // Editors on Windows begin files by a mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
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
        let Some(at) = error.location() else {
            return AccountsError::Unreadable("it cannot be read as YAML".to_owned());
        };
        let line = usize::try_from(at.line()).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(at.column()).unwrap_or(usize::MAX);
        let before: String = text
            .lines()
            .nth(line)
            .unwrap_or("")
            .chars()
            .take(column)
            .collect();
        let known = ["accounts", "account_id", "name", "role", "external_id", "profile"];
        let found = known
            .into_iter()
            .filter_map(|field| Some((before.rfind(field)?, field)));
        let field = found.max().map(|(_, field)| field);
        let field = field.map_or_else(String::new, |field| format!(", at `{field}`"));
        AccountsError::Unreadable(format!("see line {}, column {}{field}", at.line(), at.column()))
    })?;
    Ok(file.accounts.into_iter().map(Account::from).collect())
}

impl From<Entry> for Account {
    fn from(entry: Entry) -> Self {
        let wrong = wrong(&entry);
        let roles = match entry.role {
            Roles::These(roles) => roles,
            Roles::None | Roles::Wrong => Vec::new(),
        };
        Self {
            id: entry.account_id.unwrap_or_default(),
            name: entry.name.filter(|name| !name.trim().is_empty()),
            roles,
            external_id: entry.external_id,
            wrong,
        }
    }
}

/// Why nothing can be asked about an account that is listed so.
fn wrong(entry: &Entry) -> Option<String> {
    let wrong = match (&entry.role, &entry.profile) {
        (Roles::Wrong, _) => "its role is neither a role nor a list of roles".to_owned(),
        // As c7n-org has it, a role goes before a profile.
        (Roles::None, Some(profile)) if !profile.trim().is_empty() => format!(
            "it is to be read by the profile '{profile}', which one run for several accounts does not; \
             scan it by itself with --profile, or give it a role"
        ),
        _ => return None,
    };
    Some(wrong)
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
            name: b\n  external_id: 77\n  role: C\n";
        let accounts = parse(text).unwrap();
        assert_eq!(accounts[0].id, "012345678901");
        assert_eq!(accounts[0].roles, ["arn:aws:iam::012345678901:role/C"]);
        assert_eq!(accounts[1].external_id.as_deref(), Some("77"));
        let json = r#"{"accounts": [{"account_id": "222222222222", "name": "b"}]}"#;
        assert_eq!(parse(json).unwrap(), [account("222222222222", Some("b"))]);
    }

    #[test]
    fn custodians_roles_may_be_chains() {
        let text = "accounts:\n- account_id: '222222222222'\n  role: [arn:aws:iam::111111111111:role/A, B]\n\
            - account_id: '333333333333'\n  role:\n  - C\n  profile: unused\n- account_id: '444444444444'\n  role:\n";
        let roles: Vec<_> = parse(text)
            .unwrap()
            .into_iter()
            .map(|account| account.roles)
            .collect();
        assert_eq!(
            roles,
            [vec!["arn:aws:iam::111111111111:role/A", "B"], vec!["C"], vec![]]
        );
    }

    #[test]
    fn no_external_id_is_shown_by_an_error() {
        let text = "accounts:\n- account_id: \"111111111112\"\n  external_id: [\"a-secret\"]\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.ends_with("line 3, column 16, at `external_id`"), "{error}");
        let text = "accounts: [{account_id: '1', external_id: [a-secret]}]";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.ends_with("line 1, column 43, at `external_id`"), "{error}");
        let text = "accounts:\n- external_id: a-secret\n  external_id: another-secret\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("line 3") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn no_field_may_be_empty_but_a_name() {
        let wrong = |fields: &str| {
            let text = format!("accounts:\n- {{account_id: '222222222222', {fields}}}\n");
            let account = parse(&text).unwrap().remove(0);
            assert!(account.name.is_none_or(|name| !name.is_empty()));
            account.wrong.unwrap_or_default()
        };
        for fields in [
            "role: ''",
            "role: '  '",
            "role: [A, '']",
            "role: []",
            "role: a b",
            "role: /",
            "role: arn:aws:iam::1:role/A",
        ] {
            assert!(
                wrong(fields).starts_with("its role is neither"),
                "{fields}: {}",
                wrong(fields)
            );
        }
        for fields in [
            "external_id: ''",
            "external_id: ' '",
            "external_id: x",
            "external_id: a b",
            "role: A, external_id: ''",
        ] {
            let told = "its external_id is not 2 to 1224 letters, digits or any of +=,.@:/_-";
            assert_eq!(wrong(fields), told, "{fields}");
        }
        for fields in [
            "name: ''",
            "profile: ''",
            "role: null",
            "role: arn:aws-eusc:iam::222222222222:role/a/B",
            "external_id: null",
        ] {
            assert_eq!(wrong(fields), "", "{fields}");
        }
    }

    #[test]
    fn a_mark_at_the_beginning_is_no_content() {
        for text in [
            "222222222222 dev\n",
            "accounts: [{account_id: '222222222222', name: dev}]",
        ] {
            assert_eq!(
                parse(&format!("\u{feff}{text}")).unwrap(),
                [account("222222222222", Some("dev"))]
            );
        }
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
            ("", "it has no account id"),
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
}

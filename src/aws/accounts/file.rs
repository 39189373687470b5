//! Parses the files of `--accounts-file`: lines with an id and a name, or c7n-org's YAML or JSON.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Account, AccountsError, validated};

const NOT_ROLES: &str = "its role is neither a role nor a list of roles";

/// A file of Cloud Custodian's c7n-org.
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

/// The `role` of an entry: none, one, or a list of roles, each assumed with the credentials of the one before.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Roles {
    #[default]
    None,
    One(String),
    List(Vec<String>),
    Invalid(IgnoredAny),
}

/// Parses a list of accounts. Invalid entries are marked, and do not affect the others.
///
/// # Errors
/// The text has neither format.
pub fn parse(text: &str) -> Result<Vec<Account>, AccountsError> {
    // Editors on Windows write a byte order mark.
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
    Ok(validated(accounts))
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
        // The library's message quotes the lines around, which may contain an external id.
        let Some(at) = error.location() else {
            return AccountsError::Unreadable("not valid YAML".to_owned());
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
        let invalid = invalid(&entry);
        let roles = match entry.role {
            Roles::One(role) => vec![role],
            Roles::List(roles) => roles,
            Roles::None | Roles::Invalid(_) => Vec::new(),
        };
        Self {
            id: entry.account_id.unwrap_or_default(),
            name: entry.name.filter(|name| !name.trim().is_empty()),
            roles,
            external_id: entry.external_id,
            invalid,
            inactive: None,
        }
    }
}

/// Why an entry is invalid by its role or profile.
fn invalid(entry: &Entry) -> Option<String> {
    match (&entry.role, &entry.profile) {
        (Roles::Invalid(_), _) => Some(NOT_ROLES.to_owned()),
        (Roles::List(roles), _) if roles.is_empty() => Some(NOT_ROLES.to_owned()),
        // In c7n-org, too, a role takes precedence over a profile.
        (Roles::None, Some(profile)) if !profile.trim().is_empty() => Some(format!(
            "it has the profile '{profile}', which a run for several accounts cannot use; scan it alone with \
             --profile, or give it a role"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::account;
    use super::*;

    #[test]
    fn lines_with_id_and_name() {
        let text = "# ours\n012345678901 pro duction # main\n\n222222222222,dev\r\n333333333333\n";
        let expected = [
            account("012345678901", Some("pro duction")),
            account("222222222222", Some("dev")),
            account("333333333333", None),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn c7n_org_files() {
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
    fn c7n_org_roles_may_be_lists() {
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
    fn errors_do_not_show_external_ids() {
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
    fn only_a_name_may_be_empty() {
        let invalid = |fields: &str| {
            let text = format!("accounts:\n- {{account_id: '222222222222', {fields}}}\n");
            let account = parse(&text).unwrap().remove(0);
            assert!(account.name.is_none_or(|name| !name.is_empty()));
            account.invalid.unwrap_or_default()
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
                invalid(fields).starts_with("its role is neither"),
                "{fields}: {}",
                invalid(fields)
            );
        }
        for fields in [
            "external_id: ''",
            "external_id: ' '",
            "external_id: x",
            "external_id: a b",
            "role: A, external_id: ''",
        ] {
            let expected = "its external_id is not 2 to 1224 letters, digits or any of +=,.@:/_-";
            assert_eq!(invalid(fields), expected, "{fields}");
        }
        for fields in [
            "name: ''",
            "profile: ''",
            "role: null",
            "role: arn:aws-eusc:iam::222222222222:role/a/B",
            "external_id: null",
        ] {
            assert_eq!(invalid(fields), "", "{fields}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
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
    fn invalid_entries_do_not_affect_others() {
        let text = "accounts:\n- {account_id: 12345, name: short}\n- {name: none}\n\
            - {account_id: '222222222222', profile: mine}\n- {account_id: '333333333333', role: {a: b}}\n\
            - {account_id: '444444444444', role: [A, 7]}\n- {account_id: '555555555555', role: A}\n\
            - {account_id: '555555555555', role: B}\n- {account_id: '666666666666'}\n- {account_id: '666666666666'}\n\
            - {account_id: '777777777777', role: 7}\n";
        let invalid = |text: &str| -> Vec<(String, Option<String>)> {
            let accounts = parse(text).unwrap().into_iter();
            accounts.map(|account| (account.id, account.invalid)).collect()
        };
        let expected = [
            ("12345", "'12345' is not an account id"),
            ("", "it has no account id"),
            ("222222222222", "profile 'mine'"),
            ("333333333333", "neither a role nor a list"),
            ("444444444444", "neither a role nor a list"),
            ("555555555555", "listed twice"),
            ("666666666666", ""),
            ("777777777777", "neither a role nor a list"),
        ];
        let found = invalid(text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((id, reason), (expected_id, part)) in found.iter().zip(expected) {
            let has_part = reason.as_deref().map_or(part.is_empty(), |reason| {
                !part.is_empty() && reason.contains(part)
            });
            assert!(id == expected_id && has_part, "{id}: {reason:?}");
        }
        let lines = invalid("1234 x\n222222222222\n222222222222 other\n../../etc\n");
        assert!(lines.iter().all(|(_, reason)| reason.is_some()), "{lines:?}");
    }

    #[test]
    fn other_formats_are_refused() {
        for text in ["policies: []", "", "accounts: 7", "<html>"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("neither lines"), "{text}: {error}");
        }
    }
}

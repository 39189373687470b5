//! What AWS must allow, and the smallest policies that do.

use std::collections::BTreeSet;
use std::fmt;

/// A permission that is made use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Reads a report.
    GetCredentialReport,
    /// Has one made.
    GenerateCredentialReport,
    /// Tells the ids of keys.
    ListAccessKeys,
    /// Lists an organization's accounts.
    ListAccounts,
    /// Acts in a role.
    AssumeRole,
    /// Acts in a role by a token of another party. It is the role that allows it.
    AssumeRoleWithWebIdentity,
    /// Gives out a role's credentials for a single sign-on. It is the permission set that allows it.
    GetRoleCredentials,
    /// Renews a single sign-on.
    CreateToken,
    /// Tells who one is. Always allowed.
    GetCallerIdentity,
    /// Lists objects.
    ListBucket,
    /// Reads an object.
    GetObject,
    /// Writes an object.
    PutObject,
}

impl Action {
    /// As policies name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetCredentialReport => "iam:GetCredentialReport",
            Self::GenerateCredentialReport => "iam:GenerateCredentialReport",
            Self::ListAccessKeys => "iam:ListAccessKeys",
            Self::ListAccounts => "organizations:ListAccounts",
            Self::AssumeRole => "sts:AssumeRole",
            Self::AssumeRoleWithWebIdentity => "sts:AssumeRoleWithWebIdentity",
            Self::GetRoleCredentials => "sso:GetRoleCredentials",
            Self::CreateToken => "sso:CreateToken",
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::ListBucket => "s3:ListBucket",
            Self::GetObject => "s3:GetObject",
            Self::PutObject => "s3:PutObject",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What AWS refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// What was asked for.
    pub action: Action,
    /// The ARN of what it is about, where that is known: a role, with `*` for any account; a bucket, an object.
    pub resource: Option<String>,
}

/// What would have been allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What was refused.
    pub action: Action,
    /// Whose policy this is.
    pub whose: &'static str,
    /// The policy, as JSON.
    pub policy: String,
}

/// The smallest policies that have what was refused, with what that is of no use without; one for each action.
/// `role` is the ARN of the roles in the accounts, for who may not even list them.
pub fn remedies(wanted: &[Wanted], role: &str) -> Vec<Remedy> {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    wanted.dedup();
    let of_actions = wanted.chunk_by(|one, other| one.action == other.action);
    let remedies = of_actions.filter_map(|wanted| {
        let action = wanted[0].action;
        let resources: Vec<_> = wanted
            .iter()
            .filter_map(|wanted| wanted.resource.as_deref())
            .collect();
        let (whose, statements) = match action {
            Action::GetCredentialReport | Action::GenerateCredentialReport => {
                ("who reads the report", vec![allow(&REPORT, &["*"])])
            }
            Action::ListAccessKeys => (
                "who reads the report, for --resolve-keys",
                vec![allow(&KEYS, &["*"])],
            ),
            Action::ListAccounts => (
                "who scans the organization, in its management account or in that of a delegated administrator; \
                 the role in each account must trust it, too",
                vec![allow(&[action], &["*"]), allow(&[Action::AssumeRole], &[role])],
            ),
            Action::AssumeRole if !resources.is_empty() => (
                "who assumes the role; the role must trust it, too",
                vec![allow(&[action], &resources)],
            ),
            Action::ListBucket if !resources.is_empty() => (
                "who lists the bucket and reads what is in it",
                vec![
                    allow(&[action], &resources),
                    allow(&[Action::GetObject], &below(&resources)),
                ],
            ),
            Action::GetObject if !resources.is_empty() => (
                "who reads the objects; without s3:ListBucket, S3 answers so also where there is no such object",
                vec![allow(&[action], &several(&resources))],
            ),
            Action::PutObject if !resources.is_empty() => (
                "who adds to the archive",
                // Another report is another object.
                vec![allow(&[action], &buckets(&resources))],
            ),
            // Nobody knows which role, no policy of one's own would help, or the name of the permission is all.
            Action::AssumeRole
            | Action::AssumeRoleWithWebIdentity
            | Action::GetRoleCredentials
            | Action::CreateToken
            | Action::GetCallerIdentity
            | Action::ListBucket
            | Action::GetObject
            | Action::PutObject => return None,
        };
        Some(Remedy {
            action,
            whose,
            policy: policy(&statements),
        })
    });
    remedies.collect()
}

const REPORT: [Action; 2] = [Action::GenerateCredentialReport, Action::GetCredentialReport];
const KEYS: [Action; 3] = [
    Action::GenerateCredentialReport,
    Action::GetCredentialReport,
    Action::ListAccessKeys,
];

/// All objects of these buckets.
fn below(buckets: &[&str]) -> Vec<String> {
    buckets.iter().map(|bucket| format!("{bucket}/*")).collect()
}

/// This object, or all of the buckets in which several are.
fn several(objects: &[&str]) -> Vec<String> {
    match objects {
        [object] => vec![(*object).to_owned()],
        objects => buckets(objects),
    }
}

/// All of the buckets in which these objects are.
fn buckets(objects: &[&str]) -> Vec<String> {
    let buckets = objects
        .iter()
        .map(|object| object.split('/').next().unwrap_or(object));
    let buckets: BTreeSet<_> = buckets.collect();
    below(&Vec::from_iter(buckets))
}

fn allow(actions: &[Action], resources: &[impl AsRef<str>]) -> String {
    let actions: Vec<_> = actions.iter().map(|action| action.name()).collect();
    format!(
        "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}\n    }}",
        words(&actions),
        words(&resources.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    )
}

/// One word, or a list of them.
fn words(words: &[&str]) -> String {
    let quoted: Vec<_> = words
        .iter()
        .map(|word| serde_json::Value::from(*word).to_string())
        .collect();
    match quoted.as_slice() {
        [word] => word.clone(),
        words => format!("[{}]", words.join(", ")),
    }
}

fn policy(statements: &[String]) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}",
        statements.join(",\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(action: Action, resource: Option<&str>) -> Wanted {
        Wanted {
            action,
            resource: resource.map(str::to_owned),
        }
    }

    #[test]
    fn remedies_are_policies_that_hold_the_action() {
        let role = "arn:aws-cn:iam::*:role/a/b";
        for action in [
            Action::GetCredentialReport,
            Action::GenerateCredentialReport,
            Action::ListAccessKeys,
            Action::ListAccounts,
            Action::AssumeRole,
        ] {
            let remedies = remedies(&[wanted(action, Some(role))], role);
            let policy: serde_json::Value = serde_json::from_str(&remedies[0].policy).unwrap();
            assert_eq!(policy["Version"], "2012-10-17");
            let statements = policy["Statement"].to_string();
            assert!(statements.contains(action.name()), "{action}");
            let hub = [Action::ListAccounts, Action::AssumeRole].contains(&action);
            assert_eq!(statements.contains(role), hub, "{action}");
        }
    }

    #[test]
    fn one_policy_has_all_the_roles_and_nothing_else() {
        let (one, other) = ("arn:aws:iam::*:role/Scan", "arn:aws:iam::222222222222:role/Own");
        let refused = [
            wanted(Action::AssumeRole, Some(other)),
            wanted(Action::AssumeRole, Some(one)),
            wanted(Action::AssumeRole, Some(one)),
        ];
        let remedies = remedies(&refused, "unused");
        assert_eq!(remedies.len(), 1);
        let policy: serde_json::Value = serde_json::from_str(&remedies[0].policy).unwrap();
        let statement = serde_json::json!([{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [one, other],
        }]);
        assert_eq!(policy["Statement"], statement);
    }

    #[test]
    fn where_no_policy_helps_none_is_shown() {
        let refused = [
            wanted(Action::AssumeRole, None),
            wanted(Action::AssumeRoleWithWebIdentity, None),
        ];
        assert_eq!(remedies(&refused, "unused"), []);
    }
}

//! The AWS permissions that are used, and the smallest policies that grant missing ones.

use std::collections::BTreeSet;
use std::fmt;

/// An API call, by the permission that it requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Reads the report.
    GetCredentialReport,
    /// Starts the generation of a report.
    GenerateCredentialReport,
    /// Lists the access keys of a user.
    ListAccessKeys,
    /// Lists the accounts of an organization.
    ListAccounts,
    /// Assumes a role.
    AssumeRole,
    /// Assumes a role with the token of an identity provider. The role's trust policy allows it.
    AssumeRoleWithWebIdentity,
    /// Issues credentials for single sign-on. The permission set allows it.
    GetRoleCredentials,
    /// Renews the token of single sign-on.
    CreateToken,
    /// Names the caller. Always allowed.
    GetCallerIdentity,
    /// Lists objects.
    ListBucket,
    /// Reads an object.
    GetObject,
    /// Writes an object.
    PutObject,
}

impl Action {
    /// The name in policies.
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

    /// Whether a token is a parameter of the request, so that AWS's message may repeat it.
    pub(super) const fn sends_token(self) -> bool {
        matches!(
            self,
            Self::AssumeRoleWithWebIdentity | Self::GetRoleCredentials | Self::CreateToken
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A permission that AWS denied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingPermission {
    /// What was called.
    pub action: Action,
    /// The ARN of the role (with `*` for any account), bucket or object, where known.
    pub resource: Option<String>,
}

/// A policy that grants a missing permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedPolicy {
    /// The missing permission.
    pub action: Action,
    /// To whom it must be attached, as a phrase.
    pub principal: &'static str,
    /// The policy, as JSON.
    pub policy: String,
}

/// The smallest policies that grant these permissions and those that are useless without them, one for each action.
/// `role` is the ARN of the roles in the accounts, for a caller who may not list them.
pub fn suggested_policies(missing: &[MissingPermission], role: &str) -> Vec<SuggestedPolicy> {
    let mut missing = missing.to_vec();
    missing.sort();
    missing.dedup();
    let by_action = missing.chunk_by(|one, other| one.action == other.action);
    let policies = by_action.filter_map(|missing| {
        let action = missing[0].action;
        let resources: Vec<_> = missing
            .iter()
            .filter_map(|missing| missing.resource.as_deref())
            .collect();
        let (principal, statements) = match action {
            Action::GetCredentialReport | Action::GenerateCredentialReport => {
                ("the principal that reads the report", vec![allow(&REPORT, &["*"])])
            }
            Action::ListAccessKeys => (
                "the principal that reads the report, for --resolve-keys",
                vec![allow(&KEYS, &["*"])],
            ),
            Action::ListAccounts => (
                "the principal that scans the organization, in its management account or that of a delegated \
                 administrator; the role in each account must trust it, too",
                vec![allow(&[action], &["*"]), allow(&[Action::AssumeRole], &[role])],
            ),
            Action::AssumeRole if !resources.is_empty() => (
                "the principal that assumes the role; the role must trust it, too",
                vec![allow(&[action], &resources)],
            ),
            Action::ListBucket if !resources.is_empty() => (
                "the principal that lists the bucket and reads its objects",
                vec![
                    allow(&[action], &resources),
                    allow(&[Action::GetObject], &all_objects(&resources)),
                ],
            ),
            Action::GetObject if !resources.is_empty() => (
                "the principal that reads the objects; without s3:ListBucket, S3 also denies access to objects that do not exist",
                vec![allow(&[action], &one_or_buckets(&resources))],
            ),
            Action::PutObject if !resources.is_empty() => (
                "the principal that adds to the archive",
                // The next report is another object.
                vec![allow(&[action], &their_buckets(&resources))],
            ),
            // The resource is unknown, or the caller's policy does not decide.
            Action::AssumeRole
            | Action::AssumeRoleWithWebIdentity
            | Action::GetRoleCredentials
            | Action::CreateToken
            | Action::GetCallerIdentity
            | Action::ListBucket
            | Action::GetObject
            | Action::PutObject => return None,
        };
        Some(SuggestedPolicy {
            action,
            principal,
            policy: policy(&statements),
        })
    });
    policies.collect()
}

const REPORT: [Action; 2] = [Action::GenerateCredentialReport, Action::GetCredentialReport];
const KEYS: [Action; 3] = [
    Action::GenerateCredentialReport,
    Action::GetCredentialReport,
    Action::ListAccessKeys,
];

/// All objects of these buckets.
fn all_objects(buckets: &[&str]) -> Vec<String> {
    buckets.iter().map(|bucket| format!("{bucket}/*")).collect()
}

/// A single object, or all objects of the buckets of several.
fn one_or_buckets(objects: &[&str]) -> Vec<String> {
    match objects {
        [object] => vec![(*object).to_owned()],
        objects => their_buckets(objects),
    }
}

/// All objects of the buckets of these objects.
fn their_buckets(objects: &[&str]) -> Vec<String> {
    let buckets = objects
        .iter()
        .map(|object| object.split('/').next().unwrap_or(object));
    let buckets: BTreeSet<_> = buckets.collect();
    all_objects(&Vec::from_iter(buckets))
}

fn allow(actions: &[Action], resources: &[impl AsRef<str>]) -> String {
    let actions: Vec<_> = actions.iter().map(|action| action.name()).collect();
    format!(
        "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}\n    }}",
        one_or_list(&actions),
        one_or_list(&resources.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    )
}

/// A JSON string, or a list of several.
fn one_or_list(words: &[&str]) -> String {
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

    fn missing(action: Action, resource: Option<&str>) -> MissingPermission {
        MissingPermission {
            action,
            resource: resource.map(str::to_owned),
        }
    }

    #[test]
    fn policies_grant_the_action() {
        let role = "arn:aws-cn:iam::*:role/a/b";
        for action in [
            Action::GetCredentialReport,
            Action::GenerateCredentialReport,
            Action::ListAccessKeys,
            Action::ListAccounts,
            Action::AssumeRole,
        ] {
            let policies = suggested_policies(&[missing(action, Some(role))], role);
            let policy: serde_json::Value = serde_json::from_str(&policies[0].policy).unwrap();
            assert_eq!(policy["Version"], "2012-10-17");
            let statements = policy["Statement"].to_string();
            assert!(statements.contains(action.name()), "{action}");
            let hub = [Action::ListAccounts, Action::AssumeRole].contains(&action);
            assert_eq!(statements.contains(role), hub, "{action}");
        }
    }

    #[test]
    fn one_policy_names_all_denied_roles() {
        let (one, other) = ("arn:aws:iam::*:role/Scan", "arn:aws:iam::222222222222:role/Own");
        let denied = [
            missing(Action::AssumeRole, Some(other)),
            missing(Action::AssumeRole, Some(one)),
            missing(Action::AssumeRole, Some(one)),
        ];
        let policies = suggested_policies(&denied, "unused");
        assert_eq!(policies.len(), 1);
        let policy: serde_json::Value = serde_json::from_str(&policies[0].policy).unwrap();
        let statement = serde_json::json!([{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [one, other],
        }]);
        assert_eq!(policy["Statement"], statement);
    }

    #[test]
    fn no_policy_where_none_would_help() {
        let denied = [
            missing(Action::AssumeRole, None),
            missing(Action::AssumeRoleWithWebIdentity, None),
        ];
        assert_eq!(suggested_policies(&denied, "unused"), []);
    }
}

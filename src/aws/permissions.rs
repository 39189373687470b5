//! The AWS permissions that are used, and the smallest policies that grant missing ones.

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
    /// Lists the service-specific credentials of users.
    ListServiceSpecificCredentials,
    /// Lists the tags of a user.
    ListUserTags,
    /// Lists the groups of a user.
    ListGroupsForUser,
    /// Says when an access key was used last.
    GetAccessKeyLastUsed,
    /// Deactivates an access key, or activates it.
    UpdateAccessKey,
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
            Self::ListServiceSpecificCredentials => "iam:ListServiceSpecificCredentials",
            Self::ListUserTags => "iam:ListUserTags",
            Self::ListGroupsForUser => "iam:ListGroupsForUser",
            Self::GetAccessKeyLastUsed => "iam:GetAccessKeyLastUsed",
            Self::UpdateAccessKey => "iam:UpdateAccessKey",
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

    /// Whether it is called for the details of a report only.
    const fn is_for_details(self) -> bool {
        matches!(
            self,
            Self::ListAccessKeys | Self::ListServiceSpecificCredentials | Self::ListUserTags
        )
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
    /// The missing permissions.
    pub actions: Vec<Action>,
    /// To whom it must be attached, as a phrase.
    pub principal: &'static str,
    /// The policy, as JSON.
    pub policy: String,
}

/// The smallest policies that grant these permissions and all else that the principal needs for the run, one for each
/// action or group of actions. `role` is the ARN of the roles in the accounts, for a caller who may not list them; `details`
/// is whether the details of reports are fetched. What S3 denies is for [`s3_policy`](super::s3_policy()).
pub fn suggested_policies(missing: &[MissingPermission], role: &str, details: bool) -> Vec<SuggestedPolicy> {
    let report: &[Action] = if details { &DETAILS } else { &REPORT };
    let mut missing = missing.to_vec();
    missing.sort();
    missing.dedup();
    let groups = missing.chunk_by(|one, other| {
        one.action == other.action || one.action.is_for_details() && other.action.is_for_details()
    });
    let policies = groups.filter_map(|missing| {
        let mut actions: Vec<_> = missing.iter().map(|missing| missing.action).collect();
        actions.dedup();
        let resources = missing.iter().filter_map(|missing| missing.resource.as_deref());
        let (principal, statements) = statements(actions[0], &resources.collect::<Vec<_>>(), (report, role))?;
        Some(SuggestedPolicy {
            actions,
            principal,
            policy: policy(&statements),
        })
    });
    policies.collect()
}

/// To whom a policy for a missing permission on these resources must be attached, and its statements. `report` has the
/// permissions that a report requires.
fn statements(
    action: Action,
    resources: &[&str],
    (report, role): (&[Action], &str),
) -> Option<(&'static str, Vec<String>)> {
    Some(match action {
        Action::GetCredentialReport | Action::GenerateCredentialReport => {
            ("the principal that reads the report", vec![allow(report, &["*"])])
        }
        Action::ListAccessKeys | Action::ListServiceSpecificCredentials | Action::ListUserTags => (
            "the principal that reads the report, for --details",
            vec![allow(&DETAILS, &["*"])],
        ),
        Action::ListAccounts => (
            "the principal that scans the organization, in its management account or that of a delegated \
             administrator, whose report it reads itself; the role in each account must trust it, and needs the last \
             statement, too",
            vec![
                allow(&[action], &["*"]),
                allow(&[Action::AssumeRole], &[role]),
                allow(report, &["*"]),
            ],
        ),
        Action::AssumeRole if !resources.is_empty() => (
            if report == DETAILS {
                "the principal that assumes the role; the role must trust it, too, and allow \
                 iam:GenerateCredentialReport, iam:GetCredentialReport, iam:ListAccessKeys, \
                 iam:ListServiceSpecificCredentials and iam:ListUserTags"
            } else {
                "the principal that assumes the role; the role must trust it, too, and allow \
                 iam:GenerateCredentialReport and iam:GetCredentialReport"
            },
            vec![allow(&[action], resources)],
        ),
        // The resource is unknown, or the caller's policy does not decide.
        Action::AssumeRole
        | Action::AssumeRoleWithWebIdentity
        | Action::GetRoleCredentials
        | Action::CreateToken
        | Action::GetCallerIdentity
        // `remedy_policy` has these.
        | Action::ListGroupsForUser
        | Action::GetAccessKeyLastUsed
        | Action::UpdateAccessKey
        | Action::ListBucket
        | Action::GetObject
        | Action::PutObject => return None,
    })
}

/// The smallest policy for applying plans and taking them back, apart from that of scans, which only read.
pub fn remedy_policy(partition: &str) -> String {
    let of_users = [
        Action::ListAccessKeys,
        Action::ListGroupsForUser,
        Action::ListUserTags,
        Action::UpdateAccessKey,
    ];
    let users = format!("arn:{partition}:iam::*:user/*");
    policy(&[
        allow(&of_users, &[users.as_str()]),
        // Its key is all that the request names.
        allow(&[Action::GetAccessKeyLastUsed], &["*"]),
    ])
}

const REPORT: [Action; 2] = [Action::GenerateCredentialReport, Action::GetCredentialReport];
const DETAILS: [Action; 5] = [
    Action::GenerateCredentialReport,
    Action::GetCredentialReport,
    Action::ListAccessKeys,
    Action::ListServiceSpecificCredentials,
    Action::ListUserTags,
];

fn allow(actions: &[Action], resources: &[impl AsRef<str>]) -> String {
    Statement::new(actions, resources).text()
}

/// A statement of a policy.
pub(super) struct Statement {
    actions: String,
    resources: String,
    condition: String,
}

impl Statement {
    /// Allows these actions on these resources.
    pub(super) fn new(actions: &[Action], resources: &[impl AsRef<str>]) -> Self {
        let actions: Vec<_> = actions.iter().map(|action| action.name()).collect();
        Self {
            actions: one_or_list(&actions),
            resources: one_or_list(resources),
            condition: String::new(),
        }
    }

    /// Only where the prefix that is listed is like one of these.
    pub(super) fn on_prefixes(self, prefixes: &[String]) -> Self {
        let prefixes = one_or_list(prefixes);
        let condition = format!(",\n      \"Condition\": {{\"StringLike\": {{\"s3:prefix\": {prefixes}}}}}");
        Self { condition, ..self }
    }

    pub(super) fn text(&self) -> String {
        format!(
            "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}{}\n    }}",
            self.actions, self.resources, self.condition
        )
    }
}

/// A JSON string, or a list of several.
fn one_or_list(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = words
        .iter()
        .map(|word| serde_json::Value::from(word.as_ref()).to_string())
        .collect();
    match quoted.as_slice() {
        [word] => word.clone(),
        words => format!("[{}]", words.join(", ")),
    }
}

/// A policy of these statements.
pub(super) fn policy(statements: &[String]) -> String {
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
            Action::ListServiceSpecificCredentials,
            Action::ListUserTags,
            Action::ListAccounts,
            Action::AssumeRole,
        ] {
            let policies = suggested_policies(&[missing(action, Some(role))], role, false);
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
        let policies = suggested_policies(&denied, "unused", false);
        assert_eq!(policies.len(), 1);
        let policy: serde_json::Value = serde_json::from_str(&policies[0].policy).unwrap();
        let statement = serde_json::json!([{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [one, other],
        }]);
        assert_eq!(policy["Statement"], statement);
    }

    /// The first denial names all that the flags need.
    #[test]
    fn policies_grant_what_the_flags_need() {
        let statements = |action, details| {
            let policies = suggested_policies(&[missing(action, Some("role"))], "role", details);
            policies[0].policy.clone() + policies[0].principal
        };
        for action in [
            Action::GetCredentialReport,
            Action::GenerateCredentialReport,
            Action::ListAccounts,
            Action::AssumeRole,
        ] {
            for details in [false, true] {
                let text = statements(action, details);
                assert!(text.contains("iam:GetCredentialReport"), "{text}");
                assert!(text.contains("iam:GenerateCredentialReport"), "{text}");
                for action in [
                    "iam:ListAccessKeys",
                    "iam:ListServiceSpecificCredentials",
                    "iam:ListUserTags",
                ] {
                    assert_eq!(text.contains(action), details, "{text}");
                }
            }
        }
    }

    #[test]
    fn one_policy_grants_all_details() {
        let denied = [
            missing(Action::ListUserTags, None),
            missing(Action::ListAccessKeys, None),
            missing(Action::ListUserTags, None),
        ];
        let policies = suggested_policies(&denied, "unused", true);
        assert_eq!(policies.len(), 1);
        assert_eq!(
            policies[0].actions,
            [Action::ListAccessKeys, Action::ListUserTags]
        );
        let policy: serde_json::Value = serde_json::from_str(&policies[0].policy).unwrap();
        let statement = serde_json::json!([{
            "Effect": "Allow",
            "Action": [
                "iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:ListAccessKeys",
                "iam:ListServiceSpecificCredentials", "iam:ListUserTags",
            ],
            "Resource": "*",
        }]);
        assert_eq!(policy["Statement"], statement);
    }

    #[test]
    fn no_policy_where_none_would_help() {
        let denied = [
            missing(Action::AssumeRole, None),
            missing(Action::AssumeRoleWithWebIdentity, None),
        ];
        assert_eq!(suggested_policies(&denied, "unused", false), []);
    }
}

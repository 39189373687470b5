//! What AWS must allow, and the smallest policies that do.

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
    /// Acts in another account.
    AssumeRole,
    /// Tells who one is. Always allowed.
    GetCallerIdentity,
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
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
        }
    }

    /// The smallest policy that has it, with what it is of no use without, and whose policy that is.
    pub fn remedy(self, partition: &str, role: &str) -> (&'static str, String) {
        let (whose, policy) = match self {
            Self::GetCredentialReport | Self::GenerateCredentialReport => ("who reads the report", REPORT),
            Self::ListAccessKeys => ("who reads the report, for --resolve-keys", KEYS),
            Self::ListAccounts | Self::AssumeRole | Self::GetCallerIdentity => (
                "who scans the organization; the role in each account must trust it, too",
                HUB,
            ),
        };
        let role = role.rsplit("role/").next().unwrap_or(role);
        (
            whose,
            policy.replace("PARTITION", partition).replace("ROLE", role),
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const REPORT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["iam:GenerateCredentialReport", "iam:GetCredentialReport"],
      "Resource": "*"
    }
  ]
}"#;

const KEYS: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:ListAccessKeys"],
      "Resource": "*"
    }
  ]
}"#;

const HUB: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "organizations:ListAccounts", "Resource": "*"},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:PARTITION:iam::*:role/ROLE"}
  ]
}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_are_policies_that_hold_the_action() {
        for action in [
            Action::GetCredentialReport,
            Action::GenerateCredentialReport,
            Action::ListAccessKeys,
            Action::ListAccounts,
            Action::AssumeRole,
        ] {
            let (_, policy) = action.remedy("aws-cn", "arn:aws-cn:iam::1:role/a/b");
            assert!(!policy.contains("ROLE") && !policy.contains("PARTITION"));
            let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
            assert_eq!(policy["Version"], "2012-10-17");
            assert!(
                policy["Statement"].to_string().contains(action.name()),
                "{action}"
            );
        }
    }
}

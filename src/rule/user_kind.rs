//! Kinds of users for whom the usual steps do harm: those of SES SMTP, whose access key is the source of the password with
//! which applications send mail, and those made for long-term API keys, on whom any other credential is a sign of abuse.

/// Kinds of users whose fixes differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserKind {
    /// An IAM user.
    #[default]
    User,
    /// One whose key SES derives an SMTP password from.
    SesSmtp,
    /// One that AWS made for a long-term API key.
    ApiKey,
    /// Root.
    Root,
}

/// How the names of users begin that AWS makes for long-term API keys: of Bedrock, and of the Claude Platform.
const MADE_FOR_API_KEYS: [&str; 2] = ["BedrockAPIKey-", "AeaApiKey-"];

/// Whether AWS made a user of this name for a long-term API key.
pub fn is_made_for_api_key(user: &str) -> bool {
    MADE_FOR_API_KEYS.iter().any(|start| user.starts_with(start))
}

/// How the names begin that the console of SES gives to such users.
const NAMED: &str = "ses-smtp-user";

/// The last service of their keys.
const SERVICE: &str = "ses";

/// Whether a user is one: by its name, or by the last service of one of its keys.
pub fn is_of_ses_smtp(user: &str, last_services: impl IntoIterator<Item = impl AsRef<[u8]>>) -> bool {
    user.get(..NAMED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(NAMED))
        || last_services
            .into_iter()
            .any(|service| service.as_ref().eq_ignore_ascii_case(SERVICE.as_bytes()))
}

/// What replaces the steps of all other rules for a user made for an API key.
pub(super) const OF_API_KEY: &str = "\
AWS made this user for a long-term API key: no person signs in as it, and it needs neither a password nor an access key nor MFA. Do \
not rotate, replace or set up anything here. If it has a password or an access key, treat that as an incident and follow \
`credlens rules show api-key-user-with-password` or `credlens rules show api-key-user-with-access-key`; keep the evidence until \
the incident is over. If it has neither, this finding needs no fix, and a suppression may accept it.
";

/// What replaces the steps of a rule that rotates or deactivates a key, for a user of SES SMTP.
pub(super) const OF_SES_SMTP: &str = "\
This key looks like one of Amazon SES: applications send mail by SMTP with a user name, which is the key's id, and a password, \
which is derived from the key's secret. To deactivate the key stops this mail, and a new key made in IAM does not replace it. AWS \
does not document whether sending by SMTP counts as use of a key, so a key that looks unused may be at work.

1. Find every application that sends mail with it: search their settings for the key's id.
2. In the SES console, choose SMTP settings > Create SMTP credentials: this makes a new IAM user with a key and an SMTP password.
3. Switch every application over, and check that its mail arrives.
4. Deactivate the old key, which is reversible, and wait longer than the interval of the least frequent mail.

```sh
aws iam list-access-keys --user-name={user}
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Inactive
# if mail stops, run the same command with --status=Active
```
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_or_last_service() {
        assert!(is_of_ses_smtp("ses-smtp-user.20250101-120000", [b"N/A"]));
        assert!(is_of_ses_smtp("mailer", [&b"N/A"[..], b"ses"]));
        assert!(!is_of_ses_smtp("mailer", [&b"s3"[..], b"sesv2"]));
    }

    #[test]
    fn by_the_beginning_of_the_name() {
        assert!(is_made_for_api_key("BedrockAPIKey-x1") && is_made_for_api_key("AeaApiKey-"));
        assert!(!is_made_for_api_key("bedrockapikey-x1") && !is_made_for_api_key("my-AeaApiKey-"));
    }
}

//! Users of SES SMTP: their access key is the source of the password with which applications send mail, so that the usual
//! steps for keys stop mail.

/// How the names begin that the console of SES gives to such users.
const NAMED: &str = "ses-smtp-user";

/// The last service of their keys.
const SERVICE: &str = "ses";

/// Whether a user is one: by its name, or by the last service of one of its keys.
pub fn is_of_ses_smtp(user: &str, last_services: impl IntoIterator<Item = impl AsRef<[u8]>>) -> bool {
    user.starts_with(NAMED)
        || last_services
            .into_iter()
            .any(|service| service.as_ref() == SERVICE.as_bytes())
}

/// What replaces the steps of a rule that rotates or deactivates a key.
pub(super) const STEPS: &str = "\
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
    use super::is_of_ses_smtp;

    #[test]
    fn by_name_or_last_service() {
        assert!(is_of_ses_smtp("ses-smtp-user.20250101-120000", [b"N/A"]));
        assert!(is_of_ses_smtp("mailer", [&b"N/A"[..], b"ses"]));
        assert!(!is_of_ses_smtp("mailer", [&b"s3"[..], b"sesv2"]));
    }
}

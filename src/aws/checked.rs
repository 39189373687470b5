//! Credentials that can be sent: a header cannot hold every character, and the SDK panics at one that it cannot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_iam::config::Credentials;

/// Which part of the credentials holds what it cannot; its value is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the AWS {0} holds a character that it cannot have")]
pub(super) struct Impossible(pub(super) &'static str);

/// What another provider gives, without blanks around, if it can be sent.
#[derive(Debug)]
struct Checked(SharedCredentialsProvider);

/// The same credentials, each time they are given out checked.
pub(super) fn checked(provider: impl ProvideCredentials + 'static) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Checked(SharedCredentialsProvider::new(provider)))
}

impl Checked {
    async fn provide(&self) -> provider::Result {
        let mut given = Box::pin(self.0.provide_credentials());
        // A chain that assumes a role signs with credentials that were not seen here yet.
        let polled = std::future::poll_fn(|context| {
            let poll = catch_unwind(AssertUnwindSafe(|| given.as_mut().poll(context)));
            poll.unwrap_or_else(|_| {
                let part = "access key id or session token, from which others were to be got,";
                Poll::Ready(Err(CredentialsError::provider_error(Impossible(part))))
            })
        });
        check(polled.await?)
    }
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        check(self.0.fallback_on_interrupt()?).ok()
    }
}

fn check(credentials: Credentials) -> provider::Result {
    let parts = [
        ("access key id", Some(credentials.access_key_id())),
        ("secret access key", Some(credentials.secret_access_key())),
        ("session token", credentials.session_token()),
    ];
    let given = parts.iter().filter_map(|(part, value)| Some((part, (*value)?)));
    let mut is_trim = true;
    for (part, value) in given {
        if !value.trim().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialsError::provider_error(Impossible(part)));
        }
        is_trim &= value == value.trim();
    }
    if is_trim {
        return Ok(credentials);
    }
    let [id, secret, token] = parts.map(|(_, value)| value.map(str::trim).map(str::to_owned));
    let mut trimmed = Credentials::builder()
        .access_key_id(id.unwrap_or_default())
        .secret_access_key(secret.unwrap_or_default())
        .provider_name("trimmed");
    trimmed.set_session_token(token);
    trimmed.set_expiry(credentials.expiry());
    trimmed.set_account_id(credentials.account_id().cloned());
    Ok(trimmed.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn checked(id: &str, secret: &str, token: Option<&str>) -> Result<[String; 3], String> {
        let given = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let words = |error: CredentialsError| error.source().map(ToString::to_string).unwrap_or_default();
        let checked = check(given).map_err(words)?;
        Ok([
            checked.access_key_id().to_owned(),
            checked.secret_access_key().to_owned(),
            checked.session_token().unwrap_or("none").to_owned(),
        ])
    }

    #[test]
    fn what_cannot_be_sent() {
        let good = |parts: [&str; 3]| Ok(parts.map(str::to_owned));
        assert_eq!(checked("AKIA", "s+/=", None), good(["AKIA", "s+/=", "none"]));
        assert_eq!(
            checked(" AKIA\n", "s\r\n", Some("\tt ")),
            good(["AKIA", "s", "t"])
        );
        for (id, secret, token, part) in [
            ("AK\nIA", "s", "t", "access key id"),
            ("AK IA", "s", "t", "access key id"),
            ("AKIÄ", "s", "t", "access key id"),
            ("AKIA", "s\u{7f}s", "t", "secret access key"),
            ("AKIA", "s", "t\nt", "session token"),
            ("AKIA", "s", "t\0", "session token"),
        ] {
            let told = format!("the AWS {part} holds a character that it cannot have");
            assert_eq!(checked(id, secret, Some(token)), Err(told));
        }
    }
}

//! Credentials that fit into HTTP headers. The SDK panics where a part contains a character that a header cannot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_iam::config::Credentials;
use tokio::time::timeout;

/// Names the part of the credentials that cannot be sent; its value is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the AWS {0} contains a character that is not allowed")]
pub(super) struct UnsendableCredential(pub(super) &'static str);

/// Gives the credentials of another provider without blanks around them, or an error if they cannot be sent or take
/// too long.
#[derive(Debug)]
struct SendableProvider {
    provider: SharedCredentialsProvider,
    limit: Duration,
}

/// Checks what `provider` gives, which may take as long as `limit`.
pub(super) fn sendable(
    provider: impl ProvideCredentials + 'static,
    limit: Duration,
) -> SharedCredentialsProvider {
    let provider = SharedCredentialsProvider::new(provider);
    SharedCredentialsProvider::new(SendableProvider { provider, limit })
}

impl SendableProvider {
    async fn provide(&self) -> provider::Result {
        let mut provided = Box::pin(self.provider.provide_credentials());
        // A chain that assumes a role signs with credentials that were not checked.
        let polled = std::future::poll_fn(|context| {
            let poll = catch_unwind(AssertUnwindSafe(|| provided.as_mut().poll(context)));
            poll.unwrap_or_else(|_| {
                let part = "access key id or session token that assumes the role";
                Poll::Ready(Err(CredentialsError::provider_error(UnsendableCredential(part))))
            })
        });
        let provided = timeout(self.limit, polled).await;
        check(provided.map_err(|_| CredentialsError::provider_timed_out(self.limit))??)
    }
}

impl ProvideCredentials for SendableProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        check(self.provider.fallback_on_interrupt()?).ok()
    }
}

fn check(credentials: Credentials) -> provider::Result {
    let parts = [
        ("access key id", Some(credentials.access_key_id())),
        ("secret access key", Some(credentials.secret_access_key())),
        ("session token", credentials.session_token()),
    ];
    let present = parts.iter().filter_map(|(part, value)| Some((part, (*value)?)));
    let mut is_trimmed = true;
    for (part, value) in present {
        if !value.trim().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialsError::provider_error(UnsendableCredential(part)));
        }
        is_trimmed &= value == value.trim();
    }
    if is_trimmed {
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
        let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let text = |error: CredentialsError| error.source().map(ToString::to_string).unwrap_or_default();
        let checked = check(credentials).map_err(text)?;
        Ok([
            checked.access_key_id().to_owned(),
            checked.secret_access_key().to_owned(),
            checked.session_token().unwrap_or("none").to_owned(),
        ])
    }

    #[test]
    fn blanks_are_trimmed_and_other_characters_are_errors() {
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
            let error = format!("the AWS {part} contains a character that is not allowed");
            assert_eq!(checked(id, secret, Some(token)), Err(error));
        }
    }
}

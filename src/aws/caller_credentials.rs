//! Whether the caller's credentials still work. Once AWS refuses them, every other account would fail in the same way,
//! so no other one is begun.

use std::sync::{Arc, OnceLock};

use super::error::Error;

/// What the accounts of a run know of the caller's credentials. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct CallerCredentials(Arc<OnceLock<String>>);

impl CallerCredentials {
    /// Before an account is begun.
    ///
    /// # Errors
    /// [`Error::CredentialsEnded`], if the credentials ended before.
    pub(super) fn check(&self) -> Result<(), Error> {
        let why = self.0.get().cloned();
        why.map_or(Ok(()), |why| Err(Error::CredentialsEnded(why)))
    }

    /// Takes note of the error of a call that was signed with these credentials.
    pub(super) fn failed(&self, error: Error) -> Error {
        if error.is_about_credentials() {
            // The first reason is as good as another one.
            drop(self.0.set(error.to_string()));
        }
        error
    }
}

impl Error {
    /// Whether the credentials that signed the call are at an end, so that other calls with them would fail, too.
    fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::Expired(_)
                | Self::UnknownCredentials(_)
                | Self::NoCredentials
                | Self::CredentialSource(_)
                | Self::TokenFile(..)
                | Self::SignOn(_)
        )
    }

    /// The same error of a call that was signed with the session of an assumed role.
    pub(super) fn of_role_session(self) -> Self {
        if let Self::Expired(code) | Self::UnknownCredentials(code) = self {
            return Self::RoleSession(code);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::permissions::Action;
    use super::*;

    #[test]
    fn only_credentials_that_ended_end_a_run() {
        let caller = CallerCredentials::default();
        let code = || "Code".to_owned();
        for error in [
            Error::Throttled(Action::AssumeRole, code()),
            Error::Unavailable(Action::AssumeRole, code()),
            Error::CredentialsUnreachable(code()),
            Error::RoleSession(code()),
            Error::Denied {
                action: Action::AssumeRole,
                resource: None,
                message: String::new(),
            },
        ] {
            drop(caller.failed(error));
            assert!(caller.check().is_ok());
        }
        drop(caller.failed(Error::Expired("ExpiredToken".to_owned())));
        drop(caller.failed(Error::UnknownCredentials(code())));
        let error = caller.check().unwrap_err().to_string();
        assert!(error.contains("have expired (ExpiredToken)"), "{error}");
        assert!(error.contains("--resume"), "{error}");
    }
}

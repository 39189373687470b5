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

    /// Takes note of the error of a call that was signed with these credentials. They have worked before.
    pub(super) fn failed(&self, error: Error) -> Error {
        let error = error.of_ended_source();
        if error.is_about_credentials() {
            // The first reason is as good as another one.
            drop(self.0.set(error.to_string()));
        }
        error
    }
}

impl Error {
    /// Whether the caller's credentials are at an end, or so it was found at another account.
    pub(super) fn is_end_of_credentials(&self) -> bool {
        matches!(self, Self::CredentialsEnded(_)) || self.is_about_credentials()
    }

    /// Whether the credentials that signed the call are at an end, so that other calls with them would fail, too. A
    /// signature is rejected, and its time, for the same reason at every call.
    fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::Expired(_)
                | Self::UnknownCredentials(_)
                | Self::SignatureMismatch(_)
                | Self::ClockSkew(_)
                | Self::NoCredentials
                | Self::CredentialSource(_)
                | Self::TokenFile(..)
                | Self::SignOn(_)
                | Self::NotRenewed(_)
        )
    }

    /// The error of a source that gave credentials before, and fails now that they are to be renewed.
    fn of_ended_source(self) -> Self {
        let why = if let Self::CredentialSource(why) = &self {
            why.clone()
        } else if let Self::TokenFile(file, why) = &self {
            format!("the web identity token file {file} cannot be read: {why}")
        } else if let Self::SignOn(code) = &self {
            format!("single sign-on issued none ({code})")
        } else if matches!(self, Self::NoCredentials) {
            "their source has gone".to_owned()
        } else {
            return self;
        };
        Self::NotRenewed(why)
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

    #[test]
    fn sources_that_fail_later_are_not_missing() {
        for error in [
            Error::NoCredentials,
            Error::CredentialSource("the configured source failed".to_owned()),
            Error::TokenFile("/token".to_owned(), "it is a directory".to_owned()),
            Error::SignOn("UnauthorizedException".to_owned()),
        ] {
            let caller = CallerCredentials::default();
            let error = caller.failed(error);
            assert!(error.is_end_of_credentials());
            let error = error.to_string();
            assert!(
                error.starts_with("the AWS credentials have ended, and new ones were not issued: "),
                "{error}"
            );
            assert!(caller.check().unwrap_err().is_end_of_credentials());
        }
    }

    #[test]
    fn rejected_signatures_end_a_run() {
        let code = || "RequestExpired".to_owned();
        for error in [Error::ClockSkew(code()), Error::SignatureMismatch(code())] {
            let caller = CallerCredentials::default();
            drop(caller.failed(error));
            let error = caller.check().unwrap_err().to_string();
            assert!(error.contains("this machine's clock"), "{error}");
        }
    }
}

//! Why there are no credentials: what AWS's own providers of them come to, from profiles, roles, tokens and
//! processes.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_ssooidc::operation::create_token::CreateTokenError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use super::checked::Impossible;
use super::error::Error;
use super::policy::Action;
use super::retry::Failure;

/// Where the reason is the credentials that a call was to be signed with.
pub(super) fn credential_errors(error: &(dyn StdError + 'static)) -> Option<Error> {
    let late = || Error::NoWayToCredentials("no answer in time".to_owned());
    let chain =
        |from| std::iter::successors(Some(from), |error: &&(dyn StdError + 'static)| (*error).source());
    let Some(failed) = chain(error).find_map(|error| error.downcast_ref::<CredentialsError>()) else {
        // The type that says so is the SDK's own.
        let is_late =
            |error: &(dyn StdError + 'static)| error.to_string().starts_with("identity resolver timed out");
        return chain(error).any(is_late).then(late);
    };
    let told = chain(failed).find_map(|error| {
        let impossible = error.downcast_ref::<Impossible>();
        if let Some(Impossible(part)) = impossible {
            return Some(Error::ImpossibleCredentials(part));
        }
        of_call::<AssumeRoleError>(Action::AssumeRole, error)
            .or_else(|| of_call::<AssumeRoleWithWebIdentityError>(Action::AssumeRoleWithWebIdentity, error))
            .or_else(|| of_sign_on::<GetRoleCredentialsError>(Action::GetRoleCredentials, error))
            .or_else(|| of_sign_on::<CreateTokenError>(Action::CreateToken, error))
            .or_else(|| {
                let broken = error.downcast_ref::<ConnectorError>()?;
                Some(Error::NoWayToCredentials(innermost(broken)))
            })
    });
    Some(told.unwrap_or_else(|| {
        if matches!(failed, CredentialsError::ProviderTimedOut(_)) {
            late()
        } else {
            Error::Credentials(gist(failed))
        }
    }))
}

/// What STS said to a call, or that it said nothing.
fn of_call<E>(action: Action, error: &(dyn StdError + 'static)) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    match error.downcast_ref::<SdkError<E, HttpResponse>>()? {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            Some(Error::of_service(action, context.err(), status))
        }
        SdkError::TimeoutError(_) => Some(Error::no_answer(action)),
        SdkError::DispatchFailure(failure) => {
            let failed = failure.as_connector_error();
            Some(Error::Unreachable {
                action,
                reason: failed.map_or_else(String::new, |error| innermost(error)),
            })
        }
        SdkError::ResponseError(_) => Some(Error::Unreadable { action }),
        // What lies deeper tells more; and the SDK's enum may grow.
        SdkError::ConstructionFailure(_) | _ => None,
    }
}

/// The same of single sign-on, whose refusals are told by the gist.
fn of_sign_on<E>(action: Action, error: &(dyn StdError + 'static)) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    of_call::<E>(action, error).filter(|error| error.failure() != Failure::Refused)
}

/// What an error comes from, at first and in the end. What lies between may show the request itself, and with
/// it tokens.
pub(super) fn gist(error: &(dyn StdError + 'static)) -> String {
    let first = without_user_info(&error.source().unwrap_or(error).to_string());
    let mut texts = vec![first, innermost(error)];
    texts.retain(|text| !text.contains("Request {"));
    texts.dedup();
    let texts: Vec<_> = texts.iter().map(|text| without_output(text)).collect();
    texts.join(": ")
}

pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    without_user_info(&error.to_string())
}

/// Addresses may hold a password, and where a wrong one ends nobody knows: all up to the last `@` is cut.
fn without_user_info(text: &str) -> String {
    let mut parts = text.split("://");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |told, rest| {
        let shown = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
        format!("{told}://{shown}")
    })
}

/// What a `credential_process` wrote to standard error is its own affair, and may hold secrets. The list of
/// all that was tried is longer than it is of use.
fn without_output(text: &str) -> &str {
    let (text, _) = text.split_once(" Stderr:").unwrap_or((text, ""));
    let (text, _) = text.split_once(". Attempted:").unwrap_or((text, ""));
    text.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_addresses() {
        for (text, told) in [
            ("no address, a@b", "no address, a@b"),
            (
                "at http://host/ or http://other/",
                "at http://host/ or http://other/",
            ),
            ("bad `http://evil:PW@ex ample/`", "bad `http://ex ample/`"),
            ("http://e:P@W/x y@h/ and https://u@i/", "http://h/ and https://i/"),
        ] {
            assert_eq!(without_user_info(text), told);
        }
    }
}

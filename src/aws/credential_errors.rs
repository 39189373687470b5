//! Why no credentials could be loaded or no connection was made: errors of the SDK's credential providers and of its
//! HTTP client, in our own words.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_ssooidc::operation::create_token::CreateTokenError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use rustls::CertificateError;

use super::error::Error;
use super::permissions::Action;
use super::retry::FailureKind;
use super::sendable_credentials::UnsendableCredential;

type DynError = dyn StdError + 'static;

/// The error of the credentials that a call was to be signed with, if that is what failed.
pub(super) fn credential_error(error: &DynError) -> Option<Error> {
    let failed = chain(error).find_map(|error| error.downcast_ref::<CredentialsError>())?;
    let known = chain(failed).find_map(|error| {
        if let Some(UnsendableCredential(part)) = error.downcast_ref() {
            return Some(Error::UnsendableCredentials(part));
        }
        call_error::<AssumeRoleError>(Action::AssumeRole, error)
            .or_else(|| {
                call_error::<AssumeRoleWithWebIdentityError>(Action::AssumeRoleWithWebIdentity, error)
            })
            .or_else(|| sign_on_error::<GetRoleCredentialsError>(Action::GetRoleCredentials, error))
            .or_else(|| sign_on_error::<CreateTokenError>(Action::CreateToken, error))
            .or_else(|| {
                let failed = error.downcast_ref::<ConnectorError>()?;
                if let Some(reason) = certificate_error(failed) {
                    return Some(Error::UntrustedSource(reason));
                }
                Some(Error::CredentialsUnreachable(transport_reason(failed)))
            })
    });
    Some(known.unwrap_or_else(|| match failed {
        CredentialsError::CredentialsNotLoaded(_) => Error::NoCredentials,
        CredentialsError::ProviderTimedOut(_) => {
            Error::CredentialsUnreachable("no answer in time".to_owned())
        }
        CredentialsError::InvalidConfiguration(_) => {
            Error::CredentialSource("the profile or the AWS_* variables are invalid".to_owned())
        }
        CredentialsError::ProviderError(_) | CredentialsError::Unhandled(_) | _ => {
            let cause = system_error(failed).map_or_else(String::new, |cause| format!(" ({cause})"));
            Error::CredentialSource(format!("the configured source failed{cause}"))
        }
    }))
}

/// What STS answered, or that it did not.
fn call_error<E>(action: Action, error: &DynError) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let error = error.downcast_ref::<SdkError<E, HttpResponse>>()?;
    // The cause of a construction failure is further down the chain.
    (!matches!(error, SdkError::ConstructionFailure(_))).then(|| Error::from_sdk(action, error))
}

/// The same for single sign-on, which refuses with codes of its own.
fn sign_on_error<E>(action: Action, error: &DynError) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let found = call_error::<E>(action, error)?;
    if found.failure_kind() != FailureKind::Permanent {
        return Some(found);
    }
    let code = error.downcast_ref::<SdkError<E, HttpResponse>>()?.code();
    Some(code.map_or(found, |code| Error::SignOn(code.to_owned())))
}

/// Why a connection failed.
pub(super) fn transport_reason(error: &ConnectorError) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    // The text of the HTTP client where a proxy does not open a tunnel.
    if chain(error).any(|error| error.to_string().starts_with("tunnel error")) {
        return "the proxy (HTTPS_PROXY or ALL_PROXY) refused to connect to it".to_owned();
    }
    let broken = if error.is_io() {
        "the host name is unknown, or the connection was closed"
    } else {
        "the connection was closed before the end of the answer"
    };
    system_error(error).unwrap_or_else(|| broken.to_owned())
}

/// The error of settings that lead to no address of a service, which the SDK finds before it calls anything.
pub(super) fn address_error(error: &DynError) -> Option<Error> {
    let is_invalid = |error: &DynError| {
        let text = error.to_string();
        text.contains("support")
            && ["FIPS", "DualStack", "Dualstack"]
                .iter()
                .any(|kind| text.contains(kind))
    };
    chain(error).any(is_invalid).then(|| {
        Error::InvalidSettings(
            "AWS has no address of this kind in this region; check --region, and AWS_USE_FIPS_ENDPOINT and \
             AWS_USE_DUALSTACK_ENDPOINT, or use_fips_endpoint and use_dualstack_endpoint of the profile"
                .to_owned(),
        )
    })
}

/// Why the certificate of a server is not trusted, if that is what failed, and what to do.
pub(super) fn certificate_error(error: &DynError) -> Option<String> {
    let found = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = found else {
        return None;
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds get the same advice")]
    Some(match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired; renew it, or correct this machine's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; correct this machine's clock".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host name; check --endpoint-url and the proxy".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "is not trusted, since its issuer is unknown; set AWS_CA_BUNDLE, or ca_bundle of the profile, to a PEM file \
             with the certificate of the issuer"
                .to_owned()
        }
        _ => "cannot be used; replace it by one for a server, and set AWS_CA_BUNDLE, or ca_bundle of the profile, to a \
              PEM file with the certificate of its issuer"
            .to_owned(),
    })
}

/// The operating system's text for the cause, or its kind: those are fixed, while other texts may contain anything.
pub(super) fn system_error(error: &DynError) -> Option<String> {
    let mut found = chain(error).filter_map(|error| error.downcast_ref::<io::Error>());
    found.find_map(|error| match error.get_ref() {
        None => Some(error.to_string()),
        // So the HTTP client marks errors of rustls.
        Some(_) if error.kind() == io::ErrorKind::InvalidData => {
            Some("the TLS handshake failed (is the server's certificate trusted?)".to_owned())
        }
        Some(_) => None,
    })
}

/// The error, what it wraps, and so on. An `io::Error` leaves out what it wraps in its `source()`.
fn chain(error: &DynError) -> impl Iterator<Item = &DynError> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &DynError),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_an_address_are_errors_of_usage() {
        for text in [
            "Invalid Configuration: FIPS and custom endpoint are not supported",
            "DualStack is enabled but this partition does not support DualStack",
        ] {
            let error = address_error(&io::Error::other(io::Error::other(text))).unwrap();
            assert!(error.is_usage());
            assert!(error.to_string().contains("AWS_USE_FIPS_ENDPOINT"), "{error}");
        }
        assert!(address_error(&io::Error::other("the server does not support it")).is_none());
    }
}

//! What goes wrong between here and AWS, told by its code, never by its message.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use super::policy::Action;

/// Why AWS gave no answer that can be used. Each message is a sentence but for whom it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// These credentials may not do that.
    #[error("AWS does not allow {action} to these credentials{said}")]
    Denied {
        /// What was asked for.
        action: Action,
        /// AWS's own words in brackets, which name the principal and the kind of policy; may be empty.
        said: String,
    },
    /// There are no credentials, or they could not be got.
    #[error(
        "no AWS credentials could be had: {0}; name a profile by --profile, set AWS_PROFILE or \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in by `aws sso login`"
    )]
    Credentials(String),
    /// The credentials were valid once.
    #[error("the AWS credentials have expired ({code}); get new ones, such as by `aws sso login`")]
    Expired {
        /// AWS's error code.
        code: String,
    },
    /// AWS, or this partition of it, does not know the credentials.
    #[error(
        "AWS does not know these credentials here ({code}): they may be wrong, switched off, or of another \
         partition; check --profile, and --region, which decides between aws, aws-cn and aws-us-gov"
    )]
    UnknownCredentials {
        /// AWS's error code.
        code: String,
    },
    /// The signature's time is not AWS's.
    #[error("the clock of this machine is too far from that of AWS ({code}); set it right")]
    Clock {
        /// AWS's error code.
        code: String,
    },
    /// No connection, or no answer in time.
    #[error(
        "AWS could not be reached for {action}: {reason}; check the network, --region and --endpoint-url"
    )]
    Unreachable {
        /// What was asked for.
        action: Action,
        /// What the connection says.
        reason: String,
    },
    /// Fewer calls are wanted, or there is no capacity.
    #[error("AWS is too busy for {action} ({code}); try again later")]
    Busy {
        /// What was asked for.
        action: Action,
        /// AWS's error code.
        code: String,
    },
    /// AWS failed.
    #[error("AWS failed at {action} ({code}); try again later")]
    Unavailable {
        /// What was asked for.
        action: Action,
        /// AWS's error code, or the HTTP status.
        code: String,
    },
    /// An answer that is none.
    #[error("the answer to {action} could not be read; is something between here and AWS?")]
    Unreadable {
        /// What was asked for.
        action: Action,
    },
    /// Whatever else AWS says.
    #[error("AWS answered {action} by {code}")]
    Other {
        /// What was asked for.
        action: Action,
        /// AWS's error code, or the HTTP status.
        code: String,
    },
    /// The report did not come in time.
    #[error(
        "no report within {} s, the last answer was {last}; raise --timeout, or try again later",
        after.as_secs()
    )]
    TimedOut {
        /// How long it was tried.
        after: Duration,
        /// What AWS said last.
        last: String,
    },
    /// A role led elsewhere.
    #[error("the report is that of account {0}: the role belongs to another account")]
    OtherAccount(String),
    /// A setting that AWS's library does not take.
    #[error("these settings cannot be used: {0}")]
    Settings(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// What an SDK error means.
    pub(super) fn of<E>(action: Action, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                Self::of_service(action, context.err(), status)
            }
            SdkError::ResponseError(_) => Self::Unreadable { action },
            SdkError::TimeoutError(_) => Self::Unreachable {
                action,
                reason: "no answer in time".to_owned(),
            },
            SdkError::DispatchFailure(failure) => {
                let failed = failure.as_connector_error();
                let is_other = failed.is_some_and(|error| !(error.is_io() || error.is_timeout()));
                match Self::of_credentials(error) {
                    Some(error) => error,
                    None if is_other => Self::Settings(gist(error)),
                    None => Self::Unreachable {
                        action,
                        reason: failed.map_or_else(String::new, |error| innermost(error)),
                    },
                }
            }
            SdkError::ConstructionFailure(_) => {
                Self::of_credentials(error).unwrap_or_else(|| Self::Settings(gist(error)))
            }
            // The SDK's enum may grow.
            _ => Self::Other {
                action,
                code: gist(error),
            },
        }
    }

    fn of_service(action: Action, error: &impl ProvideErrorMetadata, status: u16) -> Self {
        if error.code().is_none() && status < 400 {
            return Self::Unreadable { action };
        }
        let code = error
            .code()
            .map_or_else(|| format!("HTTP {status}"), str::to_owned);
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" => {
                Self::Denied {
                    action,
                    said: error.message().map_or_else(String::new, said),
                }
            }
            "HTTP 403" => Self::Denied {
                action,
                said: " (HTTP 403)".to_owned(),
            },
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Self::Expired { code },
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "UnrecognizedClient"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "NotSignedUp"
            | "OptInRequired"
            | "InvalidToken" => Self::UnknownCredentials { code },
            "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Self::Clock { code },
            "LimitExceeded"
            | "LimitExceededException"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "PriorRequestNotComplete"
            | "HTTP 429" => Self::Busy { action, code },
            _ if status >= 500 => Self::Unavailable { action, code },
            _ => Self::Other { action, code },
        }
    }

    /// Where the reason is the credentials that the call was to be signed with.
    fn of_credentials(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        let mut found = None;
        while let Some(error) = next {
            if let Some(SdkError::ServiceError(context)) = error.downcast_ref::<SdkError<AssumeRoleError>>() {
                let status = context.raw().status().as_u16();
                return Some(Self::of_service(Action::AssumeRole, context.err(), status));
            }
            found =
                found.or_else(|| Some(Self::Credentials(gist(error.downcast_ref::<CredentialsError>()?))));
            next = error.source();
        }
        found
    }

    /// What to allow, where something is missing.
    pub fn denied(&self) -> Option<Action> {
        match self {
            Self::Denied { action, .. } => Some(*action),
            Self::Credentials(_)
            | Self::Expired { .. }
            | Self::UnknownCredentials { .. }
            | Self::Clock { .. }
            | Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::Unreadable { .. }
            | Self::Other { .. }
            | Self::TimedOut { .. }
            | Self::OtherAccount(_)
            | Self::Settings(_)
            | Self::Interrupted => None,
        }
    }
}

/// AWS's words, in brackets and not without end.
fn said(message: &str) -> String {
    let most = message
        .char_indices()
        .nth(400)
        .map_or(message.len(), |(at, _)| at);
    format!(" ({})", &message[..most])
}

/// What an error comes from, at first and in the end. What lies between may show the request itself, and with
/// it tokens.
fn gist(error: &(dyn StdError + 'static)) -> String {
    let first = error.source().unwrap_or(error).to_string();
    let mut texts = vec![first, innermost(error)];
    texts.retain(|text| !text.contains("Request {"));
    texts.dedup();
    texts.join(": ")
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

//! What goes wrong between here and AWS, told by its code, never by its message.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ConnectorError, ProvideErrorMetadata, SdkError};

use super::credential_errors::{credential_errors, gist, innermost};
use super::policy::{Action, Wanted};
use super::retry::Failure;
use crate::output::counted;
use crate::report::not_a_report::NotAReport;

/// Why AWS gave no answer that can be used. Each message is a sentence but for whom it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// These credentials may not do that.
    #[error("AWS does not allow {action} to these credentials{said}")]
    Denied {
        /// What was asked for.
        action: Action,
        /// The ARN of what it is about, where that is known: a role, with `*` for any account; a bucket, an object.
        resource: Option<String>,
        /// AWS's own words in brackets, which name the principal and the kind of policy; may be empty.
        said: String,
    },
    /// There are no credentials, or they could not be got.
    #[error(
        "no AWS credentials could be had: {0}; name a profile by --profile, set AWS_PROFILE or \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in by `aws sso login`"
    )]
    Credentials(String),
    /// The credentials hold what cannot be sent: which part of them, never what it is.
    #[error(
        "the AWS {0} holds a character that it cannot have; look for line ends and blanks in it where it is set"
    )]
    ImpossibleCredentials(&'static str),
    /// Whoever gives out the credentials did not answer.
    #[error("the service that gives out the AWS credentials could not be reached: {0}; check the network")]
    NoWayToCredentials(String),
    /// The credentials were valid once.
    #[error("the AWS credentials have expired ({code}); get new ones, such as by `aws sso login`")]
    Expired {
        /// AWS's error code.
        code: String,
    },
    /// AWS, or this partition of it, does not know the credentials.
    #[error(
        "AWS does not know these credentials here ({code}): they may be wrong, switched off, or of another \
         partition; check --profile, and --region, which decides the partition: aws, aws-cn, aws-us-gov or another"
    )]
    UnknownCredentials {
        /// AWS's error code.
        code: String,
    },
    /// What was signed is not what AWS would have signed.
    #[error(
        "AWS does not accept the signature of these credentials ({code}): the secret access key may be wrong, or \
         the clock of this machine"
    )]
    Signature {
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
    /// Not all that was wanted came in time.
    #[error(
        "{} within {}; the last answer{} was: {}; raise --timeout, or try again later",
        undone(*action), span(*after), asked(*action, last.action), last.words
    )]
    TimedOut {
        /// What was wanted.
        action: Action,
        /// How long it could take.
        after: Duration,
        /// What AWS said last.
        last: LastResponse,
    },
    /// There is no organization to list.
    #[error(
        "the account of these credentials is in no organization ({code}); scan it without --org, or name accounts by \
         --accounts-file"
    )]
    NoOrganization {
        /// AWS's error code.
        code: String,
    },
    /// A role led elsewhere.
    #[error("the report is that of account {0}: the role belongs to another account")]
    OtherAccount(String),
    /// AWS sent something else for a report.
    #[error("what AWS sent for a report is none: {0}")]
    NotAReport(#[from] NotAReport),
    /// An account that nothing can be asked about as it is listed.
    #[error("nothing was asked of AWS: {0}")]
    Listed(String),
    /// A profile that is nowhere.
    #[error("there is no profile '{name}' in {files}; name one of these files' profiles by --profile")]
    NoProfile {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        files: String,
    },
    /// No such bucket.
    #[error("there is no bucket '{0}', in this partition and at this address at least")]
    NoBucket(String),
    /// No such object.
    #[error("there is no such object")]
    NoObject,
    /// An object in cold storage.
    #[error("the object is archived (InvalidObjectState); restore it first, by `aws s3api restore-object`")]
    Archived,
    /// A bucket elsewhere.
    #[error(
        "the bucket '{bucket}' is in {}; name its region by --region",
        region.as_deref().map_or("another region".to_owned(), |region| format!("the region {region}"))
    )]
    OtherRegion {
        /// Its name.
        bucket: String,
        /// Its region, where S3 tells.
        region: Option<String>,
    },
    /// A setting that cannot be used: complete but for who says it.
    #[error("these settings cannot be used: {0}")]
    Settings(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// An answer of AWS that was not the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastResponse {
    /// What was asked for.
    pub action: Action,
    /// What it came to.
    pub words: String,
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
            SdkError::TimeoutError(_) => Self::no_answer(action),
            SdkError::DispatchFailure(failure) => {
                let failed = failure.as_connector_error();
                // A connection that breaks off is no error of settings, whatever the connector calls it.
                let is_user = failed.is_some_and(ConnectorError::is_user);
                match credential_errors(error) {
                    Some(error) => error,
                    None if is_user => Self::Settings(gist(error)),
                    None => Self::Unreachable {
                        action,
                        reason: failed.map_or_else(String::new, |error| innermost(error)),
                    },
                }
            }
            SdkError::ConstructionFailure(_) => {
                credential_errors(error).unwrap_or_else(|| Self::Settings(gist(error)))
            }
            // The SDK's enum may grow.
            _ => Self::Other {
                action,
                code: gist(error),
            },
        }
    }

    pub(super) fn of_service(action: Action, error: &impl ProvideErrorMetadata, status: u16) -> Self {
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
                    resource: None,
                    said: error.message().map_or_else(String::new, said),
                }
            }
            "HTTP 403" => Self::Denied {
                action,
                resource: None,
                said: " (HTTP 403)".to_owned(),
            },
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Self::Expired { code },
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "UnrecognizedClient"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "NotSignedUp"
            | "OptInRequired"
            | "InvalidToken" => Self::UnknownCredentials { code },
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Self::Signature { code },
            "AWSOrganizationsNotInUseException" => Self::NoOrganization { code },
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
            // Somebody else writes the same object at this moment.
            | "ConditionalRequestConflict"
            | "HTTP 429" => Self::Busy { action, code },
            "RequestTimeout" | "RequestTimeoutException" | "IDPCommunicationError" | "HTTP 408" => {
                Self::Unavailable { action, code }
            }
            _ if status >= 500 => Self::Unavailable { action, code },
            _ => Self::Other { action, code },
        }
    }

    /// What to allow, where something is missing.
    pub fn denied(&self) -> Option<Wanted> {
        let Self::Denied { action, resource, .. } = self else {
            return None;
        };
        Some(Wanted {
            action: *action,
            resource: resource.clone(),
        })
    }

    /// Whether it lies in what was asked for, rather than in AWS or in the credentials.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoProfile { .. } | Self::Settings(_))
    }

    /// Nothing came of a call.
    pub(super) fn no_answer(action: Action) -> Self {
        let reason = "no answer in time".to_owned();
        Self::Unreachable { action, reason }
    }

    /// The answer that it is, to this unless credentials were asked for before; None where nothing answered.
    pub(super) fn said(&self, action: Action) -> Option<LastResponse> {
        if matches!(self, Self::Unreachable { .. } | Self::NoWayToCredentials(_)) {
            return None;
        }
        let mut said = LastResponse {
            action,
            words: self.to_string(),
        };
        if let Self::Busy { action, code } | Self::Unavailable { action, code } = self {
            said.action = *action;
            said.words.clone_from(code);
        }
        Some(said)
    }

    /// What may come of asking again. Where a machine gives out the credentials, the SDK has asked again already.
    pub(super) fn failure(&self) -> Failure {
        if matches!(self, Self::Busy { .. }) {
            return Failure::Busy;
        }
        let is_miss = matches!(
            self,
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unreadable { .. }
        );
        if is_miss {
            Failure::Unavailable
        } else {
            Failure::Refused
        }
    }

    /// The same where it is known what it is about.
    pub(super) fn about(mut self, arn: Option<String>) -> Self {
        if let Self::Denied { resource, .. } = &mut self
            && resource.is_none()
        {
            *resource = arn;
        }
        self
    }

    /// The same where it is known which role could not be assumed.
    pub(super) fn in_role(self, arn: Option<&str>) -> Self {
        match self.denied() {
            Some(denied) if denied.action == Action::AssumeRole => self.about(arn.map(str::to_owned)),
            Some(_) | None => self,
        }
    }
}

fn is_of_report(action: Action) -> bool {
    matches!(
        action,
        Action::GetCredentialReport | Action::GenerateCredentialReport
    )
}

fn undone(action: Action) -> String {
    if is_of_report(action) {
        "no report came".to_owned()
    } else {
        format!("{action} was not done")
    }
}

fn asked(wanted: Action, asked: Action) -> String {
    if asked == wanted && !is_of_report(wanted) {
        String::new()
    } else {
        format!(", to {asked},")
    }
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 60.. if seconds.is_multiple_of(60) => counted(seconds / 60, "minute"),
        seconds => counted(seconds, "second"),
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

//! Errors of AWS, classified by type and error code, in words that say what to do.
//!
//! Which texts of the SDK may be shown: AWS's error codes; AWS's message where access was denied, unless the request
//! carried a token; fixed texts of the operating system. Any other text of the SDK may contain a secret (a token, the
//! output of a process, an address with a password, a signed request) and is replaced by our own words.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use super::credential_errors::{address_error, certificate_error, credential_error, transport_reason};
use super::permissions::{Action, MissingPermission};
use super::retry::FailureKind;
use crate::output::counted;
use crate::report::not_a_report::NotAReport;

/// Why AWS gave no usable answer. The message does not name the account or object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A permission is missing.
    #[error("AWS denied {action} to these credentials{message}")]
    Denied {
        /// What was called.
        action: Action,
        /// The ARN of the role (with `*` for any account), bucket or object, where known.
        resource: Option<String>,
        /// AWS's message in parentheses, which names the principal and the kind of policy; may be empty.
        message: String,
    },
    /// No source of credentials is configured.
    #[error(
        "no AWS credentials found; pass --profile, set AWS_PROFILE or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`"
    )]
    NoCredentials,
    /// A source of credentials is configured, but fails.
    #[error(
        "no AWS credentials found: {0}; sign in with `aws sso login`, or run `aws sts get-caller-identity` for details, \
         which are not shown here because they may contain secrets"
    )]
    CredentialSource(String),
    /// A file with a token for web identity, and why it cannot be read.
    #[error(
        "no AWS credentials found: the web identity token file {0} cannot be read: {1}; check \
         AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile"
    )]
    TokenFile(String, String),
    /// Single sign-on refuses to issue credentials.
    #[error(
        "single sign-on issued no AWS credentials ({0}); sign in with `aws sso login`, and check the account and \
         role of the profile"
    )]
    SignOn(String),
    /// A part of the credentials, which is named but not shown, cannot be sent in an HTTP header.
    #[error(
        "the AWS {0} contains a character that is not allowed; check where it is set for line breaks and blanks"
    )]
    UnsendableCredentials(&'static str),
    /// The service that issues the credentials did not answer.
    #[error("the service that issues the AWS credentials could not be reached: {0}; check the network")]
    CredentialsUnreachable(String),
    /// The credentials were valid once.
    #[error("the AWS credentials have expired ({0}); renew them, for example with `aws sso login`")]
    Expired(String),
    /// The source of the caller's credentials gave some before, and does not renew them; with the reason.
    #[error(
        "the AWS credentials have ended, and new ones were not issued: {0}; renew them, for example with `aws sso \
         login`, or run `aws sts get-caller-identity` for details"
    )]
    NotRenewed(String),
    /// AWS, or this partition, does not know the credentials.
    #[error(
        "AWS does not know these credentials ({0}): they are wrong, deactivated, or of another partition; check \
         --profile, and --region, which decides the partition: aws, aws-cn, aws-us-gov or another"
    )]
    UnknownCredentials(String),
    /// The session of a role that was assumed in an account, not the caller's credentials.
    #[error(
        "AWS does not accept the session of the assumed role any more ({0}); fetch this account again, for example \
         with --resume"
    )]
    RoleSession(String),
    /// AWS was not called, because the caller's credentials ended at another account; with the reason.
    #[error("AWS was not called, because {0}; --resume fetches the rest")]
    CredentialsEnded(String),
    /// AWS computed another signature.
    #[error(
        "AWS rejected the signature of the request ({0}); check the secret access key and this machine's clock"
    )]
    SignatureMismatch(String),
    /// The time in the signature is not AWS's.
    #[error("this machine's clock differs too much from AWS's ({0}); correct it")]
    ClockSkew(String),
    /// No connection, or no answer in time.
    #[error("AWS could not be reached for {0}: {1}; check the network, --region and --endpoint-url")]
    Unreachable(Action, String),
    /// The certificate of the server is not trusted.
    #[error("AWS could not be reached for {0}: the server's certificate {1}")]
    Untrusted(Action, String),
    /// The same of the service that issues the credentials.
    #[error("the service that issues the AWS credentials could not be reached: its certificate {0}")]
    UntrustedSource(String),
    /// AWS asks for fewer calls, or has no capacity; with its error code.
    #[error("AWS throttled {0} ({1}); try again later")]
    Throttled(Action, String),
    /// A server error, with AWS's error code, or the HTTP status.
    #[error("AWS failed to answer {0} ({1}); try again later")]
    Unavailable(Action, String),
    /// The response is not AWS's.
    #[error(
        "the response to {0} could not be read; check for a proxy or a login page between this machine and AWS"
    )]
    Unreadable(Action),
    /// Any other error code or HTTP status.
    #[error("AWS rejected {0} ({1}); AWS's API reference of this call explains the code")]
    Other(Action, String),
    /// A step was not complete in time.
    #[error(
        "{} within {}; last response{}: {}; raise --timeout, or try again later",
        unfinished(*action), duration(*after), called(*action, last.action), last.text
    )]
    TimedOut {
        /// What was to be done.
        action: Action,
        /// The time limit.
        after: Duration,
        /// What AWS answered last.
        last: LastResponse,
    },
    /// There is no organization to list.
    #[error(
        "the account of these credentials belongs to no organization ({0}); scan it without --org, or list \
         accounts with --accounts-file"
    )]
    NoOrganization(String),
    /// A report of another account than the one that was asked for, and what to check.
    #[error("AWS returned the report of account {0}; {1}")]
    WrongAccount(String, String),
    /// The content of the report is something else.
    #[error(
        "iam:GetCredentialReport did not return a credential report: {}; {}",
        content(.0), if matches!(.0, NotAReport::NoUsers) {
            "fetch this account again, for example with --resume"
        } else {
            "check for a proxy or a login page between this machine and AWS"
        }
    )]
    NotAReport(#[from] NotAReport),
    /// AWS was not called, because the account's entry in the list is invalid.
    #[error("AWS was not called: {0}")]
    InvalidAccount(String),
    /// No profile of this name in these files.
    #[error("profile '{0}' not found in {1}; pass another one with --profile")]
    NoProfile(String, String),
    /// No such bucket.
    #[error("bucket '{0}' not found; check its name, --region and --endpoint-url")]
    NoBucket(String),
    /// No such object.
    #[error("object not found; check the URL")]
    NoObject,
    /// An object in cold storage.
    #[error(
        "the object is in cold storage (InvalidObjectState); restore it first, with `aws s3api restore-object`"
    )]
    Archived,
    /// A bucket, and the other region where it is.
    #[error("bucket '{0}' is in {1}; pass its region with --region")]
    WrongRegion(String, String),
    /// A setting is invalid. The text says which, and what is expected.
    #[error("invalid AWS settings: {0}")]
    InvalidSettings(String),
    /// The operating system refused to start threads.
    #[error("cannot start threads for calls to AWS: {0}")]
    Threads(io::Error),
    /// A bug in credlens.
    #[error("fetching this account panicked, which is a bug in credlens; please report it")]
    TaskPanicked,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// The last response of AWS in a step that timed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastResponse {
    /// What was called.
    pub action: Action,
    /// An error code, or our own words.
    pub text: String,
}

impl Error {
    /// Classifies an error of the SDK.
    pub(super) fn from_sdk<E>(action: Action, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let unsendable = || {
            let advice = "check --region, --endpoint-url and the proxy variables";
            Self::InvalidSettings(format!("the request {action} cannot be sent; {advice}"))
        };
        match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                Self::from_response(action, context.err(), status)
            }
            SdkError::ResponseError(_) => Self::Unreadable(action),
            SdkError::TimeoutError(_) => Self::no_answer(action),
            SdkError::ConstructionFailure(_) => credential_error(error).unwrap_or_else(unsendable),
            SdkError::DispatchFailure(failure) => {
                match (credential_error(error), failure.as_connector_error()) {
                    (Some(error), _) => error,
                    (None, Some(failed)) if failed.is_user() => unsendable(),
                    (None, failed) => {
                        if let Some(reason) = failed.and_then(|failed| certificate_error(failed)) {
                            return Self::Untrusted(action, reason);
                        }
                        if let Some(settings) = address_error(error) {
                            return settings;
                        }
                        Self::Unreachable(action, failed.map_or_else(String::new, transport_reason))
                    }
                }
            }
            // The SDK's enum may grow.
            _ => Self::Other(action, "unknown error".to_owned()),
        }
    }

    /// Classifies a response that is an error.
    pub(super) fn from_response(action: Action, error: &impl ProvideErrorMetadata, status: u16) -> Self {
        if error.code().is_none() && status < 400 {
            return Self::Unreadable(action);
        }
        let code = error
            .code()
            .map_or_else(|| format!("HTTP {status}"), str::to_owned);
        let denied = |message: Option<&str>| Self::Denied {
            action,
            resource: None,
            message: message.map_or_else(String::new, in_parentheses),
        };
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" => {
                denied(error.message().filter(|_| !action.sends_token()))
            }
            "HTTP 403" => denied(Some(&code)),
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Self::Expired(code),
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "UnrecognizedClient"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "NotSignedUp"
            | "OptInRequired"
            | "InvalidToken" => Self::UnknownCredentials(code),
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Self::SignatureMismatch(code),
            "AWSOrganizationsNotInUseException" => Self::NoOrganization(code),
            "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Self::ClockSkew(code),
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
            // Another client is writing the same object.
            | "ConditionalRequestConflict"
            | "HTTP 429" => Self::Throttled(action, code),
            "RequestTimeout" | "RequestTimeoutException" | "IDPCommunicationError" | "HTTP 408" => {
                Self::Unavailable(action, code)
            }
            _ if status >= 500 => Self::Unavailable(action, code),
            _ => Self::Other(action, code),
        }
    }

    /// A call that was not answered in time.
    pub(super) fn no_answer(action: Action) -> Self {
        Self::Unreachable(action, "no answer in time".to_owned())
    }

    /// The missing permission, if that is the error.
    pub fn missing_permission(&self) -> Option<MissingPermission> {
        let Self::Denied { action, resource, .. } = self else {
            return None;
        };
        Some(MissingPermission {
            action: *action,
            resource: resource.clone(),
        })
    }

    /// Whether the command line or the configuration is wrong, not AWS or the credentials.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoProfile(..) | Self::InvalidSettings(_))
    }

    /// The response that this error stands for, to `action` unless the error names another one; none where nothing
    /// answered.
    pub(super) fn last_response(&self, action: Action) -> Option<LastResponse> {
        if matches!(self, Self::Unreachable(..) | Self::CredentialsUnreachable(_)) {
            return None;
        }
        let (action, text) = if let Self::Throttled(action, code) | Self::Unavailable(action, code) = self {
            (*action, code.clone())
        } else {
            (action, self.to_string())
        };
        Some(LastResponse { action, text })
    }

    /// Whether another try may help. The SDK itself retries the services that give a machine its credentials.
    pub(super) fn failure_kind(&self) -> FailureKind {
        if matches!(self, Self::Throttled(..)) {
            FailureKind::Throttled
        } else if matches!(
            self,
            Self::Unavailable(..) | Self::Unreachable(..) | Self::Unreadable(_)
        ) {
            FailureKind::Transient
        } else {
            FailureKind::Permanent
        }
    }

    /// Adds the resource to a missing permission that does not have one yet.
    pub(super) fn with_resource(mut self, arn: Option<String>) -> Self {
        if let Self::Denied { resource, .. } = &mut self
            && resource.is_none()
        {
            *resource = arn;
        }
        self
    }

    /// Adds the role that could not be assumed.
    pub(super) fn with_role(self, arn: Option<&str>) -> Self {
        match self.missing_permission() {
            Some(missing) if missing.action == Action::AssumeRole => {
                self.with_resource(arn.map(str::to_owned))
            }
            Some(_) | None => self,
        }
    }
}

/// What the content is, without the advice for saved reports.
fn content(what: &NotAReport) -> String {
    if matches!(what, NotAReport::NoUsers) {
        return "a header without a single user".to_owned();
    }
    let text = what.to_string();
    let what = text.split(", not a credential report").next().unwrap_or(&text);
    let what = what.rsplit_once("; ").map_or(what, |(what, _)| what);
    what.to_owned()
}

fn is_about_report(action: Action) -> bool {
    matches!(
        action,
        Action::GetCredentialReport | Action::GenerateCredentialReport
    )
}

fn unfinished(action: Action) -> String {
    if is_about_report(action) {
        "no report".to_owned()
    } else {
        format!("{action} did not finish")
    }
}

fn called(wanted: Action, called: Action) -> String {
    if called == wanted && !is_about_report(wanted) {
        String::new()
    } else {
        format!(", to {called}")
    }
}

/// In whole minutes, or in seconds.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 60.. if seconds.is_multiple_of(60) => counted(seconds / 60, "minute"),
        seconds => counted(seconds, "second"),
    }
}

/// At most 400 characters of AWS's message.
fn in_parentheses(message: &str) -> String {
    format!(" ({})", message.chars().take(400).collect::<String>())
}

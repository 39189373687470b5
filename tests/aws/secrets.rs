//! Every error of the SDK whose text could contain a secret: neither `Display` nor `Debug` of our error, nor its
//! sources, show it.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_iam::config::http::{HttpRequest, HttpResponse};
use aws_sdk_iam::config::{Credentials, HttpClient, RuntimeComponents};
use aws_sdk_iam::error::{ConnectorError, ErrorMetadata, SdkError};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_ssooidc::operation::create_token::CreateTokenError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;
use credlens::aws::{ConnectSettings, Error, S3, Session, fetch};

use super::report_states::options;

/// Also in the form of an address with a password and of a token.
const SECRET: &str = "http://user:S3CR3T@host/?token=S3CR3T S3CR3T";

pub(super) type Failure<E> = Arc<dyn Fn() -> E + Send + Sync>;

fn assert_hidden(name: &str, error: &Error) {
    let sources = std::iter::successors(Some(error as &dyn StdError), |error| (*error).source());
    let texts: Vec<_> = sources.map(|error| format!("{error}\n{error:?}")).collect();
    assert!(!texts.concat().contains("S3CR3T"), "{name}: {texts:?}");
}

/// A connection that fails in each way that the SDK knows.
fn connector_errors() -> [ConnectorError; 5] {
    [
        ConnectorError::timeout(SECRET.into()),
        ConnectorError::user(SECRET.into()),
        ConnectorError::io(SECRET.into()),
        ConnectorError::io(io::Error::other(io::Error::new(io::ErrorKind::InvalidData, SECRET)).into()),
        ConnectorError::other(SECRET.into(), None),
    ]
}

/// An operation that fails in each way that the SDK knows.
fn sdk_errors<E>(error: fn(ErrorMetadata) -> E, denied: bool) -> Vec<SdkError<E, HttpResponse>> {
    let response = |status: u16| HttpResponse::new(status.try_into().unwrap(), SdkBody::from(SECRET));
    let service_error = |status, code| {
        let error = error(ErrorMetadata::builder().code(code).message(SECRET).build());
        SdkError::service_error(error, response(status))
    };
    let mut errors = vec![
        SdkError::construction_failure(SECRET),
        SdkError::timeout_error(SECRET),
        SdkError::response_error(SECRET, response(200)),
        service_error(400, "ValidationError"),
        service_error(403, "ExpiredToken"),
        service_error(500, "ServiceFailure"),
    ];
    errors.extend(connector_errors().map(SdkError::dispatch_failure));
    // Where no token is sent, this message is AWS's own, and shown.
    errors.extend(denied.then(|| service_error(403, "AccessDenied")));
    errors
}

fn provider_errors<E>(error: fn(ErrorMetadata) -> E, denied: bool) -> Vec<Failure<CredentialsError>>
where
    E: StdError + Send + Sync + 'static,
{
    let count = sdk_errors(error, denied).len();
    let failure = |at| -> Failure<CredentialsError> {
        Arc::new(move || CredentialsError::provider_error(sdk_errors(error, denied).swap_remove(at)))
    };
    (0..count).map(failure).collect()
}

/// Fails with an error of credentials, or of the connection.
pub(super) struct Failing<E>(pub(super) Failure<E>);

impl<E> std::fmt::Debug for Failing<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Failing")
    }
}

impl ProvideCredentials for Failing<CredentialsError> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err((self.0)()))
    }
}

impl HttpConnector for Failing<Result<HttpResponse, ConnectorError>> {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready((self.0)())
    }
}

impl HttpClient for Failing<Result<HttpResponse, ConnectorError>> {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self(Arc::clone(&self.0)))
    }
}

fn settings() -> ConnectSettings {
    ConnectSettings {
        region: Some("us-east-1".to_owned()),
        timeout: Some(Duration::from_mins(10)),
        ..ConnectSettings::default()
    }
}

fn loader() -> aws_config::ConfigLoader {
    let credentials = Credentials::new("AKIDEXAMPLE", "S3CR3T", Some("S3CR3T".to_owned()), None, "test");
    aws_config::defaults(BehaviorVersion::latest()).credentials_provider(credentials)
}

async fn fetch_error(loader: aws_config::ConfigLoader) -> Error {
    let session = Box::pin(Session::open_with(&settings(), loader)).await.unwrap();
    fetch(&session, &options(), "test").await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn of_credential_providers() {
    let mut failures: Vec<Failure<CredentialsError>> = vec![
        Arc::new(|| CredentialsError::not_loaded(SECRET)),
        Arc::new(|| CredentialsError::provider_timed_out(Duration::from_secs(1))),
        Arc::new(|| CredentialsError::invalid_configuration(SECRET)),
        Arc::new(|| CredentialsError::provider_error(SECRET)),
        Arc::new(|| CredentialsError::provider_error(io::Error::other(SECRET))),
        Arc::new(|| CredentialsError::unhandled(SECRET)),
    ];
    failures.extend(provider_errors(AssumeRoleError::generic, false));
    failures.extend(provider_errors(AssumeRoleWithWebIdentityError::generic, true));
    failures.extend(provider_errors(GetRoleCredentialsError::generic, true));
    failures.extend(provider_errors(CreateTokenError::generic, true));
    let mut texts = std::collections::BTreeSet::new();
    for failure in failures {
        let name = format!("{:?}", failure());
        let error = fetch_error(loader().credentials_provider(Failing(failure))).await;
        assert_hidden(&name, &error);
        texts.insert(error.to_string());
    }
    insta::assert_snapshot!(Vec::from_iter(texts).join("\n"), @"
    AWS could not be reached for sso:CreateToken: no answer in time; check the network, --region and --endpoint-url
    AWS could not be reached for sso:CreateToken: the TLS handshake failed (is the server's certificate trusted?); check the network, --region and --endpoint-url
    AWS could not be reached for sso:CreateToken: the connection was closed before the end of the answer; check the network, --region and --endpoint-url
    AWS could not be reached for sso:CreateToken: the host name is unknown, or the connection was closed; check the network, --region and --endpoint-url
    AWS could not be reached for sso:GetRoleCredentials: no answer in time; check the network, --region and --endpoint-url
    AWS could not be reached for sso:GetRoleCredentials: the TLS handshake failed (is the server's certificate trusted?); check the network, --region and --endpoint-url
    AWS could not be reached for sso:GetRoleCredentials: the connection was closed before the end of the answer; check the network, --region and --endpoint-url
    AWS could not be reached for sso:GetRoleCredentials: the host name is unknown, or the connection was closed; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRole: no answer in time; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRole: the TLS handshake failed (is the server's certificate trusted?); check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRole: the connection was closed before the end of the answer; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRole: the host name is unknown, or the connection was closed; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRoleWithWebIdentity: no answer in time; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRoleWithWebIdentity: the TLS handshake failed (is the server's certificate trusted?); check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRoleWithWebIdentity: the connection was closed before the end of the answer; check the network, --region and --endpoint-url
    AWS could not be reached for sts:AssumeRoleWithWebIdentity: the host name is unknown, or the connection was closed; check the network, --region and --endpoint-url
    AWS denied sts:AssumeRoleWithWebIdentity to these credentials
    AWS failed to answer sso:CreateToken (ServiceFailure); try again later
    AWS failed to answer sso:GetRoleCredentials (ServiceFailure); try again later
    AWS failed to answer sts:AssumeRole (ServiceFailure); try again later
    AWS failed to answer sts:AssumeRoleWithWebIdentity (ServiceFailure); try again later
    AWS rejected sts:AssumeRole (ValidationError); AWS's API reference of this call explains the code
    AWS rejected sts:AssumeRoleWithWebIdentity (ValidationError); AWS's API reference of this call explains the code
    invalid AWS settings: the request sso:CreateToken cannot be sent; check --region, --endpoint-url and the proxy variables
    invalid AWS settings: the request sso:GetRoleCredentials cannot be sent; check --region, --endpoint-url and the proxy variables
    invalid AWS settings: the request sts:AssumeRole cannot be sent; check --region, --endpoint-url and the proxy variables
    invalid AWS settings: the request sts:AssumeRoleWithWebIdentity cannot be sent; check --region, --endpoint-url and the proxy variables
    no AWS credentials found: the configured source failed; sign in with `aws sso login`, or run `aws sts get-caller-identity` for details, which are not shown here because they may contain secrets
    no AWS credentials found: the profile or the AWS_* variables are invalid; sign in with `aws sso login`, or run `aws sts get-caller-identity` for details, which are not shown here because they may contain secrets
    no AWS credentials found; pass --profile, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`
    single sign-on issued no AWS credentials (AccessDenied); sign in with `aws sso login`, and check the account and role of the profile
    single sign-on issued no AWS credentials (ExpiredToken); sign in with `aws sso login`, and check the account and role of the profile
    single sign-on issued no AWS credentials (ValidationError); sign in with `aws sso login`, and check the account and role of the profile
    the AWS credentials have expired (ExpiredToken); renew them, for example with `aws sso login`
    the response to sso:CreateToken could not be read; check for a proxy or a login page between this machine and AWS
    the response to sso:GetRoleCredentials could not be read; check for a proxy or a login page between this machine and AWS
    the response to sts:AssumeRole could not be read; check for a proxy or a login page between this machine and AWS
    the response to sts:AssumeRoleWithWebIdentity could not be read; check for a proxy or a login page between this machine and AWS
    the service that issues the AWS credentials could not be reached: no answer in time; check the network
    ");
}

#[tokio::test(start_paused = true)]
async fn of_connections_and_responses() {
    let body = |body: &str| body.replace("TEXT", SECRET);
    let responses = [
        (200, body("<html>TEXT")),
        (200, body("<GetCredentialReportResponse><TEXT")),
        (400, super::error("ValidationError").replace("Unknown", SECRET)),
        (500, super::error("ServiceFailure").replace("Unknown", SECRET)),
        (
            403,
            super::error("SignatureDoesNotMatch").replace("Unknown", SECRET),
        ),
    ];
    let mut failures: Vec<Failure<Result<HttpResponse, ConnectorError>>> = Vec::new();
    for at in 0..connector_errors().len() {
        failures.push(Arc::new(move || {
            Err(connector_errors().into_iter().nth(at).unwrap())
        }));
    }
    for (status, body) in responses {
        failures.push(Arc::new(move || {
            Ok(HttpResponse::new(
                u16::try_into(status).unwrap(),
                SdkBody::from(body.clone()),
            ))
        }));
    }
    let mut texts = std::collections::BTreeSet::new();
    for failure in failures {
        let name = format!("{:?}", failure());
        let error = fetch_error(loader().http_client(Failing(failure))).await;
        assert_hidden(&name, &error);
        texts.insert(error.to_string());
    }
    insta::assert_snapshot!(Vec::from_iter(texts).join("\n"), @"
    AWS could not be reached for iam:GetCredentialReport: no answer in time; check the network, --region and --endpoint-url
    AWS could not be reached for iam:GetCredentialReport: the TLS handshake failed (is the server's certificate trusted?); check the network, --region and --endpoint-url
    AWS could not be reached for iam:GetCredentialReport: the connection was closed before the end of the answer; check the network, --region and --endpoint-url
    AWS could not be reached for iam:GetCredentialReport: the host name is unknown, or the connection was closed; check the network, --region and --endpoint-url
    AWS failed to answer iam:GetCredentialReport (ServiceFailure); try again later
    AWS rejected iam:GetCredentialReport (ValidationError); AWS's API reference of this call explains the code
    AWS rejected the signature of the request (SignatureDoesNotMatch); check the secret access key and this machine's clock
    invalid AWS settings: the request iam:GetCredentialReport cannot be sent; check --region, --endpoint-url and the proxy variables
    the response to iam:GetCredentialReport could not be read; check for a proxy or a login page between this machine and AWS
    ");
}

/// The body of an object that breaks off with an error.
struct BrokenBody;

impl http_body::Body for BrokenBody {
    type Data = <SdkBody as http_body::Body>::Data;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other(SECRET))))
    }
}

#[test]
fn of_transfers() {
    let response = || {
        let body = SdkBody::from_body_1_x(BrokenBody);
        Ok(HttpResponse::new(200_u16.try_into().unwrap(), body))
    };
    let client = Failing::<Result<HttpResponse, ConnectorError>>(Arc::new(response));
    let s3 = S3::connect_with(&settings(), loader().http_client(client)).unwrap();
    let error = s3.bytes(&"s3://bucket/key".parse().unwrap()).unwrap_err();
    assert_hidden("a body", &error);
    insta::assert_snapshot!(error, @"AWS could not be reached for s3:GetObject: the transfer broke off; check the network, --region and --endpoint-url");
}

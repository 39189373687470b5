//! Fetching one report: the calls and the error for every state and error of the API.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_iam::config::Credentials;
use credlens::aws::{ConnectSettings, Error, FetchOptions, Report, Session, fetch, organization_accounts};
use credlens::report::time::Timestamp;

use super::secrets::Failing;
use super::stub::{Reply, Stub};
use super::{error, generated, got, report, result};

/// 2026-11-21T12:00:00Z
const NOW: Timestamp = Timestamp(1_795_262_400);
const YOUNG: &str = "2026-11-21T08:00:01Z";
const OLD: &str = "2015-02-02T20:02:02Z";
const ACCOUNT: &str = "123456789012";

fn ok(body: String) -> Reply {
    Reply::Http(200, body)
}

fn fails(status: u16, code: &str) -> Reply {
    Reply::Http(status, error(code))
}

fn young() -> Reply {
    ok(got(&report(ACCOUNT), YOUNG))
}

fn old() -> Reply {
    ok(got(&report(ACCOUNT), OLD))
}

fn state(word: &str) -> Reply {
    ok(generated(word))
}

fn not_present() -> Reply {
    fails(410, "ReportNotPresent")
}

pub(super) async fn session(stub: &Stub, settings: &ConnectSettings) -> Session {
    let settings = ConnectSettings {
        region: settings.region.clone().or(Some("us-east-1".to_owned())),
        ..settings.clone()
    };
    let credentials = Credentials::new(
        "AKIDEXAMPLE",
        "SECRETEXAMPLE",
        Some("TOKENEXAMPLE".to_owned()),
        None,
        "test",
    );
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = loader.http_client(stub.clone()).credentials_provider(credentials);
    Box::pin(Session::open_with(&settings, loader)).await.unwrap()
}

pub(super) fn options() -> FetchOptions {
    FetchOptions {
        max_report_age: Duration::from_hours(4),
        timeout: Duration::from_mins(10),
        now: NOW,
        log: Arc::new(|_| {}),
    }
}

async fn run(stub: &Stub) -> Result<Report, Error> {
    let session = session(stub, &ConnectSettings::default()).await;
    fetch(&session, &options(), "test").await
}

/// The calls, abbreviated: g is Get, m is Generate (make).
fn calls(stub: &Stub) -> String {
    let short = |call: &String| match call.as_str() {
        "GetCredentialReport" => 'g',
        "GenerateCredentialReport" => 'm',
        _ => '?',
    };
    stub.calls().iter().map(short).collect()
}

#[tokio::test(start_paused = true)]
async fn sequences_that_end_in_a_report() {
    let cases: Vec<(&str, Vec<Reply>)> = vec![
        ("g", vec![young()]),
        (
            "gmmmg",
            vec![
                not_present(),
                state("STARTED"),
                state("INPROGRESS"),
                state("COMPLETE"),
                young(),
            ],
        ),
        (
            "gmg",
            vec![fails(410, "ReportExpired"), state("COMPLETE"), young()],
        ),
        ("gmg", vec![old(), state("COMPLETE"), old()]),
        (
            "gmg",
            vec![fails(404, "ReportInProgress"), state("COMPLETE"), young()],
        ),
        (
            "gmgg",
            vec![old(), state("COMPLETE"), fails(404, "ReportInProgress"), young()],
        ),
        (
            "gmgmg",
            vec![
                old(),
                state("COMPLETE"),
                not_present(),
                state("COMPLETE"),
                young(),
            ],
        ),
        (
            "gmmmg",
            vec![
                not_present(),
                fails(409, "LimitExceeded"),
                fails(400, "Throttling"),
                state("COMPLETE"),
                young(),
            ],
        ),
        (
            "ggg",
            vec![
                fails(400, "Throttling"),
                fails(429, "TooManyRequestsException"),
                young(),
            ],
        ),
        (
            "gggg",
            vec![
                fails(500, "ServiceFailure"),
                fails(503, "ServiceUnavailable"),
                Reply::Broken,
                young(),
            ],
        ),
        ("gg", vec![Reply::Silence, young()]),
        // An unknown state.
        (
            "gmmg",
            vec![not_present(), state("PONDERING"), state("COMPLETE"), young()],
        ),
        // Not XML, truncated, not base64, and without a time.
        (
            "gggg",
            vec![
                ok("<html>Sign in to the network".to_owned()),
                ok(got(&report(ACCOUNT), YOUNG)[..400].to_owned()),
                ok(result("GetCredentialReport", "<Content>%%%%</Content>")),
                young(),
            ],
        ),
        (
            "gg",
            vec![
                ok(result("GetCredentialReport", "<Content>dXNlcg==</Content>")),
                young(),
            ],
        ),
    ];
    for (expected, replies) in cases {
        let stub = Stub::new(&replies);
        let fetched = run(&stub).await;
        let fetched = fetched.unwrap_or_else(|error| panic!("{replies:?}: {error}"));
        assert_eq!(fetched.csv, report(ACCOUNT).into_bytes());
        assert_eq!((calls(&stub).as_str(), stub.left()), (expected, 0), "{replies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sequences_that_end_in_an_error() {
    let denied = || fails(403, "AccessDenied");
    let cases: Vec<(&str, &str, Vec<Reply>)> = vec![
        ("g", "denied iam:GetCredentialReport", vec![denied()]),
        (
            "gm",
            "denied iam:GenerateCredentialReport",
            vec![not_present(), denied()],
        ),
        (
            "g",
            "have expired (ExpiredToken)",
            vec![fails(403, "ExpiredToken")],
        ),
        (
            "g",
            "of another partition",
            vec![fails(403, "InvalidClientTokenId")],
        ),
        (
            "g",
            "secret access key and this machine's clock",
            vec![fails(403, "SignatureDoesNotMatch")],
        ),
        (
            "g",
            "this machine's clock differs",
            vec![fails(403, "RequestExpired")],
        ),
        ("g", "HTTP 403", vec![Reply::Http(403, "<html/>".to_owned())]),
        ("g", "(ValidationError)", vec![fails(400, "ValidationError")]),
        ("gggg", "could not be reached", vec![Reply::Broken; 4]),
        ("gggg", "could not be reached", vec![Reply::Silence; 4]),
        (
            "gggg",
            "failed to answer iam:GetCredentialReport (ServiceFailure)",
            vec![fails(500, "ServiceFailure"); 4],
        ),
        ("gggg", "could not be read", vec![ok("garbage".to_owned()); 4]),
        (
            "gmmmm",
            "failed to answer iam:GenerateCredentialReport (HTTP 502)",
            [vec![not_present()], vec![Reply::Http(502, String::new()); 4]].concat(),
        ),
    ];
    for (expected, message, replies) in cases {
        let stub = Stub::new(&replies);
        let error = run(&stub).await.unwrap_err().to_string();
        assert!(error.contains(message), "{replies:?}: {error}");
        assert_eq!((calls(&stub).as_str(), stub.left()), (expected, 0), "{replies:?}");
        for secret in ["SECRETEXAMPLE", "TOKENEXAMPLE"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn endless_sequences_time_out() {
    for (reply, message) in [
        (state("INPROGRESS"), "in progress"),
        (fails(409, "LimitExceeded"), "LimitExceeded"),
    ] {
        let stub = Stub::new(&[not_present()]).then_always(reply);
        let started = tokio::time::Instant::now();
        let error = run(&stub).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(error.to_string().contains(message), "{error}");
        // A call at the very end would have no time to be answered.
        let seconds = started.elapsed().as_secs();
        assert!((590..600).contains(&seconds), "{seconds}");
        // Pauses are at most 8 s, with a quarter of jitter.
        assert!((60..110).contains(&stub.calls().len()), "{}", stub.calls().len());
    }
}

#[tokio::test(start_paused = true)]
async fn without_credentials_aws_is_not_called() {
    let stub = Stub::new(&[]);
    let loader = || aws_config::defaults(BehaviorVersion::latest()).http_client(stub.clone());
    let none = Failing(Arc::new(|| CredentialsError::not_loaded("none")));
    let error = error_with(loader().credentials_provider(none)).await;
    assert!(matches!(error, Error::NoCredentials), "{error:?}");
    let error = error_with(loader().credentials_provider(SilentProvider)).await;
    assert!(matches!(error, Error::CredentialsUnreachable(_)), "{error:?}");
    assert_eq!(stub.calls().len(), 0);
}

async fn error_with(loader: ConfigLoader) -> Error {
    let settings = ConnectSettings {
        region: Some("us-east-1".to_owned()),
        ..ConnectSettings::default()
    };
    let session = Box::pin(Session::open_with(&settings, loader)).await.unwrap();
    fetch(&session, &options(), "test").await.unwrap_err()
}

/// A credential provider that never answers.
#[derive(Debug)]
struct SilentProvider;

impl ProvideCredentials for SilentProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn denied_roles_are_reported() {
    let stub = Stub::new(&[fails(403, "AccessDenied")]);
    let settings = ConnectSettings {
        role_arn: Some("arn:aws:iam::123456789012:role/Scan".to_owned()),
        ..ConnectSettings::default()
    };
    let session = session(&stub, &settings).await;
    let error = fetch(&session, &options(), "test").await.unwrap_err();
    assert!(error.to_string().contains("denied sts:AssumeRole"), "{error:?}");
    assert_eq!(stub.calls(), ["AssumeRole"]);
}

#[tokio::test(start_paused = true)]
async fn pages_of_accounts_are_followed_even_if_empty() {
    let page = |accounts: &[(&str, &str)], next: &str| {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|(id, state)| format!(r#"{{"Id":"{id}","Name":"n{id}",{state}}}"#))
            .collect();
        let next = if next.is_empty() {
            String::new()
        } else {
            format!(r#","NextToken":"{next}""#)
        };
        Reply::Http(200, format!(r#"{{"Accounts":[{}]{next}}}"#, accounts.join(",")))
    };
    let stub = Stub::new(&[
        page(&[("111111111111", r#""State":"ACTIVE","Status":"ACTIVE""#)], "a"),
        page(&[], "b"),
        Reply::Http(400, r#"{"__type":"TooManyRequestsException"}"#.to_owned()),
        page(
            &[
                ("222222222222", r#""State":"SUSPENDED""#),
                ("333333333333", r#""Status":"ACTIVE""#),
                ("444444444444", r#""State":"PENDING_CLOSURE","Status":"ACTIVE""#),
            ],
            "",
        ),
    ]);
    let session = session(&stub, &ConnectSettings::default()).await;
    let accounts = organization_accounts(&session).await.unwrap();
    let states: Vec<_> = accounts
        .iter()
        .map(|account| (account.id.as_str(), account.inactive.as_deref()))
        .collect();
    assert_eq!(
        states,
        [
            ("111111111111", None),
            ("222222222222", Some("SUSPENDED")),
            ("333333333333", None),
            ("444444444444", Some("PENDING_CLOSURE")),
        ]
    );
    assert_eq!(accounts[0].name.as_deref(), Some("n111111111111"));
    assert_eq!(stub.calls(), ["ListAccounts"; 4]);
}

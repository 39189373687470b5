//! Every state and error of the API in turn: what is called for how often, and what is said in the end.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_iam::config::Credentials;
use credlens::aws::{Error, Options, Patience, Report, Session, Settings, active_accounts, fetch};
use credlens::report::time::Timestamp;

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

pub(super) async fn session(stub: &Stub, settings: &Settings) -> Session {
    let settings = Settings {
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
    Box::pin(Session::open_by(&settings, loader)).await.unwrap()
}

pub(super) fn options() -> Options {
    Options {
        patience: Patience {
            max_report_age: Duration::from_hours(4),
            timeout: Duration::from_mins(10),
        },
        now: NOW,
        log: Arc::new(|_| {}),
    }
}

async fn run(stub: &Stub) -> Result<Report, Error> {
    let session = session(stub, &Settings::default()).await;
    fetch(&session, &options(), "test").await
}

/// The calls in short: g is Get, m is Generate (make).
fn calls(stub: &Stub) -> String {
    let short = |call: &String| match call.as_str() {
        "GetCredentialReport" => 'g',
        "GenerateCredentialReport" => 'm',
        _ => '?',
    };
    stub.calls().iter().map(short).collect()
}

#[tokio::test(start_paused = true)]
async fn every_way_to_a_report() {
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
        // A state yet unknown.
        (
            "gmmg",
            vec![not_present(), state("PONDERING"), state("COMPLETE"), young()],
        ),
        // No XML, cut off, no base64, and no time.
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
    for (wanted, replies) in cases {
        let stub = Stub::new(&replies);
        let fetched = run(&stub).await;
        let fetched = fetched.unwrap_or_else(|error| panic!("{replies:?}: {error}"));
        assert_eq!(fetched.csv, report(ACCOUNT).into_bytes());
        assert_eq!((calls(&stub).as_str(), stub.left()), (wanted, 0), "{replies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_end_without_a_report() {
    let denied = || fails(403, "AccessDenied");
    let cases: Vec<(&str, &str, Vec<Reply>)> = vec![
        ("g", "not allow iam:GetCredentialReport", vec![denied()]),
        (
            "gm",
            "not allow iam:GenerateCredentialReport",
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
            "or the clock of this machine",
            vec![fails(403, "SignatureDoesNotMatch")],
        ),
        ("g", "clock of this machine", vec![fails(403, "RequestExpired")]),
        ("g", "HTTP 403", vec![Reply::Http(403, "<html/>".to_owned())]),
        ("g", "by ValidationError", vec![fails(400, "ValidationError")]),
        ("gggg", "could not be reached", vec![Reply::Broken; 4]),
        ("gggg", "could not be reached", vec![Reply::Silence; 4]),
        (
            "gggg",
            "failed at iam:GetCredentialReport (ServiceFailure)",
            vec![fails(500, "ServiceFailure"); 4],
        ),
        ("gggg", "could not be read", vec![ok("garbage".to_owned()); 4]),
        (
            "gmmmm",
            "failed at iam:GenerateCredentialReport (HTTP 502)",
            [vec![not_present()], vec![Reply::Http(502, String::new()); 4]].concat(),
        ),
    ];
    for (wanted, said, replies) in cases {
        let stub = Stub::new(&replies);
        let error = run(&stub).await.unwrap_err().to_string();
        assert!(error.contains(said), "{replies:?}: {error}");
        assert_eq!((calls(&stub).as_str(), stub.left()), (wanted, 0), "{replies:?}");
        for secret in ["SECRETEXAMPLE", "TOKENEXAMPLE"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_ends_times_out() {
    for (reply, said) in [
        (state("INPROGRESS"), "in progress"),
        (fails(409, "LimitExceeded"), "LimitExceeded"),
    ] {
        let stub = Stub::new(&[not_present()]).then_always(reply);
        let started = tokio::time::Instant::now();
        let error = run(&stub).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        // A call at the very end would be in vain.
        let seconds = started.elapsed().as_secs();
        assert!((590..600).contains(&seconds), "{seconds}");
        // At most 8 s lie between two calls, and a quarter more or less by chance.
        assert!((60..110).contains(&stub.calls().len()), "{}", stub.calls().len());
    }
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_is_called_for() {
    let stub = Stub::new(&[]);
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(stub.clone());
    let provider = aws_credential_types::provider::error::CredentialsError::not_loaded("none");
    let loader = loader.credentials_provider(Missing(Arc::new(std::sync::Mutex::new(Some(provider)))));
    let settings = Settings {
        region: Some("us-east-1".to_owned()),
        ..Settings::default()
    };
    let session = Box::pin(Session::open_by(&settings, loader)).await.unwrap();
    let error = fetch(&session, &options(), "test").await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    assert_eq!(stub.calls().len(), 0);
}

/// A provider that has an error and nothing else.
#[derive(Debug)]
struct Missing(Arc<std::sync::Mutex<Option<aws_credential_types::provider::error::CredentialsError>>>);

impl aws_credential_types::provider::ProvideCredentials for Missing {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = self.0.lock().unwrap().take().expect("asked once");
        aws_credential_types::provider::future::ProvideCredentials::ready(Err(error))
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_is_told() {
    let stub = Stub::new(&[fails(403, "AccessDenied")]);
    let settings = Settings {
        role_arn: Some("arn:aws:iam::123456789012:role/Scan".to_owned()),
        ..Settings::default()
    };
    let session = session(&stub, &settings).await;
    let error = fetch(&session, &options(), "test").await.unwrap_err();
    assert!(
        error.to_string().contains("not allow sts:AssumeRole"),
        "{error:?}"
    );
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
    let session = session(&stub, &Settings::default()).await;
    let accounts = active_accounts(&session).await.unwrap();
    let ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(ids, ["111111111111", "333333333333"]);
    assert_eq!(accounts[0].name.as_deref(), Some("n111111111111"));
    assert_eq!(stub.calls(), ["ListAccounts"; 4]);
}

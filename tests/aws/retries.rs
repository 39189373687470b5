//! Retries of every step: which failures, how often, and the error when time runs out.

use std::collections::BTreeSet;
use std::time::Duration;

use credlens::aws::{ConnectSettings, Error, Session, fetch, organization_accounts};

use super::report_states::{options, session};
use super::stub::{Reply, Stub};
use super::{error, generated};

/// A step of fetching a report, or before it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Report,
    Role,
    Caller,
    Accounts,
}

const STEPS: [Step; 4] = [Step::Report, Step::Role, Step::Caller, Step::Accounts];

async fn fail(step: Step, stub: &Stub, seconds: u64) -> Error {
    let timeout = Duration::from_secs(seconds);
    let role = "arn:aws:iam::123456789012:role/Scan".to_owned();
    let settings = ConnectSettings {
        role_arn: Some(role).filter(|_| matches!(step, Step::Role)),
        timeout: Some(timeout),
        ..ConnectSettings::default()
    };
    let session: Session = session(stub, &settings).await;
    let mut options = options();
    options.timeout = timeout;
    match step {
        Step::Report | Step::Role => fetch(&session, &options, "test").await.unwrap_err(),
        Step::Caller => session.caller().await.unwrap_err(),
        Step::Accounts => organization_accounts(&session).await.unwrap_err(),
    }
}

/// An error response in the format of the step's service.
fn fails(status: u16, code: &str, step: Step) -> Reply {
    let body = match step {
        Step::Accounts => format!(r#"{{"__type":"{code}"}}"#),
        Step::Report | Step::Role | Step::Caller => error(code),
    };
    Reply::Http(status, body)
}

/// For each step: how often it was called, and the error.
async fn errors(reply: impl Fn(Step) -> Reply, seconds: u64) -> String {
    let mut lines = Vec::new();
    for step in STEPS {
        let stub = Stub::new(&[]).then_always(reply(step));
        let error = fail(step, &stub, seconds).await;
        lines.push(format!("{}: {error}", stub.calls().len()));
    }
    lines.join("\n")
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_tried_four_times() {
    insta::assert_snapshot!(errors(|_| Reply::Broken, 600).await, @r"
    4: AWS could not be reached for iam:GetCredentialReport: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:AssumeRole: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:GetCallerIdentity: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for organizations:ListAccounts: connection refused; check the network, --region and --endpoint-url
    ");
    insta::assert_snapshot!(errors(|_| Reply::Silence, 600).await, @r"
    4: AWS could not be reached for iam:GetCredentialReport: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:AssumeRole: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:GetCallerIdentity: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for organizations:ListAccounts: no answer in time; check the network, --region and --endpoint-url
    ");
    insta::assert_snapshot!(errors(|step| fails(500, "ServiceFailure", step), 600).await, @r"
    4: AWS failed to answer iam:GetCredentialReport (ServiceFailure); try again later
    4: AWS failed to answer sts:AssumeRole (ServiceFailure); try again later
    4: AWS failed to answer sts:GetCallerIdentity (ServiceFailure); try again later
    4: AWS failed to answer organizations:ListAccounts (ServiceFailure); try again later
    ");
    let mut read = BTreeSet::new();
    for garbage in [
        "",
        "<html>Sign in</html>",
        "<GetCredentialReportResponse><Get",
        "{\"Acc",
        "{}",
    ] {
        read.insert(errors(|_| Reply::Http(200, garbage.to_owned()), 600).await);
    }
    insta::assert_snapshot!(Vec::from_iter(read).join("\nor\n"), @r"
    4: the response to iam:GetCredentialReport could not be read; check for a proxy or a login page between this machine and AWS
    4: the response to sts:AssumeRole could not be read; check for a proxy or a login page between this machine and AWS
    4: the response to sts:GetCallerIdentity could not be read; check for a proxy or a login page between this machine and AWS
    4: the response to organizations:ListAccounts could not be read; check for a proxy or a login page between this machine and AWS
    ");
}

#[tokio::test(start_paused = true)]
async fn time_outs_show_the_last_response() {
    // Four calls would take three pauses of about seven seconds in all.
    insta::assert_snapshot!(errors(|step| fails(400, "Throttling", step), 2).await, @r"
    2: no report within 2 seconds; last response, to iam:GetCredentialReport: Throttling; raise --timeout, or try again later
    2: no report within 2 seconds; last response, to sts:AssumeRole: Throttling; raise --timeout, or try again later
    2: sts:GetCallerIdentity did not finish within 2 seconds; last response: Throttling; raise --timeout, or try again later
    2: organizations:ListAccounts did not finish within 2 seconds; last response: Throttling; raise --timeout, or try again later
    ");
    insta::assert_snapshot!(errors(|step| fails(503, "ServiceUnavailable", step), 2).await, @r"
    2: no report within 2 seconds; last response, to iam:GetCredentialReport: ServiceUnavailable; raise --timeout, or try again later
    2: no report within 2 seconds; last response, to sts:AssumeRole: ServiceUnavailable; raise --timeout, or try again later
    2: sts:GetCallerIdentity did not finish within 2 seconds; last response: ServiceUnavailable; raise --timeout, or try again later
    2: organizations:ListAccounts did not finish within 2 seconds; last response: ServiceUnavailable; raise --timeout, or try again later
    ");
    insta::assert_snapshot!(errors(|_| Reply::Silence, 1).await, @r"
    1: AWS could not be reached for iam:GetCredentialReport: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for sts:AssumeRole: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for sts:GetCallerIdentity: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for organizations:ListAccounts: no answer in time; check the network, --region and --endpoint-url
    ");
}

#[tokio::test(start_paused = true)]
async fn silence_after_responses_times_out() {
    let answers = [
        Reply::Http(410, error("ReportNotPresent")),
        Reply::Http(200, generated("STARTED")),
    ];
    let mut lines = Vec::new();
    for known in [1, 2] {
        let stub = Stub::new(&answers[..known]).then_always(Reply::Silence);
        let error = fail(Step::Report, &stub, 5).await;
        lines.push(format!("{}: {error}", stub.calls().len()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    2: AWS could not be reached for iam:GenerateCredentialReport: no answer in time; check the network, --region and --endpoint-url
    3: no report within 5 seconds; last response, to iam:GenerateCredentialReport: in progress; raise --timeout, or try again later
    ");
    let page = Reply::Http(200, r#"{"Accounts":[],"NextToken":"a"}"#.to_owned());
    let stub = Stub::new(&[page]).then_always(Reply::Silence);
    insta::assert_snapshot!(fail(Step::Accounts, &stub, 5).await, @"organizations:ListAccounts did not finish within 5 seconds; last response: a part of the list; raise --timeout, or try again later");
}

/// The hosts that are called in each partition.
#[tokio::test(start_paused = true)]
async fn the_region_decides_the_partition() {
    let mut lines = Vec::new();
    for region in ["eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
        for step in [Step::Report, Step::Caller, Step::Accounts] {
            let stub = Stub::new(&[]).then_always(fails(403, "AccessDenied", step));
            let settings = ConnectSettings {
                region: Some(region.to_owned()),
                ..ConnectSettings::default()
            };
            let session = session(&stub, &settings).await;
            let error = match step {
                Step::Caller => session.caller().await.unwrap_err(),
                Step::Accounts => organization_accounts(&session).await.unwrap_err(),
                Step::Report | Step::Role => fetch(&session, &options(), "test").await.unwrap_err(),
            };
            assert!(matches!(error, Error::Denied { .. }), "{error}");
            lines.push(format!("{} {}", session.partition(), stub.hosts().concat()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    aws iam.amazonaws.com
    aws sts.eu-west-1.amazonaws.com
    aws organizations.us-east-1.amazonaws.com
    aws-cn iam.cn-north-1.amazonaws.com.cn
    aws-cn sts.cn-north-1.amazonaws.com.cn
    aws-cn organizations.cn-northwest-1.amazonaws.com.cn
    aws-us-gov iam.us-gov.amazonaws.com
    aws-us-gov sts.us-gov-west-1.amazonaws.com
    aws-us-gov organizations.us-gov-west-1.amazonaws.com
    aws-eusc iam.eusc-de-east-1.amazonaws.eu
    aws-eusc sts.eusc-de-east-1.amazonaws.eu
    aws-eusc organizations.eusc-de-east-1.amazonaws.eu
    ");
}

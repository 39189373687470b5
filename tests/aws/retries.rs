//! What is tried again, how often, and what is told of it when the time is over: the same for every step.

use std::collections::BTreeSet;
use std::time::Duration;

use credlens::aws::{Error, Session, Settings, active_accounts, fetch};

use super::states::{options, session};
use super::stub::{Reply, Stub};
use super::{error, generated};

/// A step before or of fetching a report.
#[derive(Clone, Copy, Debug)]
enum Step {
    Report,
    Role,
    Caller,
    Accounts,
}

const STEPS: [Step; 4] = [Step::Report, Step::Role, Step::Caller, Step::Accounts];

async fn take(step: Step, stub: &Stub, seconds: u64) -> Error {
    let timeout = Duration::from_secs(seconds);
    let role = "arn:aws:iam::123456789012:role/Scan".to_owned();
    let settings = Settings {
        role_arn: Some(role).filter(|_| matches!(step, Step::Role)),
        timeout: Some(timeout),
        ..Settings::default()
    };
    let session: Session = session(stub, &settings).await;
    let mut options = options();
    options.patience.timeout = timeout;
    match step {
        Step::Report | Step::Role => fetch(&session, &options, "test").await.unwrap_err(),
        Step::Caller => session.caller().await.unwrap_err(),
        Step::Accounts => active_accounts(&session).await.unwrap_err(),
    }
}

/// An error in the form of each service at once: Organizations speaks JSON.
fn fails(status: u16, code: &str, step: Step) -> Reply {
    let body = match step {
        Step::Accounts => format!(r#"{{"__type":"{code}"}}"#),
        Step::Report | Step::Role | Step::Caller => error(code),
    };
    Reply::Http(status, body)
}

/// What is told of each step, a line each, and how often it was asked for.
async fn told(reply: impl Fn(Step) -> Reply, seconds: u64) -> String {
    let mut told = Vec::new();
    for step in STEPS {
        let stub = Stub::new(&[]).then_always(reply(step));
        let error = take(step, &stub, seconds).await;
        told.push(format!("{}: {error}", stub.calls().len()));
    }
    told.join("\n")
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_tried_four_times() {
    insta::assert_snapshot!(told(|_| Reply::Broken, 600).await, @r"
    4: AWS could not be reached for iam:GetCredentialReport: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:AssumeRole: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:GetCallerIdentity: connection refused; check the network, --region and --endpoint-url
    4: AWS could not be reached for organizations:ListAccounts: connection refused; check the network, --region and --endpoint-url
    ");
    insta::assert_snapshot!(told(|_| Reply::Silence, 600).await, @r"
    4: AWS could not be reached for iam:GetCredentialReport: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:AssumeRole: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for sts:GetCallerIdentity: no answer in time; check the network, --region and --endpoint-url
    4: AWS could not be reached for organizations:ListAccounts: no answer in time; check the network, --region and --endpoint-url
    ");
    insta::assert_snapshot!(told(|step| fails(500, "ServiceFailure", step), 600).await, @r"
    4: AWS failed at iam:GetCredentialReport (ServiceFailure); try again later
    4: AWS failed at sts:AssumeRole (ServiceFailure); try again later
    4: AWS failed at sts:GetCallerIdentity (ServiceFailure); try again later
    4: AWS failed at organizations:ListAccounts (ServiceFailure); try again later
    ");
    let mut read = BTreeSet::new();
    for garbage in [
        "",
        "<html>Sign in</html>",
        "<GetCredentialReportResponse><Get",
        "{\"Acc",
        "{}",
    ] {
        read.insert(told(|_| Reply::Http(200, garbage.to_owned()), 600).await);
    }
    insta::assert_snapshot!(Vec::from_iter(read).join("\nor\n"), @r"
    4: the answer to iam:GetCredentialReport could not be read; is something between here and AWS?
    4: the answer to sts:AssumeRole could not be read; is something between here and AWS?
    4: the answer to sts:GetCallerIdentity could not be read; is something between here and AWS?
    4: the answer to organizations:ListAccounts could not be read; is something between here and AWS?
    ");
}

#[tokio::test(start_paused = true)]
async fn when_the_time_is_over_the_last_answer_is_told() {
    // Four calls would take three pauses of seven seconds in all, give or take a quarter.
    insta::assert_snapshot!(told(|step| fails(400, "Throttling", step), 2).await, @r"
    2: no report came within 2 seconds; the last answer, to iam:GetCredentialReport, was: Throttling; raise --timeout, or try again later
    2: no report came within 2 seconds; the last answer, to sts:AssumeRole, was: Throttling; raise --timeout, or try again later
    2: sts:GetCallerIdentity was not done within 2 seconds; the last answer was: Throttling; raise --timeout, or try again later
    2: organizations:ListAccounts was not done within 2 seconds; the last answer was: Throttling; raise --timeout, or try again later
    ");
    insta::assert_snapshot!(told(|step| fails(503, "ServiceUnavailable", step), 2).await, @r"
    2: no report came within 2 seconds; the last answer, to iam:GetCredentialReport, was: ServiceUnavailable; raise --timeout, or try again later
    2: no report came within 2 seconds; the last answer, to sts:AssumeRole, was: ServiceUnavailable; raise --timeout, or try again later
    2: sts:GetCallerIdentity was not done within 2 seconds; the last answer was: ServiceUnavailable; raise --timeout, or try again later
    2: organizations:ListAccounts was not done within 2 seconds; the last answer was: ServiceUnavailable; raise --timeout, or try again later
    ");
    insta::assert_snapshot!(told(|_| Reply::Silence, 1).await, @r"
    1: AWS could not be reached for iam:GetCredentialReport: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for sts:AssumeRole: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for sts:GetCallerIdentity: no answer in time; check the network, --region and --endpoint-url
    1: AWS could not be reached for organizations:ListAccounts: no answer in time; check the network, --region and --endpoint-url
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_never_answered_after_answers() {
    let answers = [
        Reply::Http(410, error("ReportNotPresent")),
        Reply::Http(200, generated("STARTED")),
    ];
    let mut told = Vec::new();
    for known in [1, 2] {
        let stub = Stub::new(&answers[..known]).then_always(Reply::Silence);
        let error = take(Step::Report, &stub, 5).await;
        told.push(format!("{}: {error}", stub.calls().len()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    2: AWS could not be reached for iam:GenerateCredentialReport: no answer in time; check the network, --region and --endpoint-url
    3: no report came within 5 seconds; the last answer, to iam:GenerateCredentialReport, was: in progress; raise --timeout, or try again later
    ");
    let page = Reply::Http(200, r#"{"Accounts":[],"NextToken":"a"}"#.to_owned());
    let stub = Stub::new(&[page]).then_always(Reply::Silence);
    insta::assert_snapshot!(take(Step::Accounts, &stub, 5).await, @"organizations:ListAccounts was not done within 5 seconds; the last answer was: one after which there is more to ask for; raise --timeout, or try again later");
}

/// Where each service is called in each partition.
#[tokio::test(start_paused = true)]
async fn the_region_decides_the_partition() {
    let mut told = Vec::new();
    for region in ["eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
        for step in [Step::Report, Step::Caller, Step::Accounts] {
            let stub = Stub::new(&[]).then_always(fails(403, "AccessDenied", step));
            let settings = Settings {
                region: Some(region.to_owned()),
                ..Settings::default()
            };
            let session = session(&stub, &settings).await;
            let error = match step {
                Step::Caller => session.caller().await.unwrap_err(),
                Step::Accounts => active_accounts(&session).await.unwrap_err(),
                Step::Report | Step::Role => fetch(&session, &options(), "test").await.unwrap_err(),
            };
            assert!(matches!(error, Error::Denied { .. }), "{error}");
            told.push(format!("{} {}", session.partition(), stub.hosts().concat()));
        }
    }
    insta::assert_snapshot!(told.join("\n"), @r"
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

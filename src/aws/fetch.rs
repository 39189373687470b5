//! Fetches the credential report of one account: makes the calls that [`super::protocol`] decides, and waits.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::ReportStateType;
use tokio::time::{Instant, sleep, timeout_at};

use super::connect::Session;
use super::error::Error;
use super::permissions::Action;
use super::protocol::{Call, Protocol, Response, Step};
use super::retry::{RetryLog, jitter};
use crate::report::cell::account_of;
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::rows::Rows;
use crate::report::schema::TextColumn;
use crate::report::split::Splitter;
use crate::report::time::Timestamp;

/// Receives a line for every call and its result, without secrets.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How reports are fetched.
#[derive(Clone)]
pub struct FetchOptions {
    /// A report younger than this is used as it is.
    pub max_report_age: Duration,
    /// The time limit for one report.
    pub timeout: Duration,
    /// The time to which ages of reports are counted.
    pub now: Timestamp,
    /// Receives the calls.
    pub log: Log,
}

/// The report of one account, as AWS sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The bytes.
    pub csv: Vec<u8>,
    /// The generation time.
    pub generated: Timestamp,
}

impl Report {
    /// The account in the first ARN.
    pub fn account(&self) -> Option<String> {
        let (header, rows) = self.rows()?;
        let mut arns = (0..rows.len()).filter_map(|row| rows.cell(&header, row, TextColumn::Arn));
        let account = arns.find_map(account_of)?;
        Some(String::from_utf8_lossy(account).into_owned())
    }

    /// Its rows; none if it is not a report.
    pub(super) fn rows(&self) -> Option<(Header, Rows)> {
        let (header, records) = Header::split(&self.csv).ok()?;
        let mut rows = Rows::default();
        rows.text_mut().extend_from_slice(records);
        Splitter::default().split(&mut rows, &header, &mut Vec::new());
        Some((header, rows))
    }

    /// Its age at `now`; zero if the clocks disagree.
    fn age(&self, now: Timestamp) -> Duration {
        let seconds = now.0.saturating_sub(self.generated.0);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

/// A response that is not an error.
enum Received {
    Report(Report),
    State(Response),
}

/// Fetches the report of the session's account with as few calls as possible. `account` names it in the log.
///
/// # Errors
/// Those of AWS, [`Error::TimedOut`], and [`Error::NotAReport`].
pub async fn fetch(session: &Session, options: &FetchOptions, account: &str) -> Result<Report, Error> {
    let iam = session.iam();
    let mut protocol = Protocol::new(options.max_report_age, options.timeout);
    let mut call = Protocol::FIRST;
    let started = Instant::now();
    let end = started + options.timeout;
    let new_log = |call| RetryLog::new(action(call), options.timeout);
    let mut log = new_log(call);
    loop {
        let response = async {
            match call {
                Call::Get => get(&iam, session).await,
                Call::Generate => generate(&iam, session).await,
            }
        };
        let Ok(received) = timeout_at(end, response).await else {
            return Err(log.timed_out());
        };
        let text = received.as_ref().map_or_else(ToString::to_string, describe);
        (options.log)(&format!("{account}: {}: {text}", action(call)));
        let step = protocol.next(response_of(&received, options.now), started.elapsed(), jitter());
        let next = match (step, received) {
            (Step::Use, Ok(Received::Report(report))) => return Ok(report),
            (Step::Fail, Err(error)) => return Err(error),
            (Step::Call(next), _) => next,
            (step, received) => {
                match received {
                    Ok(_) => log.response(text),
                    Err(error) => log.error(error),
                }
                let Step::Wait { pause, then } = step else {
                    return Err(log.timed_out());
                };
                sleep(pause).await;
                then
            }
        };
        // That a call is never answered says more than the response to another call.
        if next != call {
            (call, log) = (next, new_log(next));
        }
    }
}

fn action(call: Call) -> Action {
    match call {
        Call::Get => Action::GetCredentialReport,
        Call::Generate => Action::GenerateCredentialReport,
    }
}

async fn get(iam: &aws_sdk_iam::Client, session: &Session) -> Result<Received, Error> {
    let action = Action::GetCredentialReport;
    let output = match iam.get_credential_report().send().await {
        Ok(output) => output,
        Err(error) => {
            let state = match error.as_service_error() {
                Some(state)
                    if state.is_credential_report_not_present_exception()
                        || state.is_credential_report_expired_exception() =>
                {
                    Response::NotPresent
                }
                Some(state) if state.is_credential_report_not_ready_exception() => Response::NotReady,
                Some(_) | None => return Err(session.explain(action, &error)),
            };
            return Ok(Received::State(state));
        }
    };
    match (output.content, output.generated_time) {
        (Some(content), Some(generated)) => {
            let csv = content.into_inner();
            has_user(&csv)?;
            Ok(Received::Report(Report {
                csv,
                generated: Timestamp(generated.secs()),
            }))
        }
        (_, _) => Err(Error::Unreadable(action)),
    }
}

/// Whether it is a report: a header, and at least root's row.
fn has_user(csv: &[u8]) -> Result<(), NotAReport> {
    match Header::split(csv)?.1.trim_ascii() {
        [] => Err(NotAReport::NoUsers),
        _ => Ok(()),
    }
}

async fn generate(iam: &aws_sdk_iam::Client, session: &Session) -> Result<Received, Error> {
    let action = Action::GenerateCredentialReport;
    let output = iam.generate_credential_report().send().await;
    match output.map_err(|error| session.explain(action, &error))?.state() {
        Some(ReportStateType::Complete) => Ok(Received::State(Response::Complete)),
        // A state that is not known yet does not end the wait.
        Some(_) => Ok(Received::State(Response::Running)),
        None => Err(Error::Unreadable(action)),
    }
}

fn response_of(received: &Result<Received, Error>, now: Timestamp) -> Response {
    match received {
        Ok(Received::Report(report)) => Response::Report { age: report.age(now) },
        Ok(Received::State(response)) => *response,
        Err(error) => Response::Failed(error.failure_kind()),
    }
}

fn describe(received: &Received) -> String {
    match received {
        Received::Report(report) => format!("a report of {}", report.generated),
        Received::State(Response::NotPresent) => "no report".to_owned(),
        Received::State(Response::NotReady) => "not ready".to_owned(),
        Received::State(Response::Complete) => "complete".to_owned(),
        Received::State(_) => "in progress".to_owned(),
    }
}

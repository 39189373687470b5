//! Fetches the report of one account: the calls that [`super::protocol`] asks for, and the waiting.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::ReportStateType;
use tokio::time::{Instant, sleep, timeout_at};

use super::connect::Session;
use super::error::Error;
use super::policy::Action;
use super::protocol::{Answer, Call, Patience, Protocol, Step};
use super::retry::{RetryLog, jitter};
use crate::report::cell::account_of;
use crate::report::header::Header;
use crate::report::rows::Rows;
use crate::report::schema::TextColumn;
use crate::report::split::Splitter;
use crate::report::time::Timestamp;

/// Is given every call and its outcome; nothing secret is in it.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How reports are fetched.
#[derive(Clone)]
pub struct Options {
    /// How old a report may be, and how long one is waited for.
    pub patience: Patience,
    /// The clock when it all began; ages are counted to it.
    pub now: Timestamp,
    /// Who wants to know what happens.
    pub log: Log,
}

/// The report of one account, as AWS sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The bytes.
    pub csv: Vec<u8>,
    /// When AWS made it.
    pub generated: Timestamp,
}

impl Report {
    /// The account that the first ARN names.
    pub fn account(&self) -> Option<String> {
        let (header, rows) = self.rows()?;
        let mut arns = (0..rows.len()).filter_map(|row| rows.cell(&header, row, TextColumn::Arn));
        let account = arns.find_map(account_of)?;
        Some(String::from_utf8_lossy(account).into_owned())
    }

    /// Its rows; none where it is no report.
    pub(super) fn rows(&self) -> Option<(Header, Rows)> {
        let (header, records) = Header::split(&self.csv).ok()?;
        let mut rows = Rows::default();
        rows.text_mut().extend_from_slice(records);
        Splitter::default().split(&mut rows, &header, &mut Vec::new());
        Some((header, rows))
    }

    /// How long before `now` it was made; nothing if the clocks disagree.
    fn age(&self, now: Timestamp) -> Duration {
        let seconds = now.0.saturating_sub(self.generated.0);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

/// What an answer holds, as far as it is no error.
enum Given {
    Report(Report),
    State(Answer),
}

/// Gets the report of the session's account by as few calls as that takes. `who` is told to the log.
///
/// # Errors
/// Those of AWS, that it took too long, and that what AWS sent is no report.
pub async fn fetch(session: &Session, options: &Options, who: &str) -> Result<Report, Error> {
    let iam = session.iam();
    let mut protocol = Protocol::new(options.patience);
    let mut call = Protocol::FIRST;
    let started = Instant::now();
    let end = started + options.patience.timeout;
    let heard_of = |call| RetryLog::nothing(action(call), options.patience.timeout);
    let mut heard = heard_of(call);
    loop {
        let asked = async {
            match call {
                Call::Get => get(&iam, session).await,
                Call::Generate => generate(&iam, session).await,
            }
        };
        let Ok(given) = timeout_at(end, asked).await else {
            return Err(heard.late());
        };
        let told = given.as_ref().map_or_else(ToString::to_string, words);
        (options.log)(&format!("{who}: {}: {told}", action(call)));
        let step = protocol.next(meaning(&given, options.now), started.elapsed(), jitter());
        let next = match (step, given) {
            (Step::Use, Ok(Given::Report(report))) => return Ok(report),
            (Step::Fail, Err(error)) => return Err(error),
            (Step::Ask(next), _) => next,
            (step, given) => {
                match given {
                    Ok(_) => heard.answer(told),
                    Err(error) => heard.error(error),
                }
                let Step::Wait { pause, then } = step else {
                    return Err(heard.late());
                };
                sleep(pause).await;
                then
            }
        };
        // A call that is never answered says more than the answer to another one.
        if next != call {
            (call, heard) = (next, heard_of(next));
        }
    }
}

fn action(call: Call) -> Action {
    match call {
        Call::Get => Action::GetCredentialReport,
        Call::Generate => Action::GenerateCredentialReport,
    }
}

async fn get(iam: &aws_sdk_iam::Client, session: &Session) -> Result<Given, Error> {
    let action = Action::GetCredentialReport;
    let answer = match iam.get_credential_report().send().await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.as_service_error() {
                Some(state) if state.is_credential_report_not_present_exception() => {
                    Ok(Given::State(Answer::NotPresent))
                }
                Some(state) if state.is_credential_report_expired_exception() => {
                    Ok(Given::State(Answer::NotPresent))
                }
                Some(state) if state.is_credential_report_not_ready_exception() => {
                    Ok(Given::State(Answer::NotReady))
                }
                Some(_) | None => Err(session.explain(action, &error)),
            };
        }
    };
    match (answer.content, answer.generated_time) {
        (Some(content), Some(generated)) => {
            let csv = content.into_inner();
            Header::split(&csv)?;
            Ok(Given::Report(Report {
                csv,
                generated: Timestamp(generated.secs()),
            }))
        }
        (_, _) => Err(Error::Unreadable { action }),
    }
}

async fn generate(iam: &aws_sdk_iam::Client, session: &Session) -> Result<Given, Error> {
    let action = Action::GenerateCredentialReport;
    let answer = iam.generate_credential_report().send().await;
    match answer.map_err(|error| session.explain(action, &error))?.state() {
        Some(ReportStateType::Complete) => Ok(Given::State(Answer::Complete)),
        // A state yet unknown is none that ends the waiting.
        Some(_) => Ok(Given::State(Answer::Running)),
        None => Err(Error::Unreadable { action }),
    }
}

fn meaning(given: &Result<Given, Error>, now: Timestamp) -> Answer {
    match given {
        Ok(Given::Report(report)) => Answer::Report { age: report.age(now) },
        Ok(Given::State(answer)) => *answer,
        Err(error) => Answer::Failed(error.failure()),
    }
}

fn words(given: &Given) -> String {
    match given {
        Given::Report(report) => format!("a report of {}", report.generated),
        Given::State(Answer::NotPresent) => "no report".to_owned(),
        Given::State(Answer::NotReady) => "not ready".to_owned(),
        Given::State(Answer::Complete) => "complete".to_owned(),
        Given::State(_) => "in progress".to_owned(),
    }
}

//! Retries: which failed calls are made again, after which pause, and the error when time runs out.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Error, LastResponse};
use super::permissions::Action;

/// The first pause; each one is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often a call is made that fails at AWS or does not reach it.
pub(super) const ATTEMPTS: u32 = 4;

/// Whether another attempt at a failed call may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// AWS asks for fewer calls or has no capacity: retried until time runs out.
    Throttled,
    /// AWS failed, could not be reached, or the response was not readable: retried a few times.
    Transient,
    /// AWS refused: not retried.
    Permanent,
}

/// What to do after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Repeat it after this pause.
    After(Duration),
    /// Return its error.
    Fail,
    /// No time is left for the pause.
    TimedOut,
}

/// The pauses of one step, and the transient failures in a row. Pure.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    timeout: Duration,
    pauses: u32,
    transient: u32,
}

impl Backoff {
    /// For a step with this time limit.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            pauses: 0,
            transient: 0,
        }
    }

    /// After a failure, `elapsed` after the start of the step. `jitter`, from 0 to 1, spreads the calls of many
    /// accounts.
    pub(super) fn after(&mut self, failure: FailureKind, elapsed: Duration, jitter: f64) -> RetryDecision {
        let is_transient = failure == FailureKind::Transient;
        self.transient = if is_transient { self.transient + 1 } else { 0 };
        match failure {
            FailureKind::Transient if self.transient >= ATTEMPTS => RetryDecision::Fail,
            FailureKind::Throttled | FailureKind::Transient => self.next(elapsed, jitter),
            FailureKind::Permanent => RetryDecision::Fail,
        }
    }

    /// After a success.
    pub(super) fn reset_failures(&mut self) {
        self.transient = 0;
    }

    /// The next pause. A call at the very end of the step would have no time to be answered.
    pub(super) fn next(&mut self, elapsed: Duration, jitter: f64) -> RetryDecision {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(8));
        self.pauses += 1;
        let pause = doubled
            .min(LONGEST_PAUSE)
            .mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0);
        if elapsed + pause < self.timeout {
            RetryDecision::After(pause)
        } else {
            RetryDecision::TimedOut
        }
    }
}

/// The responses to a repeated call, for the error when time runs out.
pub(super) struct RetryLog {
    action: Action,
    limit: Duration,
    last: Option<LastResponse>,
    error: Option<Error>,
}

impl RetryLog {
    pub(super) fn new(action: Action, limit: Duration) -> Self {
        Self {
            action,
            limit,
            last: None,
            error: None,
        }
    }

    pub(super) fn response(&mut self, text: String) {
        let action = self.action;
        self.error = None;
        self.last = Some(LastResponse { action, text });
    }

    pub(super) fn error(&mut self, error: Error) {
        self.last = error.last_response(self.action).or(self.last.take());
        self.error = Some(error);
    }

    /// The error when time runs out.
    pub(super) fn timed_out(self) -> Error {
        match (self.last, self.error) {
            // More time would not turn it into a response of AWS.
            (_, Some(error @ Error::Unreadable(_))) | (None, Some(error)) => error,
            (Some(last), _) => Error::TimedOut {
                action: self.action,
                after: self.limit,
                last,
            },
            (None, None) => Error::no_answer(self.action),
        }
    }
}

/// The calls of one step, such as the pages of a list, which share a time limit and are retried. Clones are of the same
/// step.
#[derive(Clone, Debug)]
pub(super) struct RetriedCalls {
    action: Action,
    limit: Duration,
    started: Instant,
    /// Whether a call succeeded, of this one or of a clone.
    has_succeeded: Arc<AtomicBool>,
}

impl RetriedCalls {
    /// The time runs from now.
    pub(super) fn new(action: Action, limit: Duration) -> Self {
        Self {
            action,
            limit,
            started: Instant::now(),
            has_succeeded: Arc::default(),
        }
    }

    /// Makes a call until it succeeds.
    ///
    /// # Errors
    /// The last error where no retry would help, or [`Error::TimedOut`].
    pub(super) async fn call<T, F>(&mut self, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = Backoff::new(self.limit);
        let mut log = RetryLog::new(self.action, self.limit);
        loop {
            let Ok(result) = timeout_at(self.started + self.limit, call()).await else {
                return Err(self.timed_out(log));
            };
            let error = match result {
                Ok(output) => {
                    self.has_succeeded.store(true, Ordering::Relaxed);
                    return Ok(output);
                }
                Err(error) => error,
            };
            match backoff.after(error.failure_kind(), self.started.elapsed(), jitter()) {
                RetryDecision::Fail => return Err(error),
                RetryDecision::TimedOut => {
                    log.error(error);
                    return Err(self.timed_out(log));
                }
                RetryDecision::After(pause) => {
                    log.error(error);
                    sleep(pause).await;
                }
            }
        }
    }
}

impl RetriedCalls {
    /// The error when time runs out. Where other calls of the step were answered, the last one was only too late.
    fn timed_out(&self, mut log: RetryLog) -> Error {
        if log.last.is_none() && self.has_succeeded.load(Ordering::Relaxed) {
            log.last = Some(LastResponse {
                action: self.action,
                text: "a part of the list".to_owned(),
            });
        }
        log.timed_out()
    }
}

/// A random number from 0 to 1.
pub(super) fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That some calls of a step were answered shows that AWS is reached.
    #[tokio::test(start_paused = true)]
    async fn a_step_that_was_cut_off_did_not_finish() {
        let limit = Duration::from_secs(8);
        for answered in [true, false] {
            let first = RetriedCalls::new(Action::ListAccessKeys, limit);
            let mut cut = first.clone();
            if answered {
                first.clone().call(|| async { Ok(()) }).await.unwrap();
            }
            let error = cut.call(std::future::pending::<Result<(), Error>>).await;
            let error = error.unwrap_err().to_string();
            let expected = if answered {
                "iam:ListAccessKeys did not finish within 8 seconds; last response: a part of the list; raise --timeout"
            } else {
                "AWS could not be reached for iam:ListAccessKeys: no answer in time"
            };
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

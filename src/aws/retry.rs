//! Calls that are made again: after pauses that grow, as often as that is of use, as long as there is time.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Error, LastResponse};
use super::policy::Action;

/// The first pause; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often a call is made of which AWS makes nothing, or that does not reach it.
pub(super) const TRIES: u32 = 4;

/// What may come of making a call again that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// AWS has no capacity, or wants fewer calls: it is waited for.
    Busy,
    /// AWS failed, could not be reached, or answered what cannot be read: it is tried a few times.
    Unavailable,
    /// No, and asking again would not change it.
    Refused,
}

/// What to do after a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Make it again after this pause.
    After(Duration),
    /// Its error is the end of it.
    Fail,
    /// The pause would not end in time.
    TimedOut,
}

/// The pauses between calls of one step, and how many of them failed in a row. Pure.
#[derive(Clone, Debug)]
pub(super) struct Pauses {
    timeout: Duration,
    made: u32,
    misses: u32,
}

impl Pauses {
    /// For a step that may take so long.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            made: 0,
            misses: 0,
        }
    }

    /// After a call that failed so, `elapsed` after the first one was made. `jitter`, from 0 to 1, keeps accounts
    /// from asking all at the same time.
    pub(super) fn after(&mut self, failure: Failure, elapsed: Duration, jitter: f64) -> Next {
        let is_miss = failure == Failure::Unavailable;
        self.misses = if is_miss { self.misses + 1 } else { 0 };
        match failure {
            Failure::Unavailable if self.misses >= TRIES => Next::Fail,
            Failure::Busy | Failure::Unavailable => self.next(elapsed, jitter),
            Failure::Refused => Next::Fail,
        }
    }

    /// After a call that came out.
    pub(super) fn forget_misses(&mut self) {
        self.misses = 0;
    }

    /// The next pause. A call at the very end would have no time to be answered.
    pub(super) fn next(&mut self, elapsed: Duration, jitter: f64) -> Next {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.made.min(8));
        self.made += 1;
        let pause = doubled
            .min(LONGEST_PAUSE)
            .mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0);
        if elapsed + pause < self.timeout {
            Next::After(pause)
        } else {
            Next::TimedOut
        }
    }
}

/// What came of a call that is made again and again, for when there is no time left.
pub(super) struct RetryLog {
    action: Action,
    limit: Duration,
    /// What was answered last.
    said: Option<LastResponse>,
    /// How it failed last.
    error: Option<Error>,
}

impl RetryLog {
    pub(super) fn nothing(action: Action, limit: Duration) -> Self {
        Self {
            action,
            limit,
            said: None,
            error: None,
        }
    }

    pub(super) fn answer(&mut self, words: String) {
        let action = self.action;
        self.said = Some(LastResponse { action, words });
    }

    pub(super) fn error(&mut self, error: Error) {
        self.said = error.said(self.action).or(self.said.take());
        self.error = Some(error);
    }

    /// What is told of it in the end.
    pub(super) fn late(self) -> Error {
        match (self.said, self.error) {
            (Some(last), _) => Error::TimedOut {
                action: self.action,
                after: self.limit,
                last,
            },
            (None, Some(error)) => error,
            (None, None) => Error::no_answer(self.action),
        }
    }
}

/// The calls of one step, such as the pages of a list, that have so much time together.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    action: Action,
    limit: Duration,
    started: Instant,
    /// Whether one came out, after which more is asked for.
    is_begun: bool,
}

impl Calls {
    /// The time begins now.
    pub(super) fn new(action: Action, limit: Duration) -> Self {
        Self {
            action,
            limit,
            started: Instant::now(),
            is_begun: false,
        }
    }

    /// Makes a call until something comes of it.
    ///
    /// # Errors
    /// The last one, if trying again is of no use; or what was answered last when there is no time left.
    pub(super) async fn make<T, F>(&mut self, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut pauses = Pauses::new(self.limit);
        let mut heard = RetryLog::nothing(self.action, self.limit);
        if self.is_begun {
            heard.answer("one after which there is more to ask for".to_owned());
        }
        loop {
            let Ok(answer) = timeout_at(self.started + self.limit, call()).await else {
                return Err(heard.late());
            };
            let error = match answer {
                Ok(answer) => {
                    self.is_begun = true;
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let next = pauses.after(error.failure(), self.started.elapsed(), jitter());
            if next == Next::Fail {
                return Err(error);
            }
            heard.error(error);
            let Next::After(pause) = next else {
                return Err(heard.late());
            };
            sleep(pause).await;
        }
    }
}

/// From 0 to 1, other each time.
pub(super) fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

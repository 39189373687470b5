//! Remembers which buckets did not answer: a command that waited once for the whole time limit does not begin another
//! call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::aws::error::Error;
use crate::aws::retry::RetriedCalls;

/// The buckets, and the errors that stand for them. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence(Arc<Mutex<BTreeMap<String, Error>>>);

impl Silence {
    /// Makes a call to a bucket, unless that did not answer another one.
    ///
    /// # Errors
    /// Those of the call, or of the one that was not answered.
    pub(super) async fn call<T, F>(
        &self,
        bucket: &str,
        calls: &mut RetriedCalls,
        call: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let earlier = self.lock().get(bucket).and_then(Error::unanswered);
        if let Some(error) = earlier {
            return Err(error);
        }
        let result = calls.call(call).await;
        if let Err(error) = &result {
            self.note(bucket, error);
        }
        result
    }

    /// Takes note of an error of a call to a bucket.
    pub(super) fn note(&self, bucket: &str, error: &Error) {
        if let Some(error) = error.unanswered() {
            self.lock().entry(bucket.to_owned()).or_insert(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Error {
    /// The same error again, if it is that AWS did not answer, or not within the time limit.
    fn unanswered(&self) -> Option<Self> {
        if let Self::Unreachable(action, why) = self {
            return Some(Self::Unreachable(*action, why.clone()));
        }
        let Self::TimedOut { action, after, last } = self else {
            return None;
        };
        Some(Self::TimedOut {
            action: *action,
            after: *after,
            last: last.clone(),
        })
    }
}

//! Says what a run waits for when S3 takes long.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::S3Url;
use crate::aws::error::duration;
use crate::aws::permissions::Action;
use crate::aws::runtime::Threads;

/// A wait that is shorter than this is not mentioned.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to call, and for which actions it was called.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits(Option<Arc<Notice>>);

#[derive(Debug)]
struct Notice {
    on_wait: fn(&str),
    said: Mutex<BTreeSet<Action>>,
}

/// A wait that ends when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting(Option<AbortHandle>);

impl Waits {
    pub(super) fn new(on_wait: fn(&str)) -> Self {
        let said = Mutex::default();
        Self(Some(Arc::new(Notice { on_wait, said })))
    }

    /// From now on the caller waits, for at most `limit`.
    pub(super) fn begin(&self, threads: &Threads, action: Action, at: &S3Url, limit: Duration) -> Waiting {
        let Some(notice) = self.0.clone() else {
            return Waiting(None);
        };
        let text = format!("{action} of {at}, for at most {} (--timeout)", duration(limit));
        let task = threads.spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            let mut said = notice.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.insert(action) {
                (notice.on_wait)(&text);
            }
        });
        Waiting(Some(task.abort_handle()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

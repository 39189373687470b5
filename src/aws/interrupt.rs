//! Ctrl-C during calls to AWS: the first one cancels them, the second one or a timeout exits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// How long an interrupted run may take to end. What delays it is most often a pipe that no one reads.
const GRACE: Duration = Duration::from_secs(2);

/// Whether a run was interrupted, and whether anything still waits for that.
#[derive(Debug, Default)]
pub(super) struct Interrupt {
    raised: watch::Sender<bool>,
    /// Set when the calls are complete: what still runs does not check for an interruption.
    exits_immediately: AtomicBool,
}

impl Interrupt {
    pub(super) fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// Completes when the run is interrupted.
    pub(super) async fn raised(&self) {
        let mut watched = self.raised.subscribe();
        // The sender lives as long as `self`.
        drop(watched.wait_for(|raised| *raised).await);
    }

    /// From now on an interruption exits at once.
    pub(super) fn exit_immediately(&self) {
        self.exits_immediately.store(true, Ordering::Relaxed);
    }

    /// Handles signals. The first one interrupts the run; if it has not ended at the second one, or after [`GRACE`],
    /// `exit_now` is called. If nothing waits for an interruption, the first one calls it.
    /// `signal` waits for the next one; false if there will be none.
    pub(super) async fn listen<F>(self: Arc<Self>, mut signal: impl FnMut() -> F, exit_now: impl FnOnce())
    where
        F: Future<Output = bool>,
    {
        if !signal().await {
            return;
        }
        if !self.exits_immediately.load(Ordering::Relaxed) {
            self.raised.send_replace(true);
            tokio::select! {
                _ = signal() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        }
        exit_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::{Semaphore, SemaphorePermit};
    use tokio::time::Instant;

    /// The time from the last of some signals, a second apart, to the exit.
    async fn exits_after(signals: usize, is_immediate: bool) -> Option<Duration> {
        let interrupt = Arc::new(Interrupt::default());
        if is_immediate {
            interrupt.exit_immediately();
        }
        let sent = Arc::new(Semaphore::new(0));
        let received = Arc::clone(&sent);
        let signal = move || {
            let received = Arc::clone(&received);
            async move { received.acquire().await.map(SemaphorePermit::forget).is_ok() }
        };
        let exited = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&exited);
        let listening =
            tokio::spawn(Arc::clone(&interrupt).listen(signal, move || flag.store(true, Ordering::Relaxed)));
        for number in 0..signals {
            if number > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            sent.add_permits(1);
        }
        let last = Instant::now();
        if signals == 0 {
            sent.close();
        } else if !is_immediate {
            interrupt.raised().await;
            assert!(interrupt.is_raised());
        }
        listening.await.unwrap();
        exited.load(Ordering::Relaxed).then(|| last.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn signals_interrupt_then_exit() {
        assert_eq!(exits_after(0, false).await, None);
        assert_eq!(exits_after(1, false).await, Some(GRACE));
        assert_eq!(exits_after(2, false).await, Some(Duration::ZERO));
        assert_eq!(exits_after(1, true).await, Some(Duration::ZERO));
    }
}

//! Signals during calls to AWS: the first one cancels them, the second one or a timeout exits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Whether a run was interrupted, and whether anything still waits for that.
#[derive(Debug, Default)]
pub(super) struct Interrupt {
    raised: watch::Sender<bool>,
    /// The signal that interrupted the run; 0 if none did.
    signal: AtomicU8,
    /// Set while what runs does not check for an interruption.
    exits_immediately: AtomicBool,
}

impl Interrupt {
    pub(super) fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// The signal that interrupted the run.
    pub(super) fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Interrupts the run.
    pub(super) fn raise(&self) {
        self.raised.send_replace(true);
    }

    /// Completes when the run is interrupted.
    pub(super) async fn raised(&self) {
        let mut watched = self.raised.subscribe();
        // The sender lives as long as `self`.
        drop(watched.wait_for(|raised| *raised).await);
    }

    /// Whether from now on an interruption exits at once.
    pub(super) fn exit_immediately(&self, at_once: bool) {
        self.exits_immediately.store(at_once, Ordering::Relaxed);
    }

    /// Handles signals. The first one interrupts the run; if it has not ended at the second one, or after `grace`,
    /// `exit_now` is called with the first one. If nothing waits for an interruption, the first one calls it.
    pub(super) async fn listen(
        self: Arc<Self>,
        mut signals: impl Signals,
        grace: Duration,
        exit_now: impl FnOnce(u8),
    ) {
        let Some(signal) = signals.next().await else {
            return;
        };
        self.signal.store(signal, Ordering::Relaxed);
        if !self.exits_immediately.load(Ordering::Relaxed) {
            self.raise();
            tokio::select! {
                _ = signals.next() => {}
                () = tokio::time::sleep(grace) => {}
            }
        }
        exit_now(signal);
    }
}

/// The signals that a process gets.
pub(super) trait Signals: Send {
    /// Waits for the next one; none if there will be none.
    fn next(&mut self) -> impl Future<Output = Option<u8>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;
    use tokio::time::Instant;

    const GRACE: Duration = Duration::from_secs(2);
    const TERM: u8 = 15;

    impl Signals for Arc<Semaphore> {
        async fn next(&mut self) -> Option<u8> {
            self.acquire().await.ok()?.forget();
            Some(TERM)
        }
    }

    /// The time from the last of some signals, a second apart, to the exit.
    async fn exits_after(signals: usize, is_immediate: bool) -> Option<Duration> {
        let interrupt = Arc::new(Interrupt::default());
        if is_immediate {
            interrupt.exit_immediately(true);
        }
        let sent = Arc::new(Semaphore::new(0));
        let exited = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&exited);
        let exit_now = move |signal| flag.store(signal == TERM, Ordering::Relaxed);
        let listening = Arc::clone(&interrupt).listen(Arc::clone(&sent), GRACE, exit_now);
        let listening = tokio::spawn(listening);
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
        assert_eq!(interrupt.signal(), (signals > 0).then_some(TERM));
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

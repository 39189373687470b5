//! Ctrl-C, heard from the beginning of a run to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// How long a run that was interrupted may take to end by itself. What is in its way is most often a pipe
/// that nobody reads.
const GRACE: Duration = Duration::from_secs(2);

/// Whether a run was interrupted, and whether there is anything left that could notice.
#[derive(Debug, Default)]
pub(super) struct Interrupt {
    raised: watch::Sender<bool>,
    /// Nothing is waited for any more: what is still being done is done on threads that do not ask.
    over: AtomicBool,
}

impl Interrupt {
    pub(super) fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// Comes once the run is interrupted.
    pub(super) async fn raised(&self) {
        let mut watched = self.raised.subscribe();
        // The sender lives as long as `self`.
        drop(watched.wait_for(|raised| *raised).await);
    }

    /// From here on an interruption ends the run at once.
    pub(super) fn over(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Hears signals: the first one asks the run to end, which it does by itself, or by `at_once` after a
    /// grace, or by `at_once` at the second one; where nobody is left to ask, by `at_once` immediately.
    pub(super) async fn listen(self: Arc<Self>, mut signals: impl Signals, at_once: impl FnOnce()) {
        if !signals.next().await {
            return;
        }
        if !self.over.load(Ordering::Relaxed) {
            self.raised.send_replace(true);
            tokio::select! {
                _ = signals.next() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        }
        at_once();
    }
}

/// Where signals come from.
pub(super) trait Signals {
    /// Waits for the next one; false where none can be heard.
    fn next(&mut self) -> impl Future<Output = bool> + Send;
}

/// Those of the operating system.
pub(super) struct CtrlC;

impl Signals for CtrlC {
    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    impl Signals for mpsc::Receiver<()> {
        async fn next(&mut self) -> bool {
            self.recv().await.is_some()
        }
    }

    /// How long after the last of so many signals, a second apart, the run is ended.
    async fn ended_after(signals: usize, is_over: bool) -> Option<Duration> {
        let interrupt = Arc::new(Interrupt::default());
        if is_over {
            interrupt.over();
        }
        let (sender, receiver) = mpsc::channel(2);
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        let listening = tokio::spawn(
            Arc::clone(&interrupt).listen(receiver, move || flag.store(true, Ordering::Relaxed)),
        );
        for number in 0..signals {
            if number > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            sender.send(()).await.unwrap();
        }
        let last = Instant::now();
        if signals == 0 {
            drop(sender);
        } else if !is_over {
            interrupt.raised().await;
            assert!(interrupt.is_raised());
        }
        listening.await.unwrap();
        ended.load(Ordering::Relaxed).then(|| last.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn signals_end_a_run() {
        assert_eq!(ended_after(0, false).await, None);
        assert_eq!(ended_after(1, false).await, Some(GRACE));
        assert_eq!(ended_after(2, false).await, Some(Duration::ZERO));
        assert_eq!(ended_after(1, true).await, Some(Duration::ZERO));
    }
}

//! The threads that run calls to AWS, with or without handling signals.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::interrupt::{Interrupt, Signals};

/// Two threads with tokio's runtime. Dropping it does not wait for pending calls.
#[derive(Debug)]
pub(super) struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build()?;
        Ok(Self(Some(runtime)))
    }
}

impl Deref for Threads {
    type Target = tokio::runtime::Runtime;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("invariant: present until it is dropped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs calls to AWS beside the threads that evaluate, and handles signals as long as it exists.
#[derive(Debug)]
pub struct Runtime {
    pub(super) threads: Threads,
    pub(super) interrupt: Arc<Interrupt>,
}

impl Runtime {
    /// Starts its threads. The first of these signals cancels the calls; `exit_now` is called with it at the second
    /// one, after `grace` if the run has not ended, and at once where there are no calls to cancel.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn new(
        signals: &[u8],
        grace: Duration,
        exit_now: impl FnOnce(u8) + Send + 'static,
    ) -> io::Result<Self> {
        let threads = Threads::start()?;
        let interrupt = Arc::<Interrupt>::default();
        if !signals.is_empty() {
            let entered = threads.enter();
            let signals = SystemSignals::new(signals)?;
            drop(entered);
            threads.spawn(Arc::clone(&interrupt).listen(signals, grace, exit_now));
        }
        Ok(Self { threads, interrupt })
    }

    /// Runs what waits for no interruption: a signal during it exits at once.
    pub fn exiting_at_once<T>(&self, run: impl FnOnce() -> T) -> T {
        self.interrupt.exit_immediately(true);
        let result = run();
        self.interrupt.exit_immediately(false);
        result
    }

    /// Cancels the calls, as a signal does.
    pub fn cancel(&self) {
        self.interrupt.raise();
    }

    /// Waits for the result of a future, or for a signal.
    ///
    /// # Errors
    /// Those of the future, and [`Error::Interrupted`].
    pub fn wait<T>(&self, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.threads.block_on(async {
            tokio::select! {
                result = future => result,
                () = self.interrupt.raised() => Err(Error::Interrupted),
            }
        })
    }

    /// Waits for the result of a future, whatever signal arrives. The future heeds [`Self::is_interrupted`] itself.
    pub(super) fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        self.threads.block_on(future)
    }

    /// Whether the calls are cancelled.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }

    /// The signal that interrupted the run.
    pub fn interrupted(&self) -> Option<u8> {
        self.interrupt.signal()
    }
}

/// Signals of the operating system.
#[cfg(unix)]
struct SystemSignals(Vec<(u8, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl SystemSignals {
    /// Listens for these from here on.
    fn new(numbers: &[u8]) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |&number: &u8| Ok((number, signal(SignalKind::from_raw(number.into()))?));
        numbers.iter().map(listen).collect::<io::Result<_>>().map(Self)
    }
}

#[cfg(unix)]
impl Signals for SystemSignals {
    async fn next(&mut self) -> Option<u8> {
        use std::task::Poll;
        std::future::poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if let Poll::Ready(received) = signal.poll_recv(context) {
                    return Poll::Ready(received.map(|()| *number));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Elsewhere, Ctrl-C.
#[cfg(not(unix))]
struct SystemSignals(u8);

#[cfg(not(unix))]
impl SystemSignals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn new(numbers: &[u8]) -> io::Result<Self> {
        Ok(Self(numbers.first().copied().unwrap_or(2)))
    }
}

#[cfg(not(unix))]
impl Signals for SystemSignals {
    async fn next(&mut self) -> Option<u8> {
        tokio::signal::ctrl_c().await.ok().map(|()| self.0)
    }
}

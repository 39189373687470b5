//! The threads that run calls to AWS, with or without handling Ctrl-C.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use super::error::Error;
use super::interrupt::Interrupt;

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

/// Runs calls to AWS beside the threads that evaluate, and handles Ctrl-C as long as it exists.
#[derive(Debug)]
pub struct Runtime {
    pub(super) threads: Threads,
    pub(super) interrupt: Arc<Interrupt>,
}

impl Runtime {
    /// Starts its threads. The first Ctrl-C cancels the calls; `exit_now` is called at the second one, two seconds
    /// after the first one if the run has not ended, and at the first one if there are no calls to cancel. With none,
    /// Ctrl-C is not handled.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn new(exit_now: Option<impl FnOnce() + Send + 'static>) -> io::Result<Self> {
        let threads = Threads::start()?;
        let interrupt = Arc::<Interrupt>::default();
        if let Some(exit_now) = exit_now {
            let ctrl_c = || async { tokio::signal::ctrl_c().await.is_ok() };
            threads.spawn(Arc::clone(&interrupt).listen(ctrl_c, exit_now));
        }
        Ok(Self { threads, interrupt })
    }

    /// Waits for the result of a future, or for Ctrl-C.
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

    /// Whether Ctrl-C was pressed.
    pub fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}

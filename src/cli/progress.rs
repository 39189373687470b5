//! Shows on a terminal how far a long run is.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use credlens::engine::{DeferredInput, Source, SourceEvent};
use credlens::output::counted;
#[cfg(feature = "aws")]
use credlens::output::escape;

#[cfg(feature = "aws")]
use super::terminal::print_message;

/// A run that is shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

const INTERVAL: Duration = Duration::from_millis(200);

/// Prints what a run waits for, instead of the progress.
#[cfg(feature = "aws")]
pub(crate) fn print_waiting(what: &str) {
    if io::stderr().is_terminal() {
        drop(write!(io::stderr(), "\r\x1b[K"));
    }
    print_message(format_args!("waiting for {}", escape(what)));
}

/// A source that shows how much was read from it.
pub(crate) struct Progress<S> {
    source: S,
    /// When to show it again; None where standard error is not a terminal, or the run is quiet.
    next: Option<Instant>,
    shown: bool,
    bytes: Arc<AtomicU64>,
    inputs: u64,
}

/// An input that a worker reads; its bytes are counted, too.
struct CountedInput {
    whole: Box<dyn Source>,
    bytes: Arc<AtomicU64>,
}

impl Source for CountedInput {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let event = self.whole.next(text);
        self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        event
    }
}

impl<S: Source> Progress<S> {
    pub(crate) fn new(source: S, quiet: bool) -> Self {
        let watched = !quiet && io::stderr().is_terminal();
        Self {
            source,
            next: watched.then(|| Instant::now() + PATIENCE),
            shown: false,
            bytes: Arc::default(),
            inputs: 0,
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INTERVAL);
            self.shown = true;
            let bytes = self.bytes.load(Ordering::Relaxed) >> 20;
            let inputs = counted(self.inputs, "input");
            drop(write!(io::stderr(), "\r{bytes} MiB read, {inputs} done\x1b[K"));
        }
    }
}

impl<S> Drop for Progress<S> {
    fn drop(&mut self) {
        if self.shown {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

impl<S: Source> Source for Progress<S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let event = self.source.next(text)?;
        if self.next.is_none() {
            return Some(event);
        }
        self.inputs += u64::from(event.ends_input());
        let event = match event {
            SourceEvent::DeferredInput(DeferredInput(whole)) => {
                let bytes = Arc::clone(&self.bytes);
                SourceEvent::DeferredInput(DeferredInput(Box::new(CountedInput { whole, bytes })))
            }
            event @ (SourceEvent::Block { .. } | SourceEvent::DeferredBlock { .. }) => {
                self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
                event
            }
            event @ (SourceEvent::Failed { .. }
            | SourceEvent::PassedOver(_)
            | SourceEvent::LargeBlockAhead) => event,
        };
        self.show();
        Some(event)
    }
}

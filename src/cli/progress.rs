//! Says on a terminal how far a long run is.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use credlens::engine::{DeferredInput, Source, SourceEvent};
use credlens::output::counted;

/// What takes less than this needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);

const INTERVAL: Duration = Duration::from_millis(200);

/// A source that tells how much was read from it.
pub(crate) struct Progress<S> {
    source: S,
    /// None where nobody watches.
    next: Option<Instant>,
    told: bool,
    bytes: Arc<AtomicU64>,
    inputs: u64,
}

/// An input that is read apart, and whose bytes count all the same.
struct Counted {
    whole: Box<dyn Source>,
    bytes: Arc<AtomicU64>,
}

impl Source for Counted {
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
            told: false,
            bytes: Arc::default(),
            inputs: 0,
        }
    }

    fn tell(&mut self) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INTERVAL);
            self.told = true;
            let bytes = self.bytes.load(Ordering::Relaxed) >> 20;
            let inputs = counted(self.inputs, "input");
            drop(write!(io::stderr(), "\r{bytes} MiB read, {inputs} done\x1b[K"));
        }
    }
}

impl<S> Drop for Progress<S> {
    fn drop(&mut self) {
        if self.told {
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
                SourceEvent::DeferredInput(DeferredInput(Box::new(Counted { whole, bytes })))
            }
            event @ (SourceEvent::Block { .. } | SourceEvent::DeferredBlock { .. }) => {
                self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
                event
            }
            event @ (SourceEvent::Failed { .. } | SourceEvent::LargeBlockAhead) => event,
        };
        self.tell();
        Some(event)
    }
}

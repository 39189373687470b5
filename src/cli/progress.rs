//! Says on a terminal how far a long run is.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use credlens::engine::{Event, Source};
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
    bytes: u64,
    inputs: u64,
}

impl<S: Source> Progress<S> {
    pub(crate) fn new(source: S, quiet: bool) -> Self {
        let watched = !quiet && io::stderr().is_terminal();
        Self {
            source,
            next: watched.then(|| Instant::now() + PATIENCE),
            told: false,
            bytes: 0,
            inputs: 0,
        }
    }

    fn tell(&mut self) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INTERVAL);
            self.told = true;
            let (bytes, inputs) = (self.bytes >> 20, counted(self.inputs, "input"));
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
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        let event = self.source.next(text);
        self.bytes += text.len() as u64;
        let ends = |event: &Event| match event {
            Event::Block { last, .. } | Event::Unmade { last, .. } => *last,
            Event::Failed { .. } => true,
        };
        self.inputs += u64::from(event.as_ref().is_some_and(ends));
        self.tell();
        event
    }
}

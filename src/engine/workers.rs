//! Threads for work after the pass: on ranges, with the results in order.

use std::io;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;

/// A pool of threads.
#[derive(Debug)]
pub struct Workers(Option<rayon::ThreadPool>);

impl Workers {
    /// A pool of this many threads; 0 is one for each core.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn new(threads: usize) -> io::Result<Self> {
        if threads == 1 {
            return Ok(Self::one());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map(|pool| Self(Some(pool))).map_err(io::Error::other)
    }

    /// Only the calling thread.
    pub const fn one() -> Self {
        Self(None)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// The results of `work` on ranges of this length (the last one may be shorter), in order.
    pub fn in_parts<T: Send>(
        &self,
        all: Range<usize>,
        length: usize,
        work: impl Fn(Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let starts = all.clone().step_by(length.max(1));
        let part = |start: usize| work(start..all.end.min(start + length));
        match &self.0 {
            Some(pool) if all.len() > length => {
                let starts: Vec<usize> = starts.collect();
                pool.install(|| starts.into_par_iter().map(part).collect())
            }
            _ => starts.map(part).collect(),
        }
    }

    /// The results of both functions, which may run on two threads.
    pub fn both<A: Send, B: Send>(
        &self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match &self.0 {
            Some(pool) => pool.join(one, other),
            None => (one(), other()),
        }
    }
}

/// Passes the values that `produce` hands over to `consume`, in their order and on a thread of its own, so that one does not
/// wait for the other. At most one value waits, since they may be large.
pub fn hand_over<T: Send, R>(
    produce: impl FnOnce(&(dyn Fn(T) + Sync)) -> R,
    mut consume: impl FnMut(T) + Send,
) -> R {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        let consumer = scope.spawn(move || receiver.into_iter().for_each(&mut consume));
        // To send fails only after a panic of the consumer, which `join` passes on.
        let result = produce(&|value| drop(sender.send(value)));
        drop(sender);
        consumer.join().unwrap_or_else(|panic| resume_unwind(panic));
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_handed_over_in_order() {
        let mut seen = Vec::new();
        let result = hand_over(
            |hand| {
                (0..100).for_each(hand);
                "done"
            },
            |value| seen.push(value),
        );
        assert_eq!((result, seen), ("done", (0..100).collect::<Vec<_>>()));
    }

    #[test]
    #[should_panic(expected = "enough")]
    fn a_panic_of_the_consumer_is_passed_on() {
        hand_over(
            |hand| (0..100).for_each(hand),
            |value: i32| assert!(value < 3, "enough"),
        );
    }

    #[test]
    fn results_are_in_the_order_of_the_ranges() {
        for threads in [1, 2, 7] {
            let workers = Workers::new(threads).expect("threads");
            for (length, part) in [(0, 3), (1, 3), (3, 3), (100, 7), (5, 1_000)] {
                let parts = workers.in_parts(0..length, part, Vec::from_iter);
                assert!(parts.iter().all(|numbers| numbers.len() <= part));
                assert_eq!(parts.concat(), (0..length).collect::<Vec<_>>());
            }
            assert_eq!(workers.both(|| 1, || "b"), (1, "b"));
        }
    }
}

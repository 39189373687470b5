//! Threads for work after the pass: on ranges, with the results in order.

use std::io;
use std::ops::Range;

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

#[cfg(test)]
mod tests {
    use super::*;

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

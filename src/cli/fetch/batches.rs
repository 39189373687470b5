//! Reports in batches: each is saved before the next one is gathered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use credlens::aws::{FetchedAccount, FetchedAccounts, NoMoreAccounts};

/// How long the first batch is gathered. Each one is twice as long as the one before, so that a long run adds few files.
const FIRST: Duration = Duration::from_secs(4);
const LONGEST: Duration = Duration::from_mins(1);
/// How many bytes of reports are in memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Accounts as they arrive. It ends after each batch, and then goes on unless [`Self::is_over`].
pub(super) struct Batches {
    arrivals: FetchedAccounts,
    /// The rest of the batch, in the order of the accounts.
    batch: VecDeque<FetchedAccount>,
    /// Whether a batch is being handed over.
    is_gathered: bool,
    length: Duration,
    is_over: bool,
}

impl Batches {
    pub(super) fn new(arrivals: FetchedAccounts) -> Self {
        Self {
            arrivals,
            batch: VecDeque::new(),
            is_gathered: false,
            length: FIRST,
            is_over: false,
        }
    }

    /// Whether all accounts were handed over.
    pub(super) fn is_over(&self) -> bool {
        self.is_over && self.batch.is_empty()
    }

    /// Waits for the first account, and then for others for some time.
    fn gather(&mut self) {
        let mut bytes = 0;
        let mut end = None;
        while bytes < MOST_BYTES {
            let next = match end {
                None => self.arrivals.next().ok_or(NoMoreAccounts).map(Some),
                Some(end) => self.arrivals.next_until(end),
            };
            match next {
                Ok(Some(fetched)) => {
                    end = end.or_else(|| Some(Instant::now() + self.length));
                    bytes += fetched.result.as_ref().map_or(0, |(report, _)| report.csv.len());
                    self.batch.push_back(fetched);
                }
                Ok(None) => break,
                Err(NoMoreAccounts) => {
                    self.is_over = true;
                    break;
                }
            }
        }
        self.length = (self.length * 2).min(LONGEST);
        let batch = self.batch.make_contiguous();
        batch.sort_by(|one, other| one.account.id.cmp(&other.account.id));
    }
}

impl Iterator for Batches {
    type Item = FetchedAccount;

    fn next(&mut self) -> Option<FetchedAccount> {
        if !self.is_gathered {
            self.gather();
        }
        let next = self.batch.pop_front();
        self.is_gathered = next.is_some();
        next
    }
}

//! Which accounts have reports at about the same time, and which are missing there.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::time::{Timestamp, Unit};

/// Reports of several accounts within this many hours are one round: one point of the trend, or, by account, one of each.
const TOGETHER: i64 = 12;

/// The rounds of reports so far.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    current: Option<Round>,
    /// When each account was last seen.
    pub(super) last: BTreeMap<Vec<u8>, Timestamp>,
    /// The gaps that go on.
    open: BTreeMap<Vec<u8>, Gap>,
    /// The gaps that ended.
    ended: Vec<(Vec<u8>, Gap)>,
    /// The last as-of of each round, and one of its accounts.
    times: Vec<(Timestamp, Vec<u8>)>,
    has_several: bool,
}

#[derive(Debug)]
struct Round {
    first: Timestamp,
    last: Timestamp,
    accounts: BTreeSet<Vec<u8>>,
}

/// Consecutive rounds without an account that an earlier one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// As-of of the last report before.
    pub(super) after: Timestamp,
    /// As-of of the first round.
    pub(super) first: Timestamp,
    /// As-of of the last round.
    pub(super) last: Timestamp,
    /// The number of rounds.
    pub(super) rounds: u64,
    /// Whether no later round has the account.
    pub(super) goes_on: bool,
}

impl Rounds {
    /// Ends the current round if a report with these accounts does not belong to it. Whether it did.
    pub(super) fn make_room<'a>(
        &mut self,
        mut accounts: impl Iterator<Item = &'a [u8]>,
        as_of: Timestamp,
    ) -> bool {
        let apart = self.current.as_ref().is_some_and(|round| {
            as_of > round.first.plus(TOGETHER, Unit::Hours)
                || accounts.any(|account| round.accounts.contains(account))
        });
        if apart {
            self.end();
        }
        apart
    }

    /// Adds an account to the current round.
    pub(super) fn add(&mut self, account: &[u8], as_of: Timestamp) {
        let round = self.current.get_or_insert_with(|| Round {
            first: as_of,
            last: as_of,
            accounts: BTreeSet::new(),
        });
        round.last = round.last.max(as_of);
        round.accounts.insert(account.to_owned());
        self.last.insert(account.to_owned(), as_of);
        let gap = self.open.remove(account);
        self.ended.extend(gap.map(|gap| {
            let gap = Gap {
                goes_on: false,
                ..gap
            };
            (account.to_owned(), gap)
        }));
    }

    /// Ends the last round.
    pub(super) fn end(&mut self) {
        let Some(round) = self.current.take() else { return };
        self.has_several |= round.accounts.len() > 1;
        let account = round.accounts.first().cloned().unwrap_or_default();
        self.times.push((round.last, account));
        for (account, &after) in &self.last {
            if round.accounts.contains(account) {
                continue;
            }
            let gap = self.open.entry(account.clone()).or_insert(Gap {
                after,
                first: round.last,
                last: round.last,
                rounds: 0,
                goes_on: true,
            });
            gap.last = round.last;
            gap.rounds += 1;
        }
    }

    /// Whether the accounts have reports at the same time. If not, each has times of its own, and is missing nowhere.
    pub(super) fn has_several(&self) -> bool {
        self.has_several
    }

    /// The times of all accounts together, or, if no round has several, of each account.
    pub(super) fn times(&self) -> BTreeMap<Option<&[u8]>, Vec<Timestamp>> {
        let mut times: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (time, account) in &self.times {
            let account = (!self.has_several).then_some(&**account);
            times.entry(account).or_default().push(*time);
        }
        times
    }

    /// The gaps by account, in the order of their beginning. None if no round has several accounts.
    pub(super) fn gaps(&self) -> Vec<(&[u8], Gap)> {
        if !self.has_several {
            return Vec::new();
        }
        let ended = self.ended.iter().map(|(account, gap)| (&**account, *gap));
        let open = self.open.iter().map(|(account, gap)| (&**account, *gap));
        let mut gaps: Vec<_> = ended.chain(open).collect();
        gaps.sort_by_key(|&(account, gap)| (gap.first, gap.last, account));
        gaps
    }
}

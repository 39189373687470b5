//! Which accounts have reports at about the same time, and which are missing there.

use std::collections::{BTreeMap, BTreeSet};

use super::survival::percentile;
use crate::report::time::{Timestamp, Unit};

/// Reports of several accounts within this many hours are one round: one point of the trend, or, by account, one of each.
const TOGETHER: i64 = 12;
const DAY: i64 = 86_400;
/// From this many pauses on the pace of an account is known.
const KNOWN: usize = 3;

/// The rounds of reports so far.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    current: Option<Round>,
    /// The as-of of the reports of each account.
    seen: BTreeMap<Vec<u8>, Vec<Timestamp>>,
    /// The gaps that go on.
    open: BTreeMap<Vec<u8>, Gap>,
    /// The gaps that ended.
    ended: Vec<(Vec<u8>, Gap)>,
    /// The last as-of of each round, and one of its accounts.
    times: Vec<(Timestamp, Vec<u8>)>,
    /// Whether a round has several accounts. If none has, each account has times of its own, and is missing nowhere.
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
    /// As-of of the next report of the account; none if no later round has it.
    pub(super) before: Option<Timestamp>,
}

impl Rounds {
    /// Ends the current round if a report with these accounts does not belong to it. Whether it did.
    pub(super) fn make_room<'a>(
        &mut self,
        mut accounts: impl Iterator<Item = &'a [u8]>,
        as_of: Timestamp,
    ) -> bool {
        let apart = self.current.as_ref().is_some_and(|round| {
            // One of several accounts that is fetched once more begins no round without the others.
            let is_again =
                round.accounts.len() == 1 && accounts.any(|account| round.accounts.contains(account));
            is_again || as_of > round.first.plus(TOGETHER, Unit::Hours)
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
        self.seen.entry(account.to_owned()).or_default().push(as_of);
        let gap = self.open.remove(account);
        self.ended.extend(gap.map(|gap| {
            let before = Some(as_of);
            (account.to_owned(), Gap { before, ..gap })
        }));
    }

    /// Ends the last round.
    pub(super) fn end(&mut self) {
        let Some(round) = self.current.take() else { return };
        self.has_several |= round.accounts.len() > 1;
        let account = round.accounts.first().cloned().unwrap_or_default();
        self.times.push((round.last, account));
        for (account, times) in &self.seen {
            let Some(&after) = times.last().filter(|_| !round.accounts.contains(account)) else {
                continue;
            };
            let gap = self.open.entry(account.clone()).or_insert(Gap {
                after,
                first: round.last,
                last: round.last,
                rounds: 0,
                before: None,
            });
            gap.last = round.last;
            gap.rounds += 1;
        }
    }

    /// When an account was last seen.
    pub(super) fn last_of(&self, account: &[u8]) -> Option<Timestamp> {
        self.seen.get(account)?.last().copied()
    }

    /// The accounts, each with its pace.
    pub(super) fn paces(&self) -> Vec<Pace<'_>> {
        let pauses: Vec<Vec<i64>> = self.seen.values().map(|times| pauses(times)).collect();
        let own = |pauses: &Vec<i64>| (pauses.len() >= KNOWN).then(|| median(pauses.clone())).flatten();
        let all = || median(pauses.iter().flatten().copied().collect());
        // An account with few reports has the pace of the others.
        let of_others = median(pauses.iter().filter_map(own).collect());
        let of_others = of_others.or_else(all).unwrap_or(DAY);
        let accounts = self.seen.iter().zip(&pauses);
        accounts
            .map(|((account, times), pauses)| Pace {
                account,
                last: times.last().copied().unwrap_or(Timestamp(0)),
                usual: own(pauses).unwrap_or(of_others).max(TOGETHER * 3_600),
            })
            .collect()
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

    /// The gaps by account, in the order of their beginning: pauses that are long for the account. None if no round has
    /// several accounts.
    pub(super) fn gaps(&self, stale: &BTreeMap<Vec<u8>, Timestamp>) -> Vec<(&[u8], Gap)> {
        if !self.has_several {
            return Vec::new();
        }
        let paces: BTreeMap<&[u8], Pace<'_>> = self
            .paces()
            .into_iter()
            .map(|pace| (pace.account, pace))
            .collect();
        let ended = self.ended.iter().filter(|(account, gap)| {
            let pause = gap.before.map_or(0, |before| before.0 - gap.after.0);
            paces.get(&**account).is_some_and(|pace| pace.is_long(pause))
        });
        let open = self
            .open
            .iter()
            .filter(|(account, _)| stale.contains_key(*account));
        let ended = ended.map(|(account, gap)| (&**account, *gap));
        let open = open.map(|(account, gap)| (&**account, *gap));
        let mut gaps: Vec<_> = ended.chain(open).collect();
        gaps.sort_by_key(|&(account, gap)| (gap.first, gap.last, account));
        gaps
    }
}

/// The seconds between reports.
fn pauses(times: &[Timestamp]) -> Vec<i64> {
    times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

fn median(mut seconds: Vec<i64>) -> Option<i64> {
    seconds.sort_unstable();
    percentile(&seconds, 50)
}

/// How often an account has reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    pub(super) account: &'a [u8],
    pub(super) last: Timestamp,
    /// The median of the seconds between its reports, at least those of a round.
    usual: i64,
}

impl Pace<'_> {
    /// Whether a pause is longer than half as much again as usual.
    pub(super) fn is_long(self, pause: i64) -> bool {
        2 * pause > 3 * self.usual
    }

    /// Whether an account of about the same pace has a report that this one should have, too: it is later by three quarters
    /// of the usual pause. None if the other has another pace.
    pub(super) fn is_behind(self, other: Self) -> Option<bool> {
        let is_alike = self.usual <= 2 * other.usual && other.usual <= 2 * self.usual;
        is_alike.then(|| 4 * (other.last.0 - self.last.0) >= 3 * self.usual)
    }
}

//! Which accounts have reports at about the same time, which are missing there, and the diagnostics about it.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::percentile;
use crate::finding::{Code, Diagnostic};
use crate::history::account::AccountNames;
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

/// How many gaps are listed; the others are counted.
const LISTED: usize = 20;
/// A pause is a gap if it is more than this many times the usual one.
const FACTOR: i64 = 3;

/// Snapshots that are much further apart than usual, or lack accounts that earlier ones have.
pub(super) fn gaps(
    rounds: &Rounds,
    stale: &BTreeMap<Vec<u8>, Timestamp>,
    names: &AccountNames,
) -> Vec<Diagnostic> {
    let times = rounds.times();
    let mut messages: Vec<String> = times
        .iter()
        .flat_map(|(account, times)| long_pauses(times, account.map(|account| names.phrase(account))))
        .collect();
    messages.extend(missing(&rounds.gaps(stale), names));
    // What is missing now counts more than what was missing once.
    let earlier = messages.len().saturating_sub(LISTED);
    let listed = messages.split_off(earlier);
    let earlier = (earlier > 0).then(|| format!("{earlier} earlier gaps"));
    let messages = earlier.into_iter().chain(listed);
    messages
        .map(|message| Diagnostic::new(Code::Gap, message))
        .collect()
}

/// The accounts without a newer report, with the as-of of their last one: the pause since then is long for the account, or
/// most accounts of the same pace have a newer one.
pub(super) fn stale(rounds: &Rounds) -> BTreeMap<Vec<u8>, Timestamp> {
    let paces = rounds.paces();
    let newest = paces.iter().map(|pace| pace.last).max();
    let is_stale = |pace: &Pace<'_>| {
        let pause = newest.map_or(0, |newest| newest.0 - pace.last.0);
        pace.is_long(pause) || pause > 0 && is_left_behind(*pace, &paces)
    };
    let stale = paces.iter().filter(|pace| is_stale(pace));
    stale.map(|pace| (pace.account.to_owned(), pace.last)).collect()
}

/// Whether most of the other accounts of the same pace have a report that this one lacks.
fn is_left_behind(pace: Pace<'_>, all: &[Pace<'_>]) -> bool {
    let others = all.iter().filter(|other| other.account != pace.account);
    let others: Vec<bool> = others.filter_map(|other| pace.is_behind(*other)).collect();
    let ahead = others.iter().filter(|&&is_ahead| is_ahead).count();
    2 * ahead > others.len()
}

/// A message for the accounts that are missing from the same snapshots.
fn missing(gaps: &[(&[u8], Gap)], names: &AccountNames) -> Vec<String> {
    let same = gaps.chunk_by(|(_, one), (_, next)| {
        (one.first, one.last, one.before.is_none()) == (next.first, next.last, next.before.is_none())
    });
    same.map(|same| missing_message(same, names)).collect()
}

fn missing_message(same: &[(&[u8], Gap)], names: &AccountNames) -> String {
    let (account, gap) = same[0];
    let who = match same.len() {
        1 => format!("account {} is", names.phrase(account)),
        all => format!("account {} and {} more are", names.phrase(account), all - 1),
    };
    let at = match gap.rounds {
        1 => format!("at {}", gap.first),
        rounds => format!("from {rounds} snapshots, {} to {}", gap.first, gap.last),
    };
    let findings = match (gap.before.is_none(), same.len()) {
        (true, 1) => "and has no newer report",
        (true, _) => "and have no newer report",
        (false, 1) => "but is in the one before; its open findings stayed open",
        (false, _) => "but are in the one before; their open findings stayed open",
    };
    format!("{who} missing {at} {findings}")
}

fn long_pauses(times: &[Timestamp], account: Option<String>) -> Vec<String> {
    let usual = usual(times);
    let of = account.map_or(String::new(), |account| format!(" of account {account}"));
    let pauses = times.windows(2).map(|pair| (pair[0], pair[1].0 - pair[0].0));
    pauses
        .filter(|&(_, pause)| is_gap(pause, usual))
        .map(|(after, pause)| {
            format!(
                "no snapshot{of} for {} after {after}; the usual interval is {}",
                span(pause),
                span(usual)
            )
        })
        .collect()
}

/// The median of the pauses between snapshots.
fn usual(times: &[Timestamp]) -> i64 {
    median(pauses(times)).unwrap_or(0)
}

fn is_gap(pause: i64, usual: i64) -> bool {
    pause > (FACTOR * usual).max(DAY)
}

/// A time span in the largest unit of which it is at least two, or exactly one.
fn span(seconds: i64) -> String {
    let units = [(DAY, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits = |&(unit, _): &(i64, &str)| seconds == unit || seconds >= 2 * unit;
    let (unit, name) = units.into_iter().find(fits).unwrap_or((1, "second"));
    match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_in_the_largest_sensible_unit() {
        let spans = [DAY, 2 * DAY + 5, DAY + 3_600, 3_600, 90, 0].map(span);
        assert_eq!(
            spans,
            ["1 day", "2 days", "25 hours", "1 hour", "90 seconds", "0 seconds"]
        );
    }
}

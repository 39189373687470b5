//! Diagnostics for gaps between snapshots, and for accounts that are missing from some.

use std::collections::BTreeMap;

use super::rounds::{Gap, Pace, Rounds};
use super::survival::percentile;
use crate::finding::{Code, Diagnostic};
use crate::history::account_names::AccountNames;
use crate::report::time::Timestamp;

/// How many gaps are listed; the others are counted.
const LISTED: usize = 20;
/// A pause is a gap if it is more than this many times the usual one.
const FACTOR: i64 = 3;
const DAY: i64 = 86_400;

/// Snapshots that are much further apart than usual, or lack accounts that earlier ones have.
pub(super) fn gaps(
    rounds: &Rounds,
    stale: &BTreeMap<Vec<u8>, Timestamp>,
    names: &AccountNames,
) -> Vec<Diagnostic> {
    let times = rounds.times();
    let mut messages: Vec<String> = times
        .iter()
        .flat_map(|(account, times)| pauses(times, account.map(|account| names.phrase(account))))
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

fn pauses(times: &[Timestamp], account: Option<String>) -> Vec<String> {
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
    let mut pauses: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    pauses.sort_unstable();
    percentile(&pauses, 50).unwrap_or(0)
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

//! Gaps between snapshots, and accounts that are missing from some.

use std::collections::BTreeMap;

use super::document::Point;
use super::survival::percentile;
use crate::finding::{Code, Diagnostic};
use crate::report::time::Timestamp;

/// How many are told; the rest is counted.
const TOLD: usize = 20;
/// A gap is so many times as long as usual.
const TIMES: i64 = 3;
const DAY: i64 = 86_400;

/// Accounts that a snapshot lacks and the one before has.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) as_of: String,
    /// One of them.
    pub(super) account: String,
    /// How many there are besides.
    pub(super) more: usize,
}

/// Where snapshots are much further apart than usual, or lack accounts of the one before.
pub(super) fn gaps(points: &[Point], missing: &[Missing]) -> Vec<Diagnostic> {
    let mut by_account: BTreeMap<Option<&str>, Vec<&Point>> = BTreeMap::new();
    let several = points.iter().any(|point| point.accounts > 1);
    for point in points {
        let account = point.account.as_deref().filter(|_| !several);
        by_account.entry(account).or_default().push(point);
    }
    let mut messages: Vec<String> = by_account.values().flat_map(|points| pauses(points)).collect();
    // Where no snapshot is of several accounts, each account has snapshots of its own.
    messages.extend(missing.iter().filter(|_| several).map(Missing::message));
    let more = messages.len().saturating_sub(TOLD);
    messages.truncate(TOLD);
    if more > 0 {
        messages.push(format!("{more} more gaps"));
    }
    let diagnostic = |message| Diagnostic::new(Code::Gap, message);
    messages.into_iter().map(diagnostic).collect()
}

impl Missing {
    fn message(&self) -> String {
        let Self { as_of, account, more } = self;
        match more {
            0 => format!(
                "account {account} is missing at {as_of}, and was there at the snapshot before; what is open in it \
                 stays open"
            ),
            _ => format!(
                "account {account} and {more} more are missing at {as_of}, and were there at the snapshot before; \
                 what is open in them stays open"
            ),
        }
    }
}

fn pauses(points: &[&Point]) -> Vec<String> {
    let mut messages = Vec::new();
    let pairs = || points.windows(2).map(|pair| (pair[0], pair[1]));
    let mut pauses: Vec<i64> = pairs().filter_map(|(one, next)| pause(one, next)).collect();
    pauses.sort_unstable();
    let usual = percentile(&pauses, 50).unwrap_or(0);
    for (one, next) in pairs() {
        if let Some(pause) = pause(one, next).filter(|&pause| pause > (TIMES * usual).max(DAY)) {
            let of = one
                .account
                .as_ref()
                .map_or(String::new(), |account| format!(" of account {account}"));
            messages.push(format!(
                "no snapshot{of} for {} after {}; usually it is {}",
                span(pause),
                one.as_of,
                span(usual)
            ));
        }
    }
    messages
}

/// So long, in the largest unit of which it is at least two, or just one.
fn span(seconds: i64) -> String {
    let units = [(DAY, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits = |&(unit, _): &(i64, &str)| seconds == unit || seconds >= 2 * unit;
    let (unit, name) = units.into_iter().find(fits).unwrap_or((1, "second"));
    match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

fn pause(one: &Point, next: &Point) -> Option<i64> {
    let time = |point: &Point| Timestamp::parse(point.as_of.as_bytes());
    Some(time(next)?.0 - time(one)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_say_them() {
        let told = [DAY, 2 * DAY + 5, DAY + 3_600, 3_600, 90, 0].map(span);
        assert_eq!(
            told,
            ["1 day", "2 days", "25 hours", "1 hour", "90 seconds", "0 seconds"]
        );
    }
}

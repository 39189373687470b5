//! Diagnostics for gaps between snapshots, and for accounts that are missing from some.

use std::collections::BTreeMap;

use super::document::Point;
use super::survival::percentile;
use crate::finding::{Code, Diagnostic};
use crate::report::time::Timestamp;

/// How many gaps are listed; the others are counted.
const LISTED: usize = 20;
/// A pause is a gap if it is more than this many times the usual one.
const FACTOR: i64 = 3;
const DAY: i64 = 86_400;

/// Accounts that are missing from a snapshot and are in the previous one.
#[derive(Debug)]
pub(super) struct MissingAccounts {
    pub(super) as_of: String,
    /// One of them, with its name if that is known.
    pub(super) account: String,
    /// The number of others.
    pub(super) more: usize,
}

/// Snapshots that are much further apart than usual, or lack accounts of the previous one.
pub(super) fn gaps(points: &[Point], missing: &[MissingAccounts]) -> Vec<Diagnostic> {
    let mut by_account: BTreeMap<Option<&str>, Vec<&Point>> = BTreeMap::new();
    let several = points.iter().any(|point| point.accounts > 1);
    for point in points {
        let account = point.account.as_deref().filter(|_| !several);
        by_account.entry(account).or_default().push(point);
    }
    let mut messages: Vec<String> = by_account.values().flat_map(|points| pauses(points)).collect();
    // If no snapshot has several accounts, each account has snapshots of its own.
    messages.extend(missing.iter().filter(|_| several).map(MissingAccounts::message));
    let more = messages.len().saturating_sub(LISTED);
    messages.truncate(LISTED);
    if more > 0 {
        messages.push(format!("{more} more gaps"));
    }
    let diagnostic = |message| Diagnostic::new(Code::Gap, message);
    messages.into_iter().map(diagnostic).collect()
}

impl MissingAccounts {
    fn message(&self) -> String {
        let Self { as_of, account, more } = self;
        match more {
            0 => format!(
                "account {account} is missing at {as_of} but is in the previous snapshot; its open findings stay open"
            ),
            _ => format!(
                "account {account} and {more} more are missing at {as_of} but are in the previous snapshot; their open \
                 findings stay open"
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
        if let Some(pause) = pause(one, next).filter(|&pause| pause > (FACTOR * usual).max(DAY)) {
            let of = one.account.as_ref().map_or(String::new(), |account| {
                let name = one.account_name.as_ref().map(|name| format!(" ({name})"));
                format!(" of account {account}{}", name.unwrap_or_default())
            });
            messages.push(format!(
                "no snapshot{of} for {} after {}; the usual interval is {}",
                span(pause),
                one.as_of,
                span(usual)
            ));
        }
    }
    messages
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

fn pause(one: &Point, next: &Point) -> Option<i64> {
    let time = |point: &Point| Timestamp::parse(point.as_of.as_bytes());
    Some(time(next)?.0 - time(one)?.0)
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

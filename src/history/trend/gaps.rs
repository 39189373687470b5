//! Gaps between snapshots, and accounts that are missing from some.

use std::collections::BTreeMap;

use super::document::Point;
use super::survival::percentile;
use crate::finding::{Diagnostic, Level};
use crate::report::time::Timestamp;

/// How many are told; the rest is counted.
const TOLD: usize = 20;
/// A gap is so many times as long as usual.
const TIMES: i64 = 3;
const DAY: i64 = 86_400;

/// Where snapshots are much further apart than usual, or of fewer accounts than the one before.
pub(super) fn gaps(points: &[Point]) -> Vec<Diagnostic> {
    let mut by_account: BTreeMap<Option<&str>, Vec<&Point>> = BTreeMap::new();
    let several = points.iter().any(|point| point.accounts > 1);
    for point in points {
        let account = point.account.as_deref().filter(|_| !several);
        by_account.entry(account).or_default().push(point);
    }
    let mut messages: Vec<String> = by_account.values().flat_map(|points| of_series(points)).collect();
    let more = messages.len().saturating_sub(TOLD);
    messages.truncate(TOLD);
    if more > 0 {
        messages.push(format!("{more} more gaps"));
    }
    messages.into_iter().map(diagnostic).collect()
}

fn of_series(points: &[&Point]) -> Vec<String> {
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
                "no snapshot{of} for {} days after {}; usually it is {} days",
                pause / DAY,
                one.as_of,
                usual / DAY
            ));
        }
        if next.accounts < one.accounts {
            messages.push(format!(
                "{} accounts at {}, {} at the snapshot before; what is open in the missing ones stays open",
                next.accounts, next.as_of, one.accounts
            ));
        }
    }
    messages
}

fn pause(one: &Point, next: &Point) -> Option<i64> {
    let time = |point: &Point| Timestamp::parse(point.as_of.as_bytes());
    Some(time(next)?.0 - time(one)?.0)
}

fn diagnostic(message: String) -> Diagnostic {
    Diagnostic {
        level: Level::Note,
        code: "gap".to_owned(),
        path: None,
        row: None,
        column: None,
        value: None,
        message,
    }
}

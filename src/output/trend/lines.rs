//! What table, markdown and html say in the same words.

use crate::history::trend::{Rotation, RuleTrend, TrendDocument};
use crate::output::words;

/// `12 snapshots from 2025-01-01 to 2025-12-31`.
pub(super) fn span(document: &TrendDocument) -> String {
    let snapshots = words::counted(document.snapshots.len() as u64, "snapshot");
    let ends = document.snapshots.first().zip(document.snapshots.last());
    match ends {
        Some((first, last)) => format!("{snapshots} from {} to {}", day(&first.as_of), day(&last.as_of)),
        None => snapshots,
    }
}

/// The day of an instant.
pub(super) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// A number of days, as far as it is known.
pub(super) fn days(days: Option<f64>) -> String {
    match days {
        None => "not reached".to_owned(),
        Some(days) if days < 10.0 => format!("{days:.1}"),
        Some(days) => format!("{days:.0}"),
    }
}

/// How keys were rotated, in one sentence.
pub(super) fn rotation(rotation: &Rotation) -> String {
    let unclear = match rotation.unclear {
        0 => String::new(),
        unclear => format!(", {} about then", words::number(unclear)),
    };
    format!(
        "Access keys given up within {} days: {} in time, {} late{unclear}; still active: {} too old, {} not due",
        rotation.max_age,
        words::number(rotation.in_time),
        words::number(rotation.late),
        words::number(rotation.never),
        words::number(rotation.not_due),
    )
}

/// The columns that are told of a rule, behind severity and name.
pub(super) const RULE_HEADS: [&str; 6] = [
    "at start",
    "opened",
    "resolved",
    "open",
    "median days",
    "p90 days",
];

/// What is told of a rule in these columns. Where nothing was opened there is no time to tell.
pub(super) fn rule_cells(rule: &RuleTrend) -> [String; 6] {
    let time = |value| {
        if rule.opened == 0 {
            "–".to_owned()
        } else {
            days(value)
        }
    };
    [
        words::number(rule.at_start),
        words::number(rule.opened),
        words::number(rule.resolved),
        words::number(rule.open),
        time(rule.median_days_to_resolve),
        time(rule.p90_days_to_resolve),
    ]
}

/// Since when a finding has been open.
pub(super) fn since(since: &str, at_start: bool) -> String {
    let before = if at_start { "before " } else { "" };
    format!("{before}{}", day(since))
}

/// How many open findings there are besides those shown, and how to see them.
pub(super) fn more_open(document: &TrendDocument, limit: usize) -> Option<String> {
    let open: u64 = document.rules.iter().map(|rule| rule.open).sum();
    let shown = document.oldest.len().min(limit) as u64;
    let more = open.checked_sub(shown).filter(|more| *more > 0)?;
    Some(format!(
        "… and {} more (--limit 0 shows all)",
        words::number(more)
    ))
}

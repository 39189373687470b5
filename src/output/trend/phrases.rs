//! Phrases that the table, the Markdown and the page of a trend share.

use super::series::Series;
use crate::history::trend::{OldFinding, Rotation, RuleTrend, TrendDocument};
use crate::output::phrases::{counted, more, number};

/// `12 snapshots from 2025-01-01 to 2025-12-31`.
pub(super) fn span(document: &TrendDocument) -> String {
    let snapshots = counted(document.snapshots.len() as u64, "snapshot");
    let ends = document.snapshots.first().zip(document.snapshots.last());
    match ends {
        Some((first, last)) if std::ptr::eq(first, last) => format!("{snapshots}, of {}", day(&first.as_of)),
        Some((first, last)) => format!("{snapshots} from {} to {}", day(&first.as_of), day(&last.as_of)),
        None => snapshots,
    }
}

/// How many gaps of an account are listed, the last ones.
const GAPS: usize = 3;

/// `23 reports, 2026-11-01 to 2026-11-24; missing 2026-11-10 to 2026-11-12 (3 snapshots); no newer report`
pub(super) fn reports(series: &Series<'_>) -> String {
    let reports = counted(series.points.len() as u64, "report");
    let [first, last] = series.ends();
    let mut parts = vec![format!("{reports}, {}", from_to(&first, &last))];
    let earlier = series.gaps.len().saturating_sub(GAPS);
    parts.extend((earlier > 0).then(|| counted(earlier as u64, "earlier gap")));
    parts.extend(series.gaps[earlier..].iter().map(|gap| {
        let (first, last) = (day(&gap.first), day(&gap.last));
        let snapshots = counted(gap.snapshots, "snapshot");
        let snapshots = (gap.snapshots > 1).then(|| format!(" ({snapshots})"));
        format!(
            "missing {}{}",
            from_to(first, last),
            snapshots.unwrap_or_default()
        )
    }));
    parts.extend(series.is_stale.then(|| "no newer report".to_owned()));
    parts.join("; ")
}

fn from_to(first: &str, last: &str) -> String {
    if first == last {
        return first.to_owned();
    }
    format!("{first} to {last}")
}

/// The day of an instant.
pub(super) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// A number of days; none where the percentile is not reached.
pub(super) fn days(days: Option<f64>) -> String {
    match days {
        None => "not reached".to_owned(),
        Some(days) if days < 10.0 => format!("{days:.1}"),
        Some(days) => format!("{days:.0}"),
    }
}

/// `Rotation within 90 days: 3 on time, 66 late, 1 unclear; still active: 4 overdue, 2 not due`.
pub(super) fn rotation(rotation: &Rotation) -> String {
    let unclear = match rotation.unclear {
        0 => String::new(),
        unclear => format!(", {} unclear", number(unclear)),
    };
    format!(
        "Rotation within {} days: {} on time, {} late{unclear}; still active: {} overdue, {} not due",
        rotation.max_age,
        number(rotation.in_time),
        number(rotation.late),
        number(rotation.never),
        number(rotation.not_due),
    )
}

/// The columns of a rule, after severity and name; those of unveiled findings, and of findings of accounts without a newer
/// report, only if there are any.
pub(super) fn rule_heads(document: &TrendDocument) -> Vec<&'static str> {
    let mut heads = vec!["at start", "opened"];
    heads.extend(has_unveiled(document).then_some("unveiled"));
    heads.extend(["resolved", "open"]);
    heads.extend(has_stale(document).then_some("stale"));
    heads.extend(["median days", "p90 days"]);
    heads
}

/// Whether accounts without a newer report have open findings.
fn has_stale(document: &TrendDocument) -> bool {
    document.rules.iter().any(|rule| rule.of_stale_accounts > 0)
}

fn has_unveiled(document: &TrendDocument) -> bool {
    document.rules.iter().any(|rule| rule.unveiled > 0)
}

/// What unveiled findings are, if there are any.
pub(super) fn unveiled(document: &TrendDocument) -> Option<&'static str> {
    has_unveiled(document).then_some(
        "Unveiled findings are not new: they became visible when a report had more columns than the one before.",
    )
}

/// The cells of a rule in these columns. Where no finding was opened there is no time to resolve.
pub(super) fn rule_cells(document: &TrendDocument, rule: &RuleTrend) -> Vec<String> {
    let time = |value| {
        if rule.opened == 0 {
            "–".to_owned()
        } else {
            days(value)
        }
    };
    let mut cells = vec![number(rule.at_start), number(rule.opened)];
    cells.extend(has_unveiled(document).then(|| number(rule.unveiled)));
    cells.extend([number(rule.resolved), number(rule.open)]);
    cells.extend(has_stale(document).then(|| number(rule.of_stale_accounts)));
    cells.extend([time(rule.median_days_to_resolve), time(rule.p90_days_to_resolve)]);
    cells
}

/// Since when a finding has been open.
pub(super) fn since(finding: &OldFinding) -> String {
    let is_older = finding.at_start || finding.unveiled;
    let before = if is_older { "before " } else { "" };
    format!("{before}{}", day(&finding.since))
}

/// How many open findings are not shown.
pub(super) fn more_open(document: &TrendDocument, limit: usize) -> Option<String> {
    let open: u64 = document.rules.iter().map(|rule| rule.open).sum();
    let shown = document.oldest.len().min(limit) as u64;
    more(open.saturating_sub(shown), "open finding", 0)
}

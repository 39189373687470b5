//! Whether any row can satisfy a condition, for lints.
//!
//! The condition is expanded into alternatives of simple tests, and each alternative is checked attribute by attribute.
//! A "no" is certain, except that months and years are measured from one fixed as-of. A "yes" may be wrong: conditions
//! that are too large, and dependencies between attributes, are not checked.

use std::collections::{BTreeMap, BTreeSet};

use crate::gsl::typed::{Comparison, Expr, TextTest, TimeTest};
use crate::report::time::{ABSENT_AS, Timestamp};

/// Conditions with more alternatives than this are not checked.
const MOST_ALTERNATIVES: usize = 512;
/// 2026-01-01. Any time will do for units of fixed length.
const AS_OF: Timestamp = Timestamp(1_767_225_600);

/// A simple test, and whether it must be true or false.
type Demand<'a> = (&'a Expr, bool);

/// False only if no row can satisfy the condition.
pub(super) fn is_satisfiable(expr: &Expr) -> bool {
    alternatives(expr, true).is_none_or(|all| all.iter().any(|demands| is_consistent(demands)))
}

/// The disjunctive normal form, or none if it is too large.
fn alternatives(expr: &Expr, wanted: bool) -> Option<Vec<Vec<Demand<'_>>>> {
    match (expr, wanted) {
        (Expr::Not(inner), _) => alternatives(inner, !wanted),
        (Expr::Or(parts), true) | (Expr::And(parts), false) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(alternatives(part, wanted)?);
            }
            (all.len() <= MOST_ALTERNATIVES).then_some(all)
        }
        (Expr::And(parts), true) | (Expr::Or(parts), false) => {
            parts.iter().try_fold(vec![Vec::new()], |all, part| {
                let more = alternatives(part, wanted)?;
                let pairs = all
                    .iter()
                    .flat_map(|left| more.iter().map(move |right| [&left[..], right].concat()));
                (all.len() * more.len() <= MOST_ALTERNATIVES).then(|| pairs.collect())
            })
        }
        (Expr::Flag(..) | Expr::Time(..) | Expr::Text(..) | Expr::Difference { .. }, _) => {
            Some(vec![vec![(expr, wanted)]])
        }
    }
}

/// Whether all demands can be met at once, checked for each attribute separately.
fn is_consistent(demands: &[Demand<'_>]) -> bool {
    let mut flags: BTreeMap<&str, [bool; 3]> = BTreeMap::new();
    let mut times: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut texts: BTreeMap<&str, Vec<(&TextTest, bool)>> = BTreeMap::new();
    for &(leaf, wanted) in demands {
        match leaf {
            Expr::Flag(attribute, value) => {
                let possible = flags.entry(attribute.name()).or_insert([true; 3]);
                // true, false and not_supported
                for (state, possible) in [Some(true), Some(false), None].into_iter().zip(possible) {
                    *possible &= (state == Some(*value)) == wanted;
                }
            }
            Expr::Time(attribute, test) => {
                let (low, high) = times.entry(attribute.name()).or_insert((ABSENT_AS, i64::MAX));
                let (least, most) = range(*test, wanted);
                *low = least.max(*low);
                *high = most.min(*high);
            }
            Expr::Text(attribute, test) => texts.entry(attribute.name()).or_default().push((test, wanted)),
            Expr::Difference {
                comparison, count, ..
            } => {
                let opposite = demands.contains(&(leaf, !wanted));
                if opposite || !is_possible_difference(*comparison, *count, wanted) {
                    return false;
                }
            }
            Expr::And(_) | Expr::Or(_) | Expr::Not(_) => {}
        }
    }
    flags.values().all(|possible| possible.contains(&true))
        && times.values().all(|(low, high)| low <= high)
        && texts.values().all(|tests| is_possible_text(tests))
}

/// The earliest and the latest time that meet the demand; an absent time counts as the earliest of all.
fn range(test: TimeTest, wanted: bool) -> (i64, i64) {
    match (test, wanted) {
        (TimeTest::Before(n, unit), true) => (ABSENT_AS, AS_OF.plus(n, unit).0.saturating_sub(1)),
        (TimeTest::Before(n, unit), false) => (AS_OF.plus(n, unit).0, i64::MAX),
        (TimeTest::After(n, unit), true) => (AS_OF.plus(n, unit).0.saturating_add(1), i64::MAX),
        (TimeTest::After(n, unit), false) => (ABSENT_AS, AS_OF.plus(n, unit).0),
        (TimeTest::IsEmpty, true) => (ABSENT_AS, ABSENT_AS),
        (TimeTest::IsEmpty, false) => (ABSENT_AS + 1, i64::MAX),
    }
}

/// A difference is never negative.
fn is_possible_difference(comparison: Comparison, count: i64, wanted: bool) -> bool {
    match (comparison, wanted) {
        (Comparison::Less, true) | (Comparison::AtLeast, false) => count > 0,
        (Comparison::AtMost | Comparison::Equal, true) | (Comparison::More, false) => count >= 0,
        (Comparison::Less | Comparison::AtMost | Comparison::Equal, false)
        | (Comparison::AtLeast | Comparison::More, true) => true,
    }
}

/// If a demand lists the texts that meet it, one of them must meet all other demands.
fn is_possible_text(tests: &[(&TextTest, bool)]) -> bool {
    let mut candidates: Option<BTreeSet<&str>> = None;
    for (test, _) in tests.iter().filter(|(_, wanted)| *wanted) {
        candidates = candidates.or_else(|| listed(test));
    }
    candidates.is_none_or(|candidates| {
        candidates.iter().any(|text| {
            tests
                .iter()
                .all(|(test, wanted)| test.holds(text.as_bytes()) == *wanted)
        })
    })
}

fn listed(test: &TextTest) -> Option<BTreeSet<&str>> {
    match test {
        TextTest::Equals(one) => Some(BTreeSet::from([one.as_str()])),
        TextTest::In(some) => Some(some.iter().map(String::as_str).collect()),
        TextTest::IsEmpty => Some(BTreeSet::from([""])),
        TextTest::Like(_) | TextTest::Matches(_) => None,
    }
}

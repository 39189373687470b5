//! The worst findings of a run, in bounded memory.

use std::collections::BinaryHeap;

use crate::engine::FindingRef;
use crate::finding::{Finding, Severity, Status};

/// Orders findings: the most severe first, then by status, then as they come. Smaller is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u8,
    /// Findings told before it.
    number: u64,
}

#[derive(Debug)]
struct Kept {
    place: Place,
    finding: Finding,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

/// Keeps the worst of the findings told, and counts all.
#[derive(Debug)]
pub(super) struct Worst {
    limit: usize,
    told: u64,
    /// The mildest on top.
    kept: BinaryHeap<Kept>,
}

impl Worst {
    /// A bar that every finding passes.
    pub(super) const NO_BAR: u8 = u8::MAX;

    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            told: 0,
            kept: BinaryHeap::new(),
        }
    }

    /// Adds a finding that comes after all that were added. `bar` is [`Worst::bar`] of findings that come
    /// before all of these.
    pub(super) fn add(&mut self, finding: &FindingRef<'_>, bar: u8) {
        let place = Place {
            rank: rank(finding.rule().bound.severity, finding.status),
            number: self.told,
        };
        self.told += 1;
        if place.rank < bar.min(self.bar()) {
            let finding = finding.to_finding();
            self.keep(Kept { place, finding });
        }
    }

    /// Later findings of this rank and milder ones cannot be among the worst any more.
    pub(super) fn bar(&self) -> u8 {
        if self.limit == 0 {
            return 0;
        }
        match self.kept.peek() {
            Some(mildest) if self.kept.len() == self.limit => mildest.place.rank,
            Some(_) | None => Self::NO_BAR,
        }
    }

    /// Takes over the findings of another, which all come after these, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Self) {
        for mut kept in other.kept.drain() {
            kept.place.number += self.told;
            self.keep(kept);
        }
        self.told += std::mem::take(&mut other.told);
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push(kept);
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    /// How many findings were told.
    pub(super) fn told(&self) -> u64 {
        self.told
    }

    /// The worst, worst first.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let kept = self.kept.into_sorted_vec();
        kept.into_iter().map(|kept| kept.finding).collect()
    }
}

fn rank(severity: Severity, status: Status) -> u8 {
    let mildness = Severity::Critical as u8 - severity as u8;
    mildness * 4 + status as u8
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::support::{Each, HOSTILE, assess};
    use super::*;

    /// All findings of the hostile report, and the worst of them when they come in blocks of this size.
    fn all_and_worst(limit: usize, block: u64) -> (Vec<Finding>, Vec<Finding>) {
        let state = Mutex::new((Vec::new(), Worst::new(limit), Worst::new(limit)));
        let sink = Each(|finding: &FindingRef<'_>| {
            let (all, whole, part) = &mut *state.lock().unwrap();
            all.push(finding.to_finding());
            part.add(finding, whole.bar());
            if part.told() == block {
                whole.take(part);
            }
        });
        assess(&sink, &[("a.csv", HOSTILE.as_bytes())], &["*"], 1);
        let (all, mut whole, mut part) = state.into_inner().unwrap();
        whole.take(&mut part);
        assert_eq!(whole.told(), all.len() as u64);
        (all, whole.into_findings())
    }

    #[test]
    fn the_worst_are_those_of_a_stable_sort() {
        for limit in [0, 1, 2, 7, 1_000] {
            for block in [1, 2, 5, 1_000] {
                let (mut all, worst) = all_and_worst(limit, block);
                all.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.status));
                all.truncate(limit);
                assert_eq!(worst, all, "limit {limit}, block {block}");
            }
        }
    }
}

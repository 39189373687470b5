//! The worst findings of a run, in bounded memory.

use std::collections::BTreeMap;

use crate::engine::FindingRef;
use crate::finding::{Finding, Severity, Status};

/// Orders findings: the most severe first, then by status, then as they come. Smaller is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FindingRank {
    mildness: u8,
    /// Findings emitted before it.
    number: u64,
}

/// Keeps the worst of the emitted findings, and counts all.
#[derive(Debug)]
pub(super) struct WorstFindings {
    limit: usize,
    emitted: u64,
    /// At most `limit`.
    worst: BTreeMap<FindingRank, Finding>,
}

impl WorstFindings {
    /// A bar that every finding passes.
    const NO_BAR: u8 = u8::MAX;

    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            emitted: 0,
            worst: BTreeMap::new(),
        }
    }

    /// Adds a finding that comes after all that were added. `bar` is [`WorstFindings::bar`] of findings that come
    /// before all of these.
    pub(super) fn add(&mut self, finding: &FindingRef<'_>, bar: u8) {
        let rank = FindingRank {
            mildness: mildness(finding.rule().bound.severity, finding.status),
            number: self.emitted,
        };
        self.emitted += 1;
        if rank.mildness < bar.min(self.bar()) {
            self.insert(rank, finding.to_finding());
        }
    }

    /// Later findings of this mildness and milder ones cannot be among the worst any more.
    pub(super) fn bar(&self) -> u8 {
        if self.limit == 0 {
            return 0;
        }
        match self.worst.last_key_value() {
            Some((mildest, _)) if self.worst.len() == self.limit => mildest.mildness,
            Some(_) | None => Self::NO_BAR,
        }
    }

    /// Takes over the findings of another, which all come after these, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Self) {
        for (mut rank, finding) in std::mem::take(&mut other.worst) {
            rank.number += self.emitted;
            self.insert(rank, finding);
        }
        self.emitted += std::mem::take(&mut other.emitted);
    }

    fn insert(&mut self, rank: FindingRank, finding: Finding) {
        self.worst.insert(rank, finding);
        if self.worst.len() > self.limit {
            self.worst.pop_last();
        }
    }

    /// How many findings were emitted.
    pub(super) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// The worst, worst first.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.worst.into_values().collect()
    }
}

fn mildness(severity: Severity, status: Status) -> u8 {
    (Severity::Critical as u8 - severity as u8) * 8 + status as u8
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::output::test_support::{ForEachFinding, HOSTILE, evaluate};

    /// All findings of the hostile report, and the worst of them when they come in blocks of this size.
    fn all_and_worst(limit: usize, block: u64) -> (Vec<Finding>, Vec<Finding>) {
        let state = Mutex::new((Vec::new(), WorstFindings::new(limit), WorstFindings::new(limit)));
        let sink = ForEachFinding(|finding: &FindingRef<'_>| {
            let (all, whole, part) = &mut *state.lock().unwrap();
            all.push(finding.to_finding());
            part.add(finding, whole.bar());
            if part.emitted() == block {
                whole.take(part);
            }
        });
        evaluate(&sink, &[("a.csv", HOSTILE.as_bytes())], &["*"], 1);
        let (all, mut whole, mut part) = state.into_inner().unwrap();
        whole.take(&mut part);
        assert_eq!(whole.emitted(), all.len() as u64);
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

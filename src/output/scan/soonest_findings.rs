//! The findings of a run that are due soonest, in bounded memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::engine::FindingRef;
use crate::finding::{Finding, Severity};
use crate::report::time::Timestamp;

/// Orders findings: by the second at which they are due, then the most severe first, then as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DueRank {
    due_at: Timestamp,
    severity: Reverse<Severity>,
    /// Due findings emitted before it.
    number: u64,
}

/// Keeps those of the emitted findings that are due soonest, and counts all that are due.
#[derive(Debug)]
pub(super) struct SoonestFindings {
    limit: usize,
    emitted: u64,
    /// At most `limit`.
    soonest: BTreeMap<DueRank, Finding>,
}

impl SoonestFindings {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            emitted: 0,
            soonest: BTreeMap::new(),
        }
    }

    /// Adds a finding that is due and comes after all that were added. `bar` is [`SoonestFindings::bar`] of findings that
    /// come before all of these.
    pub(super) fn add(&mut self, finding: &FindingRef<'_>, bar: Timestamp) {
        let Some(due_at) = finding.due_at else { return };
        let rank = DueRank {
            due_at,
            severity: Reverse(finding.rule().bound.severity),
            number: self.emitted,
        };
        self.emitted += 1;
        let is_full = self.soonest.len() >= self.limit;
        let last = self.soonest.last_key_value().map(|(&last, _)| last);
        if due_at <= bar && (!is_full || last.is_some_and(|last| rank < last)) {
            self.insert(rank, finding.to_finding());
        }
    }

    /// Findings that are due later cannot be among the soonest any more.
    pub(super) fn bar(&self) -> Timestamp {
        match self.soonest.last_key_value() {
            Some((last, _)) if self.soonest.len() >= self.limit => last.due_at,
            Some(_) | None => Timestamp(i64::MAX),
        }
    }

    /// Takes over the findings of another, which all come after these, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Self) {
        for (mut rank, finding) in std::mem::take(&mut other.soonest) {
            rank.number += self.emitted;
            self.insert(rank, finding);
        }
        self.emitted += std::mem::take(&mut other.emitted);
    }

    fn insert(&mut self, rank: DueRank, finding: Finding) {
        self.soonest.insert(rank, finding);
        if self.soonest.len() > self.limit {
            self.soonest.pop_last();
        }
    }

    /// How many findings that are due were emitted.
    pub(super) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// The soonest, soonest first.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.soonest.into_values().collect()
    }
}

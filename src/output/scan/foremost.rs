//! The foremost findings of a run, the worst or those that are due soonest, in bounded memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::engine::FindingRef;
use crate::finding::{Finding, Severity, Status};
use crate::report::time::Timestamp;

/// The first of the emitted findings by rank, those of one rank as they come; all are counted. Smaller ranks come first.
#[derive(Debug)]
pub(super) struct Foremost<R> {
    limit: usize,
    emitted: u64,
    /// At most `limit`, by rank and the number of findings emitted before.
    first: BTreeMap<(R, u64), Finding>,
}

/// The worst findings: the most severe first, then by status.
pub(super) type WorstFindings = Foremost<Mildness>;

/// The findings that are due soonest: by the second at which they are, then the most severe first.
pub(super) type SoonestFindings = Foremost<(Timestamp, Reverse<Severity>)>;

/// How little a finding matters: small enough to be shared by threads.
pub(super) type Mildness = u8;

impl<R: Copy + Ord> Foremost<R> {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            emitted: 0,
            first: BTreeMap::new(),
        }
    }

    /// Adds a finding that comes after all that were added. `is_behind` says that findings that come before all of these
    /// leave no room for it.
    pub(super) fn add(&mut self, finding: &FindingRef<'_>, rank: R, is_behind: bool) {
        let number = self.emitted;
        self.emitted += 1;
        let has_room = self.limit > 0 && self.bar().is_none_or(|bar| rank < bar);
        if has_room && !is_behind {
            self.insert((rank, number), finding.to_finding());
        }
    }

    /// Later findings of this rank and of those behind it cannot be among the first any more; none while there is room.
    pub(super) fn bar(&self) -> Option<R> {
        let (&(last, _), _) = self.first.last_key_value()?;
        (self.first.len() >= self.limit).then_some(last)
    }

    /// Takes over the findings of another, which all come after these, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Self) {
        for ((rank, number), finding) in std::mem::take(&mut other.first) {
            self.insert((rank, self.emitted + number), finding);
        }
        self.emitted += std::mem::take(&mut other.emitted);
    }

    fn insert(&mut self, at: (R, u64), finding: Finding) {
        self.first.insert(at, finding);
        if self.first.len() > self.limit {
            self.first.pop_last();
        }
    }

    /// How many findings were emitted.
    pub(super) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// The first, in order.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.first.into_values().collect()
    }
}

/// The rank of a finding among the worst.
pub(super) fn mildness(finding: &FindingRef<'_>) -> Mildness {
    let (severity, status): (Severity, Status) = (finding.rule().bound.severity, finding.status);
    (Severity::Critical as u8 - severity as u8) * 8 + status as u8
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::output::test_support::{ForEachFinding, HOSTILE, evaluate};

    /// All findings of the hostile report, and the first of them by rank when they come in blocks of this size.
    fn all_and_first<R: Copy + Ord + Send>(
        (limit, block): (usize, u64),
        rank: impl Fn(&FindingRef<'_>) -> R + Sync,
    ) -> (Vec<(R, Finding)>, Vec<Finding>) {
        let state = Mutex::new((Vec::new(), Foremost::new(limit), Foremost::new(limit)));
        let sink = ForEachFinding(|finding: &FindingRef<'_>| {
            let (all, whole, part) = &mut *state.lock().unwrap();
            let rank = rank(finding);
            all.push((rank, finding.to_finding()));
            part.add(finding, rank, whole.bar().is_some_and(|bar| rank >= bar));
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
    fn the_first_are_those_of_a_stable_sort() {
        for limit in [0, 1, 2, 7, 1_000] {
            for block in [1, 2, 5, 1_000] {
                let (mut all, worst) = all_and_first((limit, block), mildness);
                all.sort_by_key(|(_, finding)| (Reverse(finding.severity), finding.status));
                let sorted: Vec<_> = all.into_iter().map(|(_, finding)| finding).take(limit).collect();
                assert_eq!(worst, sorted, "limit {limit}, block {block}");
                let by_rule = |finding: &FindingRef<'_>| {
                    let bound = &finding.rule().bound;
                    (
                        Timestamp(i64::from(bound.rule.id.len().is_multiple_of(3))),
                        Reverse(bound.severity),
                    )
                };
                let (mut all, soonest) = all_and_first((limit, block), by_rule);
                all.sort_by_key(|(rank, _)| *rank);
                let sorted: Vec<_> = all.into_iter().map(|(_, finding)| finding).take(limit).collect();
                assert_eq!(soonest, sorted, "limit {limit}, block {block}");
            }
        }
    }
}

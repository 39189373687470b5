//! Counts what a trend follows: episodes of findings and how long they last, and whether keys are replaced in time.

use std::collections::BTreeMap;

use super::document::Rotation;
use super::figures::{days, ratio};
use crate::engine::CompiledRule;
use crate::history::findings::Open;
use crate::history::snapshot::Snapshot;
use crate::history::transition::{FindingChange, Move};
use crate::report::time::Timestamp;

/// The counts of all accounts.
pub(super) struct TrendCounts<'a> {
    pub(super) rules: &'a [CompiledRule],
    /// One per rule.
    pub(super) episodes: &'a mut [Episodes],
    pub(super) rotation: &'a mut Rotation,
    /// Findings opened in this snapshot.
    pub(super) opened: u64,
    /// Findings that only became visible in this snapshot.
    pub(super) unveiled: u64,
    /// Findings resolved in this snapshot.
    pub(super) resolved: u64,
}

impl<'a> TrendCounts<'a> {
    pub(super) fn new(
        rules: &'a [CompiledRule],
        episodes: &'a mut [Episodes],
        rotation: &'a mut Rotation,
    ) -> Self {
        Self {
            rules,
            episodes,
            rotation,
            opened: 0,
            unveiled: 0,
            resolved: 0,
        }
    }

    /// Counts what became of a finding; the finding, if it is open. `is_first` says whether this is the first snapshot of the
    /// account.
    pub(super) fn take(
        &mut self,
        change: &FindingChange,
        (is_first, next): (bool, &Snapshot),
    ) -> Option<Open> {
        let mut open = change.open;
        let episodes = &mut self.episodes[usize::from(open.rule)];
        match change.which {
            Move::Open => {}
            Move::Resolved => {
                self.resolved += 1;
                episodes.end(&open, next.input.as_of);
                return None;
            }
            Move::Opened | Move::Unveiled if is_first => {
                open.since.at_start = true;
                episodes.at_start += 1;
            }
            Move::Unveiled => {
                self.unveiled += 1;
                episodes.unveiled += 1;
            }
            Move::Opened => {
                self.opened += 1;
                episodes.opened += 1;
            }
        }
        Some(open)
    }
}

/// How often findings of one rule were opened and resolved, and how long they lasted.
#[derive(Clone, Debug, Default)]
pub(super) struct Episodes {
    pub(super) at_start: u64,
    pub(super) opened: u64,
    pub(super) unveiled: u64,
    pub(super) resolved: u64,
    pub(super) lengths: Lengths,
}

impl Episodes {
    fn end(&mut self, open: &Open, now: Timestamp) {
        self.resolved += 1;
        if open.since.is_known() {
            self.lengths.ended(now.0 - open.since.as_of.0);
        }
    }
}

impl Rotation {
    fn limit(self) -> i64 {
        self.max_age * 86_400
    }

    /// Counts a key that was last seen active at `seen`, and is inactive or gone at `gone`.
    pub(super) fn retired(&mut self, created: i64, seen: Timestamp, gone: Timestamp) {
        if gone.0 - created <= self.limit() {
            self.in_time += 1;
        } else if seen.0 - created > self.limit() {
            self.late += 1;
        } else {
            self.unclear += 1;
        }
    }

    /// Counts a key that is active in the last snapshot.
    pub(super) fn at_end(&mut self, created: i64, last: Timestamp) {
        if last.0 - created > self.limit() {
            self.never += 1;
        } else {
            self.not_due += 1;
        }
    }
}

/// How long findings last (Kaplan–Meier, which counts open findings for as long as they were seen): the lengths of episodes in
/// seconds, each with the number that ended and the number still open.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths(BTreeMap<i64, (u64, u64)>);

impl Lengths {
    /// Adds an episode that ended.
    pub(super) fn ended(&mut self, seconds: i64) {
        self.0.entry(seconds).or_default().0 += 1;
    }

    /// Adds an episode that was open when last seen.
    pub(super) fn open(&mut self, seconds: i64) {
        self.0.entry(seconds).or_default().1 += 1;
    }

    /// The shortest length, in days, within which at least `share` of all episodes are estimated to end;
    /// none if the estimate does not reach it.
    pub(super) fn days_until(&self, share: f64) -> Option<f64> {
        let mut at_risk: u64 = self.0.values().map(|(ended, open)| ended + open).sum();
        let mut surviving = 1.0;
        for (&seconds, &(ended, open)) in &self.0 {
            if ended > 0 {
                surviving *= ratio(at_risk - ended, at_risk);
                // The tolerance covers rounding errors of the product.
                if surviving <= 1.0 - share + 1e-9 {
                    return Some(days(seconds));
                }
            }
            at_risk -= ended + open;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trend::figures::percentile;

    const DAY: i64 = 86_400;

    #[test]
    fn open_episodes_count_for_as_long_as_they_were_seen() {
        // A textbook example: 6, 6, 6, 6+, 7, 9+, 10, 10+, 11+, 13, 16, 17+, 19+, 20+, 22, 23, 25+, 32+, 32+,
        // 34+, 35+ weeks (Freireich et al. 1963): the median is 23.
        let mut lengths = Lengths::default();
        for ended in [6, 6, 6, 7, 10, 13, 16, 22, 23] {
            lengths.ended(ended * DAY);
        }
        for open in [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35] {
            lengths.open(open * DAY);
        }
        assert_eq!(lengths.days_until(0.5), Some(23.0));
        assert_eq!(lengths.days_until(0.1), Some(6.0));
        assert_eq!(lengths.days_until(0.9), None);
    }

    #[test]
    fn without_open_ones_it_is_the_nearest_rank() {
        for count in 1..40_i64 {
            let mut lengths = Lengths::default();
            let all: Vec<i64> = (1..=count).map(|day| day * DAY).collect();
            for &length in &all {
                lengths.ended(length);
            }
            for (share, percent) in [(0.5, 50), (0.9, 90)] {
                assert_eq!(
                    lengths.days_until(share),
                    percentile(&all, percent).map(days),
                    "{count}"
                );
            }
        }
        assert_eq!(Lengths::default().days_until(0.5), None);
        assert_eq!(percentile(&[], 50), None);
    }
}

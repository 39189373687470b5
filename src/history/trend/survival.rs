//! Estimates how long findings last (Kaplan–Meier, which counts open findings for as long as they were seen), and
//! percentiles.

use std::collections::BTreeMap;

/// The lengths of episodes in seconds, each with the number that ended and the number still open.
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

/// Seconds as days, rounded to hundredths.
pub(super) fn days(seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 seconds")]
    let hundredths = seconds as f64 / 864.0;
    hundredths.round() / 100.0
}

/// A share of a count.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 things")]
    let ratio = part as f64 / whole as f64;
    ratio
}

/// The nearest-rank percentile of sorted values: the least value that at least `percent` of them do not exceed.
pub(super) fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    rank(sorted.len(), percent).map(|rank| sorted[rank])
}

/// The index of the nearest-rank percentile among `count` sorted values.
pub(super) fn rank(count: usize, percent: usize) -> Option<usize> {
    let rank = (count * percent).div_ceil(100).max(1);
    (count > 0).then(|| rank - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn half_a_hundredth_of_a_day_is_rounded_up() {
        let rounded = [6_876_143, 6_876_144].map(|seconds| days(seconds).to_string());
        assert_eq!(rounded, ["79.58", "79.59"]);
    }

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

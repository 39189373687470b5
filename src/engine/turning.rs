//! The instants at which a comparison of one time with the as-of turns, from true to false or back.

use super::program::Op;
use crate::report::time::{Timestamp, Unit};

const SECONDS_PER_DAY: i64 = 86_400;

/// The as-ofs after `after`, up to `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) after: i64,
    pub(super) until: i64,
}

/// The side of its cutoff on which a time is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// A comparison of a time with the as-of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    side: Side,
    count: i64,
    unit: Unit,
}

impl Comparison {
    /// None for operations that do not depend on the as-of by themselves.
    pub(super) fn of(op: &Op) -> Option<Self> {
        let (side, count, unit) = match *op {
            Op::Before(_, count, unit) => (Side::Before, count, unit),
            Op::After(_, count, unit) => (Side::After, count, unit),
            Op::Flag(..)
            | Op::IsEmpty(_)
            | Op::Text(..)
            | Op::Difference { .. }
            | Op::Not(_)
            | Op::All(_)
            | Op::Any(_) => return None,
        };
        Some(Self { side, count, unit })
    }

    /// Whether it holds for this time at this as-of.
    pub(super) fn holds(self, time: i64, as_of: i64) -> bool {
        let cutoff = Timestamp(as_of).plus(self.count, self.unit).0;
        match self.side {
            Side::Before => time < cutoff,
            Side::After => time > cutoff,
        }
    }

    /// Bounds of its cutoffs in the window, both included. They are reached if the unit has a length.
    pub(super) fn cutoffs(self, window: Window) -> (i64, i64) {
        let cutoff = |as_of: i64| Timestamp(as_of).plus(self.count, self.unit).0;
        if self.unit.seconds().is_some() {
            return (cutoff(window.after.saturating_add(1)), cutoff(window.until));
        }
        // Whole days, since cutoffs go back where a month's end is clamped.
        let last = start(day(window.until)).saturating_add(SECONDS_PER_DAY - 1);
        (cutoff(start(day(window.after))), cutoff(last))
    }

    /// Adds the as-ofs of the window at which it turns for this time, and perhaps others.
    pub(super) fn turns(self, time: i64, window: Window, turns: &mut Vec<i64>) {
        let mut add = |instant: i64| {
            if instant > window.after && instant <= window.until {
                turns.push(instant);
            }
        };
        // A time is before the cutoff from the second after the equal one on, and after it until the equal one.
        let late = i64::from(self.side == Side::Before);
        let Some(length) = self.unit.seconds() else {
            return self.calendar_turns(time, window, add);
        };
        let turn = i128::from(time) - i128::from(self.count.saturating_mul(length)) + i128::from(late);
        if let Ok(turn) = i64::try_from(turn) {
            add(turn);
        }
    }

    /// Within one day, a cutoff of months or years moves as the as-of does. From one day to the next it may skip days (31
    /// January and one day more, plus a month) or go back to the beginning of the same day (28 and 29 January, plus a
    /// month): such a comparison turns at the start of a day, too, and more than once.
    fn calendar_turns(self, time: i64, window: Window, mut add: impl FnMut(i64)) {
        let cutoff_day = |of: i64| day(Timestamp(start(of)).plus(self.count, self.unit).0);
        let (time_day, second) = (day(time), time.rem_euclid(SECONDS_PER_DAY));
        let late = i64::from(self.side == Side::Before);
        let (mut low, mut high) = (day(window.after), day(window.until).saturating_add(1));
        // The first day whose cutoffs are not all on days before that of the time.
        while low < high {
            let middle = low + (high - low) / 2;
            if cutoff_day(middle) < time_day {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let last = day(window.until);
        while low <= last {
            add(start(low));
            if cutoff_day(low) != time_day {
                return;
            }
            add(start(low) + second + late);
            low += 1;
        }
    }
}

/// Days since 1970-01-01.
fn day(instant: i64) -> i64 {
    instant.div_euclid(SECONDS_PER_DAY)
}

/// The first second of a day.
fn start(day: i64) -> i64 {
    day.saturating_mul(SECONDS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").0
    }

    /// The seconds of the window at which the comparison differs from the second before. Tried are those around the start
    /// of each day and around the clock time of the time, and one in each quarter of an hour, so that no other turn is
    /// overlooked. All units here are whole days or less than a minute.
    fn tried(comparison: Comparison, time: i64, window: Window) -> Vec<i64> {
        let clock = time.rem_euclid(SECONDS_PER_DAY);
        let mut seconds = vec![window.after];
        for start in (day(window.after)..=day(window.until)).map(start) {
            seconds.extend(start - 60..start + 60);
            seconds.extend(start + clock - 60..start + clock + 60);
            seconds.extend((start..start + SECONDS_PER_DAY).step_by(900));
        }
        seconds.retain(|second| (window.after..=window.until).contains(second));
        seconds.sort_unstable();
        seconds.dedup();
        let pairs = seconds.windows(2);
        let turns = pairs.filter(|pair| comparison.holds(time, pair[0]) != comparison.holds(time, pair[1]));
        let turn = |pair: &[i64]| {
            assert_eq!(pair[0] + 1, pair[1], "{comparison:?} {time} turns elsewhere");
            pair[1]
        };
        turns.map(turn).collect()
    }

    fn found(comparison: Comparison, time: i64, window: Window) -> Vec<i64> {
        let mut turns = Vec::new();
        comparison.turns(time, window, &mut turns);
        turns.sort_unstable();
        turns.dedup();
        turns.retain(|&turn| comparison.holds(time, turn) != comparison.holds(time, turn - 1));
        turns
    }

    #[test]
    fn a_clamped_month_turns_more_than_once() {
        // 29, 30 and 31 January 2027 plus a month are all 28 February.
        let window = Window {
            after: at("2027-01-28T00:00:00Z"),
            until: at("2027-02-02T00:00:00Z"),
        };
        let comparison = Comparison {
            side: Side::Before,
            count: 1,
            unit: Unit::Months,
        };
        let turns = found(comparison, at("2027-02-28T12:00:00Z"), window);
        let expected = [
            "2027-01-28T12:00:01Z",
            "2027-01-29T00:00:00Z",
            "2027-01-29T12:00:01Z",
            "2027-01-30T00:00:00Z",
            "2027-01-30T12:00:01Z",
            "2027-01-31T00:00:00Z",
            "2027-01-31T12:00:01Z",
        ];
        assert_eq!(turns, expected.map(at));
    }

    #[test]
    fn every_turn_is_found() {
        let months = [
            "2026-02-26",
            "2027-12-29",
            "2024-02-27",
            "2023-02-27",
            "2026-04-28",
        ];
        for first in months.map(at) {
            let window = Window {
                after: first + 40_000,
                until: first + 5 * SECONDS_PER_DAY,
            };
            for (count, unit) in [
                (0, Unit::Months),
                (1, Unit::Months),
                (-1, Unit::Months),
                (-3, Unit::Months),
                (-12, Unit::Years),
                (1, Unit::Years),
                (-90, Unit::Days),
                (7, Unit::Seconds),
                (i64::MIN, Unit::Months),
                (i64::MAX, Unit::Days),
            ] {
                for side in [Side::Before, Side::After] {
                    let comparison = Comparison { side, count, unit };
                    let (least, greatest) = comparison.cutoffs(window);
                    let middle = Timestamp(first + 2 * SECONDS_PER_DAY).plus(count, unit).0;
                    for time in [0, 1, 43_210, 86_399, 86_400, 100_000, -1, -86_400, 250_000] {
                        let time = middle.saturating_add(time);
                        let expected = tried(comparison, time, window);
                        assert_eq!(found(comparison, time, window), expected, "{comparison:?} {time}");
                        // What is outside of the bounds does not turn after the first second.
                        let late: Vec<_> = expected.iter().filter(|&&turn| turn > window.after + 1).collect();
                        assert!(
                            (least..=greatest).contains(&time) || late.is_empty(),
                            "{comparison:?}"
                        );
                    }
                }
            }
        }
    }
}

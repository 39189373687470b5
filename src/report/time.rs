//! Instants and calendar arithmetic, exact to the second, all in UTC.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

use chrono::{DateTime, Datelike as _, Months, NaiveDate};

use super::fixed_form;
use super::word::word_enum;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// The instant as which an absent time is compared: 0001-01-01T00:00:00Z, as in `CloudGuard`.
pub const ABSENT_AS: i64 = -62_135_596_800;

/// 0001-01-01T00:00:00Z
const FIRST: i64 = ABSENT_AS;

/// 9999-12-31T23:59:59Z
pub(crate) const LAST: i64 = 253_402_300_799;

const SECONDS_PER_DAY: i64 = 86_400;

word_enum! {
    /// A unit of GSL's time functions.
    pub enum Unit {
        /// 1 second
        Seconds = "seconds",
        /// 60 seconds
        Minutes = "minutes",
        /// 3,600 seconds
        Hours = "hours",
        /// 86,400 seconds
        Days = "days",
        /// 7 days
        Weeks = "weeks",
        /// calendar months, clamped to the month's end
        Months = "months",
        /// calendar years, clamped to the month's end
        Years = "years",
    }
}

impl Unit {
    /// The unit's length in seconds; none for months and years, whose length varies.
    pub const fn seconds(self) -> Option<i64> {
        match self {
            Self::Seconds => Some(1),
            Self::Minutes => Some(60),
            Self::Hours => Some(3_600),
            Self::Days => Some(SECONDS_PER_DAY),
            Self::Weeks => Some(7 * SECONDS_PER_DAY),
            Self::Months | Self::Years => None,
        }
    }
}

impl Timestamp {
    /// How many seconds it is until a later instant; none if that is earlier.
    pub fn seconds_until(self, later: Self) -> Option<u64> {
        u64::try_from(later.0.checked_sub(self.0)?).ok()
    }

    /// How many whole days it is until a later instant; none if that is earlier.
    pub fn days_until(self, later: Self) -> Option<u64> {
        Some(self.seconds_until(later)? / SECONDS_PER_DAY.unsigned_abs())
    }

    /// This instant `n` units later (earlier when negative). Saturates far outside the calendar, so that comparisons
    /// remain correct.
    #[must_use]
    pub fn plus(self, n: i64, unit: Unit) -> Self {
        if let Some(length) = unit.seconds() {
            return Self(self.0.saturating_add(n.saturating_mul(length)));
        }
        let months = if unit == Unit::Years {
            n.saturating_mul(12)
        } else {
            n
        };
        let beyond = Self(if n < 0 { i64::MIN } else { i64::MAX });
        self.plus_months(months).unwrap_or(beyond)
    }

    fn plus_months(self, months: i64) -> Option<Self> {
        let from = DateTime::from_timestamp(self.0, 0)?;
        let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let to = if months < 0 {
            from.checked_sub_months(count)
        } else {
            from.checked_add_months(count)
        };
        Some(Self(to?.timestamp()))
    }

    /// Reads an instant as cells of a report have it: `YYYY-MM-DD`, then optionally `T` or a blank and
    /// `HH:MM:SS`, a fraction (cut off), and `Z`, `±HH:MM`, `±HHMM` or nothing (UTC). A date alone is
    /// 00:00:00. Real dates only, years 0001 to 9999, seconds 00 to 59.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_fixed(text).or_else(|| Self::parse_any(text))
    }

    /// The form that AWS writes, `YYYY-MM-DDTHH:MM:SS` with `Z` or `+00:00`, by position. None for any other form, and
    /// for unreal instants.
    #[inline]
    pub(super) fn parse_fixed(text: &[u8]) -> Option<Self> {
        // Most cells that are read again have rarer forms, almost all of other lengths.
        if !fixed_form::LENGTHS.contains(&text.len()) {
            return None;
        }
        let mut bytes = [0; fixed_form::LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        fixed_form::seconds(text.len() as u64, fixed_form::words(&bytes)).map(Self)
    }

    /// `YYYY-MM-DDTHH:MM:SS` of an instant in the years 1 to 9999.
    pub fn digits(self) -> [u8; 19] {
        fixed_form::digits(self.0)
    }

    fn parse_any(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let day = parse_date(date)?;
        let seconds = match rest.split_first() {
            None => 0,
            Some((b'T' | b' ', clock)) => parse_clock(clock)?,
            Some(_) => return None,
        };
        // An offset can lead to a year before 1 or after 9999.
        let instant = day * SECONDS_PER_DAY + seconds;
        (FIRST..=LAST).contains(&instant).then_some(Self(instant))
    }
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn parse_date(text: &[u8]) -> Option<i64> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = i32::try_from(digits(y)?).ok()?;
    let month = u32::try_from(digits(&[*m1, *m2])?).ok()?;
    let day = u32::try_from(digits(&[*d1, *d2])?).ok()?;
    if year == 0 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(i64::from(date.num_days_from_ce()) - 719_163)
}

/// Seconds since midnight UTC of `HH:MM:SS`, with an optional fraction and zone; negative or more than a day where the
/// zone leads to another day.
fn parse_clock(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock else {
        return None;
    };
    let hour = two_digits(*h1, *h2, 23)?;
    let minute = two_digits(*m1, *m2, 59)?;
    let second = two_digits(*s1, *s2, 59)?;
    let offset = parse_zone(skip_fraction(rest)?)?;
    Some(hour * 3_600 + minute * 60 + second - offset)
}

fn skip_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some((b'.', rest)) = text.split_first() else {
        return Some(text);
    };
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[end..])
}

/// Seconds east of UTC.
fn parse_zone(text: &[u8]) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match text {
        [] | [b'Z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let seconds = two_digits(*h1, *h2, 23)? * 3_600 + two_digits(*m1, *m2, 59)? * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn two_digits(tens: u8, ones: u8, most: i64) -> Option<i64> {
    digits(&[tens, ones]).filter(|&number| number <= most)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

impl fmt::Display for Timestamp {
    /// `YYYY-MM-DDTHH:MM:SSZ`; outside the years 1 to 9999, which no report has, the seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        match str::from_utf8(&digits) {
            Ok(digits) if (FIRST..=LAST).contains(&self.0) => write!(f, "{digits}Z"),
            _ => write!(f, "{}s", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        Self::parse(text.trim().as_bytes()).ok_or(InvalidTime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The text is not a time in a form that reports use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid time; write 2026-11-21 (its first second, UTC) or 2026-11-21T00:00:00Z")]
pub struct InvalidTime;

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        Timestamp::parse(text.as_bytes()).map(|time| time.0)
    }

    #[test]
    fn every_spelling_of_one_instant() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05+00:00",
            "2026-01-02T03:04:05-0000",
            "2026-01-02 03:04:05",
            "2026-01-02T03:04:05.999999999Z",
            "2026-01-02T05:34:05+02:30",
            "2026-01-01T22:04:05-0500",
        ] {
            assert_eq!(seconds(text), Some(1_767_323_045), "{text}");
        }
        assert_eq!(seconds("2026-01-02"), seconds("2026-01-02T00:00:00Z"));
        assert_eq!(seconds("0001-01-01"), Some(ABSENT_AS));
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
    }

    #[test]
    fn invalid_instants() {
        for text in [
            "",
            "N/A",
            "2026-02-29",
            "2026-02-31T00:00:00Z",
            "0000-01-01",
            "2026-1-2",
            "2026-01-02T",
            "2026-01-02Z",
            "2026-01-02T03:04",
            "2026-01-02T24:00:00Z",
            "2026-01-02T23:59:60Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05z",
            "2026-01-02T03:04:05+2:30",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05Zx",
            "12026-01-02",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+026-01-02",
            "2026-01-02T+3:04:05Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn display_agrees_with_chrono(seconds in FIRST..=LAST) {
            let time = Timestamp(seconds);
            let calendar = DateTime::from_timestamp(seconds, 0).expect("a real instant");
            proptest::prop_assert_eq!(time.to_string(), calendar.format("%Y-%m-%dT%H:%M:%SZ").to_string());
            proptest::prop_assert_eq!(Timestamp::parse(&time.digits()), Some(time));
        }
    }

    #[test]
    fn display_outside_the_years_1_to_9999() {
        for seconds in [i64::MIN, FIRST - 1, LAST + 1, i64::MAX] {
            assert_eq!(Timestamp(seconds).to_string(), format!("{seconds}s"));
        }
    }

    #[test]
    fn every_date_parses_by_position() {
        for day in (-719_162..2_932_897).step_by(13) {
            let time = Timestamp(day * SECONDS_PER_DAY + 86_399);
            assert_eq!(Timestamp::parse_fixed(time.to_string().as_bytes()), Some(time));
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_by_position_agrees_with_the_general_form(text in "[0-2][0-9]{3}-[0-9T]{2}-[0-9a-]{2}T[0-2][0-9:]:[0-9]{2}:[0-9é]{2}(Z|\\+00:00)") {
            proptest::prop_assert_eq!(Timestamp::parse_fixed(text.as_bytes()), Timestamp::parse_any(text.as_bytes()), "{}", text);
        }

        #[test]
        fn parsing_by_position_agrees_on_unreal_dates(text in "[0-9]{2}(00|04|2[0-9])-(0[0-9]|1[0-3])-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|\\+00:00)") {
            proptest::prop_assert_eq!(Timestamp::parse_fixed(text.as_bytes()), Timestamp::parse_any(text.as_bytes()), "{}", text);
        }

        #[test]
        fn parsing_by_position_agrees_on_any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 19)) {
            let text = [bytes.as_slice(), b"Z"].concat();
            proptest::prop_assert_eq!(Timestamp::parse_fixed(&text), Timestamp::parse_any(&text));
        }
    }

    #[test]
    fn months_are_clamped_and_the_rest_is_exact() {
        let at = |text: &str| Timestamp(seconds(text).expect("a time"));
        let may = at("2024-05-31T12:00:00Z");
        assert_eq!(may.plus(-3, Unit::Months), at("2024-02-29T12:00:00Z"));
        assert_eq!(at("2024-02-29").plus(1, Unit::Years), at("2025-02-28"));
        assert_eq!(may.plus(-1, Unit::Weeks), at("2024-05-24T12:00:00Z"));
        assert_eq!(may.plus(i64::MIN, Unit::Years).0, i64::MIN);
        assert_eq!(may.plus(i64::MAX, Unit::Days).0, i64::MAX);
        assert_eq!(may.to_string(), "2024-05-31T12:00:00Z");
    }
}

//! A span of time as typed: `36h`.

use std::fmt;
use std::str::FromStr;
#[cfg(feature = "aws")]
use std::time::Duration;

#[cfg(feature = "archive")]
use credlens::report::time::Timestamp;

/// A whole number of seconds, minutes, hours, days or weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

impl Unit {
    const ALL: [Self; 5] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week];

    /// Its letter, its name and its seconds.
    fn spelled(self) -> (&'static str, &'static str, u64) {
        match self {
            Self::Second => ("s", "second", 1),
            Self::Minute => ("m", "minute", 60),
            Self::Hour => ("h", "hour", 3_600),
            Self::Day => ("d", "day", 86_400),
            Self::Week => ("w", "week", 604_800),
        }
    }
}

impl Span {
    /// Its length.
    pub(super) fn seconds(self) -> u64 {
        let (_, _, seconds) = self.unit.spelled();
        u64::from(self.count) * seconds
    }

    /// The same, for clocks.
    #[cfg(feature = "aws")]
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(self.seconds())
    }

    /// The instant so long before this one.
    #[cfg(feature = "archive")]
    pub(super) fn before(self, instant: Timestamp) -> Timestamp {
        Timestamp(instant.0.saturating_sub_unsigned(self.seconds()))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, letter) = text.split_at(digits);
        let unit = Unit::ALL.into_iter().find(|unit| unit.spelled().0 == letter);
        let span = count.parse().ok().zip(unit);
        span.map(|(count, unit)| Self { count, unit })
            .ok_or_else(|| "not a span of time; write 90s, 10m, 36h, 14d or 2w".to_owned())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name, _) = self.unit.spelled();
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {name}{plural}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_typed() {
        for (text, seconds, shown) in [
            ("1s", 1, "1 second"),
            ("90m", 5_400, "90 minutes"),
            ("36h", 129_600, "36 hours"),
            ("1d", 86_400, "1 day"),
            ("2w", 1_209_600, "2 weeks"),
            ("0h", 0, "0 hours"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.seconds(), span.to_string()), (seconds, shown.to_owned()));
        }
        for text in [
            "",
            "h",
            "36",
            "36 h",
            "-1h",
            "1.5h",
            "36H",
            "1y",
            "99999999999d",
            "1d2h",
            "٣h",
            "4é",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}

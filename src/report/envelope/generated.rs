//! `GeneratedTime` in all the forms that programs write.

use super::json::Value;
use crate::report::cell;
use crate::report::shown;
use crate::report::time::Timestamp;

/// When AWS generated a report: a time written as text, as seconds or milliseconds since 1970, or as an object with
/// `year`, `month`, … (boto's placebo). Anything else is not a time, but not an error either: a report can be evaluated
/// without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Generated {
    /// There is none.
    #[default]
    Missing,
    /// At this time.
    At(Timestamp),
    /// This text is not a time.
    Unreadable(String),
}

/// Greater numbers are milliseconds: as seconds they would be after the year 5000.
const MOST_SECONDS: i64 = 100_000_000_000;

/// Last second of the year 9999.
const LAST: i64 = 253_402_300_799;

impl Generated {
    /// The time, if there is one.
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(*time),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }

    /// From a text; an empty one is missing.
    pub fn of_text(text: &[u8]) -> Self {
        let text = text.trim_ascii();
        if text.is_empty()
            || [b"null".as_slice(), b"none", b"~"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word))
        {
            return Self::Missing;
        }
        Self::of(Timestamp::parse(text), &String::from_utf8_lossy(text))
    }

    /// From a field that may not be a time at all: unless it begins with a digit, it is not.
    pub(super) fn of_field(text: &[u8]) -> Self {
        match text.trim_ascii().first() {
            Some(byte) if byte.is_ascii_digit() => Self::of_text(text),
            Some(_) | None => Self::Missing,
        }
    }

    /// From YAML, which allows comments, and a blank before the zone.
    pub(super) fn of_yaml(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let text = text
            .split_once(" #")
            .map_or(&*text, |(value, _)| value)
            .trim_end();
        let joined = text
            .rsplit_once(' ')
            .filter(|(_, zone)| zone.starts_with(['+', '-', 'Z']));
        match joined.map(|(time, zone)| Timestamp::parse(format!("{}{zone}", time.trim_end()).as_bytes())) {
            Some(Some(time)) => Self::At(time),
            Some(None) | None => Self::of_text(text.as_bytes()),
        }
    }

    /// From a value of JSON.
    pub(super) fn of_json(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Text(text) => Self::of_text(text.as_bytes()),
            Value::Integer(number) => Self::of_epoch(*number, &number.to_string()),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the fraction is cut off; the cast saturates"
            )]
            Value::Float(number) => Self::of_epoch(*number as i64, &format!("{number:e}")),
            Value::Bool(word) => Self::Unreadable(word.to_string()),
            Value::Array(_) => Self::Unreadable("a list".to_owned()),
            Value::Object(members) => {
                let parts = NAMES.map(|name| {
                    let part = members.iter().find(|(key, _)| key == name)?;
                    u32::try_from(part.1.integer()?).ok()
                });
                Self::of(from_parts(parts), "an object")
            }
        }
    }

    /// A zero time, which other tools write in place of none, is none.
    fn of(time: Option<Timestamp>, written: &str) -> Self {
        match time {
            Some(time) if cell::is_zero(time.0) => Self::Missing,
            Some(time) => Self::At(time),
            None => Self::Unreadable(shown(written, 60)),
        }
    }

    fn of_epoch(number: i64, written: &str) -> Self {
        let seconds = if number > MOST_SECONDS {
            number / 1_000
        } else {
            number
        };
        let is_real = (0..=LAST).contains(&seconds);
        Self::of(is_real.then_some(Timestamp(seconds)), written)
    }
}

const NAMES: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// The instant of year, month, day, hour, minute and second; only the date is required.
fn from_parts(parts: [Option<u32>; 6]) -> Option<Timestamp> {
    let [Some(year), Some(month), Some(day), hour, minute, second] = parts else {
        return None;
    };
    let clock = [hour, minute, second].map(Option::unwrap_or_default);
    let [hour, minute, second] = clock;
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    Timestamp::parse(text.as_bytes())
}

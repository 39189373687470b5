//! `GeneratedTime` in all the ways in which programs write it to JSON.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::report::time::Timestamp;

/// A time written as text, as seconds or milliseconds since 1970, or as an object with `year`, `month`, …
/// (boto's placebo). Anything else is no time, and no error: a report is judged without it as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generated(pub(super) Option<Timestamp>);

/// Seconds above this are milliseconds: as seconds they would lie beyond the year 5000.
const MOST_SECONDS: i64 = 100_000_000_000;

/// Last second of the year 9999.
const LAST: i64 = 253_402_300_799;

impl Generated {
    fn from_epoch(number: i64) -> Self {
        let seconds = if number > MOST_SECONDS {
            number / 1_000
        } else {
            number
        };
        Self((0..=LAST).contains(&seconds).then_some(Timestamp(seconds)))
    }
}

impl<'de> Deserialize<'de> for Generated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GeneratedVisitor)
    }
}

struct GeneratedVisitor;

impl<'de> Visitor<'de> for GeneratedVisitor {
    type Value = Generated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E>(self, text: &str) -> Result<Generated, E> {
        Ok(Generated(Timestamp::parse(text.trim().as_bytes())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Generated, E> {
        Ok(Generated::from_epoch(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Generated, E> {
        Ok(i64::try_from(number).map_or_else(|_| Generated::default(), Generated::from_epoch))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "cutting the fraction off is meant; the cast saturates"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<Generated, E> {
        Ok(Generated::from_epoch(number as i64))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Generated, E> {
        Ok(Generated::default())
    }

    fn visit_unit<E>(self) -> Result<Generated, E> {
        Ok(Generated::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Generated, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Generated::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Generated, A::Error> {
        let mut parts = [None; 6];
        while let Some(name) = map.next_key::<String>()? {
            match NAMES.iter().position(|known| *known == name) {
                Some(part) => parts[part] = map.next_value::<Part>()?.0,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Generated(from_parts(parts)))
    }
}

const NAMES: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// A number, or nothing where something else stands.
struct Part(Option<u32>);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_u64().and_then(|number| u32::try_from(number).ok())))
    }
}

/// The instant of year, month, day, hour, minute, second; of these the date must be there.
fn from_parts(parts: [Option<u32>; 6]) -> Option<Timestamp> {
    let [Some(year), Some(month), Some(day), hour, minute, second] = parts else {
        return None;
    };
    let clock = [hour, minute, second].map(Option::unwrap_or_default);
    let [hour, minute, second] = clock;
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    Timestamp::parse(text.as_bytes())
}

//! The as-of of a report from the name of its file or directory.
//!
//! Only ISO 8601 dates and times count, in the years 2000 to 2099, so that account ids, versions and ticket numbers
//! are not mistaken for dates.

use super::time::Timestamp;

/// The first ISO date or time in the last component of a file name or path: `2026-11-21` or `20261121`,
/// then optionally `T`, `_` or a blank and a clock (`03:04:05`, `03-04-05`, `030405`, each also without
/// seconds), a fraction (cut off), and `Z`, `±HH:MM`, `±HHMM` or nothing (UTC). Not inside a longer run of
/// digits; real dates only. Four digits are a clock only after `T` or before `Z`: `2026-11-21_0001` may be the first
/// report of that day. A date alone means the last second of that day.
pub fn from_file_name(name: &str) -> Option<Timestamp> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
    (0..name.len())
        .filter(|&at| at == 0 || !name[at - 1].is_ascii_digit())
        .find_map(|at| instant(&name[at..]))
}

/// The last second of the day that a directory of collected reports is named after: `2026-11-21`, `20261121` or
/// `date=2026-11-21`, and nothing else.
pub fn from_directory_name(name: &str) -> Option<Timestamp> {
    let name = name.rsplit_once('=').map_or(name, |(_, date)| date);
    let (_, rest) = date(name.as_bytes())?;
    rest.is_empty().then(|| instant(name.as_bytes())).flatten()
}

/// The instant that `text` starts with.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = date(text)?;
    let time = clock(rest).and_then(|clock| Timestamp::parse(format!("{date}T{clock}").as_bytes()));
    time.or_else(|| Timestamp::parse(format!("{date}T23:59:59Z").as_bytes()))
}

/// The date that `text` starts with, as `YYYY-MM-DD`, and what follows it.
fn date(text: &[u8]) -> Option<(String, &[u8])> {
    let (year, rest) = number(text, 4)?;
    let (separator, rest) = separator(rest, b"-");
    let (month, rest) = number(rest, 2)?;
    let rest = rest.strip_prefix(separator)?;
    let (day, rest) = number(rest, 2)?;
    let in_range = year.starts_with("20") && !starts_with_digit(rest);
    in_range.then(|| (format!("{year}-{month}-{day}"), rest))
}

/// The clock that `text` starts with, as `HH:MM:SS±HH:MM`; the first byte of `text` separates it from the date.
fn clock(text: &[u8]) -> Option<String> {
    let (mark @ (b'T' | b't' | b'_' | b' '), rest) = text.split_first()? else {
        return None;
    };
    let (hour, rest) = number(rest, 2)?;
    let (separator, rest) = separator(rest, b":-");
    let (minute, rest) = number(rest, 2)?;
    let with_second = rest.strip_prefix(separator).and_then(|rest| number(rest, 2));
    let with_second = with_second.filter(|(_, rest)| !starts_with_digit(rest));
    let is_clock = matches!(mark, b'T' | b't') || !separator.is_empty() || with_second.is_some();
    if !is_clock && !matches!(rest.first(), Some(b'Z' | b'z')) {
        return None;
    }
    let (second, rest) = with_second.unwrap_or(("00", rest));
    let zone = zone(skip_fraction(rest)).unwrap_or_else(|| "Z".to_owned());
    (!starts_with_digit(rest)).then(|| format!("{hour}:{minute}:{second}{zone}"))
}

/// The numeric zone that `text` starts with, as `±HH:MM`.
fn zone(text: &[u8]) -> Option<String> {
    let (sign @ (b'+' | b'-'), rest) = text.split_first()? else {
        return None;
    };
    let (hours, rest) = number(rest, 2)?;
    let (_, rest) = separator(rest, b":");
    let (minutes, rest) = number(rest, 2)?;
    let real = hours <= "23" && minutes <= "59" && !starts_with_digit(rest);
    real.then(|| format!("{}{hours}:{minutes}", char::from(*sign)))
}

/// The `count` digits that `text` starts with, and what follows them.
fn number(text: &[u8], count: usize) -> Option<(&str, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let digits = str::from_utf8(digits).ok()?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some((digits, rest))
}

/// The first byte of `text` if it is one of `allowed`, else nothing; and what follows.
fn separator<'a>(text: &'a [u8], allowed: &[u8]) -> (&'a [u8], &'a [u8]) {
    let present = text.first().is_some_and(|byte| allowed.contains(byte));
    text.split_at(usize::from(present))
}

fn skip_fraction(text: &[u8]) -> &[u8] {
    let Some(fraction) = text.strip_prefix(b".").filter(|rest| starts_with_digit(rest)) else {
        return text;
    };
    let end = fraction.iter().position(|byte| !byte.is_ascii_digit());
    &fraction[end.unwrap_or(fraction.len())..]
}

fn starts_with_digit(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(name: &str) -> Option<String> {
        from_file_name(name).map(|time| time.to_string())
    }

    #[test]
    fn file_names_with_a_time() {
        for (name, time) in [
            ("2026-11-21", "2026-11-21T23:59:59Z"),
            ("20261121.csv", "2026-11-21T23:59:59Z"),
            ("report-2026-11-21.csv.gz", "2026-11-21T23:59:59Z"),
            ("report20261121b.csv", "2026-11-21T23:59:59Z"),
            ("111122223333-2026-11-21.csv", "2026-11-21T23:59:59Z"),
            ("20261121-111122223333.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21_111122223333.csv", "2026-11-21T23:59:59Z"),
            ("a/2025-01-01/2026-11-21.csv", "2026-11-21T23:59:59Z"),
            ("c:\\2025-01-01\\2026-11-21.csv", "2026-11-21T23:59:59Z"),
            ("2024-02-29.csv", "2024-02-29T23:59:59Z"),
            ("2026-02-30 2026-03-01.csv", "2026-03-01T23:59:59Z"),
            ("2026-11-21 and 2026-11-22", "2026-11-21T23:59:59Z"),
            ("2026-11-21T03:04:05Z.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21t03:04:05z.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21T03-04-05Z.csv", "2026-11-21T03:04:05Z"),
            ("20261121T030405Z.csv", "2026-11-21T03:04:05Z"),
            ("20261121_030405.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21_03-04-05.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21 03.04.05.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21 030405.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21T030405.789Z.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21T03:04:05.789+01:00", "2026-11-21T02:04:05Z"),
            ("20261121T0304.csv", "2026-11-21T03:04:00Z"),
            ("20261121_0304Z.csv", "2026-11-21T03:04:00Z"),
            ("20261121_0304.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21_0001.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21 0304.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21_0304-0500.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21_03-04.csv", "2026-11-21T03:04:00Z"),
            ("2026-11-21T03:04.csv", "2026-11-21T03:04:00Z"),
            ("2026-11-21T03-04.csv", "2026-11-21T03:04:00Z"),
            ("2026-11-21T03:04:05+05:30.csv", "2026-11-20T21:34:05Z"),
            ("20261121T030405-0500.csv", "2026-11-21T08:04:05Z"),
            ("20261121T0304+0100.csv", "2026-11-21T02:04:00Z"),
            ("20261121T030405-111122223333.csv", "2026-11-21T03:04:05Z"),
            ("20261121T030405+9900.csv", "2026-11-21T03:04:05Z"),
            ("20261121T030405-1.csv", "2026-11-21T03:04:05Z"),
            ("2026-11-21T24:00:00Z.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21T03:04:60Z.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21T0.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21T03040.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-21T03040567.csv", "2026-11-21T23:59:59Z"),
            ("bericht-für-2026-11-21.csv", "2026-11-21T23:59:59Z"),
        ] {
            assert_eq!(dated(name).as_deref(), Some(time), "{name}");
        }
    }

    #[test]
    fn directories_named_after_a_day() {
        let dated = |name| from_directory_name(name).map(|time| time.to_string());
        for name in ["2026-11-21", "20261121", "date=2026-11-21"] {
            assert_eq!(dated(name).as_deref(), Some("2026-11-21T23:59:59Z"), "{name}");
        }
        for name in [
            "2026-11",
            "audit-2026-11-21",
            "2026-11-21-audit",
            "2026-11-31",
            "111122223333",
            "=",
            "",
        ] {
            assert_eq!(dated(name), None, "{name}");
        }
    }

    #[test]
    fn file_names_without_a_time() {
        for name in [
            "",
            "-",
            "report.csv",
            "111122223333.csv",
            "202611210304.csv",
            "20261121030405.csv",
            "120261121.csv",
            "202611211.csv",
            "2026-02-29.csv",
            "2026-13-01.csv",
            "20261131.csv",
            "2026-11-2.csv",
            "2026-1121.csv",
            "202611-21.csv",
            "2026_11_21.csv",
            "12026-11-21.csv",
            "2026-11-211.csv",
            "1999-11-21.csv",
            "2100-01-01.csv",
            "10000101.csv",
            "2026-11.csv",
            "2026-11-21/report.csv",
            "２０２６-11-21.csv",
        ] {
            assert_eq!(dated(name), None, "{name}");
        }
    }
}

//! The as-of of a report from the name of its file or directories.
//!
//! Only ISO 8601 dates and times count, in the years 2000 to 2099, so that account ids, versions and ticket numbers
//! are not mistaken for dates.

use super::time::Timestamp;

/// The ISO date or time in the last component of a file name or path: `2026-11-21` or `20261121`, then optionally `T`,
/// `-`, `_` or a blank and a clock (`03:04:05`, `03-04-05`, `030405`, each also without seconds), a fraction (cut off), and
/// `Z`, `±HH:MM`, `±HHMM` or nothing (UTC); after `-` and a clock, `-HHMM` is not a zone. Of several the last one with a
/// clock, else the last one. Not inside a longer run of digits; real dates only. Four digits are a clock only after `T` or
/// before `Z`: `2026-11-21_0001` may be the first report of that day. A date alone means the last second of that day.
pub fn from_file_name(name: &str) -> Option<Timestamp> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
    let is_start = |at: usize| at == 0 || !name[at - 1].is_ascii_digit();
    let starts = memchr::memmem::find_iter(name, "20").filter(|&at| is_start(at));
    let found: Vec<DatedText> = starts.filter_map(|at| dated(&name[at..])).collect();
    let with_clock = found.iter().rfind(|dated| dated.has_clock);
    with_clock.or(found.last()).map(|dated| dated.time)
}

/// The time in the path of a report: that of its file name, else that of its directories.
pub fn from_path(path: &str) -> Option<Timestamp> {
    let names = path.split(['/', '\\']).filter(|name| !matches!(*name, "" | "."));
    let mut names: Vec<&str> = names.collect();
    let file = names.pop()?;
    from_file_name(file).or_else(|| from_directories(&names))
}

/// The last second of the day that a directory of collected reports is named after, the outermost first: `2026-11-21`,
/// `20261121` or `date=2026-11-21`, and nothing else, or three of them, `2026/11/21` or `year=2026/month=11/day=21`. Of
/// several the innermost.
pub fn from_directories(names: &[&str]) -> Option<Timestamp> {
    let value = |name: &&str| name.rsplit_once('=').map_or(*name, |(_, value)| value).to_owned();
    let values: Vec<String> = names.iter().map(value).collect();
    (1..=values.len()).rev().find_map(|end| {
        let one = from_day(&values[end - 1]);
        let three = || values.get(end.checked_sub(3)?..end).map(|three| three.join("-"));
        one.or_else(|| from_day(&three()?))
    })
}

/// The last second of a day, if that is the whole name.
fn from_day(name: &str) -> Option<Timestamp> {
    let (_, rest) = date(name.as_bytes())?;
    let day = rest.is_empty().then(|| dated(name.as_bytes())).flatten();
    day.map(|day| day.time)
}

/// A date in a name.
struct DatedText {
    time: Timestamp,
    has_clock: bool,
}

/// The date that `text` starts with.
fn dated(text: &[u8]) -> Option<DatedText> {
    let (date, rest) = date(text)?;
    let time = clock(rest).and_then(|clock| Timestamp::parse(format!("{date}T{clock}").as_bytes()));
    let has_clock = time.is_some();
    let time = time.or_else(|| Timestamp::parse(format!("{date}T23:59:59Z").as_bytes()))?;
    Some(DatedText { time, has_clock })
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
    let (mark @ (b'T' | b't' | b'-' | b'_' | b' '), rest) = text.split_first()? else {
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
    // After dashes alone, a further number may be anything.
    let rest = skip_fraction(rest);
    let zone = (*mark != b'-' || !rest.starts_with(b"-"))
        .then(|| zone(rest))
        .flatten();
    let zone = zone.unwrap_or_else(|| "Z".to_owned());
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
            ("2026-11-21 and 2026-11-22", "2026-11-22T23:59:59Z"),
            ("2026-11-01_2026-11-30.csv", "2026-11-30T23:59:59Z"),
            ("20261101-20261130.csv", "2026-11-30T23:59:59Z"),
            ("2026-11-20-2026-11-21.csv", "2026-11-21T23:59:59Z"),
            ("2026-11-22-2026-02-30.csv", "2026-11-22T23:59:59Z"),
            ("2026-11-20T03:04:05Z of 2026-11-22", "2026-11-20T03:04:05Z"),
            ("2026-11-20T03:04Z-2026-11-19T05:06Z", "2026-11-19T05:06:00Z"),
            ("2026-11-20-cis-20251231.csv", "2025-12-31T23:59:59Z"),
            ("report-20261120-030145.csv", "2026-11-20T03:01:45Z"),
            ("20261120-030145-111122223333.csv", "2026-11-20T03:01:45Z"),
            ("111122223333-20261120-030145Z.csv", "2026-11-20T03:01:45Z"),
            ("2026-11-20-02-15-00.csv", "2026-11-20T02:15:00Z"),
            ("2026-11-20-02-15.csv", "2026-11-20T02:15:00Z"),
            ("2026-11-20-02-15-00-0500.csv", "2026-11-20T02:15:00Z"),
            ("2026-11-20-02-15-00+0500.csv", "2026-11-19T21:15:00Z"),
            ("2026-11-20-24-15-00.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-02-75.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-02.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-0215.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-1111-2222-3333.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-111122223333.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20-10-users.csv", "2026-11-20T23:59:59Z"),
            ("2026-11-20_03-01.csv", "2026-11-20T03:01:00Z"),
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
        let dated = |path: &str| {
            let names: Vec<&str> = path.split('/').collect();
            from_directories(&names).map(|time| time.to_string())
        };
        for name in [
            "2026-11-21",
            "20261121",
            "date=2026-11-21",
            "2026/11/21",
            "logs/2026/11/21",
            "2026/11/21/03",
            "2026/11/21/eu-west-1",
            "year=2026/month=11/day=21",
            "2025-01-01/2026/11/21",
            "2025/01/01/2026-11-21",
            "2025/01/01/2026/11/21",
            "2026-11-21/2025/13/01",
            "2026/11/21/111122223333",
        ] {
            assert_eq!(dated(name).as_deref(), Some("2026-11-21T23:59:59Z"), "{name}");
        }
        for name in [
            "2026-11",
            "audit-2026-11-21",
            "2026-11-21-audit",
            "2026-11-31",
            "2026/11/31",
            "2026/11",
            "2026/11/x/21",
            "2026/1/5",
            "1999/11/21",
            "2026/11/021",
            "12026/11/21",
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
            "03-01-45.csv",
            "030145.csv",
            "T03:01:45Z.csv",
            "-20261131-030145.csv",
            "1202611201-030145.csv",
            "2026-02-30T03:04:05Z.csv",
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

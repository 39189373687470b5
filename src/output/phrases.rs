//! Phrases that the formats for people share: numbers, times, what a finding or a diagnostic says. Text from reports
//! is escaped in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::finding::{
    AsOfSource, Diagnostic, Finding, InputTally, RuleTally, Severity, Status, Suppression, Tally,
};
use crate::report::as_of::{from_directories, from_file_name};
use crate::report::cell;
use crate::report::escape::escape;
use crate::report::schema::{Column, Credential, TextColumn, TimeColumn};
use crate::report::time::Timestamp;

/// The number, with commas between thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 user`, `41 users`.
pub fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number(count))
}

/// `… and 5 more findings (--limit 12 shows all)`, where some of `all` are hidden.
pub(super) fn more(hidden: u64, what: &str, all: u64) -> Option<String> {
    let more = counted(hidden, &format!("more {what}"));
    (hidden > 0).then(|| format!("… and {more} (--limit {all} shows all)"))
}

/// A length of time in its largest unit that says enough, cut off: `323 days`, `7 hours`.
fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(count, unit)
}

/// The as-of with where it comes from and how long ago it was.
pub(super) fn as_of(input: &InputTally, now: Option<Timestamp>) -> String {
    let InputTally { as_of, generated, .. } = input;
    let source = match (input.as_of_source, generated) {
        (AsOfSource::Argument, None) => "given".to_owned(),
        (AsOfSource::Argument, Some(generated)) => format!("given; the report was generated {generated}"),
        (AsOfSource::Generated, _) => "when the report was generated".to_owned(),
        (AsOfSource::FileName, _) if is_dated_by_directory(&input.path) => {
            "from the directory name".to_owned()
        }
        (AsOfSource::FileName, _) => "from the file name".to_owned(),
        (AsOfSource::Now, _) => {
            return format!("{as_of} (now; the report does not say when it was generated)");
        }
    };
    let age = Timestamp::parse(as_of.as_bytes())
        .zip(now)
        .map(|(then, now)| match now.0.abs_diff(then.0) {
            seconds if then <= now => format!(", {} ago", duration(seconds)),
            seconds => format!(", in {}", duration(seconds)),
        });
    format!("{as_of} ({source}){}", age.unwrap_or_default())
}

/// Whether the date in this path is in the name of a directory, not of the file.
fn is_dated_by_directory(path: &str) -> bool {
    let names: Vec<&str> = path.split(['/', '\\']).collect();
    let directories = names.split_last().map_or(&[][..], |(_, directories)| directories);
    from_file_name(path).is_none() && from_directories(directories).is_some()
}

/// `ages are counted to 2026-11-21 06:00 UTC`.
pub(super) fn ages_counted_to(tally: &Tally) -> String {
    match &tally.as_of {
        Some(as_of) => {
            let instant = as_of.trim_end_matches('Z').replace('T', " ");
            let instant = instant.strip_suffix(":00").unwrap_or(&instant);
            format!("ages are counted to {instant} UTC")
        }
        None => "ages are counted to the as-of of each report".to_owned(),
    }
}

/// `access-key-not-rotated (max_age=90)`.
pub(super) fn rule(id: &str, parameters: &BTreeMap<String, i64>) -> String {
    let mut out = escape(id).into_owned();
    for (position, (name, value)) in parameters.iter().enumerate() {
        let before = if position == 0 { " (" } else { ", " };
        write!(out, "{before}{}={value}", escape(name)).expect("invariant: a string takes all");
    }
    if !parameters.is_empty() {
        out.push(')');
    }
    out
}

/// `max_age=90; window=60`, as CSV has parameters.
pub(super) fn parameters(parameters: &BTreeMap<String, i64>) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("; ")
}

/// The message of a finding, the cells that make it concrete, and why it is accepted if it is.
pub(super) fn sentences(finding: &Finding) -> Vec<String> {
    let mut out = vec![escape(&finding.message).into_owned()];
    // The message of an undetermined finding names the cells already.
    if finding.status != Status::Undetermined {
        out.push(evidence(finding));
    }
    let description = finding.access_key_description.as_deref();
    out.extend(description.map(|text| format!("its description: {}", escape(text))));
    out.extend(finding.suppression.as_ref().map(accepted));
    out.retain(|sentence| !sentence.is_empty());
    out
}

fn accepted(suppression: &Suppression) -> String {
    let until = suppression.expires.as_ref().map(|day| format!(" until {day}"));
    let ticket = suppression.ticket.as_ref().map(|ticket| format!(" ({ticket})"));
    let [until, ticket] = [until, ticket].map(Option::unwrap_or_default);
    escape(&format!("accepted{until}: {}{ticket}", suppression.reason)).into_owned()
}

/// The credential that a finding is about, and its id where it is known.
pub(super) fn credential(finding: &Finding) -> String {
    let credential = finding.credential.map(Credential::name).into_iter();
    let of_service = finding.evidence.get(SERVICE_CREDENTIAL_ID).map(String::as_str);
    let words: Vec<_> = credential
        .chain(finding.access_key_id.as_deref().or(of_service))
        .map(escape)
        .collect();
    words.join(" ")
}

/// It is shown with the credential.
const SERVICE_CREDENTIAL_ID: &str = Column::Text(TextColumn::ServiceCredentialId).name();

/// The path of an input, and its account's name where it is known.
pub(super) fn input_name(input: &InputTally) -> String {
    with_name(&input.path, input.account_name.as_deref())
}

/// `123456789012 (prod)`: a path or an id, and the name that is known for it.
pub(super) fn with_name(text: &str, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" ({})", escape(name)));
    format!("{}{}", escape(text), name.unwrap_or_default())
}

/// The account of a user with its name, as far as they are known.
pub(super) fn account(id: Option<&str>, name: Option<&str>) -> String {
    id.map_or(String::new(), |id| with_name(id, name))
}

/// The cells that add to the message: times with their ages, and text. The message says what flags say; of several
/// credentials, those without the time are left out.
pub(super) fn evidence(finding: &Finding) -> String {
    let credential = finding.credential.map(Credential::name);
    let cells = finding.evidence.iter().filter_map(|(column, cell)| {
        let value = match Column::named(column)? {
            Column::Time(_) if credential.is_none() && cell::time(cell.as_bytes()) == cell::ABSENT => None,
            // The message says that it never expires, where that matters.
            Column::Time(TimeColumn::ServiceCredentialExpires)
                if cell::time(cell.as_bytes()) == cell::ABSENT =>
            {
                None
            }
            Column::Time(_) => Some(time(cell, finding)),
            Column::Flag(_) | Column::Text(TextColumn::ServiceCredentialId) => None,
            Column::Text(_) => Some(escape(cell).into_owned()),
        };
        let (name, value) = (short(column, credential), value?);
        let is_never = name == "last used" && cell::time(finding.evidence[column].as_bytes()) == cell::ABSENT;
        Some(if is_never {
            "never used".to_owned()
        } else {
            format!("{name} {value}")
        })
    });
    cells.collect::<Vec<_>>().join(", ")
}

/// A column's name for people, without the credential, which is shown already.
pub(super) fn short(name: &str, credential: Option<&str>) -> String {
    let rest = credential.and_then(|credential| name.strip_prefix(credential)?.strip_prefix('_'));
    let name = rest.unwrap_or(name);
    let kind = ["_date", "_time"]
        .into_iter()
        .find_map(|kind| name.strip_suffix(kind));
    kind.unwrap_or(name).replace('_', " ")
}

/// `2026-01-02 (322 days)`; what is not a valid time, as written.
fn time(value: &str, finding: &Finding) -> String {
    let as_of = finding.as_of;
    let (Some(day), Some(time)) = (value.get(..10), cell::known(cell::time(value.as_bytes()))) else {
        return escape(value).into_owned();
    };
    let side = if time <= as_of { "" } else { " after the as-of" };
    format!(
        "{day} ({}{side})",
        age(as_of.0.abs_diff(time.0), &finding.message)
    )
}

/// A length of time beside a message. Where the message names the same number of days, so does the rest: `90 days` beside
/// "more than 90 days ago" would contradict it.
fn age(seconds: u64, message: &str) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    if rest == 0 || !names_days(message, days) {
        return duration(seconds);
    }
    let rest = match rest {
        0..60 => counted(rest, "second"),
        60..3_600 => counted(rest / 60, "minute"),
        _ => counted(rest / 3_600, "hour"),
    };
    format!("{} and {rest}", counted(days, "day"))
}

/// Whether a message has this number of days.
fn names_days(message: &str, days: u64) -> bool {
    let words: Vec<&str> = message.split(' ').collect();
    let names = |pair: &[&str]| pair[0].parse() == Ok(days) && pair[1].starts_with("day");
    words.windows(2).any(names)
}

/// `3 failed, 40 passed`: the counts that are not zero.
pub(super) fn counts(all: impl IntoIterator<Item = (u64, &'static str)>) -> String {
    let counts = all.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{} {what}", number(count)))
        .collect();
    counts.join(", ")
}

/// The text with a capital letter at its beginning.
pub(super) fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(text.len().min(1));
    first.to_uppercase() + rest
}

/// What is said of users whose owner is not known; no name of one.
pub(super) const NO_OWNER: &str = "no owner known";

/// What is said of users without a path.
pub(super) const NO_PATH: &str = "no path (root, or users without an ARN)";

/// What is said of users whose account is not known.
pub(super) const NO_ACCOUNT: &str = "account unknown";

/// `1 critical, 3 high`: the counts that are not zero, worst first.
pub(super) fn by_severity(count: impl Fn(Severity) -> u64) -> String {
    let severities = Severity::ALL.into_iter().rev();
    counts(severities.map(|severity| (count(severity), severity.name())))
}

/// `4 failed (1 critical, 3 high), 2 undetermined, 3 passed`.
pub(super) fn verdict_counts(tally: &Tally) -> String {
    let sum = |count: fn(&RuleTally) -> u64| tally.rules.iter().map(count).sum::<u64>();
    let by_severity = by_severity(|severity| {
        let rules = tally.rules.iter().filter(|rule| rule.severity == severity);
        rules.map(|rule| rule.failed).sum()
    });
    let failed = match sum(|rule| rule.failed) {
        0 if tally.inputs.iter().all(|input| input.users.unwrap_or(0) == 0) => {
            "nothing was evaluated".to_owned()
        }
        0 if tally.evaluated == 0 => "nothing could be determined".to_owned(),
        0 => "nothing failed".to_owned(),
        failed => format!("{} failed ({by_severity})", number(failed)),
    };
    let others = counts([
        (sum(|rule| rule.undetermined), "undetermined"),
        (sum(|rule| rule.suppressed), "suppressed"),
        (sum(|rule| rule.passed), "passed"),
    ]);
    let due = tally.due_within_seconds.map(|seconds| {
        let due = match sum(|rule| rule.due.unwrap_or(0)) {
            0 => "nothing".to_owned(),
            due => number(due),
        };
        format!("{due} {}", due_within(seconds))
    });
    let parts = [
        Some(failed),
        Some(others).filter(|others| !others.is_empty()),
        due,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `due within 14 days`, in the largest unit in which the window is a whole number.
pub(super) fn due_within(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let unit = units
        .into_iter()
        .find(|(length, _)| seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "second"));
    format!("due within {}", counted(seconds / length, name))
}

/// A diagnostic as one line, escaped, without an end of line:
/// `warning: report.csv, row 17, mfa_active 'maybe': neither true nor false … [bad-cell]`.
pub fn diagnostic_line(diagnostic: &Diagnostic) -> String {
    let level = diagnostic.level.name();
    let mut location: Vec<String> = diagnostic
        .path
        .iter()
        .map(|path| escape(path).into_owned())
        .collect();
    let line = diagnostic.line.map(|line| format!("line {line}"));
    location.extend(line.or_else(|| diagnostic.row.map(|row| format!("row {row}"))));
    let cell = match (&diagnostic.column, &diagnostic.value) {
        (Some(column), Some(value)) => Some(format!("{} '{}'", escape(column), escape(value))),
        (Some(word), None) => Some(escape(word).into_owned()),
        (None, Some(value)) => Some(format!("'{}'", escape(value))),
        (None, None) => None,
    };
    location.extend(cell);
    let colon = if location.is_empty() { "" } else { ": " };
    format!(
        "{level}: {}{colon}{} [{}]",
        location.join(", "),
        escape(&diagnostic.message),
        diagnostic.code
    )
}

/// `2026-01-02 03:04`.
pub(super) fn to_the_minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;
    use crate::report::schema::FlagColumn;

    #[test]
    fn numbers_and_lengths_of_time() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1_000, 12_345_678].map(number)
        );
        let day = 86_400;
        let lengths = [1, 59, 60, 7_199, 7_200, 2 * day - 1, 2 * day, 323 * day].map(duration);
        assert_eq!(
            lengths,
            [
                "1 second",
                "59 seconds",
                "1 minute",
                "119 minutes",
                "2 hours",
                "47 hours",
                "2 days",
                "323 days"
            ]
        );
    }

    #[test]
    fn an_age_never_contradicts_the_message_beside_it() {
        let day = 86_400;
        let message = "this key was created more than 90 days ago and is still active";
        let ages = [
            90 * day - 1,
            90 * day,
            90 * day + 1,
            90 * day + 61,
            91 * day - 1,
            91 * day,
        ];
        assert_eq!(
            ages.map(|seconds| age(seconds, message)),
            [
                "89 days",
                "90 days",
                "90 days and 1 second",
                "90 days and 1 minute",
                "90 days and 23 hours",
                "91 days"
            ]
        );
        assert_eq!(
            age(day + 300, "created more than 1 days ago"),
            "1 day and 5 minutes"
        );
        assert_eq!(age(90 * day + 1, "this password has expired"), "90 days");
    }

    #[test]
    fn as_of_with_source_and_age() {
        let shown = |time: &str, source, generated: Option<&str>| {
            let input = InputTally {
                path: "report.csv".to_owned(),
                account_name: None,
                kind: "csv".to_owned(),
                users: Some(1),
                left_out: None,
                as_of: time.to_owned(),
                as_of_source: source,
                generated: generated.map(str::to_owned),
                sha256: None,
            };
            as_of(&input, Timestamp::parse(b"2026-12-25"))
        };
        let evaluated = |source, generated| shown("2026-11-21T00:00:00Z", source, generated);
        assert_eq!(
            evaluated(AsOfSource::FileName, None),
            "2026-11-21T00:00:00Z (from the file name), 34 days ago"
        );
        assert_eq!(
            evaluated(AsOfSource::Argument, Some("2026-11-20T00:00:00Z")),
            "2026-11-21T00:00:00Z (given; the report was generated 2026-11-20T00:00:00Z), 34 days ago"
        );
        assert_eq!(
            evaluated(AsOfSource::Now, None),
            "2026-11-21T00:00:00Z (now; the report does not say when it was generated)"
        );
        let future = shown("2026-12-25T10:00:00Z", AsOfSource::Generated, None);
        assert_eq!(
            future,
            "2026-12-25T10:00:00Z (when the report was generated), in 10 hours"
        );
    }

    #[test]
    fn a_diagnostic_is_one_escaped_line() {
        let diagnostic = Diagnostic::new(Code::BadCell, "not a valid flag")
            .in_path("re\x1bport.csv")
            .in_row(17)
            .in_column(FlagColumn::MfaActive.into())
            .with_value("may\nbe");
        assert_eq!(
            diagnostic_line(&diagnostic),
            r"warning: re\x1bport.csv, row 17, mfa_active 'may\nbe': not a valid flag [bad-cell]"
        );
    }
}

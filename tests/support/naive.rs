//! A naive interpreter of rules: evaluates row by row as DESIGN.md defines it; slow, plain, and independent of the
//! engine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Duration, Months, NaiveDate, NaiveDateTime, Timelike as _, Utc};
use credlens::finding::Verdict;
use credlens::gsl::typed::{Comparison, Entity, Expr, TextSource, TextTest, TimeTest, TypedRule};
use credlens::report::schema::{Column, Credential, FlagColumn, Slot, TextColumn, TimeColumn};
use credlens::report::time::Unit;

/// A row: its cells as written, by column, without the columns that the report lacks.
pub(crate) type Row = BTreeMap<Column, String>;

/// True, false, or unknown.
type Kleene = Option<bool>;

/// A time cell.
#[derive(Clone, Copy, PartialEq)]
enum Time {
    At(DateTime<Utc>),
    Absent,
}

/// The verdict on the entity in this slot.
pub(crate) fn verdict(rule: &TypedRule, slot: Slot, row: &Row, as_of: DateTime<Utc>) -> Verdict {
    let eval = |expr: &Expr| is_true(expr, slot, row, as_of);
    let exists = exists(rule.entity, slot, row);
    let relevant = rule.relevant.as_ref().map_or(Some(true), eval);
    let not_excluded = rule.exclude.as_ref().map_or(Some(true), |expr| not(eval(expr)));
    let condition = eval(&rule.condition);
    let violation = if rule.forbidden { condition } else { not(condition) };
    let in_scope = and(and(exists, relevant), not_excluded);
    match and(in_scope, violation) {
        Some(true) => Verdict::Fail,
        None => Verdict::Undetermined,
        Some(false) if in_scope == Some(true) => Verdict::Pass,
        Some(false) => Verdict::NotApplicable,
    }
}

/// Whether the entity in this slot exists, or may exist.
pub(crate) fn may_exist(entity: Entity, slot: Slot, row: &Row) -> bool {
    exists(entity, slot, row) != Some(false)
}

/// Whether the entity in this slot exists, where that is known.
pub(crate) fn is_known_to_exist(entity: Entity, slot: Slot, row: &Row) -> Option<bool> {
    exists(entity, slot, row)
}

/// A cell that is unknown.
#[derive(Debug)]
pub(crate) struct UnknownCell;

/// A time cell; none where it is absent.
pub(crate) fn time_cell(row: &Row, column: TimeColumn) -> Result<Option<DateTime<Utc>>, UnknownCell> {
    match time(row, column) {
        None => Err(UnknownCell),
        Some(Time::At(at)) => Ok(Some(at)),
        Some(Time::Absent) => Ok(None),
    }
}

/// Whether a flag is true or false, where it is one of them.
pub(crate) fn flag_cell(row: &Row, column: FlagColumn) -> Option<bool> {
    let (is_true, is_false) = (flag_is(row, column, true)?, flag_is(row, column, false)?);
    (is_true || is_false).then_some(is_true)
}

/// The text of a cell; none where it is absent or unknown.
pub(crate) fn text_cell(row: &Row, column: TextColumn) -> Option<String> {
    text(row, column).filter(|text| !text.is_empty())
}

/// The user's IAM path.
pub(crate) fn user_path(row: &Row) -> Option<String> {
    path(row)
}

/// The creation time of the key or certificate in this slot.
pub(crate) fn created(entity: Entity, slot: Slot, row: &Row) -> Option<DateTime<Utc>> {
    let (_, created) = columns(entity, slot)?;
    match time(row, created)? {
        Time::At(time) => Some(time),
        Time::Absent => None,
    }
}

/// The key or certificate in this slot, or the only credential whose columns the rule reads.
pub(crate) fn credential(rule: &TypedRule, slot: Slot) -> Option<Credential> {
    match rule.entity {
        Entity::IamAccessKey => return Some(Credential::AccessKey(slot)),
        Entity::IamSigningCertificate => return Some(Credential::Certificate(slot)),
        Entity::IamServiceCredential => return Some(Credential::ServiceCredential),
        Entity::IamUser => {}
    }
    let of_column = |column: Column| {
        let name = column.name();
        let prefixes = [
            "password_",
            "access_key_1_",
            "access_key_2_",
            "cert_1_",
            "cert_2_",
        ];
        let position = prefixes.iter().position(|prefix| name.starts_with(prefix))?;
        Some(Credential::ALL[position])
    };
    let credentials: BTreeSet<_> = rule.columns(slot).iter().filter_map(of_column).collect();
    credentials.first().filter(|_| credentials.len() == 1).copied()
}

/// The cells that the rule reads, by column name, except name and ARN.
pub(crate) fn evidence(rule: &TypedRule, slot: Slot, row: &Row) -> BTreeMap<String, String> {
    let columns = rule.columns(slot);
    let columns = columns
        .iter()
        .filter(|column| !["user", "arn"].contains(&column.name()));
    let cells = columns.filter_map(|column| Some((column.name().to_owned(), cell(row, column)?.to_owned())));
    cells.collect()
}

/// The user's name.
pub(crate) fn user(row: &Row) -> Option<String> {
    text(row, TextColumn::User)
}

/// The user's ARN.
pub(crate) fn arn(row: &Row) -> Option<String> {
    text(row, TextColumn::Arn).filter(|arn| !arn.is_empty())
}

/// The account in the user's ARN.
pub(crate) fn account(row: &Row) -> Option<String> {
    let arn = arn(row)?;
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    let is_number = !account.is_empty() && account.chars().all(|char| char.is_ascii_digit());
    is_number.then(|| account.to_owned())
}

fn columns(entity: Entity, slot: Slot) -> Option<(FlagColumn, TimeColumn)> {
    Some(match (entity, slot) {
        (Entity::IamUser | Entity::IamServiceCredential, _) => return None,
        (Entity::IamAccessKey, Slot::One) => (FlagColumn::Key1Active, TimeColumn::Key1LastRotated),
        (Entity::IamAccessKey, Slot::Two) => (FlagColumn::Key2Active, TimeColumn::Key2LastRotated),
        (Entity::IamSigningCertificate, Slot::One) => (FlagColumn::Cert1Active, TimeColumn::Cert1LastRotated),
        (Entity::IamSigningCertificate, Slot::Two) => (FlagColumn::Cert2Active, TimeColumn::Cert2LastRotated),
    })
}

fn exists(entity: Entity, slot: Slot, row: &Row) -> Kleene {
    let Some((active, created)) = columns(entity, slot) else {
        return Some(true);
    };
    let has_time = time(row, created).map(|time| time != Time::Absent);
    or(flag_is(row, active, true), has_time)
}

fn is_true(expr: &Expr, slot: Slot, row: &Row, as_of: DateTime<Utc>) -> Kleene {
    match expr {
        Expr::And(parts) => parts
            .iter()
            .map(|part| is_true(part, slot, row, as_of))
            .fold(Some(true), and),
        Expr::Or(parts) => parts
            .iter()
            .map(|part| is_true(part, slot, row, as_of))
            .fold(Some(false), or),
        Expr::Not(inner) => not(is_true(inner, slot, row, as_of)),
        Expr::Flag(attribute, wanted) => flag_is(row, attribute.column(slot), *wanted),
        Expr::Time(attribute, test) => {
            let time = time(row, attribute.column(slot))?;
            Some(match *test {
                TimeTest::IsEmpty => time == Time::Absent,
                TimeTest::Before(n, unit) => {
                    later(as_of, n, unit).is_none_or(|cutoff| cutoff.after(instant(time)))
                }
                TimeTest::After(n, unit) => {
                    later(as_of, n, unit).is_some_and(|cutoff| cutoff.before(instant(time)))
                }
            })
        }
        Expr::Text(attribute, test) => {
            let text = match attribute.column(slot) {
                TextSource::Cell(column) => text(row, column),
                // What a readable ARN lacks is absent, never unknown.
                TextSource::Partition => Some(partition(row).unwrap_or_default()),
                TextSource::Path => Some(path(row).unwrap_or_default()),
            };
            text.map(|text| text_matches(test, &text))
        }
        Expr::Difference {
            left,
            right,
            unit,
            comparison,
            count,
        } => {
            let left = instant(time(row, left.column(slot))?);
            let right = instant(time(row, right.column(slot))?);
            let (earlier, latest) = (left.min(right), left.max(right));
            let bound = later(earlier, *count, *unit);
            let order = bound.map_or(std::cmp::Ordering::Less, |bound| bound.order(latest));
            Some(match comparison {
                Comparison::Less => order.is_lt(),
                Comparison::AtMost => order.is_le(),
                Comparison::Equal => order.is_eq(),
                Comparison::AtLeast => order.is_ge(),
                Comparison::More => order.is_gt(),
            })
        }
    }
}

/// An instant that may be outside the calendar.
enum Bound {
    Past,
    At(DateTime<Utc>),
    Future,
}

impl Bound {
    /// The order of an instant relative to this one.
    fn order(&self, instant: DateTime<Utc>) -> std::cmp::Ordering {
        match self {
            Self::Past => std::cmp::Ordering::Greater,
            Self::At(at) => instant.cmp(at),
            Self::Future => std::cmp::Ordering::Less,
        }
    }

    fn after(&self, instant: DateTime<Utc>) -> bool {
        self.order(instant).is_lt()
    }

    fn before(&self, instant: DateTime<Utc>) -> bool {
        self.order(instant).is_gt()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "reads well with the options around it")]
fn later(from: DateTime<Utc>, n: i64, unit: Unit) -> Option<Bound> {
    let beyond = if n < 0 { Bound::Past } else { Bound::Future };
    let seconds = |length: i64| {
        let seconds = n.checked_mul(length)?;
        from.checked_add_signed(Duration::try_seconds(seconds)?)
    };
    let months = |length: u64| {
        let months = Months::new(u32::try_from(n.unsigned_abs().checked_mul(length)?).ok()?);
        if n < 0 {
            from.checked_sub_months(months)
        } else {
            from.checked_add_months(months)
        }
    };
    let at = match unit {
        Unit::Seconds => seconds(1),
        Unit::Minutes => seconds(60),
        Unit::Hours => seconds(60 * 60),
        Unit::Days => seconds(24 * 60 * 60),
        Unit::Weeks => seconds(7 * 24 * 60 * 60),
        Unit::Months => months(1),
        Unit::Years => months(12),
    };
    Some(at.map_or(beyond, Bound::At))
}

fn instant(time: Time) -> DateTime<Utc> {
    match time {
        Time::At(at) => at,
        Time::Absent => NaiveDate::from_ymd_opt(1, 1, 1)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
            .and_utc(),
    }
}

fn blank(byte: char) -> bool {
    byte == ' ' || byte == '\t'
}

fn cell(row: &Row, column: impl Into<Column>) -> Option<&str> {
    row.get(&column.into()).map(|cell| cell.trim_matches(blank))
}

fn flag_is(row: &Row, column: FlagColumn, wanted: bool) -> Kleene {
    match cell(row, column)?.to_lowercase().as_str() {
        "true" => Some(wanted),
        "false" | "n/a" => Some(!wanted),
        "not_supported" => Some(false),
        _ => None,
    }
}

fn time(row: &Row, column: TimeColumn) -> Option<Time> {
    let cell = cell(row, column)?;
    if matches!(cell.to_lowercase().as_str(), "" | "n/a" | "no_information") {
        return Some(Time::Absent);
    }
    let time = parse(cell)?;
    let is_zero = time.timestamp() == 0 || time.year() == 1;
    Some(if is_zero { Time::Absent } else { Time::At(time) })
}

/// A real instant of the years 1 to 9999, with its fraction cut off.
pub(crate) fn parse(cell: &str) -> Option<DateTime<Utc>> {
    let time = parse_any(cell)?.with_nanosecond(0)?;
    (1..=9999).contains(&time.year()).then_some(time)
}

/// With chrono's own parsers; other forms that it accepts are not generated.
fn parse_any(cell: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = NaiveDate::parse_from_str(cell, "%Y-%m-%d") {
        return (cell.len() == 10).then(|| date.and_hms_opt(0, 0, 0).unwrap().and_utc());
    }
    if cell.contains(":60") {
        return None;
    }
    let cell = cell.replacen(' ', "T", 1);
    if let Ok(time) = NaiveDateTime::parse_from_str(&cell, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(time.and_utc());
    }
    let time = DateTime::parse_from_str(&cell.replace('Z', "+0000"), "%Y-%m-%dT%H:%M:%S%.f%z").ok()?;
    Some(time.to_utc())
}

fn text(row: &Row, column: TextColumn) -> Option<String> {
    if column == TextColumn::User && is_root(row) {
        return Some("<root_account>".to_owned());
    }
    // A user who only has root's name is known by what the ARN names.
    if column == TextColumn::User && cell(row, column) == Some("<root_account>") {
        let arn = cell(row, TextColumn::Arn).expect("what is not root's has an ARN");
        let other = resource(arn).filter(|resource| *resource != "<root_account>");
        return Some(other.unwrap_or(arn).to_owned());
    }
    match cell(row, column) {
        None if Column::OPTIONAL.contains(column) => Some(String::new()),
        None => None,
        Some(cell) if cell.eq_ignore_ascii_case("n/a") => Some(String::new()),
        Some(cell) => Some(cell.to_owned()),
    }
}

fn is_root(row: &Row) -> bool {
    match cell(row, TextColumn::Arn) {
        Some(arn) if !arn.is_empty() && !arn.eq_ignore_ascii_case("n/a") => resource(arn) == Some("root"),
        Some(_) | None => cell(row, TextColumn::User) == Some("<root_account>"),
    }
}

fn partition(row: &Row) -> Option<String> {
    let arn = arn(row)?;
    resource(&arn)?;
    arn.split(':').nth(1).map(str::to_owned)
}

fn path(row: &Row) -> Option<String> {
    let arn = arn(row)?;
    let mut parts: Vec<&str> = resource(&arn)?.split('/').collect();
    let name = parts.pop().filter(|name| !name.is_empty());
    if name.is_none() || parts.first() != Some(&"user") {
        return None;
    }
    Some(format!("{}/", parts.join("/").strip_prefix("user")?))
}

fn resource(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5);
    resource.filter(|_| arn.starts_with("arn:"))
}

fn text_matches(test: &TextTest, text: &str) -> bool {
    match test {
        TextTest::Equals(wanted) => text == wanted,
        TextTest::In(wanted) => wanted.iter().any(|wanted| wanted == text),
        TextTest::Like(pattern) => {
            let pattern = regex::escape(pattern).replace('%', "(?s:.*)");
            regex::Regex::new(&format!("^{pattern}$")).unwrap().is_match(text)
        }
        TextTest::Matches(pattern) => regex::RegexBuilder::new(pattern.source())
            .case_insensitive(pattern.ignores_case())
            .build()
            .unwrap()
            .is_match(text),
        TextTest::IsEmpty => text.is_empty(),
    }
}

fn not(value: Kleene) -> Kleene {
    value.map(|value| !value)
}

fn and(left: Kleene, right: Kleene) -> Kleene {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn or(left: Kleene, right: Kleene) -> Kleene {
    not(and(not(left), not(right)))
}

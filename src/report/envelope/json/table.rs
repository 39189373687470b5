//! Rows as JSON: objects one after another, one object for each column, or names and arrays of cells. Each becomes a CSV
//! with the same names, which says how its cells are read.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::value::Value;
use crate::report::envelope::Generated;
use crate::report::not_a_report::NotAReport;
use crate::report::schema::{Column, ExtraColumn, FlagColumn, TextColumn};
use crate::report::time::Timestamp;

type Members<'a> = [(Cow<'a, str>, Value<'a>)];

/// With more names than this, only those that are known are written.
const MOST_NAMES: usize = 200;

/// Rows whose cells are in the order of `names`; short rows lack the last ones.
#[derive(Debug, Default)]
pub(super) struct Table<'v> {
    names: Vec<&'v str>,
    /// Where each name is first.
    positions: HashMap<&'v str, usize>,
    rows: Vec<Vec<&'v Value<'v>>>,
}

/// What a member is, if the name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Column(Column),
    Extra(ExtraColumn),
}

fn kind(name: &str) -> Option<Kind> {
    let column = Column::from_name(name).map(Kind::Column);
    column.or_else(|| ExtraColumn::from_name(name).map(Kind::Extra))
}

/// Whether these names are of a report: one that names the user, and one that says whether a credential is active. The
/// users that `aws iam list-users` prints have only the former.
fn are_of_report<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let flags = [
        FlagColumn::PasswordEnabled,
        FlagColumn::MfaActive,
        FlagColumn::Key1Active,
        FlagColumn::Key2Active,
    ];
    let (mut is_named, mut has_flag) = (false, false);
    for column in names.filter_map(Column::from_name) {
        is_named |= is_naming(column);
        has_flag |= matches!(column, Column::Flag(flag) if flags.contains(&flag));
    }
    is_named && has_flag
}

fn is_naming(column: Column) -> bool {
    matches!(column, Column::Text(TextColumn::User | TextColumn::Arn))
}

fn is_row(members: &Members<'_>) -> bool {
    let cells = members.iter().filter(|(_, value)| !value.is_nested());
    are_of_report(cells.map(|(name, _)| &**name))
}

/// Whether an object names a user, as every row of a table does.
fn names_user(members: &Members<'_>) -> bool {
    let named = |name: &str| Column::from_name(name).is_some_and(is_naming);
    members
        .iter()
        .any(|(name, value)| !value.is_nested() && named(name))
}

/// The object of this kind that a value is, or holds alone: search engines return rows so.
fn one<'v>(value: &'v Value<'v>, is_meant: impl Fn(&Members<'v>) -> bool) -> Option<&'v Members<'v>> {
    let members = value.members()?;
    if is_meant(members) {
        return Some(members);
    }
    let mut inner = members.iter().filter_map(|(_, value)| value.members());
    let found = inner.find(|members| is_meant(members))?;
    (!inner.any(is_meant)).then_some(found)
}

/// The row that a value is, or holds.
pub(super) fn row<'v>(value: &'v Value<'v>) -> Option<&'v Members<'v>> {
    one(value, is_row)
}

impl<'v> Table<'v> {
    /// The row that a value is, or holds, among those of this table: it may lack flags.
    pub(super) fn row_of(&self, value: &'v Value<'v>) -> Option<&'v Members<'v>> {
        one(value, |members| self.has_names_of(members) || names_user(members))
    }

    fn has_names_of(&self, members: &Members<'_>) -> bool {
        members
            .iter()
            .map(|(name, _)| &**name)
            .eq(self.names.iter().copied())
    }

    /// Adds a row.
    pub(super) fn add(&mut self, members: &'v Members<'v>) {
        let mut row: Vec<Option<&Value<'_>>> = vec![None; self.names.len()];
        for (at, (name, value)) in members.iter().enumerate() {
            // Rows mostly have the same names in the same order.
            let same = self.names.get(at).filter(|known| *known == name).map(|_| at);
            match same.or_else(|| self.position(name, &row)) {
                Some(position) if row[position].is_none_or(|cell| *cell == Value::Null) => {
                    row[position] = Some(value);
                }
                // A cell that the row has already.
                Some(_) if *value == Value::Null => {}
                Some(_) | None => {
                    self.positions.entry(name).or_insert(self.names.len());
                    self.names.push(name);
                    row.push(Some(value));
                }
            }
        }
        let row = row.into_iter().map(|cell| cell.unwrap_or(&Value::Null));
        self.rows.push(row.collect());
    }

    /// Where the cell of a name goes: other rows may spell it otherwise.
    fn position(&self, name: &str, row: &[Option<&Value<'_>>]) -> Option<usize> {
        self.positions.get(name).copied().or_else(|| {
            let wanted = kind(name)?;
            let mut free = (0..row.len()).filter(|&at| row[at].is_none());
            free.find(|&at| kind(self.names[at]) == Some(wanted))
        })
    }

    /// The table of an object with one member for each column, which are objects with the same keys, or arrays.
    pub(super) fn of_columns(members: &'v Members<'v>) -> Option<Self> {
        let columns = || members.iter().filter(|(_, value)| value.is_nested());
        if !are_of_report(columns().map(|(name, _)| &**name)) {
            return None;
        }
        let cells: Vec<_> = columns().map(|(_, column)| column.cells()).collect();
        let mut known = HashSet::new();
        let keys = cells.iter().flatten().map(|(key, _)| key);
        let keys: Vec<&Cow<'_, str>> = keys.filter(|key| known.insert(*key)).collect();
        let by_key = cells
            .iter()
            .map(|cells| cells.iter().map(|(key, cell)| (key, *cell)).collect());
        let by_key: Vec<HashMap<&Cow<'_, str>, &Value<'_>>> = by_key.collect();
        // Columns of one table share their rows; objects with the types of their values do not.
        if !keys
            .iter()
            .any(|key| by_key.iter().all(|cells| cells.contains_key(key)))
        {
            return None;
        }
        let row = |key| {
            by_key
                .iter()
                .map(|cells| cells.get(key).copied().unwrap_or(&Value::Null))
                .collect()
        };
        let rows = keys.into_iter().map(row).collect();
        Some(Self::of(columns().map(|(name, _)| &**name).collect(), rows))
    }

    /// The table of an object with the names as `columns` and the rows as arrays in `data`.
    pub(super) fn of_split(members: &'v Members<'v>) -> Option<Self> {
        let member = |wanted: &str| {
            members
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        Self::of_arrays(member("columns")?, member("data")?.children())
    }

    /// The table of an array of names and arrays of cells.
    pub(super) fn of_arrays(names: &'v Value<'v>, rows: impl Iterator<Item = &'v Value<'v>>) -> Option<Self> {
        let names: Option<Vec<&str>> = names.children().map(Value::text).collect();
        let names = names.filter(|names| are_of_report(names.iter().copied()))?;
        let rows = rows.map(|row| row.children().collect());
        Some(Self::of(names, rows.collect()))
    }

    fn of(names: Vec<&'v str>, rows: Vec<Vec<&'v Value<'v>>>) -> Self {
        Self {
            positions: names
                .iter()
                .enumerate()
                .rev()
                .map(|(at, name)| (*name, at))
                .collect(),
            names,
            rows,
        }
    }

    /// When it was generated, as the first row says that has it.
    pub(super) fn generated(&self) -> Generated {
        let is_time = |name: &&str| ExtraColumn::from_name(name) == Some(ExtraColumn::GeneratedTime);
        let Some(position) = self.names.iter().position(is_time) else {
            return Generated::Missing;
        };
        let mut cells = self.rows.iter().filter_map(|row| row.get(position));
        let first = cells.find(|cell| !matches!(cell, Value::Null));
        first.map_or(Generated::Missing, |first| Generated::of_json(first))
    }

    /// Adds the rows of another table.
    pub(super) fn append(&mut self, other: Self) {
        let positions: Vec<usize> = other.names.iter().map(|name| self.place(name)).collect();
        for row in other.rows {
            let mut cells = vec![&Value::Null; self.names.len()];
            for (position, cell) in positions.iter().zip(row) {
                cells[*position] = cell;
            }
            self.rows.push(cells);
        }
    }

    /// The position of a name, which is added if there is none.
    fn place(&mut self, name: &'v str) -> usize {
        let same = self.positions.get(name).copied();
        let alike = || {
            let wanted = kind(name)?;
            self.names.iter().position(|known| kind(known) == Some(wanted))
        };
        same.or_else(alike).unwrap_or_else(|| {
            self.positions.insert(name, self.names.len());
            self.names.push(name);
            self.names.len() - 1
        })
    }

    /// The same as CSV.
    pub(super) fn into_csv(self) -> Result<Vec<u8>, NotAReport> {
        let named = self.names.iter().map(|name| kind(name)).enumerate();
        // Tags and the like may be a column each, and nothing reads them.
        let is_wide = self.names.len() > MOST_NAMES;
        let named: Vec<(usize, Option<Kind>)> =
            named.filter(|(_, kind)| !is_wide || kind.is_some()).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = named.iter().map(|&(at, _)| self.names[at]);
        let written = writer.write_record(names).and_then(|()| {
            self.rows.iter().try_for_each(|row| {
                let cells = named.iter().map(|&(at, kind)| {
                    let value = row.get(at).copied().unwrap_or(&Value::Null);
                    cell(kind, value)
                });
                writer.write_record(cells.map(|cell| cell.into_owned().into_bytes()))
            })
        });
        let csv = written.ok().and_then(|()| writer.into_inner().ok());
        csv.ok_or_else(|| NotAReport::Json("its rows cannot be written as CSV".to_owned()))
    }
}

impl<'v> Value<'v> {
    fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The cells of a column, with the keys of their rows.
    fn cells(&self) -> Vec<(Cow<'_, str>, &Value<'v>)> {
        if let Self::Object(members) = self {
            let cells = members.iter().map(|(key, value)| (Cow::Borrowed(&**key), value));
            return cells.collect();
        }
        let cells = self.children().enumerate();
        cells
            .map(|(at, value)| (Cow::Owned(at.to_string()), value))
            .collect()
    }
}

/// A cell as a CSV has it. Null is an empty cell; numbers are times where a time is expected; what is nested cannot be
/// read.
fn cell<'v>(kind: Option<Kind>, value: &'v Value<'v>) -> Cow<'v, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(word) => Cow::Borrowed(if *word { "true" } else { "false" }),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Integer(_) | Value::Float(_) => {
            let is_time = matches!(
                kind,
                Some(Kind::Column(Column::Time(_)) | Kind::Extra(ExtraColumn::GeneratedTime))
            );
            let number = value.integer();
            let time = number.filter(|_| is_time);
            match (time.and_then(of_epoch), number, value) {
                (Some(time), ..) => Cow::Owned(time.to_string()),
                (None, Some(number), _) => Cow::Owned(number.to_string()),
                (None, None, Value::Float(number)) => Cow::Owned(number.to_string()),
                _ => Cow::Borrowed(""),
            }
        }
        Value::Array(_) | Value::Object(_) if kind.is_none() => Cow::Borrowed(""),
        Value::Array(_) => Cow::Borrowed("(a list)"),
        Value::Object(_) => Cow::Borrowed("(an object)"),
    }
}

/// The instant that a number since 1970 stands for: seconds if it has 10 digits, milliseconds if it has 13.
fn of_epoch(number: i64) -> Option<Timestamp> {
    match number {
        1_000_000_000..=9_999_999_999 => Some(Timestamp(number)),
        1_000_000_000_000..=9_999_999_999_999 => Some(Timestamp(number / 1_000)),
        _ => None,
    }
}

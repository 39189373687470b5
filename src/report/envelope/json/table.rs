//! Rows as JSON: objects one after another, one object for each column, or names and arrays of cells. Each becomes a CSV
//! with the same names, which says how its cells are read.

use std::borrow::Cow;

use super::value::Value;
use crate::report::not_a_report::NotAReport;
use crate::report::schema::{Column, FlagColumn, TextColumn};
use crate::report::time::Timestamp;

type Members<'a> = [(Cow<'a, str>, Value<'a>)];

/// Rows whose cells are in the order of `names`; short rows lack the last ones.
#[derive(Debug, Default)]
pub(super) struct Table<'v> {
    names: Vec<&'v str>,
    rows: Vec<Vec<&'v Value<'v>>>,
}

/// Which column a member is, if a report has one of this name.
fn column(name: &str) -> Option<Column> {
    Column::from_name(name)
}

/// Whether these names are of a report: one that names the user, and one that says whether a credential is active. The
/// users that `aws iam list-users` prints have only the former.
pub(super) fn are_of_report<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let flags = [
        FlagColumn::PasswordEnabled,
        FlagColumn::MfaActive,
        FlagColumn::Key1Active,
        FlagColumn::Key2Active,
    ];
    let (mut is_named, mut has_flag) = (false, false);
    for column in names.filter_map(column) {
        is_named |= matches!(column, Column::Text(TextColumn::User | TextColumn::Arn));
        has_flag |= matches!(column, Column::Flag(flag) if flags.contains(&flag));
    }
    is_named && has_flag
}

/// Whether an object is a row.
pub(super) fn is_row(members: &Members<'_>) -> bool {
    let cells = members.iter().filter(|(_, value)| !value.is_nested());
    are_of_report(cells.map(|(name, _)| &**name))
}

/// Whether an object names a user, as every row of a table does.
pub(super) fn names_user(members: &Members<'_>) -> bool {
    let named = |name: &str| {
        matches!(
            column(name),
            Some(Column::Text(TextColumn::User | TextColumn::Arn))
        )
    };
    members
        .iter()
        .any(|(name, value)| named(name) && !value.is_nested())
}

impl<'v> Table<'v> {
    /// Whether an object has the same members as the rows so far.
    pub(super) fn has_names_of(&self, members: &Members<'_>) -> bool {
        let names = members.iter().map(|(name, _)| &**name);
        names.eq(self.names.iter().copied())
    }

    /// Adds a row.
    pub(super) fn add(&mut self, members: &'v Members<'v>) {
        let mut row = vec![&Value::Null; self.names.len()];
        for (at, (name, value)) in members.iter().enumerate() {
            // Rows mostly have the same names in the same order.
            let same = self.names.get(at).filter(|known| *known == name).map(|_| at);
            let position = same.or_else(|| self.names.iter().position(|known| known == name));
            if let Some(position) = position {
                row[position] = value;
            } else {
                self.names.push(name);
                row.push(value);
            }
        }
        self.rows.push(row);
    }

    /// The table of an object with one member for each column, which are objects with the same keys, or arrays.
    pub(super) fn of_columns(members: &'v Members<'v>) -> Option<Self> {
        let columns = || members.iter().filter(|(_, value)| value.is_nested());
        if !are_of_report(columns().map(|(name, _)| &**name)) {
            return None;
        }
        let cells: Vec<Vec<(Option<&str>, &Value<'_>)>> = columns().map(|(_, cells)| cells.cells()).collect();
        let longest = cells.iter().max_by_key(|cells| cells.len())?;
        let cell = |cells: &[(Option<&'v str>, &'v Value<'v>)], at: usize, key: Option<&str>| {
            let same = cells.get(at).filter(|(known, _)| *known == key);
            let found = same.or_else(|| key.and_then(|_| cells.iter().find(|(known, _)| *known == key)));
            found.map_or(&Value::Null, |(_, value)| *value)
        };
        let rows = longest.iter().enumerate();
        Some(Self {
            names: columns().map(|(name, _)| &**name).collect(),
            rows: rows
                .map(|(at, (key, _))| cells.iter().map(|cells| cell(cells, at, *key)).collect())
                .collect(),
        })
    }

    /// The table of an object with the names as `columns` and the rows as arrays in `data`.
    pub(super) fn of_split(members: &'v Members<'v>) -> Option<Self> {
        let member = |wanted: &str| {
            members
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        let names: Option<Vec<&str>> = member("columns")?.children().map(Value::text).collect();
        let names = names.filter(|names| are_of_report(names.iter().copied()))?;
        let rows = member("data")?.children().map(|row| row.children().collect());
        Some(Self {
            names,
            rows: rows.collect(),
        })
    }

    /// The same as CSV.
    pub(super) fn into_csv(self) -> Result<Vec<u8>, NotAReport> {
        let columns: Vec<Option<Column>> = self.names.iter().map(|name| column(name)).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.write_record(&self.names).and_then(|()| {
            self.rows.iter().try_for_each(|row| {
                let cells = columns.iter().enumerate().map(|(at, column)| {
                    let value = row.get(at).copied().unwrap_or(&Value::Null);
                    cell(*column, value)
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

    /// The cells of a column, with their keys.
    fn cells(&self) -> Vec<(Option<&str>, &Value<'v>)> {
        if let Self::Object(members) = self {
            return members.iter().map(|(key, value)| (Some(&**key), value)).collect();
        }
        self.children().map(|value| (None, value)).collect()
    }
}

/// A cell as a CSV has it. Null is an empty cell; numbers are times where a time is expected; what is nested cannot be
/// read.
fn cell<'v>(column: Option<Column>, value: &'v Value<'v>) -> Cow<'v, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(word) => Cow::Borrowed(if *word { "true" } else { "false" }),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Integer(_) | Value::Float(_) => {
            let number = value.integer();
            let time = number.filter(|_| matches!(column, Some(Column::Time(_))));
            match (time.and_then(of_epoch), number, value) {
                (Some(time), ..) => Cow::Owned(time.to_string()),
                (None, Some(number), _) => Cow::Owned(number.to_string()),
                (None, None, Value::Float(number)) => Cow::Owned(number.to_string()),
                _ => Cow::Borrowed(""),
            }
        }
        Value::Array(_) | Value::Object(_) if column.is_none() => Cow::Borrowed(""),
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

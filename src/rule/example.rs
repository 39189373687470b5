//! Rows with the verdict that a rule must give them.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Parameter;
use super::read::Table;
use crate::finding::Verdict;
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};

/// The as-of at which examples are judged.
pub const EXAMPLE_AS_OF: &str = "2026-01-01T00:00:00Z";

/// One row and the verdict that the rule must give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The worst verdict over the entities of the row.
    pub verdict: Verdict,
    /// Whether the row is root's; else it is that of an ordinary user.
    pub root: bool,
    /// The cells that differ from a quiet row's, by column.
    pub cells: BTreeMap<String, String>,
    /// Columns that the report lacks.
    pub without: Vec<String>,
    /// Values of parameters that differ from the rule's own.
    pub parameters: BTreeMap<String, i64>,
}

/// The cells of a user with MFA, and without password, keys and certificates; all others are `false` or `N/A`.
const QUIET_USER: [(Column, &str); 4] = [
    (Column::Text(TextColumn::User), "alice"),
    (
        Column::Text(TextColumn::Arn),
        "arn:aws:iam::123456789012:user/alice",
    ),
    (Column::Time(TimeColumn::UserCreation), "2025-12-01T00:00:00Z"),
    (Column::Flag(FlagColumn::MfaActive), "true"),
];

/// What differs in root's row.
const QUIET_ROOT: [(Column, &str); 6] = [
    (Column::Text(TextColumn::User), "<root_account>"),
    (Column::Text(TextColumn::Arn), "arn:aws:iam::123456789012:root"),
    (Column::Time(TimeColumn::UserCreation), "2020-01-01T00:00:00Z"),
    (Column::Flag(FlagColumn::PasswordEnabled), "true"),
    (Column::Time(TimeColumn::PasswordLastUsed), "no_information"),
    (Column::Time(TimeColumn::PasswordNextRotation), "not_supported"),
];

impl Example {
    pub(super) fn read(mut table: Table<'_, '_>, parameters: &BTreeMap<String, Parameter>) -> Self {
        let example = Self {
            name: table.required("name"),
            verdict: read_verdict(&mut table),
            root: table.optional("root").unwrap_or(false),
            cells: read_cells(&mut table),
            without: table.optional("without").unwrap_or_default(),
            parameters: read_values(&mut table, parameters),
        };
        for name in example
            .without
            .iter()
            .filter(|name| Column::from_name(name).is_none())
        {
            table.file.error(
                table.span.clone(),
                format!("a report has no column '{name}'"),
                None,
            );
        }
        table.finish();
        example
    }

    /// A report of this one row, header first.
    pub fn csv(&self) -> String {
        let named = |name: &String| Column::from_name(name);
        let lacking: BTreeSet<Column> = self.without.iter().filter_map(named).collect();
        let none = |column| {
            if matches!(column, Column::Flag(_)) {
                "false"
            } else {
                "N/A"
            }
        };
        let mut cells: BTreeMap<Column, &str> = Column::ALL.map(|column| (column, none(column))).into();
        cells.extend(QUIET_USER);
        if self.root {
            cells.extend(QUIET_ROOT);
        }
        let changed = self.cells.iter();
        cells.extend(changed.filter_map(|(name, cell)| Some((named(name)?, cell.as_str()))));
        let columns = Column::ALL.into_iter().filter(|column| !lacking.contains(column));
        let (header, row): (Vec<&str>, Vec<String>) = columns
            .map(|column| (column.name(), quote(cells[&column])))
            .unzip();
        format!("{}\n{}\n", header.join(","), row.join(","))
    }
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn read_verdict(table: &mut Table<'_, '_>) -> Verdict {
    if !table.has("verdict") {
        let known = Verdict::ALL.map(Verdict::name).join(", ");
        let message = format!("'verdict' is missing: one of {known}");
        table.file.error(table.span.clone(), message, None);
    }
    table.word("verdict").unwrap_or(Verdict::Fail)
}

fn read_cells(table: &mut Table<'_, '_>) -> BTreeMap<String, String> {
    let Some(cells) = table.table("cells") else {
        return BTreeMap::new();
    };
    let file = table.file;
    let cells = cells.into_map::<String>();
    for (name, cell) in cells.iter().filter(|(name, _)| Column::from_name(name).is_none()) {
        let known = Column::ALL.map(Column::name);
        let help = super::error::did_you_mean(name, known);
        file.error(
            cell.span.clone(),
            format!("a report has no column '{name}'"),
            help,
        );
    }
    cells.into_iter().map(|(name, cell)| (name, cell.value)).collect()
}

fn read_values(table: &mut Table<'_, '_>, known: &BTreeMap<String, Parameter>) -> BTreeMap<String, i64> {
    let Some(values) = table.table("parameters") else {
        return BTreeMap::new();
    };
    let file = table.file;
    let values = values.into_map::<i64>();
    for (name, value) in &values {
        match known.get(name) {
            Some(parameter) if parameter.allows(value.value) => {}
            Some(parameter) => {
                let message = format!("'{name}' lies between {} and {}", parameter.min, parameter.max);
                file.error(value.span.clone(), message, None);
            }
            None => {
                let help = super::error::did_you_mean(name, known.keys().map(String::as_str));
                file.error(
                    value.span.clone(),
                    format!("the rule has no parameter '{name}'"),
                    help,
                );
            }
        }
    }
    values
        .into_iter()
        .map(|(name, value)| (name, value.value))
        .collect()
}

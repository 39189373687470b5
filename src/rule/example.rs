//! Examples of a rule: rows with the verdict that the rule must give them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::definition::Parameter;
use super::error::did_you_mean;
use super::toml_reader::{File, Located, Table};
use crate::finding::{UnknownWord, Verdict};
use crate::report::chunk::ROOT;
use crate::report::details::{Details, ServiceCredential, UserDetails};
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};
use crate::report::time::Timestamp;

/// The as-of at which examples are evaluated.
pub const EXAMPLE_AS_OF: &str = "2026-01-01T00:00:00Z";

/// One row and the verdict that the rule must give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What the example shows.
    pub name: String,
    /// The expected verdict: the worst of the row's entities.
    pub verdict: Verdict,
    /// Whether the row is root's rather than an IAM user's.
    pub root: bool,
    /// The cells that differ from a quiet user's or a quiet root's, by column.
    pub cells: BTreeMap<String, String>,
    /// Columns that the report does not have.
    pub without: Vec<String>,
    /// Values of parameters that differ from the rule's defaults.
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
            parameters: Parameter::read_values(table.table("parameters"), parameters),
        };
        for name in &example.without {
            check_column(table.file, table.span.clone(), name);
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

impl Example {
    /// The details of the report: the service-specific credential that cells describe, if some do. The others are those of
    /// a new API key for Bedrock that is inactive and expires.
    pub fn details(&self) -> Option<Details> {
        let cell = |column: Column| {
            let named = |(name, _): &(&String, &String)| column_named(name) == Some(column);
            self.cells.iter().find(named).map(|(_, cell)| cell.as_str())
        };
        if !Column::DETAILS.into_iter().any(|column| cell(column).is_some()) {
            return None;
        }
        let time = |column: TimeColumn, quiet: &str| {
            Timestamp::parse(cell(column.into()).unwrap_or(quiet).as_bytes())
        };
        let text = |column: TextColumn, quiet: &str| cell(column.into()).unwrap_or(quiet).to_owned();
        let credential = ServiceCredential {
            id: text(TextColumn::ServiceCredentialId, "ACCAEXAMPLE123EXAMPLE"),
            service: text(TextColumn::ServiceCredentialService, "bedrock.amazonaws.com"),
            active: cell(FlagColumn::ServiceCredentialActive.into())
                .map_or(Some(false), |cell| cell.parse().ok()),
            created: time(TimeColumn::ServiceCredentialCreated, "2025-12-01T00:00:00Z"),
            expires: time(TimeColumn::ServiceCredentialExpires, "2026-03-01T00:00:00Z"),
        };
        let user = cell(TextColumn::User.into()).unwrap_or(if self.root { ROOT } else { QUIET_USER[0].1 });
        let mut details = Details::new(None, None, String::new());
        details.service_credentials_listed = true;
        let of_user = UserDetails {
            service_credentials: vec![credential],
            ..UserDetails::default()
        };
        details.users.insert(user.to_owned(), of_user);
        Some(details)
    }
}

/// The column of this name, in reports or in details.
fn column_named(name: &str) -> Option<Column> {
    Column::from_name(name).or_else(|| Column::named(name))
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn read_verdict(table: &mut Table<'_, '_>) -> Verdict {
    let file = table.file;
    let Some(Located { value, span }) = table.located::<String>("verdict") else {
        let known = Verdict::ALL.map(Verdict::name).join(", ");
        let message = format!("an example needs a 'verdict': one of {known}");
        file.error(table.span.clone(), message, None);
        return Verdict::Fail;
    };
    // Rule files written before the verdict was renamed have the old word.
    let word = if value == "not-relevant" {
        "not-applicable"
    } else {
        &value
    };
    word.parse().unwrap_or_else(|error: UnknownWord| {
        file.error(span, error.to_string(), None);
        Verdict::Fail
    })
}

fn read_cells(table: &mut Table<'_, '_>) -> BTreeMap<String, String> {
    let Some(cells) = table.table("cells") else {
        return BTreeMap::new();
    };
    let file = table.file;
    let cells = cells.into_map::<String>();
    for (name, cell) in &cells {
        check_column(file, cell.span.clone(), name);
    }
    cells.into_iter().map(|(name, cell)| (name, cell.value)).collect()
}

fn check_column(file: &File<'_>, span: Range<usize>, name: &str) {
    if column_named(name).is_none() {
        let known = Column::ALL.into_iter().chain(Column::DETAILS);
        let help = did_you_mean(name, known.map(Column::name));
        file.error(span, format!("reports have no column '{name}'"), help);
    }
}

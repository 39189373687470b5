//! Aliases: the names that other tools have for the check of a rule, and what those tools ask.

use std::collections::BTreeMap;

use super::definition::Parameter;
use super::toml_reader::TextOrTable;

/// The name of the same check in another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name there.
    pub name: String,
    /// The values of parameters there; the rule's defaults apply to the others.
    pub parameters: BTreeMap<String, i64>,
    /// What the other tool asks beyond what a report shows, as the end of "it also asks …".
    pub undecided: Option<String>,
}

/// A selected check of another tool that asks for more than a report shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} also asks {undecided}, which a report does not show: without a fail, its result is partial, not a pass"
)]
pub struct PartlyDecided {
    /// The name of the check there.
    pub name: String,
    /// What it also asks.
    pub undecided: String,
}

impl Alias {
    /// Reads a name, or a table with the name, values of these parameters and what is undecided.
    pub(super) fn read(item: TextOrTable<'_, '_>, parameters: &BTreeMap<String, Parameter>) -> Self {
        match item {
            TextOrTable::Text(name) => Self {
                name,
                parameters: BTreeMap::new(),
                undecided: None,
            },
            TextOrTable::Table(mut table) => Self {
                name: table.required("name"),
                undecided: table.optional("undecided"),
                parameters: Parameter::read_values(Some(table), parameters),
            },
        }
    }

    /// Reads only the name.
    pub(super) fn read_name(item: TextOrTable<'_, '_>) -> String {
        match item {
            TextOrTable::Text(name) => name,
            TextOrTable::Table(mut table) => table.required("name"),
        }
    }

    /// Whether the name is this one. Case does not matter.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The check as partly decided, if it asks for more than a report shows.
    pub(super) fn partly_decided(&self) -> Option<PartlyDecided> {
        let undecided = self.undecided.clone()?;
        Some(PartlyDecided {
            name: self.name.clone(),
            undecided,
        })
    }
}

//! A plan of what is done about findings, in every format.

mod csv;
mod json;
mod markdown;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use crate::remedy::{Plan, Target};
use crate::report::word::word_enum;

word_enum! {
    /// What the steps of a plan are grouped by, for those who work them off.
    pub enum PlanBy as "grouping" {
        /// Accounts.
        Account = "account",
        /// Owners of users.
        Owner = "owner",
    }
}

/// A plan that is shown.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// How many users were evaluated.
    pub evaluated: u64,
    /// What its steps are grouped by.
    pub by: Option<PlanBy>,
    /// How it is laid out.
    pub options: DisplayOptions,
}

/// Writes a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanWriter(fn(&PlanView<'_>) -> String);

impl Formats for PlanWriter {
    const ALL: &'static [FormatSpec<Self>] = &[table::FORMAT, json::FORMAT, markdown::FORMAT, csv::FORMAT];
}

/// A format of a plan.
pub type PlanFormat = &'static FormatSpec<PlanWriter>;

impl FormatSpec<PlanWriter> {
    /// Whether it can be grouped.
    pub fn is_grouped(&self) -> bool {
        self.name != json::FORMAT.name
    }

    /// The plan in this format.
    pub fn write(&self, view: &PlanView<'_>) -> String {
        (self.writer.0)(view)
    }
}

/// The items of a plan in groups, each with its heading; one group without a heading where none were asked for. Within a
/// group they keep their order, and the group of what comes first is first.
fn groups<'a, T>(
    items: impl Iterator<Item = T>,
    target: impl Fn(&T) -> &'a Target,
    by: Option<PlanBy>,
) -> Vec<(Option<String>, Vec<T>)> {
    let mut groups: Vec<(Option<String>, Vec<T>)> = Vec::new();
    let mut known: HashMap<Option<String>, usize> = HashMap::new();
    for item in items {
        let heading = by.map(|by| heading(target(&item), by));
        let position = *known.entry(heading.clone()).or_insert_with(|| {
            groups.push((heading, Vec::new()));
            groups.len() - 1
        });
        groups[position].1.push(item);
    }
    groups
}

/// What a group is called; not escaped yet.
fn heading(target: &Target, by: PlanBy) -> String {
    match by {
        PlanBy::Owner => target
            .owner
            .clone()
            .unwrap_or_else(|| "no known owner".to_owned()),
        PlanBy::Account => match (&target.account, &target.account_name) {
            (Some(id), Some(name)) => format!("account {id} ({name})"),
            (Some(id), None) => format!("account {id}"),
            (None, Some(name)) => format!("account {name}"),
            (None, None) => "an unknown account".to_owned(),
        },
    }
}

/// The credential with its id: `access_key_1 AKIA…`; nothing for the user as a whole. Not escaped yet.
fn credential(target: &Target) -> String {
    let words = [
        target.credential.map(|credential| credential.name().to_owned()),
        target.access_key_id.clone(),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

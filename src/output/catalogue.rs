//! Lists of rules and frameworks, for people and for programs.

use std::sync::Arc;

use comfy_table::{Attribute, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::escape::escape;
use crate::rule::{Coverage, Framework, Rule};

/// The rules as a table of at most this many columns of the terminal.
pub fn rules_table(rules: &[Arc<Rule>], width: usize, color: bool) -> String {
    let mut table = table(
        &["Rule", "Severity", "Default", "Parameters", "Title"],
        width,
        color,
    );
    for rule in rules {
        let parameters = rule.parameters.iter();
        let parameters =
            parameters.map(|(name, parameter)| format!("{name}={} {}", parameter.default, parameter.unit));
        table.add_row([
            escape(&rule.id).into_owned(),
            rule.severity.to_string(),
            if rule.default { "yes" } else { "" }.to_owned(),
            parameters.collect::<Vec<_>>().join(", "),
            escape(&rule.title).into_owned(),
        ]);
    }
    format!(
        "{}\n{} rules; `credlens rules show RULE` explains one\n",
        table.trim_fmt(),
        rules.len()
    )
}

/// The rules as a JSON array.
pub fn rules_json(rules: &[Arc<Rule>]) -> String {
    let rules = rules.iter().map(|rule| {
        let parameters = rule.parameters.iter().map(|(name, parameter)| {
            let about = json!({
                "default": parameter.default, "min": parameter.min, "max": parameter.max,
                "unit": parameter.unit, "about": parameter.about,
            });
            (name.clone(), about)
        });
        json!({
            "id": rule.id,
            "title": rule.title,
            "severity": rule.severity,
            "default": rule.default,
            "remedy": rule.remedy.name(),
            "aliases": rule.aliases,
            "parameters": parameters.collect::<serde_json::Map<_, _>>(),
            "logic": rule.logic,
            "origin": rule.origin,
        })
    });
    pretty(&Value::Array(rules.collect()))
}

/// The frameworks as a table of at most this many columns of the terminal.
pub fn frameworks_table(frameworks: &[Framework], width: usize, color: bool) -> String {
    let mut table = table(
        &["Framework", "Decided", "Partly", "Manual", "Title"],
        width,
        color,
    );
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for framework in frameworks {
        let count = |coverage| framework.count(coverage).to_string();
        table.add_row([
            framework.name.clone(),
            count(Coverage::Full),
            count(Coverage::Partial),
            count(Coverage::Manual),
            framework.title.clone(),
        ]);
    }
    let count = frameworks.len();
    format!(
        "{}\n{count} frameworks; `credlens frameworks show NAME` explains one\n",
        table.trim_fmt()
    )
}

/// The frameworks as a JSON array.
pub fn frameworks_json(frameworks: &[Framework]) -> String {
    let frameworks = frameworks.iter().map(|framework| {
        let requirements = framework.requirements.iter().map(|requirement| {
            let rules = requirement.rules.iter().map(
                |rule| json!({ "rule": rule.rule, "parameters": rule.parameters, "severity": rule.severity }),
            );
            json!({
                "id": requirement.id,
                "title": requirement.title,
                "coverage": requirement.coverage.name(),
                "rules": rules.collect::<Vec<_>>(),
                "why": requirement.why,
            })
        });
        json!({
            "name": framework.name,
            "title": framework.title,
            "version": framework.version,
            "source": framework.source,
            "requirements": requirements.collect::<Vec<_>>(),
        })
    });
    pretty(&Value::Array(frameworks.collect()))
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("invariant: JSON values can be written");
    text + "\n"
}

/// Rows of harmless text as a table of at most this many columns of the terminal.
pub fn plain_table(
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    width: usize,
    color: bool,
) -> String {
    let mut table = table(headings, width, color);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}

fn table(columns: &[&str], width: usize, color: bool) -> Table {
    let mut table = Table::new();
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    if color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let bold = |name: &&str| comfy_table::Cell::new(name).add_attribute(Attribute::Bold);
    table.set_header(columns.iter().map(bold));
    // Names are copied and searched for: they stay whole.
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

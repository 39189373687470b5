//! Lists of rules and frameworks, for people and for programs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::DisplayOptions;
use super::json_text::pretty;
use super::terminal::{Align, DIM, TextCell, TextTable, severity_style, wrap};
use crate::report::escape::escape;
use crate::rule::{Coverage, Framework, Rule, RuleRef};

/// From this width on, a rule's title is beside its id, not below it.
const WIDE: usize = 110;

/// The ids of CloudGuard's rules begin so; those of ours are words.
const OF_VENDOR: &str = "D9.";

/// The rules as a table, those of vendors last.
pub fn rules_table(rules: &[Arc<Rule>], options: DisplayOptions) -> String {
    let is_wide = options.width >= WIDE;
    let mut columns = vec![
        ("rule", Align::Name),
        ("severity", Align::Left),
        ("default", Align::Left),
    ];
    columns.extend(is_wide.then_some(("title", Align::Wrapped)));
    let mut table = TextTable::with_heads(&columns);
    let mut ordered: Vec<&Arc<Rule>> = rules.iter().collect();
    ordered.sort_by_key(|rule| rule.id.starts_with(OF_VENDOR));
    for rule in ordered {
        let mut cells = vec![
            TextCell::new(escape(&rule.id)),
            TextCell::styled(rule.severity.name(), severity_style(rule.severity)),
            TextCell::new(if rule.default { "yes" } else { "" }),
        ];
        let title = title(rule);
        if is_wide {
            cells.push(TextCell::new(title));
            table.row(cells);
            continue;
        }
        table.row(cells);
        for line in wrap(&title, options.width.saturating_sub(2)) {
            table.line(format!("  {}", options.paint(DIM, line)));
        }
    }
    format!(
        "{}\n{} rules; `credlens rules show RULE` explains one\n",
        table.render(options),
        rules.len()
    )
}

/// `Active access key not rotated (max_age=90 days)`
fn title(rule: &Rule) -> String {
    let parameters = rule.parameters.iter();
    let parameters: Vec<_> = parameters
        .map(|(name, parameter)| format!("{name}={} {}", parameter.default, parameter.unit))
        .collect();
    let parameters = match parameters.as_slice() {
        [] => String::new(),
        parameters => format!(" ({})", parameters.join(", ")),
    };
    escape(&format!("{}{parameters}", rule.title)).into_owned()
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
        let alias_details = rule.aliases.iter().map(|alias| {
            json!({ "name": alias.name, "parameters": alias.parameters, "undecided": alias.undecided })
        });
        json!({
            "id": rule.id,
            "title": rule.title,
            "severity": rule.severity,
            "default": rule.default,
            "remedy": rule.remedy.name(),
            "aliases": rule.aliases.iter().map(|alias| &alias.name).collect::<Vec<_>>(),
            "alias_details": alias_details.collect::<Vec<_>>(),
            "parameters": parameters.collect::<serde_json::Map<_, _>>(),
            "logic": rule.logic,
            "origin": rule.origin,
        })
    });
    pretty(&Value::Array(rules.collect()))
}

/// The frameworks as a table.
pub fn frameworks_table(frameworks: &[Framework], options: DisplayOptions) -> String {
    let mut table = TextTable::with_heads(&[
        ("framework", Align::Name),
        ("decided", Align::Right),
        ("partly", Align::Right),
        ("related", Align::Right),
        ("manual", Align::Right),
        ("status", Align::Left),
        ("title", Align::Wrapped),
    ]);
    for framework in frameworks {
        let count = |coverage| TextCell::new(framework.count(coverage).to_string());
        table.row([
            TextCell::new(escape(&framework.name)),
            count(Coverage::Full),
            count(Coverage::Partial),
            count(Coverage::Related),
            count(Coverage::Manual),
            TextCell::new(framework.status.name()),
            TextCell::new(escape(&framework.title)),
        ]);
    }
    format!(
        "{}\n{} frameworks; `credlens frameworks show NAME` explains one\n",
        table.render(options),
        frameworks.len()
    )
}

/// The frameworks as a JSON array.
pub fn frameworks_json(frameworks: &[Framework]) -> String {
    let frameworks = frameworks.iter().map(|framework| {
        let requirements = framework.requirements.iter().map(|requirement| {
            json!({
                "id": requirement.id,
                "title": requirement.title,
                "assessment": requirement.assessment,
                "level": requirement.level,
                "coverage": requirement.coverage.name(),
                "rules": references(&requirement.rules),
                "related": references(&requirement.related),
                "why": requirement.why,
            })
        });
        json!({
            "name": framework.name,
            "title": framework.title,
            "version": framework.version,
            "date": framework.date,
            "status": framework.status,
            "retired": framework.retired,
            "successor": framework.successor,
            "source": framework.source,
            "requirements": requirements.collect::<Vec<_>>(),
        })
    });
    pretty(&Value::Array(frameworks.collect()))
}

fn references(rules: &[RuleRef]) -> Vec<Value> {
    let rules = rules.iter();
    let member = |rule: &RuleRef| json!({ "rule": rule.rule, "parameters": rule.parameters, "severity": rule.severity });
    rules.map(member).collect()
}

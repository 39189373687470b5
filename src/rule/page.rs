//! Markdown pages about rules and frameworks, for `rules show`, `frameworks show` and `docs/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::alias::Alias;
use super::catalogue::Catalogue;
use super::definition::{Rule, fill};
use super::framework::{Coverage, Framework, Requirement, RuleRef};
use super::instructions::Section;

/// A page about one rule. It lists the requirements of these frameworks that name the rule.
pub fn rule_page(rule: &Rule, frameworks: &[Framework]) -> String {
    let mut page = format!("# {}\n\n", rule.title);
    page += &table(&["id", "severity", "default", "remedy"], &[facts(rule)]);
    if let Some(path) = &rule.overridden_in {
        let text = format!("`{path}` overrides the severity or parameters of this rule.");
        section(&mut page, "Override", &text);
    }
    section(&mut page, "Why", &rule.why);
    section(&mut page, "Logic", &format!("```gsl\n{}\n```", rule.logic));
    let boundary = rule.boundary.as_deref().unwrap_or_default();
    let boundary = fill(boundary, &rule.defaults());
    section(&mut page, "Boundary", &sentence(&boundary));
    section(&mut page, "Parameters", &parameters(rule));
    section(&mut page, "Examples", &examples(rule));
    plan(&mut page, "How to fix it", &rule.fix);
    section(&mut page, "Frameworks", &named_by(rule, frameworks));
    section(&mut page, "Names in other tools", &aliases(&rule.aliases));
    section(&mut page, "Compliance", &compliance(rule));
    let links = rule.references.iter().map(|link| format!("<{link}>"));
    section(&mut page, "References", &list(links));
    page
}

/// A page about one framework: its requirements, and how much of them a report decides.
pub fn framework_page(framework: &Framework) -> String {
    let mut page = format!("# {}\n\n`--framework {}`\n\n", framework.title, framework.name);
    let (about, source) = (framework.about.trim(), &framework.source);
    let _ = writeln!(page, "{about}\n\nSource: <{source}>");
    let rows: Vec<Vec<String>> = framework.requirements.iter().map(requirement_row).collect();
    let rows = table(&["requirement", "title", "coverage", "rules"], &rows);
    let requirements = format!("{}\n\n{rows}", coverage(framework));
    section(&mut page, "Requirements", &requirements);
    section(&mut page, "What a report does not decide", &undecided(framework));
    plan(&mut page, "Plan", &framework.plan);
    page
}

/// The list of all rules.
pub fn rule_index(catalogue: &Catalogue) -> String {
    let rows: Vec<Vec<String>> = catalogue
        .rules()
        .map(|rule| {
            let mut row = facts(rule);
            row[0] = format!("[{0}]({0}.md)", rule.id);
            row.insert(1, cell(&rule.title));
            row
        })
        .collect();
    let columns = ["id", "title", "severity", "default", "remedy"];
    format!(
        "# Rules\n\nOne page per rule, generated from its file in `rules/`.\n\n{}",
        table(&columns, &rows)
    )
}

/// The list of all frameworks.
pub fn framework_index(frameworks: &[Framework]) -> String {
    let rows: Vec<Vec<String>> = frameworks
        .iter()
        .map(|framework| {
            let link = format!("[{0}]({0}.md)", framework.name);
            let counts = Coverage::ALL.map(|degree| framework.count(degree).to_string());
            [vec![link, cell(&framework.title)], counts.to_vec()].concat()
        })
        .collect();
    let columns = ["name", "title", "full", "partial", "manual"];
    let about =
        "The number of requirements that a credential report decides in full, in part, and not at all.";
    format!("# Frameworks\n\n{about}\n\n{}", table(&columns, &rows))
}

fn facts(rule: &Rule) -> Vec<String> {
    let default = if rule.default { "yes" } else { "no" };
    vec![
        format!("`{}`", rule.id),
        rule.severity.to_string(),
        default.to_owned(),
        rule.remedy.to_string(),
    ]
}

fn parameters(rule: &Rule) -> String {
    let row = |(name, parameter): (&String, &super::Parameter)| {
        vec![
            format!("`{name}`"),
            format!("{} {}", parameter.default, parameter.unit),
            format!("{} to {}", parameter.min, parameter.max),
            cell(&parameter.about),
        ]
    };
    let rows: Vec<Vec<String>> = rule.parameters.iter().map(row).collect();
    let Some((name, parameter)) = rule.parameters.iter().next() else {
        return String::new();
    };
    let set = format!("`--set {}.{name}={}`", rule.id, parameter.default);
    let columns = ["name", "default", "range", "meaning"];
    format!("{}\nSet a value with {set}.", table(&columns, &rows))
}

fn examples(rule: &Rule) -> String {
    let row = |example: &super::Example| vec![cell(&example.name), example.verdict.name().to_owned()];
    let rows: Vec<Vec<String>> = rule.examples.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let as_of = format!("Evaluated as of {}.", super::EXAMPLE_AS_OF);
    format!("{as_of}\n\n{}", table(&["example", "verdict"], &rows))
}

/// The compliance lists that the source of the rule names, and what is not known about them.
fn compliance(rule: &Rule) -> String {
    let about = "Compliance lists that the source of the rule names. credlens cannot select rules by them.";
    let lists = (!rule.compliance.is_empty()).then(|| format!("{about}\n\n{}", list(&rule.compliance)));
    let parts: Vec<String> = lists.into_iter().chain(rule.compliance_note.clone()).collect();
    parts.join("\n")
}

/// The requirements that name the rule, by framework.
fn named_by(rule: &Rule, frameworks: &[Framework]) -> String {
    let lines = frameworks.iter().filter_map(|framework| {
        let names = |requirement: &&Requirement| requirement.rules.iter().any(|it| it.rule == rule.id);
        let ids = framework.requirements.iter().filter(names);
        let ids: Vec<&str> = ids.map(|requirement| requirement.id.as_str()).collect();
        let link = format!("[{0}](../frameworks/{0}.md)", framework.name);
        (!ids.is_empty()).then(|| format!("{link}: {}", ids.join(", ")))
    });
    list(lines)
}

fn coverage(framework: &Framework) -> String {
    let degrees = Coverage::ALL.map(|degree| format!("{} {}", framework.count(degree), degree.name()));
    format!("Coverage by a credential report: {}.", degrees.join(", "))
}

fn requirement_row(requirement: &Requirement) -> Vec<String> {
    let rules: Vec<String> = requirement.rules.iter().map(reference).collect();
    vec![
        cell(&requirement.id),
        cell(&requirement.title),
        requirement.coverage.name().to_owned(),
        rules.join("<br>"),
    ]
}

fn reference(reference: &RuleRef) -> String {
    let severity = reference.severity.map(|severity| severity.to_string());
    let notes = notes(&[values(&reference.parameters), severity.into_iter().collect()].concat());
    format!("[{0}](../rules/{0}.md){notes}", reference.rule)
}

fn values(parameters: &BTreeMap<String, i64>) -> Vec<String> {
    let values = parameters.iter();
    values.map(|(name, value)| format!("{name} = {value}")).collect()
}

/// The notes in parentheses, if there are any.
fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join(", "))
    }
}

/// The reasons, each with its requirements, in the framework's order.
fn undecided(framework: &Framework) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for requirement in &framework.requirements {
        let Some(why) = requirement.why.as_deref() else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(&requirement.id),
            None => reasons.push((why, vec![&requirement.id])),
        }
    }
    let lines = reasons
        .iter()
        .map(|(why, ids)| format!("{}: {}", ids.join(", "), why.trim()));
    list(lines)
}

fn section(page: &mut String, heading: &str, body: &str) {
    if !body.trim().is_empty() {
        let _ = write!(page, "\n## {heading}\n\n{}\n", body.trim());
    }
}

/// A phrase as a sentence: first letter in upper case, full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        let first: String = first.to_uppercase().collect();
        format!("{first}{}.", letters.as_str())
    })
}

fn plan(page: &mut String, heading: &str, sections: &BTreeMap<Section, String>) {
    if sections.is_empty() {
        return;
    }
    let _ = write!(page, "\n## {heading}\n");
    for (section, text) in sections {
        let _ = write!(page, "\n### {}\n\n{}\n", section.heading(), text.trim());
    }
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for item in items {
        let _ = writeln!(text, "- {}", item.as_ref());
    }
    text
}

/// The aliases with the values of the other tools, then those that ask for more than a report shows.
fn aliases(aliases: &[Alias]) -> String {
    let named = |alias: &Alias| format!("`{}`{}", alias.name, notes(&values(&alias.parameters)));
    let names: Vec<String> = aliases.iter().map(named).collect();
    let mut text = names.join(", ");
    let mut undecided: Vec<(&str, Vec<String>)> = Vec::new();
    for alias in aliases {
        let Some(also) = alias.undecided.as_deref() else {
            continue;
        };
        let name = format!("`{}`", alias.name);
        match undecided.iter_mut().find(|(known, _)| *known == also) {
            Some((_, names)) => names.push(name),
            None => undecided.push((also, vec![name])),
        }
    }
    for (also, names) in undecided {
        let (names, ask) = (names.join(", "), if names.len() == 1 { "asks" } else { "ask" });
        let _ = write!(
            text,
            "\n\n{names} also {ask} {also}, which a report does not show: without a fail, the result is partial."
        );
    }
    text
}

/// Text for a cell of a table, escaped so that it neither ends the cell nor begins a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

fn table<R: AsRef<[String]>>(columns: &[&str], rows: &[R]) -> String {
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.as_ref().join(" | "));
    }
    text
}

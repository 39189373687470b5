//! Markdown pages about rules and frameworks, for `rules show`, `frameworks show` and `docs/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::alias::Alias;
use super::catalogue::Catalogue;
use super::definition::{Rule, fill};
use super::framework::{Coverage, Framework, Requirement, RuleRef, UNVERSIONED};
use super::instruction_text::page_text;
use super::instructions::Section;

/// Columns of commands on pages.
const PAGE_WIDTH: usize = 110;

/// A page about one rule. It lists the requirements of these frameworks that name the rule.
pub fn rule_page(rule: &Rule, frameworks: &[Framework]) -> String {
    let fix = instructions(rule, PAGE_WIDTH);
    page_with(rule, frameworks, &["", &fix])
}

/// The same with the fix first, and with commands in lines of at most this many columns: for a terminal.
pub fn rule_page_fix_first(rule: &Rule, frameworks: &[Framework], width: usize) -> String {
    let fix = instructions(rule, width);
    page_with(rule, frameworks, &[&fix, ""])
}

/// The page with the fix before and after the explanation.
fn page_with(rule: &Rule, frameworks: &[Framework], [before, after]: &[&str; 2]) -> String {
    let mut page = format!("# {}\n\n", rule.title);
    page += &table(&["id", "severity", "default", "remedy"], &[facts(rule)]);
    if let Some(path) = &rule.overridden_in {
        let text = format!("`{path}` overrides the severity or parameters of this rule.");
        section(&mut page, "Override", &text);
    }
    page += before;
    section(&mut page, "Why", &rule.why);
    section(&mut page, "Logic", &format!("```gsl\n{}\n```", rule.logic));
    let boundary = rule.boundary.as_deref().unwrap_or_default();
    let boundary = fill(boundary, &rule.defaults());
    section(&mut page, "Boundary", &sentence(&boundary));
    section(&mut page, "Parameters", &parameters(rule));
    section(&mut page, "Examples", &examples(rule));
    page += after;
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
    section(&mut page, "Standing", &standing(framework));
    let rows = requirements_table(framework);
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
            let about = vec![link, cell(&framework.title), framework.standing()];
            [about, counts.to_vec()].concat()
        })
        .collect();
    let columns = ["name", "title", "status", "full", "partial", "related", "manual"];
    let about = "The number of requirements that a credential report decides in full and in part, of those that rules are \
                 only related to, and of those that people have to check.";
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
    let names = |rules: &[RuleRef]| rules.iter().any(|it| it.rule == rule.id);
    let lines = frameworks.iter().filter_map(|framework| {
        let ids = |is_named: &dyn Fn(&Requirement) -> bool| -> String {
            let requirements = framework.requirements.iter();
            let ids: Vec<&str> = requirements
                .filter(|it| is_named(it))
                .map(|it| it.id.as_str())
                .collect();
            ids.join(", ")
        };
        let (decided, related) = (ids(&|it| names(&it.rules)), ids(&|it| names(&it.related)));
        let related = (!related.is_empty()).then(|| format!("related to {related}"));
        let parts: Vec<String> = Some(decided)
            .filter(|ids| !ids.is_empty())
            .into_iter()
            .chain(related)
            .collect();
        let link = format!("[{0}](../frameworks/{0}.md)", framework.name);
        (!parts.is_empty()).then(|| format!("{link}: {}", parts.join("; ")))
    });
    list(lines)
}

fn coverage(framework: &Framework) -> String {
    let degrees = Coverage::ALL.map(|degree| format!("{} {}", framework.count(degree), degree.name()));
    let mut text = format!("Coverage by a credential report: {}.", degrees.join(", "));
    if framework.requirements.iter().any(|it| !it.related.is_empty()) {
        text += " A related rule is on a matter beside what the requirement asks for: its findings are listed and \
                 counted, and never make the requirement pass or fail.";
    }
    let levels: Vec<String> = framework.levels().iter().map(u8::to_string).collect();
    if levels.len() > 1 {
        text += " `--level N` evaluates the requirements of that level and those below it.";
    }
    text
}

/// Version, date and status, and what took the framework's place.
fn standing(framework: &Framework) -> String {
    let (version, date) = (&framework.version, &framework.date);
    let when = if version == UNVERSIONED {
        format!("Unversioned, read {date}")
    } else {
        format!("Version {version}, published {date}")
    };
    let successor = framework.successor.as_ref();
    let successor = successor.map(|name| format!("; [{name}]({name}.md) took its place"));
    format!(
        "{when}: {}{}.",
        framework.standing(),
        successor.unwrap_or_default()
    )
}

/// Its head, and the text of a requirement in it.
type RequirementColumn = (&'static str, fn(&Requirement) -> String);

/// A column for what no requirement has is left out.
fn requirements_table(framework: &Framework) -> String {
    let requirements = &framework.requirements;
    let columns: [RequirementColumn; 7] = [
        ("requirement", |it| cell(&it.id)),
        ("title", |it| cell(&it.title)),
        ("level", |it| {
            it.level.map_or_else(String::new, |level| level.to_string())
        }),
        ("assessment", |it| {
            it.assessment.map_or_else(String::new, |word| word.to_string())
        }),
        ("coverage", |it| it.coverage.to_string()),
        ("rules", |it| references(&it.rules)),
        ("related", |it| references(&it.related)),
    ];
    let is_used = |(_, text): &RequirementColumn| requirements.iter().any(|it| !text(it).is_empty());
    let used: Vec<_> = columns.into_iter().filter(is_used).collect();
    let heads: Vec<&str> = used.iter().map(|(head, _)| *head).collect();
    let row = |requirement: &Requirement| used.iter().map(|(_, text)| text(requirement)).collect();
    let rows: Vec<Vec<String>> = requirements.iter().map(row).collect();
    table(&heads, &rows)
}

fn references(rules: &[RuleRef]) -> String {
    let rules: Vec<String> = rules.iter().map(reference).collect();
    rules.join("<br>")
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

/// The instructions with the default parameters, and generic words in the place of what a finding fills in.
fn instructions(rule: &Rule, width: usize) -> String {
    let sections = rule.fix.iter();
    let sections = sections.map(|(section, text)| (*section, page_text(text, &rule.defaults(), width)));
    let mut out = String::new();
    plan(&mut out, "How to fix it", &sections.collect());
    out
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

//! Rules of the user: new rules, and overrides of known ones.
//!
//! A file contains one rule in the form of the built-in ones, or an override (`extends = "<id>"` with a severity, a
//! default and parameter values), or bare GSL: one rule per line, or over several lines that end at an empty line. `#`
//! begins a comment, and the comment above a rule is its title.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::definition::{Parameter, Remedy, Rule};
use super::error::{Error, did_you_mean};
use super::toml_reader::{File, Located, Table};
use crate::finding::Severity;

/// The severity of rules in bare GSL, which cannot state one.
const BARE_SEVERITY: Severity = Severity::Medium;

impl Catalogue {
    /// Adds the rules or the override of a file and returns their ids. `origin` is the path, whose file name without
    /// its extension becomes the id; `text` is the content. A file never replaces the logic of a known rule: without
    /// `extends`, its id must be new.
    pub fn add(&mut self, origin: &str, text: &str) -> Result<Vec<String>, Vec<Error>> {
        let rules = if is_bare_gsl(text) {
            bare_rules(origin, text)
        } else {
            let rule = File::read(origin, text, |table| self.read_rule_or_override(origin, table));
            rule.map_err(|error| vec![error])?.into_iter().collect()
        };
        let clashes = rules.iter().filter_map(|rule| self.clash(rule));
        let broken = rules.iter().filter_map(|rule| rule.bind(&rule.defaults()).err());
        let errors: Vec<Error> = clashes.chain(broken).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let ids = rules.iter().map(|rule| rule.id.clone()).collect();
        for rule in rules {
            self.insert(rule);
        }
        Ok(ids)
    }

    fn clash(&self, rule: &Rule) -> Option<Error> {
        let (id, origin) = (&rule.id, &rule.origin);
        let known = self.rule(id).filter(|_| rule.overridden_in.is_none())?;
        let message = format!("{origin}: rule '{id}' already exists in {}", known.origin);
        let help = format!("rename the file, or use `extends = \"{id}\"` to change severity and parameters");
        Some(Error::request(message, Some(help)))
    }

    /// None if an error was reported.
    fn read_rule_or_override(&self, origin: &str, mut table: Table<'_, '_>) -> Option<Rule> {
        match table.located("extends") {
            Some(id) => self.read_override(&id, table),
            None => Some(Rule::read(stem(origin), table)),
        }
    }

    fn read_override(&self, id: &Located<String>, mut table: Table<'_, '_>) -> Option<Rule> {
        let file = table.file;
        let Some(known) = self.rule(&id.value) else {
            let help = did_you_mean(&id.value, self.ids());
            file.error(id.span.clone(), format!("unknown rule '{}'", id.value), help);
            return None;
        };
        let mut rule = Rule::clone(known);
        rule.overridden_in = Some(file.origin.to_owned());
        rule.severity = table.word("severity").unwrap_or(rule.severity);
        rule.default = table.optional("default").unwrap_or(rule.default);
        let values = Parameter::read_values(table.table("parameters"), &rule.parameters);
        // The examples were written for the rule's own defaults, so they name them from now on.
        let own = rule.defaults();
        for example in &mut rule.examples {
            let named = std::mem::replace(&mut example.parameters, own.clone());
            example.parameters.extend(named);
        }
        for (name, value) in values {
            rule.parameters
                .entry(name)
                .and_modify(|parameter| parameter.default = value);
        }
        if let Some(logic) = table.located::<String>("logic") {
            let help = "for other logic, write a new rule: a file without `extends` and with a new name";
            file.error(
                logic.span,
                "an override cannot change the logic",
                Some(help.to_owned()),
            );
        }
        table.finish();
        Some(rule)
    }
}

/// GSL begins with the name of an entity, whose first letter is a capital; TOML begins with a key or a bracket.
fn is_bare_gsl(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(begins_rule)
}

/// The file name without its extension.
fn stem(origin: &str) -> &str {
    let name = origin.rsplit(['/', '\\']).next().unwrap_or(origin);
    let extensions = [".toml", ".gsl", ".txt"];
    extensions
        .iter()
        .find_map(|extension| name.strip_suffix(extension))
        .unwrap_or(name)
}

fn bare_rules(origin: &str, text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut title = None;
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let words = line.trim();
        if let Some(comment) = words.strip_prefix('#') {
            title = Some(comment.trim().to_owned());
            open = false;
        } else if words.is_empty() {
            open = false;
        } else if let Some(rule) = rules.last_mut().filter(|_| open && !begins_rule(words)) {
            rule.logic += "\n";
            rule.logic += line;
        } else {
            let id = format!("{}-{}", stem(origin), rules.len() + 1);
            rules.push(bare_rule(origin, id, title.take(), number + 1, line));
            open = true;
        }
    }
    rules
}

fn begins_rule(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_uppercase())
}

fn bare_rule(origin: &str, id: String, title: Option<String>, line: usize, logic: &str) -> Rule {
    let title = title.unwrap_or_else(|| logic.trim().to_owned());
    Rule {
        id,
        origin: origin.to_owned(),
        overridden_in: None,
        message: title.clone(),
        title,
        severity: BARE_SEVERITY,
        default: true,
        remedy: Remedy::Manual,
        aliases: Vec::new(),
        logic: logic.to_owned(),
        logic_line: line,
        why: String::new(),
        boundary: None,
        references: Vec::new(),
        compliance: Vec::new(),
        compliance_note: None,
        parameters: BTreeMap::new(),
        fix: BTreeMap::new(),
        examples: Vec::new(),
    }
}

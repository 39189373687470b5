//! Rules of the user's own, and changes to known ones.
//!
//! A file holds one rule in the form of the built-in ones, or an override (`extends = "<id>"` with a severity,
//! a default and values of parameters), or bare GSL: one rule a line, or several lines with a blank one after;
//! `#` begins a comment, and the comment above a rule is its title.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::definition::{LogicPlace, Rule};
use super::error::{Error, did_you_mean};
use super::read::{File, Placed, Table};
use super::words::Remedy;
use crate::finding::Severity;

/// What bare GSL says nothing about.
const BARE_SEVERITY: Severity = Severity::Medium;

impl Catalogue {
    /// Adds the rules of a file, or what it overrides; gives the ids. `origin` is the path, whose file name
    /// without its extension becomes the id; `text` is what the file holds. A rule that is known already is an
    /// error: its logic is never replaced.
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
        self.rules
            .extend(rules.into_iter().map(|rule| (rule.id.clone(), Arc::new(rule))));
        Ok(ids)
    }

    fn clash(&self, rule: &Rule) -> Option<Error> {
        let (id, origin) = (&rule.id, &rule.origin);
        let known = self.rule(id).filter(|_| rule.overridden_in.is_none())?;
        let message = format!("{origin}: a rule '{id}' is known already, from {}", known.origin);
        let help = format!("rename the file, or change severity and parameters with `extends = \"{id}\"`");
        Some(Error::request(message, Some(help)))
    }

    /// None where an error was told instead.
    fn read_rule_or_override(&self, origin: &str, mut table: Table<'_, '_>) -> Option<Rule> {
        match table.placed("extends") {
            Some(id) => self.read_override(&id, table),
            None => Some(Rule::read(stem(origin), table)),
        }
    }

    fn read_override(&self, id: &Placed<String>, mut table: Table<'_, '_>) -> Option<Rule> {
        let file = table.file;
        let Some(known) = self.rule(&id.value) else {
            let help = did_you_mean(&id.value, self.rules().map(|rule| rule.id.as_str()));
            file.error(id.span.clone(), format!("no rule is called '{}'", id.value), help);
            return None;
        };
        let mut rule = Rule::clone(known);
        rule.overridden_in = Some(file.origin.to_owned());
        rule.severity = table.word("severity").unwrap_or(rule.severity);
        rule.default = table.optional("default").unwrap_or(rule.default);
        if let Some(values) = table.table("parameters") {
            // The examples show the rule's own boundaries.
            let own = rule.defaults();
            for example in &mut rule.examples {
                let named = std::mem::replace(&mut example.parameters, own.clone());
                example.parameters.extend(named);
            }
            override_parameters(&mut rule, values);
        }
        if let Some(logic) = table.placed::<String>("logic") {
            let help = "a file without `extends` and with a name of its own is a rule of its own";
            file.error(
                logic.span,
                "an override keeps the logic of its rule",
                Some(help.to_owned()),
            );
        }
        table.finish();
        Some(rule)
    }
}

fn override_parameters(rule: &mut Rule, values: Table<'_, '_>) {
    let file = values.file;
    for (name, Placed { value, span }) in values.into_map::<i64>() {
        let known = rule.parameters.keys().map(String::as_str);
        let help = did_you_mean(&name, known);
        match rule.parameters.get_mut(&name) {
            Some(parameter) if parameter.allows(value) => parameter.default = value,
            Some(parameter) => {
                let message = format!("'{name}' lies between {} and {}", parameter.min, parameter.max);
                file.error(span, message, None);
            }
            None => file.error(span, format!("'{}' has no parameter '{name}'", rule.id), help),
        }
    }
}

/// TOML keys begin with a small letter, tables with a bracket, GSL with the name of an entity.
fn is_bare_gsl(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
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
        logic_place: LogicPlace::line(line),
        why: String::new(),
        boundary: None,
        references: Vec::new(),
        compliance: Vec::new(),
        parameters: BTreeMap::new(),
        fix: BTreeMap::new(),
        examples: Vec::new(),
    }
}

//! A framework, its requirements, and how they are read from a framework file.

use std::collections::BTreeMap;

use super::alias::PartlyDecided;
use super::error::Error;
use super::instructions::Section;
use super::toml_reader::{File, Table};
use crate::finding::{Severity, word_enum};

/// The name in findings and outcomes of the checks of other tools that a report decides in part.
pub(super) const OTHER_TOOLS: &str = "other-tools";

/// A published benchmark or a vendor's rule set.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name on the command line, that of its file.
    pub name: String,
    /// Its name in full.
    pub title: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Where it is published.
    pub source: String,
    /// What it is and how its requirements were mapped.
    pub about: String,
    /// Its plan, if it has one.
    pub plan: BTreeMap<Section, String>,
    /// Its requirements, in its own order.
    pub requirements: Vec<Requirement>,
}

/// One requirement of a framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its number or id in the framework.
    pub id: String,
    /// Its text, in our words.
    pub title: String,
    /// The rules that decide it.
    pub rules: Vec<RuleRef>,
    /// How much of it a credential report can decide.
    pub coverage: Coverage,
    /// Why a report cannot decide all of it.
    pub why: Option<String>,
}

/// A rule with the parameter values that a requirement demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// The id of the rule.
    pub rule: String,
    /// The values demanded; the rule's defaults apply to the others.
    pub parameters: BTreeMap<String, i64>,
    /// The framework's severity for a fail, if it gives one.
    pub severity: Option<Severity>,
}

word_enum! {
    /// How much of a requirement a credential report can decide.
    pub enum Coverage {
        /// All of it.
        Full = "full",
        /// A part of it: a fail is a fail, but a pass is not sufficient.
        Partial = "partial",
        /// None of it: people have to check.
        Manual = "manual",
    }
}

impl Framework {
    /// Reads a framework file. Does not check that its rules exist.
    pub fn parse(name: &str, origin: &str, text: &str) -> Result<Self, Error> {
        File::read(origin, text, |table| Self::read(name, table))
    }

    fn read(name: &str, mut table: Table<'_, '_>) -> Self {
        let why: Option<String> = table.optional("why");
        let requirements = table.tables("requirement").into_iter();
        let framework = Self {
            name: name.to_owned(),
            title: table.required("title"),
            version: table.optional("version"),
            source: table.required("source"),
            about: table.required("about"),
            plan: table.table("plan").map(Section::read).unwrap_or_default(),
            requirements: requirements
                .map(|table| Requirement::read(table, why.as_deref()))
                .collect(),
        };
        table.finish();
        framework
    }

    /// The selected checks of other tools that a report decides in part, as requirements.
    pub(super) fn of_other_tools(checks: &[PartlyDecided]) -> Self {
        let requirement = |check: &PartlyDecided| Requirement {
            id: check.name.clone(),
            title: format!("Also asks {}", check.undecided),
            rules: Vec::new(),
            coverage: Coverage::Partial,
            why: Some(check.to_string()),
        };
        Self {
            name: OTHER_TOOLS.to_owned(),
            title: "Checks of other tools".to_owned(),
            version: None,
            source: String::new(),
            about: String::new(),
            plan: BTreeMap::new(),
            requirements: checks.iter().map(requirement).collect(),
        }
    }

    /// The requirement's name in findings: `cis-aws-5.0/1.13`.
    pub fn qualified(&self, requirement: &Requirement) -> String {
        format!("{}/{}", self.name, requirement.id)
    }

    /// How many requirements have this coverage.
    pub fn count(&self, coverage: Coverage) -> usize {
        let requirements = self.requirements.iter();
        requirements
            .filter(|requirement| requirement.coverage == coverage)
            .count()
    }
}

impl Requirement {
    /// `why` is the framework's default for requirements without full coverage.
    fn read(mut table: Table<'_, '_>, why: Option<&str>) -> Self {
        let severity = table.word("severity");
        let rules = table.tables("rules").into_iter();
        let coverage = table.word("coverage").unwrap_or(Coverage::Full);
        let why = (coverage != Coverage::Full).then_some(why).flatten();
        let requirement = Self {
            id: table.required("id"),
            title: table.required("title"),
            rules: rules.map(|table| RuleRef::read(table, severity)).collect(),
            coverage,
            why: table.optional("why").or_else(|| why.map(str::to_owned)),
        };
        requirement.check(&table);
        table.finish();
        requirement
    }

    fn check(&self, table: &Table<'_, '_>) {
        let error = |message: &str| table.file.error(table.span.clone(), message, None);
        if self.rules.is_empty() != (self.coverage == Coverage::Manual) {
            error("a requirement must name rules or have coverage = \"manual\"");
        }
        if self.coverage != Coverage::Full && self.why.is_none() {
            error("'why' is missing: say why a report does not decide all of it");
        }
    }
}

impl RuleRef {
    /// `severity` is that of the requirement; the rule reference may override it.
    fn read(mut table: Table<'_, '_>, severity: Option<Severity>) -> Self {
        let rule = table.required("rule");
        let severity = table.word("severity").or(severity);
        let values = table.into_map::<i64>().into_iter();
        Self {
            rule,
            parameters: values.map(|(name, value)| (name, value.value)).collect(),
            severity,
        }
    }
}

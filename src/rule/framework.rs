//! A framework as its file tells it.

use std::collections::BTreeMap;

use super::error::Error;
use super::read::{File, Table};
use super::words::Section;
use crate::finding::{Severity, word_enum};

/// A published benchmark or a vendor's rule set.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name on the command line, that of its file.
    pub name: String,
    /// Its name in full.
    pub title: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// Where it is published.
    pub source: String,
    /// What it is and how its requirements were mapped.
    pub about: String,
    /// Its plans, where it has some.
    pub plan: BTreeMap<Section, String>,
    /// What it demands, in its own order.
    pub requirements: Vec<Requirement>,
}

/// One demand of a framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// As the framework numbers it.
    pub id: String,
    /// What it demands.
    pub title: String,
    /// The rules that decide it.
    pub rules: Vec<RuleRef>,
    /// How much of it a report can decide.
    pub coverage: Coverage,
    /// Why not all of it.
    pub why: Option<String>,
}

/// A rule with the values that a requirement demands of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// The id of the rule.
    pub rule: String,
    /// The values demanded; the rule's own for those not named.
    pub parameters: BTreeMap<String, i64>,
    /// How bad the framework says a fail is, where it says so.
    pub severity: Option<Severity>,
}

word_enum! {
    /// How much of a requirement a credential report can decide.
    pub enum Coverage {
        /// All of it.
        Full = "full",
        /// A fail is a fail, a pass is not the whole of it.
        Partial = "partial",
        /// None: people have to look.
        Manual = "manual",
    }
}

impl Framework {
    /// Reads a framework file. Whether its rules exist is not looked at here.
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

    /// How `requirements` of findings name this one: `cis-aws-5.0/1.13`.
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
    /// `why` holds for requirements that are not covered in full and do not say why themselves.
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
            error("a requirement names rules or is 'manual'");
        }
        if self.coverage != Coverage::Full && self.why.is_none() {
            error("'why' is missing: why a report does not decide all of it");
        }
    }
}

impl RuleRef {
    /// `severity` is that of the requirement, which a rule's own goes before.
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

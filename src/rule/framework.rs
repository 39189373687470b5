//! A framework, its requirements, and how they are read from a framework file.

use std::collections::{BTreeMap, BTreeSet};

use super::alias::PartlyDecided;
use super::error::Error;
use super::instructions::Section;
use super::toml_reader::{Date, File, Table};
use crate::finding::{Assessment, FrameworkStatus, Severity, word_enum};

/// Why a requirement has the status `related`, where its file gives no other reason.
const ONLY_RELATED: &str = "A report does not show what the requirement asks for: findings on related matters are listed and counted, \
     and decide nothing.";

/// The name in findings and outcomes of the checks of other tools that a report decides in part.
pub(super) const OTHER_TOOLS: &str = "other-tools";

/// When the checks of other tools were read.
const OTHER_TOOLS_READ: &str = "2026-11";

/// The version of a framework that has none.
pub(super) const UNVERSIONED: &str = "unversioned";

/// A published benchmark or a vendor's rule set.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Its name on the command line, that of its file.
    pub name: String,
    /// Its name in full.
    pub title: String,
    /// Its version, or `unversioned`.
    pub version: String,
    /// When this version was published, or an unversioned one was read: a year, a month or a day.
    pub date: String,
    /// Whether it is in force.
    pub status: FrameworkStatus,
    /// The day on which its publisher withdrew it, if it is retired.
    pub retired: Option<String>,
    /// The name of the framework that took its place, if it is known here.
    pub successor: Option<String>,
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
    /// How it is assessed, if its source says so.
    pub assessment: Option<Assessment>,
    /// Its level or profile, if its source has levels.
    pub level: Option<u8>,
    /// The rules that decide it.
    pub rules: Vec<RuleRef>,
    /// The rules whose findings are on a related matter and decide nothing of it.
    pub related: Vec<RuleRef>,
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
        /// A part of it: a pass is not sufficient.
        Partial = "partial",
        /// None of it, but rules on related matters find something.
        Related = "related",
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
            version: table.required("version"),
            date: table.required("date"),
            status: table.required_word("status").unwrap_or(FrameworkStatus::Current),
            retired: table.optional::<Date>("retired").map(|day| day.to_string()),
            successor: table.optional("successor"),
            source: table.required("source"),
            about: table.required("about"),
            plan: table.table("plan").map(Section::read).unwrap_or_default(),
            requirements: requirements
                .map(|table| Requirement::read(table, why.as_deref()))
                .collect(),
        };
        if (framework.status == FrameworkStatus::Retired) != framework.retired.is_some() {
            let message = "'retired', a day, must be there if status = \"retired\", and only then";
            table.file.error(table.span.clone(), message, None);
        }
        table.finish();
        framework
    }

    /// The levels of its requirements, in order; none if its source has no levels.
    pub fn levels(&self) -> BTreeSet<u8> {
        self.requirements
            .iter()
            .filter_map(|requirement| requirement.level)
            .collect()
    }

    /// Keeps the requirements of this level and those below it: a profile contains the ones below it.
    pub(super) fn keep_levels(&mut self, level: u8) -> Result<(), Error> {
        let levels = self.levels();
        if !levels.contains(&level) {
            let name = &self.name;
            let known: Vec<String> = levels.iter().map(|level| format!("level {level}")).collect();
            let message = match known.as_slice() {
                [] => format!("{name} has no levels"),
                known => format!("{name} has {}, not level {level}", known.join(" and ")),
            };
            return Err(Error::request(message, None));
        }
        let is_kept = |own: Option<u8>| own.is_none_or(|own| own <= level);
        self.requirements.retain(|requirement| is_kept(requirement.level));
        Ok(())
    }

    /// Whether it is in force, in words: `retired on 2024-12-31`.
    pub fn standing(&self) -> String {
        match &self.retired {
            Some(day) => format!("{} on {day}", self.status),
            None => self.status.to_string(),
        }
    }

    /// The selected checks of other tools that a report decides in part, as requirements.
    pub(super) fn of_other_tools(checks: &[PartlyDecided]) -> Self {
        let requirement = |check: &PartlyDecided| Requirement {
            id: check.name.clone(),
            title: format!("Also asks {}", check.undecided),
            assessment: None,
            level: None,
            rules: Vec::new(),
            related: Vec::new(),
            coverage: Coverage::Partial,
            why: Some(check.to_string()),
        };
        Self {
            name: OTHER_TOOLS.to_owned(),
            title: "Checks of other tools".to_owned(),
            version: UNVERSIONED.to_owned(),
            date: OTHER_TOOLS_READ.to_owned(),
            status: FrameworkStatus::Current,
            retired: None,
            successor: None,
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
        let rules: Vec<RuleRef> = rules.map(|table| RuleRef::read(table, severity)).collect();
        let related = table.tables("related").into_iter();
        let related: Vec<RuleRef> = related.map(|table| RuleRef::read(table, None)).collect();
        let default = if rules.is_empty() && !related.is_empty() {
            Coverage::Related
        } else {
            Coverage::Full
        };
        let coverage = table.word("coverage").unwrap_or(default);
        let why = match coverage {
            Coverage::Full => None,
            Coverage::Related => Some(ONLY_RELATED),
            Coverage::Partial | Coverage::Manual => why,
        };
        let requirement = Self {
            id: table.required("id"),
            title: table.required("title"),
            assessment: table.word("assessment"),
            level: table
                .optional::<i64>("level")
                .and_then(|level| level.try_into().ok()),
            rules,
            related,
            coverage,
            why: table.optional("why").or_else(|| why.map(str::to_owned)),
        };
        requirement.check(&table);
        table.finish();
        requirement
    }

    fn check(&self, table: &Table<'_, '_>) {
        let error = |message: &str| table.file.error(table.span.clone(), message, None);
        let fits = match self.coverage {
            Coverage::Full | Coverage::Partial => !self.rules.is_empty(),
            Coverage::Related => self.rules.is_empty() && !self.related.is_empty(),
            Coverage::Manual => self.rules.is_empty() && self.related.is_empty(),
        };
        if !fits {
            error("a requirement must name rules, or related ones, or have coverage = \"manual\"");
        }
        if self.related.iter().any(|related| related.severity.is_some()) {
            error("a related rule keeps its own severity");
        }
        let bound = self.rules.iter().chain(&self.related);
        let names: BTreeSet<&str> = bound.clone().map(|it| it.rule.as_str()).collect();
        if names.len() != bound.count() {
            error("a requirement names a rule twice");
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

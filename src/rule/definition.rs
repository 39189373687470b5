//! A rule, its parameters, and how they are read from a rule file.

use std::collections::BTreeMap;

use super::alias::Alias;
use super::catalogue::Catalogue;
use super::error::{Error, did_you_mean};
use super::example::Example;
use super::instructions::Section;
use super::toml_reader::{File, Located, Table};
use crate::finding::{Severity, word_enum};
use crate::gsl::typed::Entity;
use crate::gsl::{self, typed::TypedRule};

/// A rule: one predicate in GSL with its severity, texts, parameters and examples.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, that of its file. Names the bad state; never reused.
    pub id: String,
    /// The file it was read from: `rules/<id>.toml` for built-in rules, else the path as given.
    pub origin: String,
    /// The file that overrides its severity or parameters, if any.
    pub overridden_in: Option<String>,
    /// The bad state in a few words.
    pub title: String,
    /// How bad a fail is.
    pub severity: Severity,
    /// Whether it runs when no rule is selected; true unless its file says otherwise.
    pub default: bool,
    /// The kind of fix.
    pub remedy: Remedy,
    /// One sentence for a fail, in which `{name}` stands for a parameter.
    pub message: String,
    /// Names of the same check in other tools; one may stand for several rules.
    pub aliases: Vec<Alias>,
    /// GSL, in which `{name}` stands for a parameter.
    pub logic: String,
    /// The line of the file, from 1, on which the logic begins.
    pub(super) logic_line: usize,
    /// Why it matters.
    pub why: String,
    /// Which second decides between pass and fail.
    pub boundary: Option<String>,
    /// Further reading.
    pub references: Vec<String>,
    /// Compliance lists that the source of the rule names; shown, not selectable.
    pub compliance: Vec<String>,
    /// What is not known about these lists.
    pub compliance_note: Option<String>,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// How to fix a fail.
    pub fix: BTreeMap<Section, String>,
    /// Rows with the verdict that the rule must give them.
    pub examples: Vec<Example>,
}

word_enum! {
    /// The kind of fix for a fail.
    pub enum Remedy {
        /// Reversible, may be automated.
        Deactivate = "deactivate",
        /// Create a new credential, switch its consumers over, deactivate the old one.
        Rotate = "rotate",
        /// Not reversible.
        Delete = "delete",
        /// Shown as commands, never automated.
        Manual = "manual",
        /// Nothing to do.
        None = "none",
    }
}

/// A number that the logic of a rule leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// The value unless one is set.
    pub default: i64,
    /// The least value allowed.
    pub min: i64,
    /// The greatest value allowed.
    pub max: i64,
    /// The unit, such as `days`.
    pub unit: String,
    /// In which direction the rule finds less.
    pub looser: WeakerWhen,
    /// What it means.
    pub about: String,
}

word_enum! {
    /// In which direction a parameter makes its rule find less.
    #[derive(Default)]
    pub enum WeakerWhen {
        /// A greater value finds less.
        #[default]
        Higher = "higher",
        /// A smaller value finds less.
        Lower = "lower",
    }
}

impl Parameter {
    /// Whether `used` finds less than `demanded`.
    pub fn is_weaker(&self, used: i64, demanded: i64) -> bool {
        match self.looser {
            WeakerWhen::Higher => used > demanded,
            WeakerWhen::Lower => used < demanded,
        }
    }

    /// Whether the value is allowed.
    pub fn allows(&self, value: i64) -> bool {
        (self.min..=self.max).contains(&value)
    }

    /// The error for a value that is not allowed.
    pub(super) fn out_of_range(&self, name: &str, value: i64) -> String {
        let Self { min, max, unit, .. } = self;
        let separator = if unit.is_empty() { "" } else { " " };
        format!("{name} must be {min} to {max}{separator}{unit}, got {value}")
    }

    fn read(mut table: Table<'_, '_>) -> Self {
        let default = table.required_located("default");
        let parameter = Self {
            default: default.as_ref().map_or(0, |default| default.value),
            min: table.required("min"),
            max: table.required("max"),
            unit: table.optional("unit").unwrap_or_default(),
            looser: table.word("looser").unwrap_or_default(),
            about: table.optional("about").unwrap_or_default(),
        };
        if let Some(Located { value, span }) = default.filter(|default| !parameter.allows(default.value)) {
            let message = parameter.out_of_range("the default", value);
            table.file.error(span, message, None);
        }
        table.finish();
        parameter
    }

    /// Values for these parameters; a value that is not allowed and a parameter that does not exist are errors.
    pub(super) fn read_values(
        table: Option<Table<'_, '_>>,
        parameters: &BTreeMap<String, Self>,
    ) -> BTreeMap<String, i64> {
        let Some(table) = table else {
            return BTreeMap::new();
        };
        let file = table.file;
        let mut values = BTreeMap::new();
        for (name, Located { value, span }) in table.into_map::<i64>() {
            match parameters.get(&name) {
                Some(parameter) if !parameter.allows(value) => {
                    file.error(span, parameter.out_of_range(&name, value), None);
                }
                Some(_) => {
                    values.insert(name, value);
                }
                None => {
                    let help = did_you_mean(&name, parameters.keys().map(String::as_str));
                    file.error(span, format!("the rule has no parameter '{name}'"), help);
                }
            }
        }
        values
    }
}

impl Rule {
    /// Whether it is about service-specific credentials, which no report has.
    pub(super) fn is_about_service_credentials(&self) -> bool {
        self.logic
            .trim_start()
            .starts_with(Entity::IamServiceCredential.name())
    }

    /// How a fail is fixed, for readers who do not know the user yet: in the console, else the plan, else with the command
    /// line; none if it has no instructions.
    pub fn instructions(&self) -> Option<&str> {
        let sections = [Section::Console, Section::Implementation, Section::Cli];
        let texts = sections.iter().filter_map(|section| self.fix.get(section));
        texts.map(|text| text.trim()).find(|text| !text.is_empty())
    }

    /// Reads a rule file.
    pub fn parse(id: &str, origin: &str, text: &str) -> Result<Self, Error> {
        File::read(origin, text, |table| Self::read(id, table))
    }

    pub(super) fn read(id: &str, mut table: Table<'_, '_>) -> Self {
        let file = table.file;
        let parameters = table.table("parameters").map(Table::into_tables).into_iter();
        let parameters: BTreeMap<_, _> = parameters
            .flatten()
            .map(|(name, table)| (name, Parameter::read(table)))
            .collect();
        let logic = table.required_located::<String>("logic");
        let (logic, at) = logic.map_or((String::new(), 0..0), |Located { value, span }| (value, span));
        // The quotes precede the logic in the file; logic with escapes is not there as such.
        let start = file.text[at.clone()].find(&logic).map(|within| at.start + within);
        let message = table.located::<String>("message");
        let boundary = table.located::<String>("boundary");
        for (what, text) in [("message", &message), ("boundary", &boundary)] {
            if let Some(text) = text {
                check_placeholders(file, what, text, &parameters);
            }
        }
        let title: String = table.required("title");
        let rule = Self {
            id: id.to_owned(),
            origin: file.origin.to_owned(),
            overridden_in: None,
            severity: table.word("severity").unwrap_or(Severity::Medium),
            default: table.optional("default").unwrap_or(true),
            remedy: table.word("remedy").unwrap_or(Remedy::Manual),
            message: message.map_or_else(|| title.clone(), |message| message.value),
            title,
            aliases: table
                .texts_or_tables("aliases")
                .into_iter()
                .map(|alias| Alias::read(alias, &parameters))
                .collect(),
            logic_line: file.line(start.unwrap_or(at.start)),
            logic,
            why: table.optional("why").unwrap_or_default(),
            boundary: boundary.map(|boundary| boundary.value),
            references: table.optional("references").unwrap_or_default(),
            compliance: table.optional("compliance").unwrap_or_default(),
            compliance_note: table.optional("compliance_note"),
            fix: table.table("fix").map(Section::read).unwrap_or_default(),
            examples: table
                .tables("example")
                .into_iter()
                .map(|example| Example::read(example, &parameters))
                .collect(),
            parameters,
        };
        table.finish();
        if let Some(start) = start
            && let Err(errors) = gsl::parse_rule(&rule.logic, &rule.defaults())
        {
            for error in errors {
                let span = error.span.start + start..error.span.end + start;
                file.add(gsl::Error { span, ..error });
            }
        }
        rule
    }

    /// The file that `rules show` must be given to explain it as it is: its own or that of its override, if it is not as
    /// built in.
    pub(crate) fn file(&self) -> Option<&str> {
        let is_builtin = || Catalogue::builtin_ids().any(|id| id == self.id);
        let own = || (!is_builtin()).then_some(&*self.origin);
        self.overridden_in.as_deref().or_else(own)
    }

    /// Its alias of this name. Case does not matter.
    pub(super) fn alias(&self, name: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.is_named(name))
    }

    /// The default values of its parameters.
    pub fn defaults(&self) -> BTreeMap<String, i64> {
        let values = self.parameters.iter();
        values
            .map(|(name, parameter)| (name.clone(), parameter.default))
            .collect()
    }

    /// Checks its logic with these values of its parameters.
    pub fn bind(&self, parameters: &BTreeMap<String, i64>) -> Result<TypedRule, Error> {
        gsl::parse_rule(&self.logic, parameters)
            .map_err(|errors| Error::text(&self.origin, self.logic_line, &self.logic, errors))
    }

    /// The sentence for a fail, with these values of its parameters.
    pub fn message_with(&self, parameters: &BTreeMap<String, i64>) -> String {
        fill(&self.message, parameters)
    }
}

/// The text with the values in place of `{name}`.
pub(super) fn fill(text: &str, parameters: &BTreeMap<String, i64>) -> String {
    parameters.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), &value.to_string())
    })
}

fn check_placeholders(
    file: &File<'_>,
    what: &str,
    text: &Located<String>,
    parameters: &BTreeMap<String, Parameter>,
) {
    for piece in text.value.split('{').skip(1) {
        let name = piece.split('}').next().unwrap_or_default();
        if !parameters.contains_key(name) {
            let message = format!("the {what} uses '{{{name}}}', but the rule has no such parameter");
            file.error(text.span.clone(), message, None);
        }
    }
}

//! A rule as its file tells it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::Error;
use super::example::Example;
use super::read::{File, Placed, Table};
use super::words::{Remedy, Section, WeakerWhen};
use crate::finding::Severity;
use crate::gsl::{self, typed::TypedRule};

/// A rule: one predicate in GSL with everything that is said about it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, that of its file. Names the bad state; never reused.
    pub id: String,
    /// Where it was read: `rules/<id>.toml` for built-in ones, else the path as given.
    pub origin: String,
    /// Where its severity or parameters were overridden, if they were.
    pub overridden_in: Option<String>,
    /// The bad state in a few words.
    pub title: String,
    /// How bad a fail is.
    pub severity: Severity,
    /// Whether it runs when nothing is selected; so it is unless its file says otherwise.
    pub default: bool,
    /// What may be done about a fail.
    pub remedy: Remedy,
    /// One sentence for a fail, in which `{name}` stands for a parameter.
    pub message: String,
    /// Names under which others know the same check; one may stand for several rules.
    pub aliases: Vec<String>,
    /// GSL, in which `{name}` stands for a parameter.
    pub logic: String,
    pub(super) logic_place: LogicPlace,
    /// Why it matters.
    pub why: String,
    /// On which second the verdict turns.
    pub boundary: Option<String>,
    /// Where to read on.
    pub references: Vec<String>,
    /// Compliance lists on which its source names it; shown, not selectable.
    pub compliance: Vec<String>,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// How to mend it.
    pub fix: BTreeMap<Section, String>,
    /// Rows with the verdict that they must get.
    pub examples: Vec<Example>,
}

/// Where the logic of a rule stands in its file.
#[derive(Clone, Debug)]
pub(super) struct LogicPlace {
    /// The line, from 1, on which it begins.
    pub(super) line: usize,
    /// What stands before it on that line.
    pub(super) lead: String,
    /// What stands after it on its last line.
    pub(super) tail: String,
}

/// A number that the logic of a rule leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// The value unless said otherwise.
    pub default: i64,
    /// The least value allowed.
    pub min: i64,
    /// The greatest value allowed.
    pub max: i64,
    /// What it counts, such as `days`.
    pub unit: String,
    /// Which way it finds less.
    pub looser: WeakerWhen,
    /// What it means.
    pub about: String,
}

impl Parameter {
    /// Whether `used` finds less than `demanded`.
    pub fn is_looser(&self, used: i64, demanded: i64) -> bool {
        match self.looser {
            WeakerWhen::Higher => used > demanded,
            WeakerWhen::Lower => used < demanded,
        }
    }

    /// Whether the value is allowed.
    pub fn allows(&self, value: i64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

impl Rule {
    /// Reads a rule file. The logic is not checked yet: [`Rule::bind`] does that.
    pub fn parse(id: &str, origin: &str, text: &str) -> Result<Self, Error> {
        File::read(origin, text, |table| Self::read(id, table))
    }

    pub(super) fn read(id: &str, mut table: Table<'_, '_>) -> Self {
        let file = table.file;
        let parameters = table.table("parameters").map(read_parameters).unwrap_or_default();
        let logic = table.placed_or_missing::<String>("logic");
        let (logic, at) = logic.map_or((String::new(), 0..0), |Placed { value, span }| (value, span));
        let message = table.placed::<String>("message");
        let boundary = table.placed::<String>("boundary");
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
            aliases: table.optional("aliases").unwrap_or_default(),
            logic_place: LogicPlace::find(file, &at, &logic),
            logic,
            why: table.optional("why").unwrap_or_default(),
            boundary: boundary.map(|boundary| boundary.value),
            references: table.optional("references").unwrap_or_default(),
            compliance: table.optional("compliance").unwrap_or_default(),
            fix: table.table("fix").map(Section::read).unwrap_or_default(),
            examples: table
                .tables("example")
                .into_iter()
                .map(|example| Example::read(example, &parameters))
                .collect(),
            parameters,
        };
        table.finish();
        rule.tell_logic_errors(file, at.start);
        rule
    }

    /// Adds what is wrong with the logic to the file's errors, where it stands in the file as it is.
    fn tell_logic_errors(&self, file: &File<'_>, from: usize) {
        let Some(within) = file.text.get(from..).and_then(|text| text.find(&self.logic)) else {
            return;
        };
        for error in gsl::parse_rule(&self.logic, &self.defaults())
            .err()
            .into_iter()
            .flatten()
        {
            let (start, end) = (error.span.start + from + within, error.span.end + from + within);
            file.add(gsl::Error {
                span: start..end,
                ..error
            });
        }
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
        gsl::parse_rule(&self.logic, parameters).map_err(|mut errors| {
            let LogicPlace { line, lead, tail } = &self.logic_place;
            for error in &mut errors {
                error.span = error.span.start + lead.len()..error.span.end + lead.len();
            }
            Error::text(
                &self.origin,
                *line,
                &format!("{lead}{}{tail}", self.logic),
                errors,
            )
        })
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

impl LogicPlace {
    /// `at` spans the quotes as well. Text with escapes in it is not found, and is then taken to begin there.
    fn find(file: &File<'_>, at: &Range<usize>, logic: &str) -> Self {
        let Some(within) = file.text[at.clone()].find(logic) else {
            return Self::line(file.line(at.start));
        };
        let (before, rest) = file.text.split_at(at.start + within);
        let after = rest[logic.len()..].lines().next();
        Self {
            line: file.line(before.len()),
            lead: before.rsplit('\n').next().unwrap_or_default().to_owned(),
            tail: after.unwrap_or_default().to_owned(),
        }
    }

    /// The whole of this line and those that follow.
    pub(super) const fn line(line: usize) -> Self {
        Self {
            line,
            lead: String::new(),
            tail: String::new(),
        }
    }
}

fn check_placeholders(
    file: &File<'_>,
    what: &str,
    text: &Placed<String>,
    parameters: &BTreeMap<String, Parameter>,
) {
    for piece in text.value.split('{').skip(1) {
        let name = piece.split('}').next().unwrap_or_default();
        if !parameters.contains_key(name) {
            let message = format!("the {what} names the parameter '{name}', which the rule does not have");
            file.error(text.span.clone(), message, None);
        }
    }
}

fn read_parameters(table: Table<'_, '_>) -> BTreeMap<String, Parameter> {
    let parameters = table.into_tables().into_iter();
    parameters
        .map(|(name, table)| (name, read_parameter(table)))
        .collect()
}

fn read_parameter(mut table: Table<'_, '_>) -> Parameter {
    let default = table.placed_or_missing("default");
    let parameter = Parameter {
        default: default.as_ref().map_or(0, |default| default.value),
        min: table.required("min"),
        max: table.required("max"),
        unit: table.optional("unit").unwrap_or_default(),
        looser: table.word("looser").unwrap_or_default(),
        about: table.optional("about").unwrap_or_default(),
    };
    if let Some(Placed { value, span }) = default.filter(|default| !parameter.allows(default.value)) {
        let (min, max) = (parameter.min, parameter.max);
        let message = format!("the default {value} lies outside of {min} to {max}");
        table.file.error(span, message, None);
    }
    table.finish();
    parameter
}

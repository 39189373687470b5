//! The errors of the checker: what is wrong, and what to write instead.

use std::collections::BTreeMap;

use crate::report::schema::{Column, Slot, TimeColumn};
use crate::report::time::Unit;

use super::ast::{Literal, Predicate, Spanned, Test};
use super::attributes::{AnyAttribute, attributes};
use super::error::{Error, Span, quoted};
use super::typed::{Attribute, Comparison, Entity};
use crate::report::word::nearest;

/// Attributes that `CloudGuard` has from other data, and the closest attribute of a report.
const BEYOND_REPORTS: [(&str, Option<&str>); 16] = [
    ("accountNumber", Some("arn")),
    ("attachedGroups", None),
    ("combinedPolicies", None),
    ("dome9Id", None),
    ("externalFindings", None),
    ("id", Some("arn")),
    ("inlinePolicies", None),
    ("managedPolicies", None),
    ("mfaType", Some("mfaActive")),
    ("permissionsBoundary", None),
    ("region", None),
    ("source", None),
    ("tags", None),
    ("type", None),
    ("virtualMfaEnabled", Some("mfaActive")),
    ("vpc", None),
];

/// What to write for a function that `CloudGuard` or another language has.
pub(super) fn function_hint(word: &str) -> Option<&'static str> {
    let hint = match word.to_ascii_lowercase().as_str() {
        "startswith" | "beginswith" | "starts_with" => "write `like 'text%'`",
        "endswith" | "ends_with" => "write `like '%text'`",
        "contains" | "contain" | "includes" | "containsany" => "write `like '%text%'`",
        "equals" | "eq" | "equal" | "is" => "write `=`",
        "matches" | "match" | "regex" | "rlike" => "write `regexMatch /…/`",
        "isnotempty" | "notempty" | "isnotnull" | "exists" => {
            "write `not name isEmpty()`, with the attribute in place of name"
        }
        "isnull" | "isblank" => "write `isEmpty()`",
        "tolower" | "lower" | "toupper" | "upper" => "write `regexMatch /…/i`, which ignores case",
        "now" | "today" | "daysago" => {
            "write `before(-90, 'days')` or `after(-90, 'days')`, counted from the as-of"
        }
        "length" | "len" | "size" | "count" => "a credential report has no lists to count",
        _ => return None,
    };
    Some(hint)
}

pub(super) fn unknown_entity(entity: Spanned<&str>) -> Error {
    let names = Entity::ALL.map(Entity::name);
    let message = format!("{} is not an entity of a credential report", quoted(entity.node));
    let error = Error::new(entity.span, message, "unknown entity");
    match (entity.node, nearest(entity.node, names)) {
        ("Iam", _) => error.with_help(
            "`Iam` is the account with its password policy, which a credential report does not have\n\
             the entities are IamUser, IamAccessKey, IamSigningCertificate and IamServiceCredential",
        ),
        (_, Some(meant)) => error.with_help(format!("did you mean `{meant}`?")),
        _ => error.with_help(
            "the entities are IamUser, IamAccessKey, IamSigningCertificate and IamServiceCredential",
        ),
    }
}

pub(super) fn unknown_attribute(entity: Entity, path: Spanned<&str>) -> Error {
    let name = path.node;
    if name.starts_with('$') {
        let message = format!("{} needs data that a credential report lacks", quoted(name));
        return Error::new(path.span, message, "an element of an array");
    }
    if let Some((_, near)) = beyond_reports(name) {
        let message = format!("{} is not in a credential report", quoted(name));
        let prefix = if entity == Entity::IamUser { "" } else { "user." };
        let error = Error::new(path.span, message, "needs data that a credential report lacks");
        return match near {
            Some(near) => error.with_help(format!("the closest attribute is `{prefix}{near}`")),
            None => error,
        };
    }
    let message = format!("{} has no attribute {}", entity.name(), quoted(name));
    let last = name.rsplit('.').next().unwrap_or(name);
    if let Some(hint) = function_hint(last) {
        let message = format!("{} is not a function of GSL", quoted(last));
        return Error::new(path.span, message, "unknown function").with_help(hint);
    }
    let help = meant(entity, name).unwrap_or_else(|| listing(entity));
    Error::new(path.span, message, "unknown attribute").with_help(help)
}

fn beyond_reports(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    let name = name.strip_prefix("user.").unwrap_or(name);
    let first = name.split('.').next().unwrap_or(name);
    BEYOND_REPORTS.into_iter().find(|&(beyond, _)| beyond == first)
}

/// The attribute that was probably meant by an unknown one.
fn meant(entity: Entity, name: &str) -> Option<String> {
    let did_you_mean = |meant: &str| format!("did you mean `{meant}`?");
    let find = |wanted: &str| attributes(entity).find(|attribute| attribute.name() == wanted);
    let last = name.rsplit('.').next().unwrap_or(name);
    if let Some(column) = Column::from_name(name) {
        let has_column =
            |attribute: &AnyAttribute| Slot::ALL.map(|slot| attribute.column(slot)).contains(&column);
        return attributes(entity)
            .find(has_column)
            .map(|attribute| did_you_mean(attribute.name()));
    }
    if entity == Entity::IamUser {
        let in_slot_one =
            attributes(entity).find(|attribute| attribute.name().ends_with(&format!(".{name}")));
        if let Some(attribute) = in_slot_one {
            let meant = did_you_mean(attribute.name());
            return Some(format!(
                "{meant} Or write the rule for IamAccessKey, which has `{name}`"
            ));
        }
    }
    let candidates = [last.to_owned(), format!("user.{name}")];
    let related = candidates.iter().find_map(|candidate| find(candidate));
    related
        .map(|attribute| attribute.name())
        .or_else(|| nearest(name, attributes(entity).map(|attribute| attribute.name())))
        .map(did_you_mean)
}

/// The attributes of the entity, in lines of readable length.
fn listing(entity: Entity) -> String {
    const WIDTH: usize = 90;
    let mut text = format!("{} has", entity.name());
    let mut width = text.len();
    let own = attributes(entity)
        .map(|attribute| attribute.name())
        .filter(|name| !name.starts_with("user."));
    for (position, name) in own.enumerate() {
        text.push_str(if position == 0 { "" } else { "," });
        let wraps = width + name.len() > WIDTH;
        text.push(if wraps { '\n' } else { ' ' });
        width = if wraps { name.len() } else { width + name.len() + 2 };
        text.push_str(name);
    }
    if entity != Entity::IamUser {
        text.push_str(", and every attribute of IamUser as `user.…`");
    }
    text
}

/// The operator does not apply to this type.
pub(super) fn unsuited(attribute: AnyAttribute, predicate: &Predicate<'_>) -> Error {
    let (name, kind) = (attribute.name(), kind(attribute));
    let (span, word) = (predicate.word.span, predicate.word.node);
    let error = if matches!(predicate.test, Test::Array) {
        let message = format!("`{word}` needs data that a credential report lacks");
        Error::new(span, message, "a command on arrays")
    } else if matches!(predicate.test, Test::Bare) {
        let message = format!("`{name}` is {kind}, which is not a condition by itself");
        Error::new(span, message, kind)
    } else {
        let message = format!("`{word}` does not apply to `{name}`, which is {kind}");
        Error::new(span, message, format!("not for {kind}"))
    };
    error.with_help(tests_of(attribute))
}

const fn kind(attribute: AnyAttribute) -> &'static str {
    match attribute {
        AnyAttribute::Flag(_) => "a flag",
        AnyAttribute::Time(_) => "a time",
        AnyAttribute::Text(_) => "text",
    }
}

/// All tests that apply to the attribute.
fn tests_of(attribute: AnyAttribute) -> String {
    let name = attribute.name();
    match attribute {
        AnyAttribute::Flag(_) => format!("write `{name} = true` or `{name} = false`"),
        AnyAttribute::Time(_) => format!(
            "write `{name} before(-90, 'days')`, `{name} after(-90, 'days')`,\n\
             `{name} isEmpty()` or `{name} dateDifference(…, 'days') < 90`"
        ),
        AnyAttribute::Text(_) => format!(
            "write `{name} = '…'`, `{name} in('…', '…')`, `{name} like '…%'`,\n\
             `{name} regexMatch /…/` or `{name} isEmpty()`"
        ),
    }
}

/// The literal is not of the attribute's type. For a time and a number see [`time_as_number`].
pub(super) fn wrong_literal(entity: Entity, attribute: AnyAttribute, literal: Spanned<Literal<'_>>) -> Error {
    let (name, kind) = (attribute.name(), kind(attribute));
    let mut other_time = None;
    let what = match literal.node {
        Literal::Number(_) => "a number".to_owned(),
        Literal::Text(_) => "this text".to_owned(),
        Literal::Word(word) => {
            let other = attributes(entity).find(|other| other.name() == word);
            other_time = other.filter(|other| matches!(other, AnyAttribute::Time(_)));
            let what = if other.is_some() { "the attribute " } else { "" };
            format!("{what}{}", quoted(word))
        }
    };
    let message = format!("`{name}` is {kind} and cannot be compared with {what}");
    let error = Error::new(literal.span, message, format!("not {kind}"));
    match (attribute, literal.node) {
        (AnyAttribute::Time(_) | AnyAttribute::Text(_), Literal::Word("null")) => {
            error.with_help(format!("write `{name} isEmpty()`"))
        }
        (AnyAttribute::Time(_), _) if let Some(other) = other_time => {
            let other = other.name();
            error.with_help(format!("write `{name} dateDifference({other}, 'days') < 90`"))
        }
        (AnyAttribute::Text(_), Literal::Word(_) | Literal::Number(_)) => {
            error.with_help("put text in single quotes")
        }
        (AnyAttribute::Flag(_) | AnyAttribute::Time(_), _) | (AnyAttribute::Text(_), Literal::Text(_)) => {
            error.with_help(tests_of(attribute))
        }
    }
}

/// `passwordNextRotation <= 45` is in published rules, but does not do what its author meant.
pub(super) fn time_as_number(
    attribute: Attribute<TimeColumn>,
    comparison: Comparison,
    count: i64,
    span: Span,
) -> Error {
    /// Greater numbers were not meant as days.
    const MOST_DAYS: u64 = 100_000;
    let name = attribute.name();
    let message = format!("`{name}` is a time and cannot be compared with a number");
    let error = Error::new(span, message, "a number");
    if count.unsigned_abs() > MOST_DAYS {
        return error.with_help(tests_of(AnyAttribute::Time(attribute)));
    }
    let ahead = attribute.column(Slot::One) == TimeColumn::PasswordNextRotation;
    let days = if ahead { count } else { -count };
    let (any, absent, soon) = match comparison {
        Comparison::Less | Comparison::AtMost => ("no", "always", true),
        Comparison::AtLeast | Comparison::More => ("any", "never", false),
        Comparison::Equal => return error.with_help(tests_of(AnyAttribute::Time(attribute))),
    };
    let word = if soon == ahead { "before" } else { "after" };
    error.with_help(format!(
        "CloudGuard compares seconds since 1970: {any} time is {comparison} {count}; an absent time {absent} is\n\
         write `{name} {word}({days}, 'days')`"
    ))
}

/// The argument of `dateDifference` is not a time.
pub(super) fn not_a_time(path: Spanned<&str>) -> Error {
    let message = format!(
        "`dateDifference` needs two times, but {} is not a time",
        quoted(path.node)
    );
    Error::new(path.span, message, "not a time")
}

pub(super) fn unknown_unit(unit: Spanned<&str>) -> Error {
    let names = Unit::ALL.map(Unit::name);
    let message = format!("unknown unit {}", quoted(unit.node));
    let error = Error::new(unit.span, message, "unknown unit");
    match nearest(unit.node, names) {
        Some(meant) => error.with_help(format!("did you mean '{meant}'?")),
        None => error.with_help(format!("the units are {}", names.join(", "))),
    }
}

pub(super) fn unknown_parameter(span: Span, name: &str, known: &BTreeMap<String, i64>) -> Error {
    let names: Vec<_> = known.keys().map(String::as_str).collect();
    let help = match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(meant), _) => format!("did you mean `{{{meant}}}`? The rule has: {}", names.join(", ")),
        (None, []) => "the rule has no parameters".to_owned(),
        (None, names) => format!("the rule has: {}", names.join(", ")),
    };
    Error::new(span, format!("unknown parameter {}", quoted(name)), "unknown").with_help(help)
}

pub(super) fn not_a_whole_number(span: Span, digits: &str) -> Error {
    let message = format!("{} is not a whole number", quoted(digits));
    Error::new(span, message, "not a whole number")
        .with_help("write digits only, and the unit in quotes: `before(-90, 'days')`")
}

pub(super) fn too_large(span: Span) -> Error {
    Error::new(span, "the number does not fit in 64 bits", "too large")
}

pub(super) fn unknown_flags(span: Span, flags: &str) -> Error {
    let message = format!("a regular expression does not have the flags {}", quoted(flags));
    Error::new(span, message, "unknown flags").with_help("the only flag is `i`: ignore case")
}

pub(super) fn invalid_regex(span: Span, error: &regex::Error) -> Error {
    let error = error.to_string();
    let reason = error.lines().next_back().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    Error::new(span, "the regular expression does not compile", reason)
}

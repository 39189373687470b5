//! Lints: rules that can be read but probably do not mean what they say.

use std::fmt;

use super::definition::Rule;
use super::error::Error;
use super::satisfiable::is_satisfiable;
use crate::finding::Verdict;
use crate::gsl::typed::{Entity, Expr, TextTest, TimeTest, TypedRule};
use crate::report::schema::{Slot, TimeColumn};

/// A warning about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Id of the rule.
    pub rule: String,
    /// The kind of warning, in kebab-case.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule, self.message, self.code)
    }
}

/// The warnings about a rule, with the default values of its parameters.
pub fn lint(rule: &Rule) -> Result<Vec<Lint>, Error> {
    let typed = rule.bind(&rule.defaults())?;
    let from_logic = [
        constant_verdict(&typed),
        one_slot(&typed),
        future_time(&typed),
        glob_in_text(&typed),
    ];
    let warnings = from_logic.into_iter().flatten().chain(missing_parts(rule));
    let lints = warnings.map(|(code, message)| Lint {
        rule: rule.id.clone(),
        code,
        message,
    });
    Ok(lints.collect())
}

/// A code and a message.
type Warning = (&'static str, String);

/// Logic that applies to no row, or gives the same verdict to every row.
fn constant_verdict(rule: &TypedRule) -> Option<Warning> {
    let relevant: Vec<Expr> = rule.relevant.iter().cloned().collect();
    let not_excluded = rule.exclude.iter().map(|expr| Expr::Not(Box::new(expr.clone())));
    let scope: Vec<Expr> = relevant.iter().cloned().chain(not_excluded).collect();
    let with = |holds: bool| {
        let condition = Box::new(rule.condition.clone());
        let condition = if holds { *condition } else { Expr::Not(condition) };
        is_satisfiable(&Expr::and(scope.iter().cloned().chain([condition])))
    };
    let (fails, passes) = (with(rule.forbidden), with(!rule.forbidden));
    let (code, message) = if !relevant.is_empty() && !is_satisfiable(&Expr::and(relevant)) {
        ("contradiction", "no row can match 'where'")
    } else if !fails && !passes {
        (
            "contradiction",
            "'exclude' removes every row that 'where' matches",
        )
    } else if !fails {
        ("never-fails", "no row can fail")
    } else if !passes {
        ("never-passes", "every row that the rule applies to fails")
    } else {
        return None;
    };
    Some((code, message.to_owned()))
}

/// A rule on one slot misses the keys in the other, and AWS moves keys between slots.
fn one_slot(rule: &TypedRule) -> Option<Warning> {
    if rule.entity != Entity::IamUser {
        return None;
    }
    let columns = rule.all_columns();
    let reads = |credential| columns.iter().any(|column| column.credential() == credential);
    let kinds = [
        ("access key", Entity::IamAccessKey),
        ("certificate", Entity::IamSigningCertificate),
    ];
    kinds.into_iter().find_map(|(name, entity)| {
        let [first, second] = Slot::ALL.map(|slot| reads(entity.credential(slot)));
        let which = if first { "first" } else { "second" };
        let entity = entity.name();
        let message = format!(
            "checks only the {which} {name}, but AWS can move it to the other slot; {entity} evaluates each {name}"
        );
        (first != second).then_some(("one-slot", message))
    })
}

/// A time after the as-of is probably a missing minus sign, except for the next rotation of a password.
fn future_time(rule: &TypedRule) -> Option<Warning> {
    let parts = [&rule.relevant, &rule.exclude].into_iter().flatten();
    let mut found = None;
    for expr in parts.chain([&rule.condition]) {
        each_leaf(expr, &mut |leaf| {
            let Expr::Time(attribute, TimeTest::Before(n, _) | TimeTest::After(n, _)) = leaf else {
                return;
            };
            let planned = [
                TimeColumn::PasswordNextRotation,
                TimeColumn::ServiceCredentialExpires,
            ];
            let planned = planned.contains(&attribute.column(Slot::One));
            if *n > 0 && !planned {
                let name = attribute.name();
                let message = format!("{name} is never in the future; did you mean -{n} instead of {n}?");
                found = Some(("future", message));
            }
        });
    }
    found
}

fn glob_in_text(rule: &TypedRule) -> Option<Warning> {
    let parts = [&rule.relevant, &rule.exclude].into_iter().flatten();
    let mut parts = parts.chain([&rule.condition]).rev();
    let message = parts.find_map(wrong_wildcard);
    message.map(|message| ("wildcard", message))
}

/// What to say of a condition that compares with text that has `*` or `?`: they stand for themselves in GSL, and no name of
/// IAM has them.
pub fn wrong_wildcard(condition: &Expr) -> Option<String> {
    let mut found = None;
    let is_glob = |text: &&String| text.contains(['*', '?']);
    each_leaf(condition, &mut |leaf| {
        let Expr::Text(attribute, test) = leaf else { return };
        let glob = match test {
            TextTest::Equals(text) | TextTest::Like(text) => Some(text).filter(is_glob),
            TextTest::In(texts) => texts.iter().find(is_glob),
            TextTest::Matches(_) | TextTest::IsEmpty => None,
        };
        if let Some(glob) = glob {
            let like = glob.replace(['*', '?'], "%");
            let name = attribute.name();
            found = Some(format!(
                "GSL's wildcard is %, not * or ?; did you mean {name} like '{like}'?"
            ));
        }
    });
    found
}

fn each_leaf(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| each_leaf(part, visit)),
        Expr::Not(inner) => each_leaf(inner, visit),
        Expr::Flag(..) | Expr::Time(..) | Expr::Text(..) | Expr::Difference { .. } => visit(expr),
    }
}

/// Unused parameters, and texts and examples that are missing.
fn missing_parts(rule: &Rule) -> Vec<Warning> {
    let unused = rule
        .parameters
        .keys()
        .filter(|name| !rule.logic.contains(&format!("{{{name}}}")));
    let message = |name| format!("the logic does not use the parameter '{name}'");
    let mut warnings: Vec<Warning> = unused.map(|name| ("unused-parameter", message(name))).collect();
    let mut warn = |code, message: &str| warnings.push((code, message.to_owned()));
    if rule.examples.is_empty() && rule.why.is_empty() && rule.fix.is_empty() {
        // Bare GSL cannot have any of them.
        warn(
            "no-example",
            "has no examples; write the rule as TOML to add some",
        );
        return warnings;
    }
    let shows = |verdict| rule.examples.iter().any(|example| example.verdict == verdict);
    if !shows(Verdict::Fail) {
        warn("no-example", "no example fails");
    }
    if !shows(Verdict::Pass) && !shows(Verdict::NotApplicable) {
        warn("no-example", "every example fails or is undetermined");
    }
    if rule.why.is_empty() {
        warn("no-why", "'why' is missing");
    }
    if rule.fix.is_empty() {
        warn("no-fix", "'fix' is missing");
    }
    warnings
}

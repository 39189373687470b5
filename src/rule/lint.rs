//! Rules that can be read, yet hardly mean what they say.

use std::fmt;

use super::definition::Rule;
use super::error::Error;
use super::logic::can_hold;
use crate::finding::Verdict;
use crate::gsl::typed::{Entity, Expr, TimeTest, TypedRule};
use crate::report::schema::{Credential, Slot, TimeColumn};

/// Something doubtful about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Id of the rule.
    pub rule: String,
    /// What kind of doubt, in kebab-case.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule, self.message, self.code)
    }
}

/// What is doubtful about a rule, judged with the default values of its parameters.
pub fn lint(rule: &Rule) -> Result<Vec<Lint>, Error> {
    let typed = rule.bind(&rule.defaults())?;
    let doubts = [doubtful_logic(&typed), one_slot(&typed), future(&typed)];
    let doubts = doubts.into_iter().flatten().chain(lacking(rule));
    let lints = doubts.map(|(code, message)| Lint {
        rule: rule.id.clone(),
        code,
        message,
    });
    Ok(lints.collect())
}

type Doubt = (&'static str, String);

/// What no row, or every row, can be.
fn doubtful_logic(rule: &TypedRule) -> Option<Doubt> {
    let relevant: Vec<Expr> = rule.relevant.iter().cloned().collect();
    let not_excluded = rule.exclude.iter().map(|expr| Expr::Not(Box::new(expr.clone())));
    let scope: Vec<Expr> = relevant.iter().cloned().chain(not_excluded).collect();
    let with = |holds: bool| {
        let condition = Box::new(rule.condition.clone());
        let condition = if holds { *condition } else { Expr::Not(condition) };
        can_hold(&Expr::and(scope.iter().cloned().chain([condition])))
    };
    let (fails, passes) = (with(rule.forbidden), with(!rule.forbidden));
    if !relevant.is_empty() && !can_hold(&Expr::and(relevant)) {
        Some(("contradiction", "no row can satisfy its 'where'".to_owned()))
    } else if !fails && !passes {
        Some((
            "contradiction",
            "'exclude' takes out all that 'where' lets in".to_owned(),
        ))
    } else if !fails {
        Some(("never-fails", "nothing that it judges can fail".to_owned()))
    } else if !passes {
        Some(("never-passes", "everything that it judges fails".to_owned()))
    } else {
        None
    }
}

/// A rule on one slot misses the keys in the other, and AWS re-packs slots.
fn one_slot(rule: &TypedRule) -> Option<Doubt> {
    if rule.entity != Entity::IamUser {
        return None;
    }
    let columns = rule.all_columns();
    let reads = |credential| {
        columns
            .iter()
            .any(|column| column.credential() == Some(credential))
    };
    let kinds = [
        (
            "access key",
            Slot::ALL.map(Credential::AccessKey),
            Entity::IamAccessKey,
        ),
        (
            "certificate",
            Slot::ALL.map(Credential::Certificate),
            Entity::IamSigningCertificate,
        ),
    ];
    kinds.into_iter().find_map(|(name, slots, entity)| {
        let [first, second] = slots.map(reads);
        let which = if first { "first" } else { "second" };
        let entity = entity.name();
        let message = format!(
            "it looks at the {which} {name} alone, and AWS re-packs the slots; {entity} judges each by itself"
        );
        (first != second).then_some(("one-slot", message))
    })
}

/// Only the next rotation of a password lies in the future: any other time is always before it.
fn future(rule: &TypedRule) -> Option<Doubt> {
    let parts = [&rule.relevant, &rule.exclude].into_iter().flatten();
    let mut found = None;
    for expr in parts.chain([&rule.condition]) {
        each_leaf(expr, &mut |leaf| {
            let Expr::Time(attribute, TimeTest::Before(n, _) | TimeTest::After(n, _)) = leaf else {
                return;
            };
            let planned = attribute.column(Slot::One) == TimeColumn::PasswordNextRotation;
            if *n > 0 && !planned {
                let name = attribute.name();
                let message = format!("{name} never lies in the future: was -{n} meant instead of {n}?");
                found = Some(("future", message));
            }
        });
    }
    found
}

fn each_leaf(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| each_leaf(part, visit)),
        Expr::Not(inner) => each_leaf(inner, visit),
        Expr::Flag(..) | Expr::Time(..) | Expr::Text(..) | Expr::Difference { .. } => visit(expr),
    }
}

/// What people will miss.
fn lacking(rule: &Rule) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for name in rule.parameters.keys() {
        if !rule.logic.contains(&format!("{{{name}}}")) {
            doubts.push((
                "unused-parameter",
                format!("its logic does not use the parameter '{name}'"),
            ));
        }
    }
    if rule.examples.is_empty() && rule.why.is_empty() && rule.fix.is_empty() {
        // Bare GSL has no room for any of them.
        doubts.push((
            "no-example",
            "it has no examples; a rule in TOML can have some".to_owned(),
        ));
        return doubts;
    }
    let shows = |verdict| rule.examples.iter().any(|example| example.verdict == verdict);
    if !shows(Verdict::Fail) {
        doubts.push(("no-example", "no example shows what fails".to_owned()));
    }
    if !shows(Verdict::Pass) && !shows(Verdict::NotApplicable) {
        doubts.push(("no-example", "no example shows what does not fail".to_owned()));
    }
    if rule.why.is_empty() {
        doubts.push(("no-why", "it does not say why it matters".to_owned()));
    }
    if rule.fix.is_empty() {
        doubts.push(("no-fix", "it does not say how to mend it".to_owned()));
    }
    doubts
}

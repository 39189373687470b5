//! The rule language: GSL, as Check Point `CloudGuard` has it for its `IamUser` entity, on the data of a credential
//! report. Source text becomes a [`typed::TypedRule`] or errors that say how to fix it.
//!
//! ```text
//! <Entity> [where E] should [not] [have] E [exclude E]
//! ```
//!
//! - `E`: predicates with `not`, `and`, `or` (binding in this order) and parentheses; `should not` negates the whole
//!   expression after it.
//! - Flags: `x`, `x = true`, `x != 'false'`. The quoted and the bare word are one literal.
//! - Times: `x before(-90, 'days')`, `x after(-90, 'days')`, `x isEmpty()`,
//!   `x dateDifference(y, 'seconds') < 60`.
//! - Text: `x = 'a'`, `x != 'a'`, `x in('a', 'b')`, `x not in('a')`, `x like 'a%'`, `x unlike 'a%'` (`%` is any
//!   run of characters, and the only wildcard), `x regexMatch /^a/i`, `x isEmpty()`.
//!   All are case-sensitive, except a regular expression with the flag `i`.
//! - In a string, `''` is a quote, and a backslash is a backslash. In a regular expression, `\/` is a slash.
//! - `{name}` or `-{name}` may be in place of any number and is the value of that parameter.
//! - Entities: `IamUser`, and beyond GSL `IamAccessKey` and `IamSigningCertificate`. `attributes` lists the
//!   attributes of each.
//!
//! Rules may be untrusted: their size, nesting and regular expressions are bounded.
//!
//! ```
//! use std::collections::BTreeMap;
//! use credlens::gsl;
//!
//! let parameters = BTreeMap::from([("max_age".to_owned(), 90)]);
//! let source = "IamAccessKey where isActive should not have lastRotated before(-{max_age}, 'days')";
//! let rule = gsl::parse_rule(source, &parameters).expect("a rule");
//! assert_eq!(
//!     rule.to_string(),
//!     "IamAccessKey where isActive = true should not have lastRotated before(-90, 'days')"
//! );
//!
//! let source = "IamUser should have passwordNextRotation <= 45";
//! let errors = gsl::parse_rule(source, &parameters).unwrap_err();
//! assert!(gsl::render(None, 1, source, &errors, false).contains("write `passwordNextRotation before(45, 'days')`"));
//! ```

mod ast;
mod attributes;
mod check;
mod error;
mod explain;
mod fmt;
mod lex;
mod parse;
mod predicate;
mod render;
mod text_test;
pub mod typed;

use std::collections::BTreeMap;

pub use attributes::{AnyAttribute, attributes};
pub use error::Error;
pub use render::render;
pub(crate) use render::renderer;

use error::Span;
use typed::{Entity, Expr, TypedRule};

/// Longer rules are refused.
const SOURCE_LIMIT: usize = 1 << 16;

/// Parses and checks a rule; `parameters` are the values of `{name}`s in it.
///
/// The list of errors is in the order of the source, and never empty.
pub fn parse_rule(source: &str, parameters: &BTreeMap<String, i64>) -> Result<TypedRule, Vec<Error>> {
    let tokens = tokens(source, "rule")?;
    let rule = parse::parse(source, &tokens).map_err(|error| vec![error])?;
    check::check(&rule, parameters)
}

/// Parses and checks a condition on an entity: what is behind `where` or `should have` in a rule.
///
/// The list of errors is in the order of the source, and never empty.
///
/// ```
/// use credlens::gsl::{self, typed::Entity};
///
/// let condition = gsl::parse_condition(Entity::IamUser, "passwordEnabled and not mfaActive").expect("a condition");
/// assert_eq!(condition.to_string(), "passwordEnabled = true and mfaActive != true");
/// ```
pub fn parse_condition(entity: Entity, source: &str) -> Result<Expr, Vec<Error>> {
    let tokens = tokens(source, "condition")?;
    let condition = parse::condition(source, &tokens).map_err(|error| vec![error])?;
    check::check_condition(entity, &condition)
}

/// The tokens of a rule or condition, which is named in errors.
fn tokens<'s>(source: &'s str, what: &str) -> Result<Vec<lex::Token<'s>>, Vec<Error>> {
    if source.len() > SOURCE_LIMIT {
        let start = Span { start: 0, end: 0 };
        let message = format!("the {what} is longer than {SOURCE_LIMIT} bytes");
        return Err(vec![Error::new(start, message, "")]);
    }
    let (tokens, errors) = lex::lex(source);
    if errors.is_empty() {
        Ok(tokens)
    } else {
        Err(errors)
    }
}

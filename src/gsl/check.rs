//! Checks rules as written and makes typed rules of them: every name is known, and every test applies to its
//! attribute's type.

use std::collections::BTreeMap;

use crate::report::schema::{FlagColumn, TimeColumn};
use crate::report::time::Unit;

use super::ast::{self, Count, Literal, Magnitude, Predicate, Spanned, Test, Window};
use super::attributes::{AnyAttribute, attributes};
use super::error::{ERROR_LIMIT, Error};
use super::explain;
use super::typed::{Attribute, Comparison, Entity, Expr, Pattern, TextSource, TextTest, TimeTest, TypedRule};

/// How many regular expressions a rule may have; each may take a megabyte when it is compiled.
const PATTERN_LIMIT: usize = 32;

/// The typed rule, or all errors in names and types.
pub(super) fn check(
    rule: &ast::Rule<'_>,
    parameters: &BTreeMap<String, i64>,
) -> Result<TypedRule, Vec<Error>> {
    let Ok(entity) = rule.entity.node.parse() else {
        return Err(vec![explain::unknown_entity(rule.entity)]);
    };
    let mut checker = Checker {
        entity,
        parameters,
        patterns: 0,
        errors: Vec::new(),
    };
    let relevant = rule.relevant.as_ref().and_then(|expr| checker.expr(expr));
    let condition = checker.expr(&rule.condition);
    let exclude = rule.exclude.as_ref().and_then(|expr| checker.expr(expr));
    match condition {
        Some(condition) if checker.errors.is_empty() => Ok(TypedRule {
            entity,
            relevant,
            forbidden: rule.forbidden,
            condition,
            exclude,
        }),
        _ => Err(checker.errors),
    }
}

/// The typed condition, or all errors in names and types.
pub(super) fn check_condition(entity: Entity, condition: &ast::Expr<'_>) -> Result<Expr, Vec<Error>> {
    let mut checker = Checker {
        entity,
        parameters: &BTreeMap::new(),
        patterns: 0,
        errors: Vec::new(),
    };
    match checker.expr(condition) {
        Some(condition) if checker.errors.is_empty() => Ok(condition),
        _ => Err(checker.errors),
    }
}

struct Checker<'a> {
    entity: Entity,
    parameters: &'a BTreeMap<String, i64>,
    /// How many regular expressions were found so far.
    patterns: usize,
    errors: Vec<Error>,
}

type Checked<T> = Result<T, Error>;

impl Checker<'_> {
    /// The typed expression; none after an error, which does not keep the rest from being checked.
    fn expr(&mut self, expr: &ast::Expr<'_>) -> Option<Expr> {
        match expr {
            ast::Expr::And(parts) => self.parts(parts).map(Expr::and),
            ast::Expr::Or(parts) => self.parts(parts).map(Expr::or),
            ast::Expr::Not(inner) => self.expr(inner).map(Expr::not),
            ast::Expr::Predicate(_) if self.errors.len() >= ERROR_LIMIT => None,
            ast::Expr::Predicate(predicate) => self
                .predicate(predicate)
                .map_err(|error| self.errors.push(error))
                .ok(),
        }
    }

    fn parts(&mut self, parts: &[ast::Expr<'_>]) -> Option<Vec<Expr>> {
        let checked: Vec<_> = parts.iter().map(|part| self.expr(part)).collect();
        checked.into_iter().collect()
    }

    fn predicate(&mut self, predicate: &Predicate<'_>) -> Checked<Expr> {
        match self.attribute(predicate.path)? {
            AnyAttribute::Flag(attribute) => self.flag(attribute, predicate),
            AnyAttribute::Time(attribute) => self.time(attribute, predicate),
            AnyAttribute::Text(attribute) => Ok(Expr::Text(attribute, self.text(attribute, predicate)?)),
        }
    }

    fn attribute(&self, path: Spanned<&str>) -> Checked<AnyAttribute> {
        attributes(self.entity)
            .find(|attribute| attribute.name() == path.node)
            .ok_or_else(|| explain::unknown_attribute(self.entity, path))
    }

    fn flag(&self, attribute: Attribute<FlagColumn>, predicate: &Predicate<'_>) -> Checked<Expr> {
        let any = AnyAttribute::Flag(attribute);
        if matches!(predicate.test, Test::Bare) {
            return Ok(Expr::Flag(attribute, true));
        }
        let Test::Compare(Comparison::Equal, literal) = &predicate.test else {
            return Err(explain::unsuited(any, predicate));
        };
        match literal.node {
            Literal::Text("true") | Literal::Word("true") => Ok(Expr::Flag(attribute, true)),
            Literal::Text("false") | Literal::Word("false") => Ok(Expr::Flag(attribute, false)),
            Literal::Text(_) | Literal::Word(_) | Literal::Number(_) => {
                Err(explain::wrong_literal(self.entity, any, *literal))
            }
        }
    }

    fn time(&self, attribute: Attribute<TimeColumn>, predicate: &Predicate<'_>) -> Checked<Expr> {
        let any = AnyAttribute::Time(attribute);
        let test = match &predicate.test {
            Test::Before(Window { count, unit }) => {
                TimeTest::Before(self.count(*count)?, checked_unit(*unit)?)
            }
            Test::After(Window { count, unit }) => TimeTest::After(self.count(*count)?, checked_unit(*unit)?),
            Test::IsEmpty => TimeTest::IsEmpty,
            Test::Difference {
                other,
                unit,
                comparison,
                count,
            } => {
                let AnyAttribute::Time(right) = self.attribute(*other)? else {
                    return Err(explain::not_a_time(*other));
                };
                return Ok(Expr::Difference {
                    left: attribute,
                    right,
                    unit: checked_unit(*unit)?,
                    comparison: *comparison,
                    count: self.count(*count)?,
                });
            }
            Test::Compare(comparison, literal) => {
                return Err(self.compared_time(attribute, *comparison, *literal));
            }
            Test::Bare | Test::In(_) | Test::Like(_) | Test::Matches(_) | Test::Array => {
                return Err(explain::unsuited(any, predicate));
            }
        };
        Ok(Expr::Time(attribute, test))
    }

    fn compared_time(
        &self,
        attribute: Attribute<TimeColumn>,
        comparison: Comparison,
        literal: Spanned<Literal<'_>>,
    ) -> Error {
        let span = literal.span;
        let Literal::Number(node) = literal.node else {
            return explain::wrong_literal(self.entity, AnyAttribute::Time(attribute), literal);
        };
        match self.count(Spanned { node, span }) {
            Ok(count) => explain::time_as_number(attribute, comparison, count, span),
            Err(error) => error,
        }
    }

    fn text(&mut self, attribute: Attribute<TextSource>, predicate: &Predicate<'_>) -> Checked<TextTest> {
        let any = AnyAttribute::Text(attribute);
        match &predicate.test {
            Test::Compare(Comparison::Equal, literal) => self.literal(any, literal).map(TextTest::Equals),
            Test::In(literals) => {
                let texts: Checked<_> = literals
                    .iter()
                    .map(|literal| self.literal(any, literal))
                    .collect();
                texts.map(TextTest::In)
            }
            Test::Like(literal) => self.literal(any, literal).map(TextTest::Like),
            Test::Matches(regex) => self.pattern(*regex).map(TextTest::Matches),
            Test::IsEmpty => Ok(TextTest::IsEmpty),
            Test::Bare
            | Test::Compare(..)
            | Test::Before(_)
            | Test::After(_)
            | Test::Difference { .. }
            | Test::Array => Err(explain::unsuited(any, predicate)),
        }
    }

    fn literal(&self, attribute: AnyAttribute, literal: &Spanned<Literal<'_>>) -> Checked<String> {
        match literal.node {
            Literal::Text(text) => Ok(text.replace("''", "'")),
            Literal::Number(_) | Literal::Word(_) => {
                Err(explain::wrong_literal(self.entity, attribute, *literal))
            }
        }
    }

    fn pattern(&mut self, regex: Spanned<ast::Regex<'_>>) -> Checked<Pattern> {
        self.patterns += 1;
        if self.patterns > PATTERN_LIMIT {
            let message = format!("a rule may have at most {PATTERN_LIMIT} regular expressions");
            return Err(Error::new(regex.span, message, "one too many"));
        }
        let ignore_case = match regex.node.flags {
            "" => false,
            "i" => true,
            flags => return Err(explain::unknown_flags(regex.span, flags)),
        };
        Pattern::new(regex.node.source, ignore_case)
            .map_err(|error| explain::invalid_regex(regex.span, &error))
    }

    fn count(&self, count: Spanned<Count<'_>>) -> Checked<i64> {
        let Count { negative, magnitude } = count.node;
        let value = match magnitude {
            Magnitude::Parameter(name) => match self.parameters.get(name) {
                Some(&value) => i128::from(value),
                None => return Err(explain::unknown_parameter(count.span, name, self.parameters)),
            },
            Magnitude::Digits(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().unwrap_or(i128::MAX)
            }
            Magnitude::Digits(digits) => return Err(explain::not_a_whole_number(count.span, digits)),
        };
        i64::try_from(if negative { -value } else { value }).map_err(|_| explain::too_large(count.span))
    }
}

fn checked_unit(unit: Spanned<&str>) -> Checked<Unit> {
    unit.node.parse().map_err(|_| explain::unknown_unit(unit))
}

//! Prints rules in their canonical form: parsing it gives the same rule again.

use std::fmt::{self, Display, Formatter};

use super::typed::{Comparison, Expr, Pattern, TextTest, TimeTest, TypedRule};

impl Display for TypedRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.entity.name())?;
        if let Some(relevant) = &self.relevant {
            write!(f, " where {relevant}")?;
        }
        let should = if self.forbidden {
            "should not have"
        } else {
            "should have"
        };
        write!(f, " {should} {}", self.condition)?;
        if let Some(exclude) = &self.exclude {
            write!(f, " exclude {exclude}")?;
        }
        Ok(())
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => join(f, parts, " and ", |part| {
                matches!(part, Self::And(_) | Self::Or(_))
            }),
            Self::Or(parts) => join(f, parts, " or ", |part| matches!(part, Self::Or(_))),
            Self::Not(inner) if has_opposite(inner) => predicate(f, inner, true),
            Self::Not(inner) if matches!(**inner, Self::And(_) | Self::Or(_)) => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Flag(..) | Self::Time(..) | Self::Text(..) | Self::Difference { .. } => {
                predicate(f, self, false)
            }
        }
    }
}

fn join(
    f: &mut Formatter<'_>,
    parts: &[Expr],
    word: &str,
    needs_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

/// Whether the predicate has an operator for its negation: `!=`, `not in`, `unlike`.
const fn has_opposite(expr: &Expr) -> bool {
    match expr {
        Expr::Flag(..) => true,
        Expr::Text(_, test) => matches!(test, TextTest::Equals(_) | TextTest::In(_) | TextTest::Like(_)),
        Expr::Difference { comparison, .. } => matches!(comparison, Comparison::Equal),
        Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Time(..) => false,
    }
}

/// A predicate, or its opposite if it [`has_opposite`].
fn predicate(f: &mut Formatter<'_>, expr: &Expr, opposite: bool) -> fmt::Result {
    match expr {
        Expr::Flag(attribute, value) => {
            write!(f, "{} {} {value}", attribute.name(), equals(opposite))
        }
        Expr::Time(attribute, test) => write!(f, "{} {test}", attribute.name()),
        Expr::Text(attribute, test) => {
            write!(f, "{} ", attribute.name())?;
            text_test(f, test, opposite)
        }
        Expr::Difference {
            left,
            right,
            unit,
            comparison,
            count,
        } => {
            let (left, right, unit) = (left.name(), right.name(), unit.name());
            let sign = if opposite { "!=" } else { comparison.name() };
            write!(f, "{left} dateDifference({right}, '{unit}') {sign} {count}")
        }
        Expr::And(_) | Expr::Or(_) | Expr::Not(_) => write!(f, "({expr})"),
    }
}

const fn equals(opposite: bool) -> &'static str {
    if opposite { "!=" } else { "=" }
}

impl Display for TimeTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(count, unit) => write!(f, "before({count}, '{}')", unit.name()),
            Self::After(count, unit) => write!(f, "after({count}, '{}')", unit.name()),
            Self::IsEmpty => f.write_str("isEmpty()"),
        }
    }
}

fn text_test(f: &mut Formatter<'_>, test: &TextTest, opposite: bool) -> fmt::Result {
    match test {
        TextTest::Equals(value) => write!(f, "{} {}", equals(opposite), literal(value)),
        TextTest::In(values) => {
            let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
            let word = if opposite { "not in" } else { "in" };
            write!(f, "{word}({})", values.join(", "))
        }
        TextTest::Like(wanted) => {
            let word = if opposite { "unlike" } else { "like" };
            write!(f, "{word} {}", literal(wanted))
        }
        TextTest::Matches(pattern) => write!(f, "regexMatch {pattern}"),
        TextTest::IsEmpty => f.write_str("isEmpty()"),
    }
}

/// The text between quotes, with inner quotes doubled.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        let mut escaped = false;
        for char in self.source().chars() {
            if char == '/' && !escaped {
                f.write_str("\\")?;
            }
            escaped = char == '\\' && !escaped;
            write!(f, "{char}")?;
        }
        f.write_str(if self.ignores_case() { "/i" } else { "/" })
    }
}

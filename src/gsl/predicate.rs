//! Parses predicates: an attribute and a test of it.

use super::ast::{Count, Expr, Literal, Magnitude, Predicate, Regex, Spanned, Test, Window};
use super::error::{Error, quoted};
use super::explain::function_hint;
use super::lex::TokenKind;
use super::parse::{Parsed, Parser, STRUCTURE, is_keyword, keywords};
use super::typed::Comparison;

/// The words that may follow an attribute.
pub(super) const OPERATORS: [&str; 8] = [
    "in",
    "like",
    "unlike",
    "regexMatch",
    "before",
    "after",
    "isEmpty",
    "dateDifference",
];
const ARRAY_COMMANDS: [&str; 7] = [
    "contain",
    "contain-any",
    "contain-all",
    "contain-none",
    "with",
    "length",
    "groupBy",
];

impl<'s> Parser<'_, 's> {
    pub(super) fn predicate(&mut self) -> Parsed<Expr<'s>> {
        let path = self.plain_word("an attribute")?;
        let code = self.code();
        let operates = code == "not" || comparison(code).is_some();
        if !operates && !OPERATORS.contains(&code) && !ARRAY_COMMANDS.contains(&code) {
            return self.bare(path);
        }
        let word = Spanned {
            node: code,
            span: self.advance(),
        };
        let (test, negated) = match code {
            "in" => (self.membership()?, false),
            "not" => (self.not_in()?, true),
            "like" | "unlike" => (Test::Like(self.literal()?), code == "unlike"),
            "regexMatch" => (Test::Matches(self.regex()?), false),
            "before" => (Test::Before(self.window()?), false),
            "after" => (Test::After(self.window()?), false),
            "isEmpty" => (self.is_empty()?, false),
            "dateDifference" => self.difference()?,
            _ => match comparison(code) {
                Some((comparison, negated)) => (Test::Compare(comparison, self.literal()?), negated),
                None => (self.array_command()?, false),
            },
        };
        let predicate = Expr::Predicate(Predicate { path, word, test });
        Ok(if negated {
            Expr::Not(Box::new(predicate))
        } else {
            predicate
        })
    }

    /// An attribute without an operator, unless the next token was meant as one.
    fn bare(&self, path: Spanned<&'s str>) -> Parsed<Expr<'s>> {
        if self.code() == "(" {
            return Err(unknown_function(path));
        }
        if let TokenKind::Word(node) = self.kind()
            && self.next_code() == "("
            && !STRUCTURE.contains(&node)
        {
            let span = self.span();
            return Err(unknown_function(Spanned { node, span }));
        }
        Ok(Expr::Predicate(Predicate {
            path,
            word: path,
            test: Test::Bare,
        }))
    }

    fn not_in(&mut self) -> Parsed<Test<'s>> {
        if self.take("in") {
            return self.membership();
        }
        let error = self.expected("`in`");
        Err(error.with_help("write `unlike` for not like, and `not x regexMatch /…/` with `not` in front"))
    }

    fn membership(&mut self) -> Parsed<Test<'s>> {
        self.expect("(", "`(`")?;
        let mut literals = vec![self.literal()?];
        while self.take(",") {
            literals.push(self.literal()?);
        }
        self.expect(")", "`,` or `)`")?;
        Ok(Test::In(literals))
    }

    fn regex(&mut self) -> Parsed<Spanned<Regex<'s>>> {
        let TokenKind::Regex { source, flags } = self.kind() else {
            return Err(self.expected("a regular expression between slashes, such as /^admin/i"));
        };
        Ok(Spanned {
            node: Regex { source, flags },
            span: self.advance(),
        })
    }

    fn window(&mut self) -> Parsed<Window<'s>> {
        self.expect("(", "`(`")?;
        let count = self.count()?;
        self.expect(",", "`,`")?;
        let unit = self.unit()?;
        self.expect(")", "`)`")?;
        Ok(Window { count, unit })
    }

    fn is_empty(&mut self) -> Parsed<Test<'s>> {
        self.expect("(", "`()`")?;
        self.expect(")", "`)`")?;
        Ok(Test::IsEmpty)
    }

    fn difference(&mut self) -> Parsed<(Test<'s>, bool)> {
        self.expect("(", "`(`")?;
        let other = self.plain_word("an attribute")?;
        self.expect(",", "`,`")?;
        let unit = self.unit()?;
        self.expect(")", "`)`")?;
        let Some((comparison, negated)) = comparison(self.code()) else {
            return Err(self.expected("a comparison with a count, such as `< 60`"));
        };
        self.advance();
        let count = self.count()?;
        let test = Test::Difference {
            other,
            unit,
            comparison,
            count,
        };
        Ok((test, negated))
    }

    /// Skips the arguments of the command, so that the rest of the rule is still checked.
    fn array_command(&mut self) -> Parsed<Test<'s>> {
        loop {
            self.brackets()?;
            if self.code() != "isEmpty" && !ARRAY_COMMANDS.contains(&self.code()) {
                break;
            }
            self.advance();
        }
        if comparison(self.code()).is_some() {
            self.advance();
            self.literal()?;
        }
        Ok(Test::Array)
    }

    fn brackets(&mut self) -> Parsed<()> {
        let mut open = 0_usize;
        loop {
            match self.code() {
                "[" | "(" => open += 1,
                "]" | ")" if open > 0 => open -= 1,
                _ if open == 0 => return Ok(()),
                _ if self.kind() == TokenKind::End => return Err(self.expected("a closing bracket")),
                _ => {}
            }
            self.advance();
        }
    }

    fn literal(&mut self) -> Parsed<Spanned<Literal<'s>>> {
        let node = match self.kind() {
            TokenKind::Text(text) => Literal::Text(text),
            TokenKind::Word(word) if !is_keyword(word) => Literal::Word(word),
            TokenKind::Number(_) | TokenKind::Parameter(_) | TokenKind::Symbol("-") => {
                let count = self.count()?;
                return Ok(Spanned {
                    node: Literal::Number(count.node),
                    span: count.span,
                });
            }
            TokenKind::Word(_) | TokenKind::Symbol(_) | TokenKind::Regex { .. } | TokenKind::End => {
                return Err(self.expected("a literal, such as 'text' or true"));
            }
        };
        let span = self.advance();
        Ok(Spanned { node, span })
    }

    fn count(&mut self) -> Parsed<Spanned<Count<'s>>> {
        let start = self.span();
        let negative = self.take("-");
        let magnitude = match self.kind() {
            TokenKind::Number(digits) => Magnitude::Digits(digits),
            TokenKind::Parameter(name) => Magnitude::Parameter(name),
            TokenKind::Word(_)
            | TokenKind::Text(_)
            | TokenKind::Regex { .. }
            | TokenKind::Symbol(_)
            | TokenKind::End => {
                return Err(self.expected("a whole number"));
            }
        };
        Ok(Spanned {
            node: Count { negative, magnitude },
            span: start.to(self.advance()),
        })
    }

    fn unit(&mut self) -> Parsed<Spanned<&'s str>> {
        let TokenKind::Text(node) = self.kind() else {
            return Err(self.expected("a unit in quotes, such as 'days'"));
        };
        Ok(Spanned {
            node,
            span: self.advance(),
        })
    }
}

fn unknown_function(name: Spanned<&str>) -> Error {
    let message = format!("GSL for credential reports has no {}", quoted(name.node));
    let error = Error::new(name.span, message, "unknown");
    let last = name.node.rsplit('.').next().unwrap_or(name.node);
    match function_hint(last) {
        Some(hint) => error.with_help(hint),
        None => error.did_you_mean(name.node, keywords()),
    }
}

/// The comparison of this sign, and whether it is negated.
fn comparison(sign: &str) -> Option<(Comparison, bool)> {
    if sign == "!=" {
        return Some((Comparison::Equal, true));
    }
    let mut all = Comparison::ALL.into_iter();
    all.find(|comparison| comparison.name() == sign)
        .map(|comparison| (comparison, false))
}

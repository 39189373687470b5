//! Parses tokens into a rule as written: recursive descent, one function for each level of precedence; predicates are
//! in `predicate`.
//!
//! ```text
//! rule = entity [ "where" any ] "should" [ "not" ] [ "have" ] any [ "exclude" any ]
//! any  = all { "or" all }
//! all  = one { "and" one }
//! one  = "not" one | "(" any ")" | predicate
//! ```

use super::ast::{Expr, Rule, Spanned};
use super::error::{Error, Span, quoted};
use super::explain::function_hint;
use super::lex::{Token, TokenKind};
use super::predicate::OPERATORS;
use super::typed::Entity;

/// How deep parentheses and `not`s may nest; functions on expressions recurse as deep.
const DEPTH_LIMIT: usize = 64;

pub(super) const STRUCTURE: [&str; 7] = ["where", "should", "not", "have", "and", "or", "exclude"];

pub(super) type Parsed<T> = Result<T, Error>;

/// The rule of the tokens, or the first error.
pub(super) fn parse<'s>(source: &'s str, tokens: &[Token<'s>]) -> Parsed<Rule<'s>> {
    Parser::new(source, tokens, "rule").rule()
}

/// The condition of the tokens, without entity, `where` and `should`, or the first error.
pub(super) fn condition<'s>(source: &'s str, tokens: &[Token<'s>]) -> Parsed<Expr<'s>> {
    Parser::new(source, tokens, "condition").condition()
}

pub(super) struct Parser<'t, 's> {
    source: &'s str,
    /// The last is [`TokenKind::End`] and never passed.
    tokens: &'t [Token<'s>],
    at: usize,
    depth: usize,
    /// What is parsed, for errors: a rule or a condition.
    what: &'static str,
}

impl<'t, 's> Parser<'t, 's> {
    fn new(source: &'s str, tokens: &'t [Token<'s>], what: &'static str) -> Self {
        Self {
            source,
            tokens,
            at: 0,
            depth: 0,
            what,
        }
    }

    fn condition(&mut self) -> Parsed<Expr<'s>> {
        const ALONE: &str = "write the condition alone: what follows `where` or `should have` in a rule";
        let begins_a_rule = ["where", "should"].contains(&self.code());
        if begins_a_rule || self.code().parse::<Entity>().is_ok() {
            return Err(self.expected("a condition").with_help(ALONE));
        }
        let condition = self.any()?;
        if self.kind() != TokenKind::End {
            let error = self.expected("`and`, `or` or the end of the condition");
            let is_of_rule = ["should", "exclude", "where"].contains(&self.code());
            return Err(if is_of_rule { error.with_help(ALONE) } else { error });
        }
        Ok(condition)
    }

    fn rule(&mut self) -> Parsed<Rule<'s>> {
        let entity = self.entity()?;
        let (relevant, expected) = if self.take("where") {
            (Some(self.any()?), "`and`, `or` or `should`")
        } else {
            (None, "`where` or `should`")
        };
        if !self.take("should") {
            return Err(self.expected(expected));
        }
        let forbidden = self.take("not");
        self.take("have");
        let condition = self.any()?;
        let (exclude, expected) = if self.take("exclude") {
            (Some(self.any()?), "`and`, `or` or the end of the rule")
        } else {
            (None, "`and`, `or`, `exclude` or the end of the rule")
        };
        if self.kind() != TokenKind::End {
            return Err(self.expected(expected));
        }
        Ok(Rule {
            entity,
            relevant,
            forbidden,
            condition,
            exclude,
        })
    }

    fn entity(&mut self) -> Parsed<Spanned<&'s str>> {
        let entity = self.plain_word("an entity, such as `IamUser`")?;
        if entity.node == "List" && self.code() == "<" {
            return Err(Error::new(
                entity.span,
                "`List<…>` needs data that a credential report lacks",
                "a collection",
            )
            .with_help("write the rule for one entity at a time: `IamUser should …`"));
        }
        Ok(entity)
    }

    pub(super) fn any(&mut self) -> Parsed<Expr<'s>> {
        let first = self.all()?;
        self.chain("or", first, Self::all, Expr::Or)
    }

    fn all(&mut self) -> Parsed<Expr<'s>> {
        let first = self.one()?;
        self.chain("and", first, Self::one, Expr::And)
    }

    fn chain(
        &mut self,
        word: &str,
        first: Expr<'s>,
        part: impl Fn(&mut Self) -> Parsed<Expr<'s>>,
        join: impl Fn(Vec<Expr<'s>>) -> Expr<'s>,
    ) -> Parsed<Expr<'s>> {
        if self.code() != word {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take(word) {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    fn one(&mut self) -> Parsed<Expr<'s>> {
        if self.depth == DEPTH_LIMIT {
            let message = format!("the {} nests deeper than {DEPTH_LIMIT} levels", self.what);
            return Err(Error::new(self.span(), message, "too deep"));
        }
        self.depth += 1;
        let expr = if self.take("not") {
            Expr::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            self.expect(")", "`and`, `or` or `)`")?;
            inner
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// A word that is not a keyword in any case.
    pub(super) fn plain_word(&mut self, what: &str) -> Parsed<Spanned<&'s str>> {
        if let TokenKind::Word(node) = self.kind()
            && !is_keyword(node)
        {
            let span = self.advance();
            return Ok(Spanned { node, span });
        }
        Err(self.expected(what))
    }

    pub(super) fn expect(&mut self, code: &str, what: &str) -> Parsed<()> {
        if self.take(code) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    /// Skips this word or sign, if it is the current token.
    pub(super) fn take(&mut self, code: &str) -> bool {
        let here = self.code() == code;
        if here {
            self.advance();
        }
        here
    }

    /// Skips the current token, and returns its range.
    pub(super) fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    pub(super) fn kind(&self) -> TokenKind<'s> {
        self.tokens[self.at].kind
    }

    pub(super) fn code(&self) -> &'s str {
        self.kind().code()
    }

    /// The word or sign after the current token.
    pub(super) fn next_code(&self) -> &'s str {
        self.tokens.get(self.at + 1).map_or("", |next| next.kind.code())
    }

    pub(super) fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    /// The error that the current token is not what is expected here.
    pub(super) fn expected(&self, what: &str) -> Error {
        let found = match self.span().of(self.source) {
            "" => format!("the end of the {}", self.what),
            text => quoted(text),
        };
        let message = format!("expected {what}, found {found}");
        let error = Error::new(self.span(), message, "unexpected");
        if let TokenKind::Word(word) = self.kind() {
            if let Some(hint) = function_hint(word) {
                return error.with_help(hint);
            }
            return error.did_you_mean(word, keywords());
        }
        error
    }
}

pub(super) fn keywords() -> impl Iterator<Item = &'static str> {
    STRUCTURE.into_iter().chain(OPERATORS)
}

/// Whether it is a keyword in any case: `AND` is never meant as a name.
pub(super) fn is_keyword(word: &str) -> bool {
    keywords().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

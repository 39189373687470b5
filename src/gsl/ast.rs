//! Rules as written: their structure is correct, their names and types have not been checked.

use super::error::Span;
use super::typed::Comparison;

#[derive(Clone, Copy, Debug)]
pub(super) struct Spanned<T> {
    pub(super) node: T,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) struct Rule<'s> {
    pub(super) entity: Spanned<&'s str>,
    pub(super) relevant: Option<Expr<'s>>,
    pub(super) forbidden: bool,
    pub(super) condition: Expr<'s>,
    pub(super) exclude: Option<Expr<'s>>,
}

/// `!=`, `unlike` and `not in` are already a `Not`.
#[derive(Debug)]
pub(super) enum Expr<'s> {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Predicate(Predicate<'s>),
}

#[derive(Debug)]
pub(super) struct Predicate<'s> {
    pub(super) path: Spanned<&'s str>,
    /// The operator or function, as written; the path where there is none.
    pub(super) word: Spanned<&'s str>,
    pub(super) test: Test<'s>,
}

#[derive(Debug)]
pub(super) enum Test<'s> {
    /// None: a bare attribute.
    Bare,
    Compare(Comparison, Spanned<Literal<'s>>),
    In(Vec<Spanned<Literal<'s>>>),
    Like(Spanned<Literal<'s>>),
    Matches(Spanned<Regex<'s>>),
    Before(Window<'s>),
    After(Window<'s>),
    IsEmpty,
    Difference {
        other: Spanned<&'s str>,
        unit: Spanned<&'s str>,
        comparison: Comparison,
        count: Spanned<Count<'s>>,
    },
    /// A command on arrays, which a report does not have.
    Array,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'s> {
    pub(super) count: Spanned<Count<'s>>,
    pub(super) unit: Spanned<&'s str>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Regex<'s> {
    pub(super) source: &'s str,
    pub(super) flags: &'s str,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Literal<'s> {
    /// The text between the quotes, with inner quotes still doubled.
    Text(&'s str),
    Number(Count<'s>),
    /// `true`, `false`, `null`, or a word that is not a literal.
    Word(&'s str),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Count<'s> {
    pub(super) negative: bool,
    pub(super) magnitude: Magnitude<'s>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Magnitude<'s> {
    /// Begins with a digit.
    Digits(&'s str),
    Parameter(&'s str),
}

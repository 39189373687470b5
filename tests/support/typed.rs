//! Generates random typed rules.

use credlens::gsl::typed::{Comparison, Entity, Expr, Pattern, TextTest, TimeTest, TypedRule};
use credlens::gsl::{AnyAttribute, attributes};
use credlens::report::time::Unit;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Rules of all entities that are in reports, with every kind of predicate.
pub(crate) fn typed_rule() -> impl Strategy<Value = TypedRule> {
    let in_reports: Vec<_> = Entity::ALL
        .into_iter()
        .filter(|entity| !entity.needs_details())
        .collect();
    select(in_reports).prop_flat_map(typed_rule_of)
}

/// Rules of this entity.
pub(crate) fn typed_rule_of(entity: Entity) -> impl Strategy<Value = TypedRule> {
    let optional = || proptest::option::of(expr(entity));
    (optional(), any::<bool>(), expr(entity), optional()).prop_map(
        move |(relevant, forbidden, condition, exclude)| TypedRule {
            entity,
            relevant,
            forbidden,
            condition,
            exclude,
        },
    )
}

/// Conditions on this entity.
pub(crate) fn expr(entity: Entity) -> impl Strategy<Value = Expr> {
    predicate(entity).prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expr::not),
            vec(inner.clone(), 1..4).prop_map(Expr::and),
            vec(inner, 1..4).prop_map(Expr::or),
        ]
    })
}

fn predicate(entity: Entity) -> impl Strategy<Value = Expr> {
    let all: Vec<_> = attributes(entity).collect();
    let times: Vec<_> = all
        .iter()
        .filter_map(|attribute| match attribute {
            AnyAttribute::Time(attribute) => Some(*attribute),
            AnyAttribute::Flag(_) | AnyAttribute::Text(_) => None,
        })
        .collect();
    let difference = (
        select(times.clone()),
        select(times),
        unit(),
        select(vec![
            Comparison::Less,
            Comparison::AtMost,
            Comparison::Equal,
            Comparison::AtLeast,
            Comparison::More,
        ]),
        count(),
    )
        .prop_map(|(left, right, unit, comparison, count)| Expr::Difference {
            left,
            right,
            unit,
            comparison,
            count,
        });
    let other = (select(all), any::<bool>(), time_test(), text_test()).prop_map(
        |(attribute, flag, time_test, text_test)| match attribute {
            AnyAttribute::Flag(attribute) => Expr::Flag(attribute, flag),
            AnyAttribute::Time(attribute) => Expr::Time(attribute, time_test),
            AnyAttribute::Text(attribute) => Expr::Text(attribute, text_test),
        },
    );
    prop_oneof![4 => other, 1 => difference]
}

fn time_test() -> impl Strategy<Value = TimeTest> {
    prop_oneof![
        (count(), unit()).prop_map(|(count, unit)| TimeTest::Before(count, unit)),
        (count(), unit()).prop_map(|(count, unit)| TimeTest::After(count, unit)),
        Just(TimeTest::IsEmpty),
    ]
}

fn text_test() -> impl Strategy<Value = TextTest> {
    prop_oneof![
        text().prop_map(TextTest::Equals),
        vec(text(), 1..4).prop_map(TextTest::In),
        text().prop_map(TextTest::Like),
        pattern().prop_map(TextTest::Matches),
        Just(TextTest::IsEmpty),
    ]
}

/// Texts as in reports, and texts that are hard to quote.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "alice",
            "<root_account>",
            "%root%",
            "%",
            "N/A",
            "s3",
            "us-east-1",
            "aws-cn",
            "/",
            "true"
        ])
        .prop_map(str::to_owned),
        r"['%/\\a \r\n\x1b]{0,6}",
        any::<String>(),
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let source = prop_oneof![
        select(vec![
            "^<root_account>$",
            "a/b",
            "[/]",
            r"\\",
            r"\/",
            r"\\/",
            "",
            "a|'b'",
            "\n"
        ])
        .prop_map(str::to_owned),
        r"[ab/\\.*^$|()']{0,8}",
    ];
    (source, any::<bool>()).prop_filter_map("compiles", |(source, ignore_case)| {
        Pattern::new(&source, ignore_case).ok()
    })
}

fn unit() -> impl Strategy<Value = Unit> {
    select(Unit::ALL.to_vec())
}

/// Mostly counts with which verdicts on current dates differ.
fn count() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -400_i64..400, 1 => any::<i64>(), 1 => Just(i64::MIN)]
}

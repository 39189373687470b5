//! The rule language: what it accepts, what it refuses and with which words, and that nothing breaks it.

mod lacking;
mod properties;
mod published;
mod syntax;
mod types;

use std::collections::BTreeMap;

use credlens::gsl::typed::TypedRule;
use credlens::gsl::{Error, parse_rule, render};

fn parameters() -> BTreeMap<String, i64> {
    BTreeMap::from([
        ("grace".to_owned(), -7),
        ("least".to_owned(), i64::MIN),
        ("max_age".to_owned(), 90),
    ])
}

fn parse(source: &str) -> Result<TypedRule, Vec<Error>> {
    parse_rule(source, &parameters())
}

/// The canonical spelling.
fn canonical(source: &str) -> String {
    match parse(source) {
        Ok(rule) => rule.to_string(),
        Err(errors) => panic!("{}", render(None, 1, source, &errors, false)),
    }
}

/// The rendered errors.
fn errors(source: &str) -> String {
    match parse(source) {
        Ok(rule) => panic!("{source:?} is a rule: {rule}"),
        Err(errors) => render(Some("rule.toml"), 1, source, &errors, false),
    }
}

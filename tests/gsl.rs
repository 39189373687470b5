//! The rule language: what it accepts, the messages for what it refuses, and robustness against any input.

mod properties;
mod published;
mod syntax;
mod types;
mod unknown_names;

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

/// The rule in its canonical form.
fn canonical(source: &str) -> String {
    match parse(source) {
        Ok(rule) => rule.to_string(),
        Err(errors) => panic!("{}", render(None, 1, source, &errors, false)),
    }
}

/// The rendered errors.
fn errors(source: &str) -> String {
    match parse(source) {
        Ok(rule) => panic!("{source:?} is a valid rule: {rule}"),
        Err(errors) => render(Some("rule.toml"), 1, source, &errors, false),
    }
}

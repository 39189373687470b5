//! Evaluates the examples of rules, through the same pipeline as any report.

use std::sync::Arc;

use super::{AssessOptions, Memory, Program, assess};
use crate::finding::Verdict;
use crate::report::time::Timestamp;
use crate::rule::{self, BoundRule, EXAMPLE_AS_OF, Example, Rule};

/// The rule's verdict on the example: the worst of its verdicts on the row's entities.
///
/// # Errors
/// If the rule's logic is wrong, or the example is not a report.
pub fn verdict(rule: &Arc<Rule>, example: &Example) -> Result<Verdict, rule::Error> {
    let mut parameters = rule.defaults();
    parameters.extend(example.parameters.clone());
    let bound = BoundRule {
        parameters: parameters.clone(),
        severity: rule.severity,
        typed: rule.bind(&parameters)?,
        requirements: Vec::new(),
        related: Vec::new(),
        message: rule.message_with(&parameters),
        rule: Arc::clone(rule),
    };
    let csv = example.csv();
    let refuse = |error: &dyn std::fmt::Display| {
        rule::Error::new(format!("{}: example '{}': {error}", rule.id, example.name))
    };
    let as_of = Timestamp::parse(EXAMPLE_AS_OF.as_bytes()).expect("invariant: the constant is a time");
    let mut source = Memory::csv(&example.name, &csv, as_of).map_err(|error| refuse(&error))?;
    if let Some(details) = example.details() {
        source = source.with_details(&Arc::new(details));
    }
    let options = AssessOptions {
        threads: 1,
        ..AssessOptions::default()
    };
    let tally = assess(&Program::new(vec![bound]), source, &(), options).map_err(|error| refuse(&error))?;
    let counts = &tally.rules[0];
    Ok(match (counts.failed, counts.undetermined, counts.passed) {
        (1.., _, _) => Verdict::Fail,
        (0, 1.., _) => Verdict::Undetermined,
        (0, 0, 1..) => Verdict::Pass,
        (0, 0, 0) => Verdict::NotApplicable,
    })
}

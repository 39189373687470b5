//! A rule with values for its parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::Rule;
use crate::finding::{RuleTexts, Severity};
use crate::gsl::typed::TypedRule;

/// A rule with values for its parameters, ready to evaluate.
#[derive(Clone, Debug)]
pub struct BoundRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The value of each of its parameters.
    pub parameters: BTreeMap<String, i64>,
    /// The highest severity that the selected frameworks give it, where one that gives none counts as the rule's own;
    /// without a framework, the rule's own.
    pub severity: Severity,
    /// Its checked logic.
    pub typed: TypedRule,
    /// The requirements of the selected frameworks that it decides, such as `cis-aws-5.0/1.13`.
    pub requirements: Vec<String>,
    /// The requirements of the selected frameworks that it is related to without deciding them.
    pub related: Vec<String>,
    /// One sentence for a fail.
    pub message: String,
}

impl BoundRule {
    /// What it says about itself.
    pub fn texts(&self) -> RuleTexts {
        RuleTexts {
            title: self.rule.title.clone(),
            message: self.message.clone(),
            why: self.rule.why.clone(),
            fix: self.rule.instructions().unwrap_or_default().to_owned(),
            reference: self.rule.references.first().cloned(),
        }
    }
}

//! stub
use crate::{finding::Severity, gsl::typed::TypedRule};
use std::{collections::BTreeMap, sync::Arc};
#[derive(Debug)]
pub struct Rule {
    pub id: String,
    pub title: String,
}
#[derive(Debug, Clone)]
pub struct BoundRule {
    pub rule: Arc<Rule>,
    pub parameters: BTreeMap<String, i64>,
    pub severity: Severity,
    pub typed: TypedRule,
    pub requirements: Vec<String>,
    pub message: String,
}

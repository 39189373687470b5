//! What findings of the same rule or user have in common.

use crate::engine::{CompiledRule, FindingRef, ReportId};

/// Parts of findings that are the same for a rule, by its position in the program. Each is formatted once.
#[derive(Debug)]
pub(super) struct RulePartsCache<R>(Vec<Option<R>>);

impl<R> Default for RulePartsCache<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> RulePartsCache<R> {
    pub(super) fn get(&mut self, rule: &CompiledRule, format: impl FnOnce(&CompiledRule) -> R) -> &R {
        if self.0.len() <= rule.position {
            self.0.resize_with(rule.position + 1, || None);
        }
        self.0[rule.position].get_or_insert_with(|| format(rule))
    }
}

/// The user of a finding, if it is about one: the report, and number of the row.
pub(super) fn user_key(finding: &FindingRef<'_>) -> Option<(ReportId, u64)> {
    let row = finding.row()?;
    Some((finding.input().id, row.number()))
}

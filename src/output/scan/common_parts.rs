//! What findings of the same rule or user have in common.

use std::borrow::Cow;

use crate::engine::{CompiledRule, FindingRef, ReportId, UserRow};
use crate::output::other_tools;

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

/// The account, if it is an id of twelve digits.
pub(super) fn account_id<'a>(finding: &FindingRef<'a>) -> Option<&'a str> {
    other_tools::account_id(finding.account()?)
}

/// The partition that the user's ARN names, such as `aws-cn`; none if there is no ARN, or it names something else.
pub(super) fn partition<'a>(finding: &FindingRef<'a>) -> Option<&'a str> {
    other_tools::partition(finding.row()?.arn()?)
}

/// The name of the user as text; none if the report has none, or the finding is about a whole input.
pub(super) fn user_name<'a>(finding: &FindingRef<'a>) -> Option<Cow<'a, str>> {
    let name = finding.row()?.user().filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(name))
}

/// The ARN as text.
pub(super) fn arn<'a>(finding: &FindingRef<'a>) -> Option<Cow<'a, str>> {
    finding.row().and_then(UserRow::arn).map(String::from_utf8_lossy)
}

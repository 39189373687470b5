//! What findings of the same rule or user have in common, and what formats for other tools say of them alike.

use std::borrow::Cow;

use crate::engine::{CompiledRule, FindingRef, ReportId, UserRow};
use crate::finding::{Severity, Status};
use crate::report::cell;

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
    let account = str::from_utf8(finding.account()?).ok()?;
    let is_id = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(account)
}

/// The partition that the user's ARN names, such as `aws-cn`; none if there is no ARN, or it names something else.
pub(super) fn partition<'a>(finding: &FindingRef<'a>) -> Option<&'a str> {
    let partition = str::from_utf8(cell::partition_of(finding.row()?.arn()?)).ok()?;
    let is_word = |char: u8| char.is_ascii_lowercase() || char == b'-';
    let is_partition =
        partition.starts_with("aws") && partition.len() <= 16 && partition.bytes().all(is_word);
    is_partition.then_some(partition)
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

/// The severity for tools that show it for findings of every status: what passes is for information only.
pub(super) fn severity_by_status(severity: Severity, status: Status) -> Severity {
    match status {
        Status::Fail | Status::Undetermined | Status::Suppressed => severity,
        Status::Pass | Status::Due => Severity::Informational,
    }
}

/// The frameworks in `framework/requirement`, each once.
pub(super) fn standards(requirements: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> = requirements
        .iter()
        .filter_map(|requirement| requirement.split('/').next())
        .collect();
    names.dedup();
    names
}

/// At most `most` characters of the text, with an ellipsis where the rest is cut off.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let head = text.chars().take(most - 1);
    Cow::Owned(head.chain(['…']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("東京都", 3), "東京都");
        assert_eq!(cut("東京都x", 3), "東京…");
        assert_eq!(cut("", 1), "");
    }
}

//! What formats for other tools say alike, of findings of a scan and of a diff.

use std::borrow::Cow;

use crate::finding::{Severity, Status};
use crate::report::cell;

/// The account, if it is an id of twelve digits.
pub(super) fn account_id(account: &[u8]) -> Option<&str> {
    let account = str::from_utf8(account).ok()?;
    let is_id = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(account)
}

/// The partition that an ARN names, such as `aws-cn`; none if it is not an ARN, or names something else.
pub(super) fn partition(arn: &[u8]) -> Option<&str> {
    let partition = str::from_utf8(cell::partition_of(arn)).ok()?;
    let is_word = |char: u8| char.is_ascii_lowercase() || char == b'-';
    let is_partition =
        partition.starts_with("aws") && partition.len() <= 16 && partition.bytes().all(is_word);
    is_partition.then_some(partition)
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

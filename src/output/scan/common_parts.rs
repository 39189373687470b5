//! What the findings of a rule, of a user and of an input have in common: formatted once, copied into each finding.

use crate::engine::{CompiledRule, FindingRef, Input, UserRow};

/// Parts of each rule, by its position in the program.
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

/// The part that the findings of the last user share.
#[derive(Debug, Default)]
pub(super) struct UserPart {
    /// Index of the input, and number of the row.
    user: Option<(usize, u64)>,
    text: Vec<u8>,
}

impl UserPart {
    pub(super) fn get(
        &mut self,
        finding: &FindingRef<'_>,
        format: impl FnOnce(&FindingRef<'_>, &mut Vec<u8>),
    ) -> &[u8] {
        let user = finding.row().map(UserRow::number);
        let user = user.map(|number| (finding.input().index, number));
        // A finding about a whole input has an account of its own.
        if user.is_none() || user != self.user {
            self.user = user;
            self.text.clear();
            format(finding, &mut self.text);
        }
        &self.text
    }
}

/// The part that the findings of the last input share.
#[derive(Debug, Default)]
pub(super) struct InputPart {
    /// Index of the input.
    input: Option<usize>,
    text: Vec<u8>,
}

impl InputPart {
    pub(super) fn get(&mut self, input: &Input, format: impl FnOnce(&Input, &mut Vec<u8>)) -> &[u8] {
        if self.input != Some(input.index) {
            self.input = Some(input.index);
            self.text.clear();
            format(input, &mut self.text);
        }
        &self.text
    }
}

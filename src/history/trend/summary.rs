//! The summary of a trend: the findings that have been open the longest, and the counts of each rule.

use std::cmp::Reverse;

use super::document::{OldFinding, RuleTrend};
use super::survival::days;
use super::{TrendState, text};

impl TrendState<'_> {
    pub(super) fn oldest(&self) -> Vec<OldFinding> {
        let open = self.accounts.iter().flat_map(|(account, state)| {
            let users = state.followed.users.iter();
            users.flat_map(move |(&key, user)| {
                let open = user.open.iter();
                open.map(move |open| (account, state.followed.last, user, open, open.id(self.rules, key)))
            })
        });
        let mut open: Vec<_> = open.collect();
        let severity = |rule: u16| self.rules[usize::from(rule)].bound.severity;
        open.sort_unstable_by_key(|(.., open, id)| (open.since, Reverse(severity(open.rule)), id.0));
        let oldest = open.into_iter().take(self.options.oldest);
        let known = |name: &[u8]| (!name.is_empty()).then(|| text(name));
        let oldest = oldest.map(|(account, last, user, open, id)| OldFinding {
            id: id.to_string(),
            rule: self.rules[usize::from(open.rule)].bound.rule.id.clone(),
            severity: severity(open.rule),
            account: known(account),
            account_name: self.account_names.get(account).map(str::to_owned),
            user: known(&user.name),
            arn: known(&user.arn),
            since: open.since.to_string(),
            at_start: open.at_start,
            unveiled: open.unveiled,
            days: days(last.map_or(0, |last| last.0 - open.since.0)),
        });
        oldest.collect()
    }

    pub(super) fn rule_trends(&self) -> Vec<RuleTrend> {
        let mut open = vec![0; self.rules.len()];
        let users = self
            .accounts
            .values()
            .flat_map(|account| account.followed.users.values());
        for finding in users.flat_map(|user| &user.open) {
            open[usize::from(finding.rule)] += 1;
        }
        let all = self.rules.iter().zip(&self.episodes).zip(open);
        let mut rules: Vec<RuleTrend> = all
            .filter(|((_, episodes), _)| episodes.at_start + episodes.opened + episodes.unveiled > 0)
            .map(|((compiled, episodes), open)| RuleTrend {
                rule: compiled.bound.rule.id.clone(),
                parameters: compiled.bound.parameters.clone(),
                severity: compiled.bound.severity,
                at_start: episodes.at_start,
                opened: episodes.opened,
                unveiled: episodes.unveiled,
                resolved: episodes.resolved,
                open,
                median_days_to_resolve: episodes.lengths.days_until(0.5),
                p90_days_to_resolve: episodes.lengths.days_until(0.9),
            })
            .collect();
        rules.sort_by(|one, other| {
            let by_severity = other.severity.cmp(&one.severity);
            by_severity.then_with(|| one.rule.cmp(&other.rule))
        });
        rules
    }
}

//! The summary of a trend: the findings that have been open the longest, the counts of each rule, and the accounts that are
//! missing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::document::{AccountGap, OldFinding, RuleTrend};
use super::survival::days;
use super::{TrendState, text};
use crate::history::owners::id_of;
use crate::history::stale::StaleAccount;
use crate::report::time::Timestamp;

/// The accounts without a newer report, with the as-of of their last one.
type Stale = BTreeMap<Vec<u8>, Timestamp>;

impl TrendState<'_> {
    /// The findings open for longest, without those of accounts that have no newer report.
    pub(super) fn oldest(&self, stale: &Stale) -> Vec<OldFinding> {
        let accounts = self
            .accounts
            .iter()
            .filter(|(account, _)| !stale.contains_key(*account));
        let open = accounts.flat_map(|(account, followed)| {
            let users = followed.users.iter();
            users.flat_map(move |(&key, user)| {
                let open = user.open.iter();
                open.map(move |open| (account, followed.last, user, open, open.id(self.rules, key)))
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
            account: id_of(account).map(text),
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

    /// The counts of each rule that has or had a failing finding, the most severe first, then by id.
    pub(super) fn rule_trends(&self, stale: &Stale) -> Vec<RuleTrend> {
        let mut open = vec![[0; 2]; self.rules.len()];
        for (account, followed) in &self.accounts {
            let is_stale = usize::from(stale.contains_key(account));
            for finding in followed.users.values().flat_map(|user| &user.open) {
                open[usize::from(finding.rule)][is_stale] += 1;
            }
        }
        let all = self.rules.iter().zip(&self.episodes).zip(open);
        let mut rules: Vec<RuleTrend> = all
            .filter(|((_, episodes), _)| episodes.at_start + episodes.opened + episodes.unveiled > 0)
            .map(|((compiled, episodes), [open, of_stale_accounts])| RuleTrend {
                rule: compiled.bound.rule.id.clone(),
                parameters: compiled.bound.parameters.clone(),
                severity: compiled.bound.severity,
                at_start: episodes.at_start,
                opened: episodes.opened,
                unveiled: episodes.unveiled,
                resolved: episodes.resolved,
                open,
                of_stale_accounts,
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

    /// The accounts without a newer report, in order, each with the findings that were open in its last one.
    pub(super) fn stale_accounts(&self, stale: &Stale) -> Vec<StaleAccount> {
        let open = |account: &Vec<u8>| {
            let users = self.accounts.get(account).map(|followed| followed.users.values());
            users.map_or(0, |users| users.map(|user| user.open.len() as u64).sum())
        };
        let stale = stale.iter().map(|(account, &last)| {
            let name = self.account_names.get(account);
            StaleAccount::new(account, name, last, open(account))
        });
        stale.collect()
    }

    /// The snapshots from which accounts are missing that earlier ones have, in the order of their beginning.
    pub(super) fn account_gaps(&self, stale: &Stale) -> Vec<AccountGap> {
        let gaps = self
            .rounds
            .gaps(stale)
            .into_iter()
            .map(|(account, gap)| AccountGap {
                account: id_of(account).map(text),
                account_name: self.account_names.get(account).map(str::to_owned),
                after: gap.after.to_string(),
                first: gap.first.to_string(),
                last: gap.last.to_string(),
                snapshots: gap.rounds,
            });
        gaps.collect()
    }
}

//! The summary of a trend: the findings that have been open the longest, the counts of each rule, and the accounts that are
//! missing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::document::{AccountGap, OldFinding, RuleTrend};
use super::figures::days;
use super::{Trend, text};
use crate::history::account::id_of;
use crate::history::notes::StaleAccount;
use crate::report::time::Timestamp;

/// The accounts without a newer report, with the as-of of their last one.
type Stale = BTreeMap<Vec<u8>, Timestamp>;

impl Trend<'_> {
    /// The findings open for longest, without those of accounts that have no newer report.
    pub(super) fn oldest(&self, stale: &Stale) -> Vec<OldFinding> {
        let accounts = self
            .accounts
            .iter()
            .filter(|(account, _)| !stale.contains_key(*account));
        let open = accounts.flat_map(|(account, followed)| {
            let open = followed.identified(self.rules);
            open.map(move |(open, id, user)| (account, followed, user, open, id))
        });
        let mut open: Vec<_> = open.collect();
        let severity = |rule: u16| self.rules[usize::from(rule)].bound.severity;
        open.sort_unstable_by_key(|(.., open, id)| (open.since.as_of, Reverse(severity(open.rule)), id.0));
        let oldest = open.into_iter().take(self.options.oldest);
        let known = |name: &[u8]| (!name.is_empty()).then(|| text(name));
        let oldest = oldest.map(|(account, followed, [name, arn], open, id)| OldFinding {
            id: id.to_string(),
            rule: self.rules[usize::from(open.rule)].bound.rule.id.clone(),
            severity: severity(open.rule),
            account: id_of(account).map(text),
            account_name: self.account_names.get(account).map(str::to_owned),
            user: known(name),
            arn: known(arn),
            since: open.since.as_of.to_string(),
            at_start: open.since.at_start,
            unveiled: open.since.unveiled,
            days: days(
                followed
                    .snapshot()
                    .map_or(0, |last| last.input.as_of.0 - open.since.as_of.0),
            ),
        });
        oldest.collect()
    }

    /// The counts of each rule that has or had a failing finding, the most severe first, then by id.
    pub(super) fn rule_trends(&self, stale: &Stale) -> Vec<RuleTrend> {
        let mut open = vec![[0; 2]; self.rules.len()];
        for (account, followed) in &self.accounts {
            let is_stale = usize::from(stale.contains_key(account));
            for finding in followed.open() {
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
            let followed = self.accounts.get(account);
            followed.map_or(0, |followed| followed.open().count() as u64)
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

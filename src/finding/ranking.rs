//! The ranking of accounts, users, rules, paths or owners by what fails there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Severity, word_enum};

word_enum! {
    /// What a ranking is of.
    pub enum RankBy as "ranking" {
        /// Accounts.
        Account = "account",
        /// Users of whom something was found.
        User = "user",
        /// Rules.
        Rule = "rule",
        /// IAM paths.
        Path = "path",
        /// Owners of users.
        Owner = "owner",
    }
}

/// Accounts, users, rules, paths or owners, the worst first: the one with more critical fails, then with more high ones, and so
/// on. All verdicts are counted, including those that `--status` and `--min-severity` do not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ranking {
    /// What it is of.
    pub by: RankBy,
    /// The worst first.
    pub entries: Vec<RankEntry>,
}

/// An account, a user, a rule or a path, and the verdicts there. What the ranking is not of is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RankEntry {
    /// The account, also of a user; null where the report does not say it.
    pub account: Option<String>,
    /// The account's name, if it is known.
    pub account_name: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// Id of the rule.
    pub rule: Option<String>,
    /// The severity of the rule.
    pub severity: Option<Severity>,
    /// The values of the rule's parameters.
    pub parameters: Option<BTreeMap<String, i64>>,
    /// The IAM path; null for root and for users without a readable ARN.
    pub path: Option<String>,
    /// Who owns the users; null for those of whom nothing says it.
    #[serde(default)]
    pub owner: Option<String>,
    /// How many users were evaluated, including root.
    pub users: u64,
    /// How many of them have a fail.
    pub failing_users: u64,
    /// How many verdicts fail and are not suppressed.
    pub failed: u64,
    /// Those of severity critical.
    pub critical: u64,
    /// Those of severity high.
    pub high: u64,
    /// Those of severity medium.
    pub medium: u64,
    /// Those of severity low.
    pub low: u64,
    /// Those of severity informational.
    pub informational: u64,
    /// How many verdicts are undetermined.
    pub undetermined: u64,
    /// How many verdicts are suppressed.
    pub suppressed: u64,
    /// How many verdicts pass.
    pub passed: u64,
    /// How many of those that pass, or are not applicable, fail by time alone within the window; left out if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
}

impl RankEntry {
    /// Whether a verdict fails, is undetermined, suppressed or due.
    pub fn found_something(&self) -> bool {
        self.failed + self.undetermined + self.suppressed + self.due.unwrap_or(0) > 0
    }

    /// Sorts entries, the worst first; of equally bad ones by their names.
    pub(crate) fn sort(entries: &mut [Self]) {
        entries.sort_by(|one, other| one.rank().cmp(&other.rank()));
    }

    fn rank(&self) -> impl Ord {
        let counts = [
            self.critical,
            self.high,
            self.medium,
            self.low,
            self.informational,
            self.undetermined,
            self.suppressed,
            self.due.unwrap_or(0),
        ];
        let names = [
            &self.account,
            &self.account_name,
            &self.path,
            &self.owner,
            &self.user,
            &self.rule,
        ];
        (
            Reverse((counts, self.severity)),
            names.map(Clone::clone),
            self.parameters.clone(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_critical_fail_is_worse_than_any_number_of_high_ones() {
        let entry = |account: &str, [critical, high, undetermined]: [u64; 3]| RankEntry {
            account: Some(account.to_owned()),
            critical,
            high,
            undetermined,
            ..RankEntry::default()
        };
        let mut entries = vec![
            entry("clean", [0, 0, 0]),
            entry("unknown", [0, 0, 7]),
            entry("b", [0, 9, 0]),
            entry("a", [0, 9, 0]),
            entry("worst", [1, 0, 0]),
        ];
        RankEntry::sort(&mut entries);
        let order: Vec<_> = entries.iter().filter_map(|it| it.account.as_deref()).collect();
        assert_eq!(order, ["worst", "a", "b", "unknown", "clean"]);
    }
}

//! The table of a run over several accounts: how many were fetched, which failed or were skipped, and why.

use std::collections::BTreeMap;
use std::path::Path;

use credlens::aws::accounts::UNKNOWN_STATE;
use credlens::aws::{Outcome, OutcomeStatus};
use credlens::output::{counted, escape};

use crate::cli::terminal::print_message;

/// How many accounts of a group are named.
const NAMED: usize = 3;

/// How many accounts were fetched, and those that failed or were skipped with the reason; if quiet, only where one
/// failed. `file` lists all of them.
pub(super) fn print(outcomes: &[Outcome], file: Option<&Path>, quiet: bool) {
    let count = |status| {
        outcomes
            .iter()
            .filter(|outcome| outcome.outcome == status)
            .count()
    };
    let (failed, skipped) = (count(OutcomeStatus::Failed), count(OutcomeStatus::Skipped));
    if quiet && failed == 0 {
        return;
    }
    let fetched = count(OutcomeStatus::Fetched);
    let accounts = counted(outcomes.len() as u64, "account");
    let skipped = match skipped {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    print_message(format_args!(
        "{accounts}: {fetched} fetched, {failed} failed{skipped}"
    ));
    let groups = groups(outcomes);
    let names = groups.iter().filter_map(|group| group.alone().map(name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    for group in groups {
        group.print(width, file);
    }
}

/// Accounts with the same reason.
struct Group<'a> {
    accounts: Vec<&'a Outcome>,
    reason: String,
}

/// The accounts without a report, grouped by their reason, in the order of the first account of each.
fn groups(outcomes: &[Outcome]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut positions = BTreeMap::new();
    for outcome in outcomes {
        let Some(reason) = reason(outcome) else { continue };
        let common = common(&reason, &outcome.account);
        let position = *positions.entry(common).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.accounts.push(outcome),
            None => groups.push(Group {
                accounts: vec![outcome],
                reason,
            }),
        }
    }
    groups
}

/// Why there is no report; none if there is one.
fn reason(outcome: &Outcome) -> Option<String> {
    match outcome.outcome {
        OutcomeStatus::Fetched => None,
        OutcomeStatus::Failed => Some(outcome.error.clone().unwrap_or_default()),
        OutcomeStatus::Skipped => Some(match outcome.state.as_deref() {
            Some(UNKNOWN_STATE) => "skipped: its state is unknown".to_owned(),
            state => format!("skipped: the account is {}", state.unwrap_or("not active")),
        }),
    }
}

/// The reason without the account's own id, which AWS's messages contain in the ARN of the role.
fn common(reason: &str, account: &str) -> String {
    if account.is_empty() {
        return reason.to_owned();
    }
    reason.replace(account, "*")
}

impl Group<'_> {
    /// The account, if it is the only one.
    fn alone(&self) -> Option<&Outcome> {
        match self.accounts.as_slice() {
            [account] => Some(account),
            _ => None,
        }
    }

    fn print(&self, width: usize, file: Option<&Path>) {
        if let Some(outcome) = self.alone() {
            print_message(format_args!(
                "  {}  {:width$}  {}",
                escape(&outcome.account),
                name(outcome),
                escape(&self.reason)
            ));
            return;
        }
        let accounts = counted(self.accounts.len() as u64, "account");
        let reason = common(&self.reason, &self.accounts[0].account);
        print_message(format_args!("  {accounts}: {}", escape(&reason)));
        // One more is named rather than counted.
        let named = if self.accounts.len() == NAMED + 1 {
            NAMED + 1
        } else {
            self.accounts.len().min(NAMED)
        };
        let names: Vec<_> = self.accounts[..named]
            .iter()
            .map(|outcome| match &outcome.name {
                Some(_) => format!("{} ({})", escape(&outcome.account), name(outcome)),
                None => escape(&outcome.account).into_owned(),
            })
            .collect();
        let more = match self.accounts.len() - named {
            0 => String::new(),
            more => {
                let file = file.map(|file| file.display().to_string());
                let file = file.unwrap_or_else(|| "--outcomes FILE".to_owned());
                format!(" and {more} more ({} lists all)", escape(&file))
            }
        };
        print_message(format_args!("    {}{more}", names.join(", ")));
    }
}

fn name(outcome: &Outcome) -> String {
    escape(outcome.name.as_deref().unwrap_or("-")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(account: &str, error: &str) -> Outcome {
        Outcome {
            account: account.to_owned(),
            name: None,
            roles: Vec::new(),
            outcome: OutcomeStatus::Failed,
            generated: None,
            error: Some(error.to_owned()),
            state: None,
            invalid: None,
        }
    }

    #[test]
    fn reasons_that_differ_only_by_the_account_are_one() {
        let outcomes = [
            failed("111122223333", "denied arn:aws:iam::111122223333:role/Scan"),
            failed("444455556666", "throttled"),
            failed("777788889999", "denied arn:aws:iam::777788889999:role/Scan"),
            failed("", "throttled"),
        ];
        let groups = groups(&outcomes);
        let counts: Vec<_> = groups.iter().map(|group| group.accounts.len()).collect();
        assert_eq!(counts, [2, 2]);
    }
}

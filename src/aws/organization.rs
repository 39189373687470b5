//! Lists the accounts of an organization.

use std::collections::BTreeSet;

use aws_sdk_organizations::types::{Account as Listed, AccountState, AccountStatus};

use super::accounts::{Account, is_account_id};
use super::connect::Session;
use super::error::Error;
use super::permissions::Action;
use super::retry::RetriedCalls;

/// Lists the active accounts, from the management account or that of a delegated administrator.
///
/// # Errors
/// Those of AWS, and [`Error::TimedOut`].
pub async fn active_accounts(session: &Session) -> Result<Vec<Account>, Error> {
    let action = Action::ListAccounts;
    let organizations = session.organizations();
    let mut calls = RetriedCalls::new(action, session.limit);
    let mut accounts: Vec<Account> = Vec::new();
    let mut tokens = BTreeSet::new();
    let mut token: Option<String> = None;
    loop {
        let request = organizations.list_accounts().set_next_token(token.clone());
        let call = || async {
            let page = request.clone().send().await;
            let page = page.map_err(|error| session.explain(action, &error))?;
            // Even an empty page has a list. JSON without one is not AWS's response.
            let listed = page.accounts.ok_or(Error::Unreadable(action))?;
            Ok((listed, page.next_token))
        };
        let (listed, next) = calls.call(call).await?;
        for account in listed
            .iter()
            .filter(|account| is_active(account))
            .filter_map(account_of)
        {
            if !is_account_id(&account.id) {
                return Err(Error::Unreadable(action));
            }
            if accounts.iter().all(|listed| listed.id != account.id) {
                accounts.push(account);
            }
        }
        // An empty page need not be the last. A repeated token would loop forever.
        match next {
            None => return Ok(accounts),
            Some(next) if !tokens.insert(next.clone()) => return Err(Error::Unreadable(action)),
            next => token = next,
        }
    }
}

/// `State` replaces `Status`; older endpoints only send the latter.
fn is_active(account: &Listed) -> bool {
    match (account.state(), account.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, Some(status)) => *status == AccountStatus::Active,
        (None, None) => false,
    }
}

fn account_of(account: &Listed) -> Option<Account> {
    Some(Account {
        id: account.id()?.to_owned(),
        name: account.name().map(str::to_owned),
        ..Account::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_takes_precedence_over_status() {
        let account = |state: Option<AccountState>, status: Option<AccountStatus>| {
            is_active(&Listed::builder().set_state(state).set_status(status).build())
        };
        assert!(account(Some(AccountState::Active), None));
        assert!(account(
            Some(AccountState::Active),
            Some(AccountStatus::Suspended)
        ));
        assert!(!account(Some(AccountState::Closed), Some(AccountStatus::Active)));
        assert!(!account(Some(AccountState::PendingActivation), None));
        assert!(account(None, Some(AccountStatus::Active)));
        assert!(!account(None, Some(AccountStatus::Suspended)));
        assert!(!account(None, None));
    }
}

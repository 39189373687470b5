//! Lists the accounts of an organization.

use std::collections::BTreeSet;

use aws_sdk_organizations::types::{Account as Listed, AccountState, AccountStatus};

use super::accounts::{Account, UNKNOWN_STATE};
use super::connect::Session;
use super::error::Error;
use super::permissions::Action;
use super::retry::RetriedCalls;
use crate::report::cell::is_account_id;

/// Lists the accounts, from the management account or that of a delegated administrator. Those that are not active are
/// marked.
///
/// # Errors
/// Those of AWS, and [`Error::TimedOut`].
pub async fn organization_accounts(session: &Session) -> Result<Vec<Account>, Error> {
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
        for account in listed.iter().filter_map(account_of) {
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

/// The state of an account that is not active. `State` replaces `Status`; older endpoints only send the latter.
fn inactive(account: &Listed) -> Option<String> {
    let state = match (account.state(), account.status()) {
        (Some(AccountState::Active), _) | (None, Some(AccountStatus::Active)) => return None,
        (Some(state), _) => state.as_str(),
        (None, Some(status)) => status.as_str(),
        (None, None) => UNKNOWN_STATE,
    };
    Some(state.to_owned())
}

fn account_of(account: &Listed) -> Option<Account> {
    Some(Account {
        id: account.id()?.to_owned(),
        name: account.name().map(str::to_owned),
        inactive: inactive(account),
        ..Account::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_takes_precedence_over_status() {
        let inactive = |state: Option<AccountState>, status: Option<AccountStatus>| {
            inactive(&Listed::builder().set_state(state).set_status(status).build())
        };
        let is = |state: &str| Some(state.to_owned());
        assert_eq!(inactive(Some(AccountState::Active), None), None);
        let both = inactive(Some(AccountState::Active), Some(AccountStatus::Suspended));
        assert_eq!(both, None);
        let both = inactive(Some(AccountState::Closed), Some(AccountStatus::Active));
        assert_eq!(both, is("CLOSED"));
        assert_eq!(
            inactive(Some(AccountState::PendingActivation), None),
            is("PENDING_ACTIVATION")
        );
        assert_eq!(
            inactive(Some(AccountState::from("NEW_STATE")), None),
            is("NEW_STATE")
        );
        assert_eq!(inactive(None, Some(AccountStatus::Active)), None);
        let closing = inactive(None, Some(AccountStatus::PendingClosure));
        assert_eq!(closing, is("PENDING_CLOSURE"));
        assert_eq!(inactive(None, None), is("unknown"));
    }
}

//! Fetches the reports of many accounts concurrently, and hands them to the threads that evaluate or save them.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout_at;

use super::accounts::Account;
use super::caller_credentials::CallerCredentials;
use super::connect::{Caller, Session};
use super::details::{self, DetailsRequest, FetchedDetails};
use super::error::Error;
use super::fetch::{FetchOptions, Report, fetch};
use super::interrupt::Interrupt;
use super::runtime::Runtime;

/// The order in which reports are handed over, and what a signal does to reports that have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOrder {
    /// The order of the accounts. A signal drops them: a part of the findings would be useless.
    ByAccount,
    /// As they arrive. A signal hands over those that have arrived.
    AsFetched,
    /// The same, to be saved in batches.
    InBatches,
}

/// What to fetch, and how.
#[derive(Clone)]
pub struct FetchJob {
    /// The caller's credentials.
    pub session: Session,
    /// The accounts; none is the account of the credentials.
    pub listed: Option<ListedAccounts>,
    /// How each report is fetched.
    pub options: FetchOptions,
    /// The details that are fetched with each report, if they are.
    pub details: Option<DetailsRequest>,
}

/// Accounts, and the roles that are assumed in them.
#[derive(Clone)]
pub struct ListedAccounts {
    /// The owner of the credentials, whose account needs no role.
    pub caller: Caller,
    /// In the order in which they are handed over.
    pub accounts: Vec<Account>,
    /// Name or ARN of the role in accounts that list none of their own.
    pub role: String,
    /// The external id of the roles, unless an account lists its own.
    pub external_id: Option<String>,
    /// The name of the sessions in AWS's logs.
    pub session_name: String,
    /// How many accounts are fetched at the same time.
    pub concurrency: usize,
}

/// The result of one account.
#[derive(Debug)]
pub struct FetchedAccount {
    /// The account. The id of the credentials' own account may be empty if fetching failed.
    pub account: Account,
    /// Its report, and the details if they were asked for; or why there is no report.
    pub result: Result<(Report, Option<FetchedDetails>), Error>,
}

impl Runtime {
    /// Starts fetching. A signal ends it.
    pub fn fetch_all(&self, job: FetchJob, order: ReportOrder) -> FetchedAccounts {
        let (sender, receiver) = mpsc::channel(1);
        let interrupt = Arc::clone(&self.interrupt);
        self.threads.spawn(async move {
            match order {
                ReportOrder::ByAccount => tokio::select! {
                    // What evaluates the reports does not check for an interruption.
                    () = hand_over_by_account(job, &sender) => interrupt.exit_immediately(true),
                    () = interrupt.raised() => {}
                },
                // What was fetched is saved in the time that is left.
                ReportOrder::AsFetched | ReportOrder::InBatches => {
                    hand_over_as_fetched(job, &sender, interrupt.raised()).await;
                }
            }
        });
        FetchedAccounts {
            receiver,
            threads: self.threads.handle().clone(),
            interrupt: Arc::clone(&self.interrupt),
            order,
        }
    }
}

/// The results of the accounts. The iterator blocks until the next one is available.
#[derive(Debug)]
pub struct FetchedAccounts {
    receiver: mpsc::Receiver<FetchedAccount>,
    threads: Handle,
    interrupt: Arc<Interrupt>,
    order: ReportOrder,
}

impl Iterator for FetchedAccounts {
    type Item = FetchedAccount;

    fn next(&mut self) -> Option<FetchedAccount> {
        let fetched = self.receiver.blocking_recv()?;
        (self.order != ReportOrder::ByAccount || !self.interrupt.is_raised()).then_some(fetched)
    }
}

impl FetchedAccounts {
    /// Waits for the next result, at most until then; none at that time.
    ///
    /// # Errors
    /// There is no other result.
    pub fn next_until(&mut self, end: Instant) -> Result<Option<FetchedAccount>, NoMoreAccounts> {
        // The timer needs the threads from its beginning.
        let next = async { timeout_at(end.into(), self.receiver.recv()).await };
        match self.threads.block_on(next) {
            Ok(next) => next.map(Some).ok_or(NoMoreAccounts),
            Err(_) => Ok(None),
        }
    }
}

/// All results were handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all accounts were handed over")]
pub struct NoMoreAccounts;

/// In the order of the accounts.
async fn hand_over_by_account(job: FetchJob, sender: &mpsc::Sender<FetchedAccount>) {
    for (account, task) in start(job) {
        let fetched = result_of(account, task).await;
        if sender.send(fetched).await.is_err() {
            return;
        }
    }
}

/// As they arrive; after `interrupted`, only those that have arrived.
async fn hand_over_as_fetched(
    job: FetchJob,
    sender: &mpsc::Sender<FetchedAccount>,
    interrupted: impl Future<Output = ()>,
) {
    tokio::pin!(interrupted);
    let mut tasks: JoinSet<_> = start(job)
        .into_iter()
        .map(|(account, task)| result_of(account, task))
        .collect();
    loop {
        let fetched = tokio::select! {
            biased;
            fetched = tasks.join_next() => fetched,
            () = &mut interrupted => break,
        };
        // These tasks only wait for others, so they do not panic.
        let Some(Ok(fetched)) = fetched else { return };
        if sender.send(fetched).await.is_err() {
            return;
        }
    }
    while let Some(Ok(fetched)) = tasks.try_join_next() {
        if sender.send(fetched).await.is_err() {
            return;
        }
    }
}

async fn result_of(account: Account, task: JoinHandle<FetchedAccount>) -> FetchedAccount {
    task.await.unwrap_or(FetchedAccount {
        account,
        result: Err(Error::TaskPanicked),
    })
}

fn start(job: FetchJob) -> Vec<(Account, JoinHandle<FetchedAccount>)> {
    let job = Arc::new(job);
    let Some(listed) = job.listed.clone().map(Arc::new) else {
        let task = tokio::spawn(async move { fetch_own(&job).await });
        return vec![(Account::default(), task)];
    };
    let permits = Arc::new(Semaphore::new(listed.concurrency.max(1)));
    let caller = CallerCredentials::default();
    let tasks = listed.accounts.iter().cloned().map(|account| {
        let (job, listed, permits) = (Arc::clone(&job), Arc::clone(&listed), Arc::clone(&permits));
        let (fetched, caller) = (account.clone(), caller.clone());
        let task = tokio::spawn(async move {
            let _permit = permits.acquire().await;
            let result = fetch_listed(&job, &listed, &fetched, &caller).await;
            FetchedAccount {
                account: fetched,
                result,
            }
        });
        (account, task)
    });
    tasks.collect()
}

async fn fetch_own(job: &FetchJob) -> FetchedAccount {
    let mut account = Account::default();
    let fetching = async {
        let (report, details) = fetch_with_details(job, &job.session, ("own account", None)).await?;
        account.id = match report.account() {
            Some(id) => id,
            None => job.session.caller().await?.account,
        };
        Ok((report, of_account(details, &account.id)))
    };
    let result = fetching.await;
    FetchedAccount { account, result }
}

async fn fetch_listed(
    job: &FetchJob,
    listed: &ListedAccounts,
    account: &Account,
    caller: &CallerCredentials,
) -> Result<(Report, Option<FetchedDetails>), Error> {
    if let Some(reason) = &account.invalid {
        return Err(Error::InvalidAccount(reason.clone()));
    }
    caller.check()?;
    let session = assume_roles(job, listed, account, caller).await?;
    let named = (&*account.id, account.name.clone());
    let fetched = fetch_with_details(job, &session, named).await;
    let (report, details) = fetched.map_err(|error| {
        if account.id == listed.caller.account {
            caller.failed(error)
        } else {
            error.of_role_session()
        }
    })?;
    match report.account() {
        Some(found) if found != account.id => {
            let advice = where_from(listed, account);
            Err(Error::WrongAccount(found, advice))
        }
        Some(_) | None => Ok((report, of_account(details, &account.id))),
    }
}

/// Assumes the account's own roles, each with the credentials of the one before, or else the role that all accounts
/// have. The caller's own account needs none.
async fn assume_roles(
    job: &FetchJob,
    listed: &ListedAccounts,
    account: &Account,
    caller: &CallerCredentials,
) -> Result<Session, Error> {
    let mut session = job.session.clone();
    if account.id == listed.caller.account {
        return Ok(session);
    }
    let has_own = !account.roles.is_empty();
    let roles = if has_own {
        &account.roles
    } else {
        std::slice::from_ref(&listed.role)
    };
    for (position, role) in roles.iter().enumerate() {
        let partition = &listed.caller.partition;
        let arn = role_arn(partition, &account.id, role);
        let external_id = account.external_id.as_ref().or(listed.external_id.as_ref());
        let assumed = session.assume(&arn, external_id, &listed.session_name).await;
        // A policy that allows the common role names it with `*` for the account.
        let resource = if has_own {
            arn
        } else {
            role_arn(partition, "*", role)
        };
        session = assumed.map_err(|error| match position {
            0 => caller.failed(error).with_role(Some(&resource)),
            _ => error.of_role_session().with_role(Some(&resource)),
        })?;
    }
    Ok(session)
}

/// What to check where AWS returned the report of another account.
fn where_from(listed: &ListedAccounts, account: &Account) -> String {
    let named = |role: &str| format!("whose ARN is {role}");
    let is_own = account.id == listed.caller.account;
    match account.roles.last() {
        _ if is_own => "check --endpoint-url, and proxies between this machine and AWS".to_owned(),
        Some(role) if role.starts_with("arn:") => {
            format!("check the role listed for this account, {}", named(role))
        }
        None if listed.role.starts_with("arn:") => {
            format!("check the role of --role-name, {}", named(&listed.role))
        }
        Some(_) | None => {
            "its role is of this account, so check --endpoint-url, and proxies between this machine and AWS"
                .to_owned()
        }
    }
}

/// The ARN of a role in an account; `role` is an ARN, or a name with an optional path.
pub fn role_arn(partition: &str, account: &str, role: &str) -> String {
    if role.starts_with("arn:") {
        return role.to_owned();
    }
    format!(
        "arn:{partition}:iam::{account}:role/{}",
        role.trim_start_matches('/')
    )
}

/// The report of the session's account, and its details if they are asked for. The account has an id or words for the log,
/// and may have a name.
async fn fetch_with_details(
    job: &FetchJob,
    session: &Session,
    (account, name): (&str, Option<String>),
) -> Result<(Report, Option<FetchedDetails>), Error> {
    let report = fetch(session, &job.options, account).await?;
    let details = match &job.details {
        Some(request) => Some(details::fetch(session, &report, request, name).await),
        None => None,
    };
    Ok((report, details))
}

/// The same details, of the account with this id.
fn of_account(details: Option<FetchedDetails>, id: &str) -> Option<FetchedDetails> {
    details.map(|mut fetched| {
        fetched.details.account = Some(id.to_owned());
        fetched
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_by_name_and_arn() {
        let arn = |role| role_arn("aws-cn", "123456789012", role);
        assert_eq!(arn("Scan"), "arn:aws-cn:iam::123456789012:role/Scan");
        assert_eq!(arn("/audit/Scan"), "arn:aws-cn:iam::123456789012:role/audit/Scan");
        assert_eq!(arn("arn:aws:iam::1:role/x"), "arn:aws:iam::1:role/x");
    }
}

//! Fetches the reports of many accounts at a time, and hands them over.

use std::io;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};

use super::accounts::Account;
use super::connect::{Caller, RoleToAssume, Session};
use super::error::Error;
use super::fetch::{self, Report, fetch};
use super::interrupt::{CtrlC, Interrupt};
use super::keys::{self, Resolved};

/// In which order reports are handed over, and what becomes at Ctrl-C of those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That of the accounts. At Ctrl-C none comes any more: a part would be of no use.
    Accounts,
    /// That of the accounts. At Ctrl-C those that are there still come.
    AccountsToTheLast,
    /// Each as it arrives. At Ctrl-C those that are there still come.
    Arrival,
}

/// What is fetched, and how.
#[derive(Clone)]
pub struct Plan {
    /// The caller's own credentials.
    pub session: Session,
    /// Which accounts.
    pub scope: Scope,
    /// How each report is fetched.
    pub options: fetch::Options,
    /// Whether the ids of access keys are looked up, too.
    pub resolve_keys: bool,
}

/// Which accounts are fetched.
#[derive(Clone)]
pub enum Scope {
    /// That of the credentials.
    Own,
    /// Several.
    Several(Several),
}

/// Accounts and the way into them.
#[derive(Clone)]
pub struct Several {
    /// Whose the credentials are: this account is not entered through a role.
    pub caller: Caller,
    /// In the order in which they are handed over, if in any.
    pub accounts: Vec<Account>,
    /// Name or ARN of the role in accounts that have none of their own.
    pub role: String,
    /// What roles ask for where an account says nothing else.
    pub external_id: Option<String>,
    /// How the sessions are called.
    pub session_name: String,
    /// How many accounts are fetched at a time.
    pub concurrency: usize,
}

/// What came of one account.
#[derive(Debug)]
pub struct Fetched {
    /// The account; of the credentials' own one, if its report did not come, the id may be empty.
    pub account: Account,
    /// Its report, and what became of its keys where that was asked for.
    pub result: Result<(Report, Resolved), Error>,
}

/// What runs calls to AWS beside the threads that judge, and hears Ctrl-C as long as it is there.
#[derive(Debug)]
pub struct Runtime {
    /// None while it is being dropped.
    tokio: Option<tokio::runtime::Runtime>,
    interrupt: Arc<Interrupt>,
}

impl Runtime {
    /// Starts its threads. The first Ctrl-C ends what is being waited for; `at_once` is called where that does
    /// not end the run within two seconds, where nothing is waited for any more, and at the second Ctrl-C.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn new(at_once: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let tokio = builder.worker_threads(2).enable_all().build()?;
        let interrupt = Arc::<Interrupt>::default();
        tokio.spawn(Arc::clone(&interrupt).listen(CtrlC, at_once));
        Ok(Self {
            tokio: Some(tokio),
            interrupt,
        })
    }

    fn inner(&self) -> &tokio::runtime::Runtime {
        self.tokio.as_ref().expect("invariant: there until it is dropped")
    }

    /// Waits for an answer, or Ctrl-C.
    ///
    /// # Errors
    /// Those of the future, and [`Error::Interrupted`].
    pub fn wait<T>(&self, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.inner().block_on(async {
            tokio::select! {
                result = future => result,
                () = self.interrupt.raised() => Err(Error::Interrupted),
            }
        })
    }

    /// Starts fetching. Ctrl-C ends it.
    pub fn fetch_all(&self, plan: Plan, order: Order) -> Arrivals {
        let (sender, receiver) = mpsc::channel(1);
        let interrupt = Arc::clone(&self.interrupt);
        self.inner().spawn(async move {
            let is_over = match order {
                Order::Accounts => tokio::select! {
                    () = hand_over(plan, &sender, std::future::pending()) => true,
                    () = interrupt.raised() => false,
                },
                Order::AccountsToTheLast => {
                    hand_over(plan, &sender, interrupt.raised()).await;
                    !interrupt.is_raised()
                }
                Order::Arrival => {
                    hand_over_at_once(plan, &sender, interrupt.raised()).await;
                    !interrupt.is_raised()
                }
            };
            if is_over {
                interrupt.over();
            }
        });
        Arrivals {
            receiver,
            interrupt: Arc::clone(&self.interrupt),
            order,
        }
    }

    /// From here on Ctrl-C calls `at_once` immediately.
    pub fn end_at_once(&self) {
        self.interrupt.over();
    }

    /// Whether Ctrl-C ended it.
    pub fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.tokio.take() {
            // Whatever still waits for a name or an answer must not hold up the end.
            runtime.shutdown_background();
        }
    }
}

/// What came of the accounts. Waits for what is not there yet.
#[derive(Debug)]
pub struct Arrivals {
    receiver: mpsc::Receiver<Fetched>,
    interrupt: Arc<Interrupt>,
    order: Order,
}

impl Iterator for Arrivals {
    type Item = Fetched;

    fn next(&mut self) -> Option<Fetched> {
        let fetched = self.receiver.blocking_recv()?;
        (self.order != Order::Accounts || !self.interrupt.is_raised()).then_some(fetched)
    }
}

/// In the order of the accounts; those that are there, once `ended` comes.
async fn hand_over(plan: Plan, sender: &mpsc::Sender<Fetched>, ended: impl Future<Output = ()>) {
    tokio::pin!(ended);
    let mut is_ended = false;
    for (account, task) in start(plan) {
        if is_ended && !task.is_finished() {
            continue;
        }
        let came = tokio::select! {
            biased;
            fetched = come(account, task) => Some(fetched),
            () = &mut ended, if !is_ended => None,
        };
        is_ended |= came.is_none();
        if let Some(fetched) = came
            && sender.send(fetched).await.is_err()
        {
            return;
        }
    }
}

/// As they arrive; those that are there, once `ended` comes.
async fn hand_over_at_once(plan: Plan, sender: &mpsc::Sender<Fetched>, ended: impl Future<Output = ()>) {
    tokio::pin!(ended);
    let mut tasks: JoinSet<_> = start(plan)
        .into_iter()
        .map(|(account, task)| come(account, task))
        .collect();
    loop {
        let fetched = tokio::select! {
            biased;
            fetched = tasks.join_next() => fetched,
            () = &mut ended => break,
        };
        // What it waits for has no way to fail by itself.
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

async fn come(account: Account, task: JoinHandle<Fetched>) -> Fetched {
    task.await.unwrap_or_else(|_| Fetched {
        account,
        result: Err(Error::Settings("a defect of credlens ended its task".to_owned())),
    })
}

fn start(plan: Plan) -> Vec<(Account, JoinHandle<Fetched>)> {
    let plan = Arc::new(plan);
    let several = match &plan.scope {
        Scope::Own => {
            let task = tokio::spawn(own(Arc::clone(&plan)));
            return vec![(nameless(String::new()), task)];
        }
        Scope::Several(several) => several.clone(),
    };
    let permits = Arc::new(Semaphore::new(several.concurrency.max(1)));
    let several = Arc::new(several);
    let tasks = several.accounts.iter().map(|account| {
        let (plan, several, permits) = (Arc::clone(&plan), Arc::clone(&several), Arc::clone(&permits));
        let asked = account.clone();
        let task = tokio::spawn(async move {
            let _permit = permits.acquire().await;
            let result = of_account(&plan, &several, &asked).await;
            Fetched {
                account: asked,
                result,
            }
        });
        (account.clone(), task)
    });
    tasks.collect()
}

fn nameless(id: String) -> Account {
    Account {
        id,
        ..Account::default()
    }
}

async fn own(plan: Arc<Plan>) -> Fetched {
    match with_keys(&plan, &plan.session, "own account").await {
        Ok((report, resolved)) => {
            let id = match report.account() {
                Some(id) => Ok(id),
                None => plan.session.caller().await.map(|caller| caller.account),
            };
            Fetched {
                account: nameless(id.as_ref().map_or_else(|_| String::new(), String::clone)),
                result: id.map(|_| (report, resolved)),
            }
        }
        Err(error) => Fetched {
            account: nameless(String::new()),
            result: Err(error),
        },
    }
}

async fn of_account(plan: &Plan, several: &Several, account: &Account) -> Result<(Report, Resolved), Error> {
    if let Some(wrong) = &account.wrong {
        return Err(Error::Listed(wrong.clone()));
    }
    let session = enter(plan, several, account).await?;
    let (report, resolved) = with_keys(plan, &session, &account.id).await?;
    match report.account() {
        Some(found) if found != account.id => Err(Error::OtherAccount(found)),
        Some(_) | None => Ok((report, resolved)),
    }
}

/// Assumes the account's roles, one from the other, or the one that all accounts have. The caller's own account
/// needs none.
async fn enter(plan: &Plan, several: &Several, account: &Account) -> Result<Session, Error> {
    let mut session = plan.session.clone();
    if account.id == several.caller.account {
        return Ok(session);
    }
    let is_own = !account.roles.is_empty();
    let roles = if is_own {
        &account.roles
    } else {
        std::slice::from_ref(&several.role)
    };
    for role in roles {
        let partition = &several.caller.partition;
        let arn = role_arn(partition, &account.id, role);
        let of_all = several.role_resource();
        let role = RoleToAssume {
            arn: &arn,
            resource: if is_own { &arn } else { &of_all },
            external_id: account.external_id.as_deref().or(several.external_id.as_deref()),
            session_name: &several.session_name,
        };
        session = session.assume(&role).await?;
    }
    Ok(session)
}

impl Several {
    /// The ARN of the role in accounts that have none of their own, with `*` for their ids.
    pub fn role_resource(&self) -> String {
        role_arn(&self.caller.partition, "*", &self.role)
    }
}

/// A role's ARN, which may be given by its name, with its path if it has one.
pub fn role_arn(partition: &str, account: &str, role: &str) -> String {
    if role.starts_with("arn:") {
        return role.to_owned();
    }
    format!(
        "arn:{partition}:iam::{account}:role/{}",
        role.trim_start_matches('/')
    )
}

async fn with_keys(plan: &Plan, session: &Session, who: &str) -> Result<(Report, Resolved), Error> {
    let report = fetch(session, &plan.options, who).await?;
    let resolved = if plan.resolve_keys {
        keys::resolve(session, &report).await
    } else {
        Resolved::default()
    };
    Ok((report, resolved))
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

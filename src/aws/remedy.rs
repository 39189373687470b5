//! IAM as the application of plans asks it: one call at a time, in the account of each step, with the caller's credentials or those of
//! a role.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::error::ProvideErrorMetadata as _;
use aws_sdk_iam::types::StatusType;
use tokio::time::{Instant, sleep, timeout_at};

use super::connect::{Caller, Session};
use super::details::list_tags;
use super::error::Error;
use super::fetch_accounts::role_arn;
use super::keys::list_keys;
use super::lists::{Page, all_pages, of_user};
use super::permissions::{Action, MissingPermission};
use super::retry::{Backoff, FailureKind, RetriedCalls, RetryDecision, jitter};
use super::runtime::Runtime;
use super::whole_answer::WholeAnswer;
use crate::remedy::{Answer, Change, KeyStatus, LiveIam, LiveKey, LiveUse, NoAnswer};
use crate::report::time::Timestamp;

/// The service of a key that was never used.
const NEVER: &str = "N/A";

/// After this time the session of a role, which lasts an hour, is renewed.
const SESSION: Duration = Duration::from_mins(45);

/// Which credentials are used in which account.
#[derive(Clone, Debug)]
pub struct RemedyAccess {
    /// The caller's.
    pub session: Session,
    /// The caller, whose account needs no role. None if AWS did not say: then every account needs one.
    pub caller: Option<Caller>,
    /// The partition of the accounts.
    pub partition: String,
    /// Name or ARN of the role that is assumed in the other accounts.
    pub role: Option<String>,
    /// Its external id.
    pub external_id: Option<String>,
    /// The name of its sessions, which carries the id of the journal.
    pub session_name: String,
}

/// IAM in the accounts of a plan.
#[derive(Debug)]
pub struct RemedyIam<'a> {
    runtime: &'a Runtime,
    access: RemedyAccess,
    /// Sessions in accounts, since when, and the account that AWS says it is.
    opened: BTreeMap<String, Opened>,
    /// Accounts whose credentials could not be had, or are not known: they are not asked for again.
    failed: BTreeMap<String, String>,
    /// The permissions that were missing.
    missing: Vec<MissingPermission>,
}

#[derive(Clone, Debug)]
struct Opened {
    session: Session,
    is_role: bool,
    since: Instant,
    account: Option<String>,
}

impl<'a> RemedyIam<'a> {
    /// Asks nothing yet.
    pub fn new(runtime: &'a Runtime, access: RemedyAccess) -> Self {
        Self {
            runtime,
            access,
            opened: BTreeMap::new(),
            failed: BTreeMap::new(),
            missing: Vec::new(),
        }
    }

    /// The permissions that were missing.
    pub fn missing(&self) -> &[MissingPermission] {
        &self.missing
    }

    fn opened(&mut self, account: &str) -> Result<Opened, Error> {
        if let Some(opened) = self.opened.get(account)
            && (!opened.is_role || opened.since.elapsed() < SESSION)
        {
            return Ok(opened.clone());
        }
        let access = &self.access;
        let is_own = access
            .caller
            .as_ref()
            .is_some_and(|caller| caller.account == account);
        let role = access.role.as_deref().filter(|_| !is_own);
        let session = match role {
            None => access.session.clone(),
            Some(role) => {
                let arn = role_arn(&access.partition, account, role);
                let assumed = access
                    .session
                    .assume(&arn, access.external_id.as_ref(), &access.session_name);
                let assumed = self.runtime.wait(assumed);
                assumed.map_err(|error| error.with_role(Some(&arn)))?
            }
        };
        let opened = Opened {
            session,
            is_role: role.is_some(),
            since: Instant::now(),
            account: access
                .caller
                .as_ref()
                .filter(|_| is_own)
                .map(|caller| caller.account.clone()),
        };
        self.opened.insert(account.to_owned(), opened.clone());
        Ok(opened)
    }

    /// Asks in an account.
    fn ask<T, F>(
        &mut self,
        account: &str,
        action: Action,
        call: impl FnOnce(Session, RetriedCalls) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let runtime = self.runtime;
        let answer = self.opened(account).and_then(|opened| {
            let calls = RetriedCalls::new(action, opened.session.limit);
            let answer = runtime.wait(call(opened.session, calls));
            answer.map_err(|error| {
                if opened.is_role {
                    error.of_role_session()
                } else {
                    error
                }
            })
        });
        answer.map_err(|error| self.no_answer(&error))
    }

    /// Does not ask for this account again: many keys would wait for the same answer.
    fn remember(&mut self, account: &str, answer: NoAnswer) -> NoAnswer {
        if let NoAnswer::Unreadable(error) = &answer {
            self.failed.insert(account.to_owned(), error.clone());
        }
        answer
    }

    fn no_answer(&mut self, error: &Error) -> NoAnswer {
        if matches!(error, Error::Interrupted) {
            return NoAnswer::Interrupted;
        }
        self.missing.extend(error.missing_permission());
        NoAnswer::Unreadable(error.to_string())
    }
}

impl LiveIam for RemedyIam<'_> {
    fn account_for(&mut self, account: &str) -> Answer<String> {
        if let Some(error) = self.failed.get(account) {
            return Err(NoAnswer::Unreadable(error.clone()));
        }
        let known = match self.opened(account) {
            Ok(opened) => opened.account,
            Err(error) => {
                let answer = self.no_answer(&error);
                return Err(self.remember(account, answer));
            }
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let action = Action::GetCallerIdentity;
        let caller = self.ask(
            account,
            action,
            |session, _| async move { session.caller().await },
        );
        let caller = caller.map_err(|answer| self.remember(account, answer))?;
        if let Some(opened) = self.opened.get_mut(account) {
            opened.account = Some(caller.account.clone());
        }
        Ok(caller.account)
    }

    fn keys(&mut self, account: &str, user: &str) -> Answer<Option<Vec<LiveKey>>> {
        let listed = self.ask(account, Action::ListAccessKeys, |session, mut calls| async move {
            list_keys(&session, &mut calls, user).await
        })?;
        let key = |listed: aws_sdk_iam::types::AccessKeyMetadata| {
            Some(LiveKey {
                created: listed.create_date().map(|date| Timestamp(date.secs())),
                status: match listed.status() {
                    Some(StatusType::Active) => Some(KeyStatus::Active),
                    Some(StatusType::Inactive) => Some(KeyStatus::Inactive),
                    Some(other) if other.as_str() == KeyStatus::Expired.name() => Some(KeyStatus::Expired),
                    Some(_) | None => None,
                },
                id: listed.access_key_id?,
            })
        };
        let Some(listed) = listed else { return Ok(None) };
        let keys: Option<Vec<LiveKey>> = listed.into_iter().map(key).collect();
        let unreadable = || NoAnswer::Unreadable(Error::Unreadable(Action::ListAccessKeys).to_string());
        keys.map(Some).ok_or_else(unreadable)
    }

    fn last_use(&mut self, account: &str, key: &str) -> Answer<LiveUse> {
        let action = Action::GetAccessKeyLastUsed;
        self.ask(account, action, |session, mut calls| async move {
            let request = session.iam().get_access_key_last_used().access_key_id(key);
            let call = || async {
                let answer = request.clone().send().await;
                let answer = answer.map_err(|error| session.explain(action, &error))?;
                let of_key = answer.access_key_last_used.ok_or(Error::Unreadable(action))?;
                let time = of_key.last_used_date.map(|date| Timestamp(date.secs()));
                // IAM says `N/A` of a key that was never used; anything else without a time cannot be read.
                if time.is_none() && of_key.service_name != NEVER {
                    return Err(Error::Unreadable(action));
                }
                Ok(LiveUse {
                    user: answer.user_name,
                    time,
                    service: Some(of_key.service_name).filter(|service| service != NEVER),
                })
            };
            calls.call(call).await
        })
    }

    fn tags(&mut self, account: &str, user: &str) -> Answer<Option<BTreeMap<String, String>>> {
        self.ask(account, Action::ListUserTags, |session, mut calls| async move {
            list_tags(&session, &mut calls, user).await
        })
    }

    fn groups(&mut self, account: &str, user: &str) -> Answer<Option<BTreeSet<String>>> {
        let action = Action::ListGroupsForUser;
        self.ask(account, action, |session, mut calls| async move {
            let request = session.iam().list_groups_for_user().user_name(user);
            let page = |marker| {
                let request = request.clone().set_marker(marker).customize();
                let request = request.interceptor(WholeAnswer(&["Groups"]));
                async {
                    let page = of_user(&session, action, request.send().await)?;
                    Ok(page.map(|page| Page {
                        items: page.groups,
                        marker: page.marker,
                        is_truncated: page.is_truncated,
                    }))
                }
            };
            let groups = all_pages(&mut calls, action, page).await?;
            if groups.iter().flatten().any(|group| group.group_name.is_empty()) {
                return Err(Error::Unreadable(action));
            }
            Ok(groups.map(|groups| groups.into_iter().map(|group| group.group_name).collect()))
        })
    }

    fn set_status(&mut self, account: &str, user: &str, key: &str, status: KeyStatus) -> Change {
        if let Some(error) = self
            .failed
            .get(account)
            .filter(|_| !self.opened.contains_key(account))
        {
            return Change::Rejected(error.clone());
        }
        let opened = match self.opened(account) {
            Ok(opened) => opened,
            Err(Error::Interrupted) => return Change::NotAsked,
            // AWS was not asked to change anything.
            Err(error) => {
                self.missing.extend(error.missing_permission());
                return Change::Rejected(error.to_string());
            }
        };
        let (change, missing) =
            self.runtime
                .finish(update(self.runtime, &opened.session, (user, key, status)));
        self.missing.extend(missing);
        change
    }
}

/// Asks AWS to change a key until it answers. A signal ends the pauses between attempts, never an attempt.
async fn update(
    runtime: &Runtime,
    session: &Session,
    (user, key, status): (&str, &str, KeyStatus),
) -> (Change, Option<MissingPermission>) {
    let action = Action::UpdateAccessKey;
    let request = session
        .iam()
        .update_access_key()
        .user_name(user)
        .access_key_id(key)
        .status(StatusType::from(status.name()));
    let (started, limit) = (Instant::now(), session.limit);
    let mut backoff = Backoff::new(limit);
    // The last error, and whether an attempt may have made the change.
    let (mut last, mut may_be_made): (Option<Error>, bool) = (None, false);
    loop {
        if runtime.is_interrupted() {
            break;
        }
        let Ok(answer) = timeout_at(started + limit, request.clone().send()).await else {
            may_be_made = true;
            last = Some(Error::no_answer(action));
            break;
        };
        let error = match answer {
            Ok(_) => return (Change::Done, None),
            Err(error) if error.code() == Some("NoSuchEntity") => return (Change::Gone, None),
            Err(error) => session.explain(action, &error),
        };
        let kind = error.failure_kind();
        may_be_made |= kind == FailureKind::Transient;
        let decision = backoff.after(kind, started.elapsed(), jitter());
        last = Some(error);
        let RetryDecision::After(pause) = decision else {
            break;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = runtime.interrupt.raised() => {}
        }
    }
    let missing = last.as_ref().and_then(Error::missing_permission);
    let change = match last {
        None => Change::NotAsked,
        Some(error) if may_be_made => Change::Unknown(error.to_string()),
        Some(error) => Change::Rejected(error.to_string()),
    };
    (change, missing)
}

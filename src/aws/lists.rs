//! Lists of IAM: all pages of one, and one for each of many users.

use std::collections::BTreeSet;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use tokio::task::JoinSet;

use super::connect::Session;
use super::error::Error;
use super::permissions::Action;
use super::retry::RetriedCalls;
use crate::finding::{Code, Diagnostic};
use crate::output::counted;

/// How many users of an account are looked up at the same time.
const CONCURRENT_USERS: usize = 4;

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// What asks for the next page.
    pub(super) marker: Option<String>,
    /// Whether there is a next page.
    pub(super) is_truncated: bool,
}

/// All pages of a list; none if the user whose list it is does not exist any more. `page` asks for the page behind a
/// marker.
pub(super) async fn all_pages<T, F>(
    calls: &mut RetriedCalls,
    action: Action,
    page: impl Fn(Option<String>) -> F,
) -> Result<Option<Vec<T>>, Error>
where
    F: Future<Output = Result<Option<Page<T>>, Error>>,
{
    let mut items = Vec::new();
    let mut marker = None;
    let mut markers = BTreeSet::new();
    loop {
        let Some(next) = calls.call(|| page(marker.clone())).await? else {
            return Ok(None);
        };
        items.extend(next.items);
        if !next.is_truncated {
            return Ok(Some(items));
        }
        marker = next.marker.filter(|next| markers.insert(next.clone()));
        if marker.is_none() {
            // A repeated marker would loop forever, and without one the rest of the list is not known.
            return Err(Error::Unreadable(action));
        }
    }
}

/// The answer to a call about one user; none if the user does not exist any more.
pub(super) fn of_user<T, E>(
    session: &Session,
    action: Action,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, Error>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
        Err(error) => Err(session.explain(action, &error)),
    }
}

/// What was found about many users.
pub(super) struct OfUsers<T> {
    pub(super) found: Vec<T>,
    /// Users of whom it was not.
    failed: u64,
    /// The first error.
    pub(super) error: Option<Error>,
    /// Every other user would fail in the same way.
    has_stopped: bool,
}

/// Calls for each user, several at the same time, until an error that is not about one user.
pub(super) async fn for_each_user<U, T, F>(users: Vec<U>, call: impl Fn(U) -> F) -> OfUsers<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let mut of_users = OfUsers {
        found: Vec::new(),
        failed: 0,
        error: None,
        has_stopped: false,
    };
    let mut waiting = users.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < CONCURRENT_USERS && !of_users.has_stopped {
            let Some(user) = waiting.next() else { break };
            running.spawn(call(user));
        }
        let Some(ended) = running.join_next().await else {
            of_users.failed += waiting.len() as u64;
            return of_users;
        };
        of_users.add(ended.unwrap_or(Err(Error::TaskPanicked)));
    }
}

impl<T> OfUsers<T> {
    fn add(&mut self, result: Result<T, Error>) {
        match result {
            Ok(found) => self.found.push(found),
            Err(error) => {
                self.failed += 1;
                // Other error codes may be about this one user.
                self.has_stopped |= !matches!(error, Error::Other(..) | Error::TaskPanicked);
                self.error.get_or_insert(error);
            }
        }
    }

    /// Says of how many users something is unknown, and why.
    pub(super) fn unknown(&self, code: Code, what: &str) -> Option<Diagnostic> {
        let error = self.error.as_ref()?;
        let users = counted(self.failed, "user");
        let message = format!("the {what} of {users} are unknown: {error}");
        Some(Diagnostic::new(code, message))
    }
}

//! What AWS knows about the users of a report beside it: access key ids, service-specific credentials, tags. What cannot
//! be fetched is left out, with a warning: the report is evaluated all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use aws_sdk_iam::types::ServiceSpecificCredentialMetadata;

use super::connect::Session;
use super::error::Error;
use super::fetch::Report;
use super::keys;
use super::lists::{OfUsers, Page, all_pages, for_each_user, of_user};
use super::permissions::{Action, MissingPermission};
use super::retry::RetriedCalls;
use super::whole_answer::WholeAnswer;
use crate::engine::AccountInfo;
use crate::finding::digest::sha256;
use crate::finding::{Code, Diagnostic};
use crate::report::chunk::ROOT;
use crate::report::details::{Details, ServiceCredential};
use crate::report::schema::TextColumn;
use crate::report::time::Timestamp;

/// Chooses the users of a report whose tags are fetched; none are all users. What is known of the account by then has the
/// other details.
pub type TagsOf = Arc<dyn Fn(&Report, &AccountInfo) -> Option<BTreeSet<String>> + Send + Sync>;

/// That details are fetched.
#[derive(Clone)]
pub struct DetailsRequest {
    /// Whose tags are.
    pub tags_of: TagsOf,
}

impl fmt::Debug for DetailsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DetailsRequest")
    }
}

/// The details of a report, and why some are missing.
#[derive(Debug)]
pub struct FetchedDetails {
    /// What is certain.
    pub details: Details,
    /// Why other details are missing.
    pub diagnostics: Vec<Diagnostic>,
    /// The permissions that are missing for them.
    pub missing: Vec<MissingPermission>,
}

impl FetchedDetails {
    /// Adds why something is unknown about users.
    pub(super) fn unknown<T>(&mut self, of_users: &OfUsers<T>, code: Code, what: &str) {
        let denied = of_users.error.as_ref().and_then(Error::missing_permission);
        self.missing.extend(denied);
        self.diagnostics.extend(of_users.unknown(code, what));
    }
}

/// Fetches the details of a report, as far as that is possible. `name` is that of its account.
pub(super) async fn fetch(
    session: &Session,
    report: &Report,
    request: &DetailsRequest,
    name: Option<String>,
) -> FetchedDetails {
    let details = Details::new(report.account(), Some(report.generated), sha256(&report.csv));
    let mut fetched = FetchedDetails {
        details,
        diagnostics: Vec::new(),
        missing: Vec::new(),
    };
    keys::resolve(session, report, &mut fetched).await;
    add_service_credentials(session, &mut fetched).await;
    let users = tagged(report, request, name, &mut fetched).await;
    add_tags(session, users, &mut fetched).await;
    fetched
}

/// Lists the service-specific credentials of all users, with one call for each page.
async fn add_service_credentials(session: &Session, fetched: &mut FetchedDetails) {
    let action = Action::ListServiceSpecificCredentials;
    let iam = session.iam();
    let request = iam.list_service_specific_credentials().all_users(true);
    let page = |marker| {
        let request = request.clone().set_marker(marker);
        async {
            let page = request.send().await;
            let page = page.map_err(|error| session.explain(action, &error))?;
            Ok(Some(Page {
                items: page.service_specific_credentials.unwrap_or_default(),
                marker: page.marker,
                is_truncated: page.is_truncated,
            }))
        }
    };
    let mut calls = RetriedCalls::new(action, session.limit);
    match all_pages(&mut calls, action, page).await {
        Ok(listed) => {
            fetched.details.service_credentials_listed = true;
            for (user, credential) in listed.unwrap_or_default().into_iter().map(credential) {
                let user = fetched.details.users.entry(user).or_default();
                user.service_credentials.push(credential);
            }
        }
        Err(error) => {
            let message = format!("the service-specific credentials of this account are unknown: {error}");
            let unknown = Diagnostic::new(Code::ServiceCredentialsUnknown, message);
            fetched.diagnostics.push(unknown);
            fetched.missing.extend(error.missing_permission());
        }
    }
}

/// A credential, and the name of its user.
fn credential(listed: ServiceSpecificCredentialMetadata) -> (String, ServiceCredential) {
    let credential = ServiceCredential {
        id: listed.service_specific_credential_id,
        service: listed.service_name,
        // AWS's words may grow.
        active: match listed.status.as_str() {
            "Active" => Some(true),
            "Inactive" | "Expired" => Some(false),
            _ => None,
        },
        // The SDK puts the beginning of Unix time in place of a time that is missing.
        created: Some(Timestamp(listed.create_date.secs())).filter(|time| time.0 != 0),
        expires: listed.expiration_date.map(|time| Timestamp(time.secs())),
    };
    (listed.user_name, credential)
}

/// The users of the report whose tags are fetched. Root has none.
async fn tagged(
    report: &Report,
    request: &DetailsRequest,
    name: Option<String>,
    fetched: &mut FetchedDetails,
) -> Vec<String> {
    let account = AccountInfo {
        name,
        details: Some(Arc::new(fetched.details.clone())),
        diagnostics: Vec::new(),
        rows: None,
    };
    let (tags_of, of) = (Arc::clone(&request.tags_of), report.clone());
    // It evaluates a report: other accounts must not wait for that.
    let chosen = tokio::task::spawn_blocking(move || tags_of(&of, &account)).await;
    let mut users = users(report);
    match chosen {
        Ok(None) => {}
        Ok(Some(chosen)) => users.retain(|user| chosen.contains(user)),
        Err(_) => {
            let message = format!(
                "the tags of this account's users are unknown: {}",
                Error::TaskPanicked
            );
            fetched
                .diagnostics
                .push(Diagnostic::new(Code::TagsUnknown, message));
            users.clear();
        }
    }
    users.into_iter().collect()
}

/// The names of the users, without root.
fn users(report: &Report) -> BTreeSet<String> {
    let Some((header, rows)) = report.rows() else {
        return BTreeSet::new();
    };
    let names = (0..rows.len()).filter_map(|row| rows.cell(&header, row, TextColumn::User));
    let names = names.filter_map(|name| str::from_utf8(name).ok());
    let names = names.filter(|name| !name.is_empty() && *name != ROOT);
    names.map(str::to_owned).collect()
}

/// Lists the tags of each of these users, until an error that is not about one user.
async fn add_tags(session: &Session, users: Vec<String>, fetched: &mut FetchedDetails) {
    let calls = RetriedCalls::new(Action::ListUserTags, session.limit);
    let tags_of = |user: String| {
        let (session, mut calls) = (session.clone(), calls.clone());
        async move {
            let tags = list_tags(&session, &mut calls, &user).await?;
            Ok((user, tags))
        }
    };
    let listed = for_each_user(users, tags_of).await;
    fetched.unknown(&listed, Code::TagsUnknown, "tags");
    for (user, tags) in listed.found {
        // A user that was deleted since has none.
        if let Some(tags) = tags {
            fetched.details.users.entry(user).or_default().tags = Some(tags);
        }
    }
}

/// The tags of a user; none if the user does not exist any more.
pub(super) async fn list_tags(
    session: &Session,
    calls: &mut RetriedCalls,
    user: &str,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    let action = Action::ListUserTags;
    let request = session.iam().list_user_tags().user_name(user);
    let page = |marker| {
        let request = request.clone().set_marker(marker).customize();
        let request = request.interceptor(WholeAnswer(&["Tags"]));
        async {
            let page = of_user(session, action, request.send().await)?;
            Ok(page.map(|page| Page {
                items: page.tags,
                marker: page.marker,
                is_truncated: page.is_truncated,
            }))
        }
    };
    let tags = all_pages(calls, action, page).await?;
    if tags.iter().flatten().any(|tag| tag.key.is_empty()) {
        return Err(Error::Unreadable(action));
    }
    Ok(tags.map(|tags| tags.into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

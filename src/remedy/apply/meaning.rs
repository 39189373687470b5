//! What an answer of AWS means for a step. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::step::Meaning;
use crate::remedy::exemption::is_of_infrastructure_as_code;
use crate::remedy::journal::{Guards, StepKey};
use crate::remedy::live::{Answer, Change, KeyStatus, LiveKey, LiveUse, NoAnswer};
use crate::remedy::skip::SkipReason;
use crate::report::time::Timestamp;
use crate::rule::is_of_ses_smtp;

const DAY: i64 = 86_400;

/// What an answer means: what `meaning` says, if there is one. What cannot be read never lets a step through.
pub(super) fn answered<T>(
    answer: Answer<T>,
    meaning: impl FnOnce(T) -> Meaning,
) -> (Meaning, Option<String>) {
    match answer {
        Ok(answer) => (meaning(answer), None),
        Err(NoAnswer::Unreadable(error)) => (Meaning::Skip(SkipReason::Unreadable), Some(error)),
        Err(NoAnswer::Interrupted) => (Meaning::Interrupted, None),
    }
}

pub(super) fn account(wanted: &str, found: &str) -> Meaning {
    if wanted == found {
        Meaning::GoOn
    } else {
        Meaning::Skip(SkipReason::WrongAccount)
    }
}

/// Which of a user's keys is meant: the one that was created at this time, and has this id where the plan knows it. Of two keys of
/// one second without an id none is.
pub(super) fn key(wanted: &StepKey, keys: Option<Vec<LiveKey>>, now: Timestamp) -> (Meaning, Option<String>) {
    let skip = |reason| (Meaning::Skip(reason), None);
    let Some(keys) = keys else {
        return skip(SkipReason::Gone);
    };
    if keys.iter().any(|key| key.created.is_none()) {
        return skip(SkipReason::Ambiguous);
    }
    let at_that_time: Vec<LiveKey> = keys
        .into_iter()
        .filter(|key| key.created == Some(wanted.key_created))
        .collect();
    let meant: Vec<&LiveKey> = at_that_time
        .iter()
        .filter(|key| wanted.access_key_id.as_ref().is_none_or(|id| *id == key.id))
        .collect();
    let key = match meant.as_slice() {
        [key] => key,
        [] if wanted.access_key_id.is_none() || at_that_time.is_empty() => return skip(SkipReason::Gone),
        // Another key of that second, or two of them.
        _ => return skip(SkipReason::Ambiguous),
    };
    let meaning = match key.status {
        None => Meaning::Skip(SkipReason::Ambiguous),
        Some(KeyStatus::Inactive) => Meaning::Skip(SkipReason::AlreadyInactive),
        Some(KeyStatus::Expired) => Meaning::Skip(SkipReason::Expired),
        Some(KeyStatus::Active) if now.0.saturating_sub(wanted.key_created.0) < DAY => {
            Meaning::Skip(SkipReason::TooNew)
        }
        Some(KeyStatus::Active) => Meaning::GoOn,
    };
    (meaning, Some(key.id.clone()))
}

pub(super) fn tags(guards: &Guards, tags: Option<&BTreeMap<String, String>>) -> Meaning {
    match tags {
        None => Meaning::Skip(SkipReason::Gone),
        Some(tags) if is_of_infrastructure_as_code(tags) => Meaning::Skip(SkipReason::InfrastructureAsCode),
        Some(tags) if guards.exempt_tag.exempts(tags) => Meaning::Skip(SkipReason::Exempt),
        Some(_) => Meaning::GoOn,
    }
}

pub(super) fn groups(guards: &Guards, groups: Option<&BTreeSet<String>>) -> Meaning {
    let is_exempt = |group: &String| {
        guards
            .exempt_groups
            .iter()
            .any(|it| it.eq_ignore_ascii_case(group))
    };
    match groups {
        None => Meaning::Skip(SkipReason::Gone),
        Some(groups) if groups.iter().any(is_exempt) => Meaning::Skip(SkipReason::ExemptGroup),
        Some(_) => Meaning::GoOn,
    }
}

/// The times that a last use is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The clock of this machine.
    pub(super) now: Timestamp,
    /// When the report of the plan was generated.
    pub(super) reported: Timestamp,
    /// The days without use after which a key is deactivated.
    pub(super) quiet_days: i64,
    /// The last use that the plan knows.
    pub(super) planned: Option<Timestamp>,
}

pub(super) fn last_use(wanted: &StepKey, live: &LiveUse, times: Times) -> Meaning {
    let quiet = times.quiet_days.saturating_mul(DAY);
    let since = |time: Timestamp| times.now.0.saturating_sub(time.0);
    let is_of_other_user = live.user.as_ref().is_some_and(|user| *user != wanted.user);
    if is_of_other_user {
        return Meaning::Skip(SkipReason::Ambiguous);
    }
    if is_of_ses_smtp(&wanted.user, live.service.iter()) {
        return Meaning::Skip(SkipReason::SesSmtp);
    }
    match live.time.max(times.planned) {
        Some(time) if time > times.reported || since(time) < quiet => Meaning::Skip(SkipReason::InUse),
        Some(_) => Meaning::GoOn,
        None if since(wanted.key_created) > quiet => Meaning::GoOn,
        None => Meaning::Skip(SkipReason::TooNew),
    }
}

pub(super) fn change(change: Change) -> (Meaning, Option<String>) {
    match change {
        Change::Done => (Meaning::Changed, None),
        Change::Gone => (Meaning::Skip(SkipReason::Gone), None),
        Change::Rejected(error) => (Meaning::Rejected, Some(error)),
        Change::Unknown(error) => (Meaning::Unknown, Some(error)),
        Change::NotAsked => (Meaning::Interrupted, None),
    }
}

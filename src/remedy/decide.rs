//! What is done about each credential of a user, or why nothing is.

use std::collections::BTreeMap;

use super::earlier::{ChangedKey, EarlierChanges};
use super::exemption::{ExemptTag, is_of_infrastructure_as_code};
use super::facts::{Key, LastUse, Problem, User};
use super::history::{InactiveKeys, KeyIdentity};
use super::reason::Reason;
use super::step::Action;
use crate::finding::Status;
use crate::report::schema::{Credential, Slot};
use crate::report::time::Timestamp;
use crate::rule::{Filters, Remedy, UserToFilter, is_user_name};

/// The least days without use after which a key is deactivated.
const QUIET_DAYS: i64 = 45;

/// How long a key must have been inactive before it may be deleted, in days.
const INACTIVE_DAYS: u64 = 30;

/// How a plan is decided.
#[derive(Debug, Default)]
pub struct Options {
    /// The days without use after which a key is deactivated, if they are given.
    pub quiet_days: Option<i64>,
    /// The greatest number of days without use that a selected rule about keys allows, if one is about use.
    pub idle_limit: Option<i64>,
    /// The users that `--exclude-…` leaves out of the steps.
    pub excluded: Filters,
    /// The tag that exempts a user.
    pub exempt_tag: ExemptTag,
    /// Since when keys are inactive, as earlier snapshots show.
    pub inactive: InactiveKeys,
    /// What was deactivated before.
    pub journal: EarlierChanges,
}

/// What was decided about one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided<'a> {
    /// The credential; none for the user as a whole.
    pub credential: Option<Credential>,
    /// Its id, if it is a service-specific one.
    pub service_credential: Option<(String, Option<Timestamp>)>,
    /// What is done, or why nothing is.
    pub action: Result<Action, Reason>,
    /// The findings that call for it.
    pub problems: Vec<&'a Problem>,
    /// The days without use that count for it.
    pub quiet_days: i64,
}

/// What findings are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct About {
    credential: Option<Credential>,
    service_credential: Option<(String, Option<Timestamp>)>,
}

/// Decides about each credential of a user with findings: one decision for a credential, however many rules it breaks.
/// Where no
/// rule fails, verdicts that are suppressed, undetermined or due say why nothing is done.
pub fn decide<'a>(user: &'a User, options: &Options) -> Vec<Decided<'a>> {
    let deciding = Deciding { user, options };
    let mut failing: BTreeMap<About, Vec<&Problem>> = BTreeMap::new();
    let mut others: BTreeMap<(About, Reason), Vec<&Problem>> = BTreeMap::new();
    for problem in user.problems.iter().filter(|it| it.remedy != Remedy::None) {
        let about = deciding.about(problem);
        match open_reason(problem.status) {
            None => failing.entry(about).or_default().push(problem),
            Some(reason) => others.entry((about, reason)).or_default().push(problem),
        }
    }
    let failing = failing.into_iter().map(|(about, problems)| {
        let quiet_days = deciding.quiet_days(&problems);
        let accepted = others.get(&(about.clone(), Reason::Suppressed));
        let is_use_accepted = accepted.is_some_and(|accepted| accepted.iter().any(|it| it.is_about_use));
        let action = deciding.action(&about, &problems, (quiet_days, is_use_accepted));
        (about, action, problems, quiet_days)
    });
    // What fails decides about a credential.
    let failing: Vec<_> = failing.collect();
    others.retain(|(about, _), _| failing.iter().all(|(known, ..)| known != about));
    // The weightiest reason stands for all.
    let mut left_alone: BTreeMap<About, (Reason, Vec<&Problem>)> = BTreeMap::new();
    for ((about, reason), problems) in others {
        let (weightiest, all) = left_alone.entry(about).or_insert((reason, Vec::new()));
        *weightiest = (*weightiest).min(reason);
        all.extend(problems);
    }
    let others = left_alone.into_iter().map(|(about, (reason, problems))| {
        let quiet_days = deciding.quiet_days(&problems);
        (about, Err(reason), problems, quiet_days)
    });
    let decided = failing.into_iter().chain(others);
    let decided = decided.map(|(about, action, problems, quiet_days)| Decided {
        credential: about.credential,
        service_credential: about.service_credential,
        action,
        problems,
        quiet_days,
    });
    decided.collect()
}

/// Why a verdict that does not fail leads to no step.
fn open_reason(status: Status) -> Option<Reason> {
    match status {
        Status::Suppressed => Some(Reason::Suppressed),
        Status::Undetermined => Some(Reason::Undetermined),
        Status::Due => Some(Reason::Due),
        Status::Fail | Status::Pass => None,
    }
}

struct Deciding<'a> {
    user: &'a User,
    options: &'a Options,
}

impl Deciding<'_> {
    /// What a finding is about. Of a finding on both keys, the key that is used less.
    fn about(&self, problem: &Problem) -> About {
        let of_keys = || match problem.remedy {
            Remedy::Deactivate | Remedy::Rotate => {
                self.less_used().map(|key| Credential::AccessKey(key.slot))
            }
            Remedy::Delete | Remedy::Manual | Remedy::None => None,
        };
        About {
            credential: problem.credential.or_else(of_keys),
            service_credential: problem.service_credential.clone(),
        }
    }

    /// Of the active keys, the one that was never used, else the one that was used earlier.
    fn less_used(&self) -> Option<&Key> {
        let active = self
            .user
            .keys
            .iter()
            .flatten()
            .filter(|key| key.active == Some(true));
        active.min_by_key(|key| match key.last_used {
            LastUse::Never => (0, None, key.created),
            LastUse::At(time) => (1, Some(time), key.created),
            LastUse::EmptyCell | LastUse::Unknown => (2, None, key.created),
        })
    }

    /// The days without use after which the key is deactivated: those that are given, else the greatest limit of the selected
    /// rules about use, whatever rule names the key, and never less than the usual ones.
    fn quiet_days(&self, problems: &[&Problem]) -> i64 {
        let limits = problems.iter().filter_map(|problem| problem.max_idle);
        let usual = limits.chain(self.options.idle_limit).fold(QUIET_DAYS, i64::max);
        self.options.quiet_days.unwrap_or(usual)
    }

    fn action(
        &self,
        about: &About,
        problems: &[&Problem],
        (quiet_days, is_use_accepted): (i64, bool),
    ) -> Result<Action, Reason> {
        self.check_user()?;
        let calls_for = |remedy: Remedy| problems.iter().any(|problem| problem.remedy == remedy);
        match about.credential {
            Some(Credential::AccessKey(slot)) => {
                let Some(key) = self.user.key(slot) else {
                    return Err(Reason::Undetermined);
                };
                self.of_key(key, problems, (quiet_days, is_use_accepted))
            }
            // Only keys are ever deactivated.
            _ if calls_for(Remedy::Rotate) => Ok(Action::Rotate),
            Some(Credential::ServiceCredential) if calls_for(Remedy::Delete) => {
                Err(Reason::DeactivationUnknown)
            }
            _ => Ok(Action::Manual),
        }
    }

    /// Whether the user may be touched at all.
    fn check_user(&self) -> Result<(), Reason> {
        let user = self.user;
        let as_filtered = UserToFilter {
            user: Some(user.name.as_bytes()),
            path: user.path.as_deref().map(str::as_bytes),
            account: user.account.as_deref().map(str::as_bytes),
            account_name: user.account_name.as_deref().map(str::as_bytes),
        };
        if user.is_root {
            Err(Reason::Root)
        } else if user.has_other_row {
            Err(Reason::DuplicateUser)
        } else if !self.options.excluded.admits(&as_filtered) {
            Err(Reason::Filtered)
        } else if user.is_made_for_api_key() {
            Err(Reason::ApiKeyUser)
        } else if !is_user_name(&user.name) {
            Err(Reason::InvalidName)
        } else if user.is_of_ses_smtp {
            Err(Reason::SesSmtp)
        } else if user.tags.as_ref().is_some_and(is_of_infrastructure_as_code) {
            Err(Reason::InfrastructureAsCode)
        } else if user
            .tags
            .as_ref()
            .is_some_and(|tags| self.options.exempt_tag.exempts(tags))
        {
            Err(Reason::Exempt)
        } else {
            Ok(())
        }
    }

    fn of_key(
        &self,
        key: &Key,
        problems: &[&Problem],
        (quiet_days, is_use_accepted): (i64, bool),
    ) -> Result<Action, Reason> {
        let created = key.created.ok_or(Reason::UnknownCreation)?;
        if self.user.account.is_none() {
            return Err(Reason::UnknownAccount);
        }
        if key.id.is_none() && self.user.keys_share_a_second() {
            return Err(Reason::Ambiguous);
        }
        let journal = self.options.journal.of(&self.identity(created));
        let calls_for = |remedy: Remedy| problems.iter().any(|problem| problem.remedy == remedy);
        match (key.active, journal.deactivated) {
            (None, _) => Err(Reason::Undetermined),
            (Some(false), _) => self.of_inactive(key, created, journal),
            (Some(true), Some(at)) if self.user.reported.is_none_or(|reported| reported < at) => {
                Err(Reason::ReportTooOld)
            }
            (Some(true), Some(_)) => Err(Reason::Reactivated),
            (Some(true), None) => {
                let quiet = self.quiet(key, created, quiet_days);
                // Another fault than disuse: the key is or may be in use.
                let is_used = !problems.iter().any(|problem| problem.is_about_use);
                match quiet {
                    Ok(()) if !is_use_accepted => Ok(Action::Deactivate),
                    _ if is_used && calls_for(Remedy::Rotate) => Ok(Action::Rotate),
                    _ if is_used && !calls_for(Remedy::Deactivate) => Ok(Action::Manual),
                    Ok(()) => Err(Reason::Suppressed),
                    Err(reason) => Err(self.of_pair(key, reason)),
                }
            }
        }
    }

    /// Whether the key was idle for the quiet days, or never used and older than these, when the report was generated: what was
    /// done since is not known.
    fn quiet(&self, key: &Key, created: Timestamp, days: i64) -> Result<(), Reason> {
        const DAY: i64 = 86_400;
        let until = self.user.known_until().ok_or(Reason::UndatedReport)?.0;
        let age = until.saturating_sub(created.0);
        let quiet = days.saturating_mul(DAY);
        if age < DAY {
            return Err(Reason::TooNew);
        }
        match key.last_used {
            LastUse::EmptyCell => Err(Reason::EmptyLastUse),
            LastUse::Unknown => Err(Reason::UnknownLastUse),
            LastUse::Never if age > quiet => Ok(()),
            LastUse::Never => Err(Reason::NotQuiet),
            // A key cannot have been used before it was created.
            LastUse::At(time) if time < created => Err(Reason::UnknownLastUse),
            LastUse::At(time) if until.saturating_sub(time.0) >= quiet => Ok(()),
            LastUse::At(_) => Err(Reason::InUse),
        }
    }

    /// Of two active keys of which this one is not idle: a rotation is under way.
    fn of_pair(&self, key: &Key, reason: Reason) -> Reason {
        let other = self.user.other_key(key.slot);
        let is_pair = other.is_some_and(|other| other.active == Some(true));
        let is_in_use = matches!(reason, Reason::InUse | Reason::NotQuiet | Reason::TooNew);
        if is_pair && is_in_use {
            Reason::RotationUnderWay
        } else {
            reason
        }
    }

    /// An inactive key may be deleted if it was inactive, and not used, for long enough.
    fn of_inactive(&self, key: &Key, created: Timestamp, journal: ChangedKey) -> Result<Action, Reason> {
        let used = match key.last_used {
            LastUse::Never => None,
            LastUse::At(time) => Some(time),
            LastUse::EmptyCell | LastUse::Unknown => return Err(Reason::DeactivationUnknown),
        };
        let until = self.user.known_until().ok_or(Reason::UndatedReport)?;
        let shown = self.options.inactive.get(&self.identity(created));
        // What was used, active or activated in between was deactivated again later.
        let last_active = [used, journal.activated, shown.and_then(|shown| shown.last_active)];
        let last_active = last_active.into_iter().flatten().max();
        let is_since = |time: &Timestamp| last_active.is_none_or(|active| *time > active);
        let in_snapshots = shown.and_then(|shown| shown.times.iter().copied().find(is_since));
        let since = [in_snapshots, journal.deactivated.filter(is_since)];
        let days = since
            .into_iter()
            .flatten()
            .min()
            .and_then(|since| since.days_until(until));
        if days.is_some_and(|days| days >= INACTIVE_DAYS) {
            Ok(Action::Delete)
        } else {
            Err(Reason::DeactivationUnknown)
        }
    }

    fn identity(&self, created: Timestamp) -> KeyIdentity {
        KeyIdentity {
            account: self.user.account.clone(),
            user: self.user.name.clone(),
            created,
        }
    }
}

impl User {
    /// The keys that are inactive, whose deletion depends on since when.
    pub fn inactive_keys(&self) -> impl Iterator<Item = KeyIdentity> {
        let inactive = self.keys.iter().flatten().filter(|key| key.active == Some(false));
        inactive.filter_map(|key| {
            Some(KeyIdentity {
                account: self.account.clone(),
                user: self.name.clone(),
                created: key.created?,
            })
        })
    }
}

/// The slot of an access key.
pub(super) const fn slot_of(credential: Option<Credential>) -> Option<Slot> {
    match credential {
        Some(Credential::AccessKey(slot)) => Some(slot),
        Some(Credential::Password | Credential::Certificate(_) | Credential::ServiceCredential) | None => {
            None
        }
    }
}

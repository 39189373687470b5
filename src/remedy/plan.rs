//! Puts steps in order: those that break the least come first.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_128;

use super::collect::Collected;
use super::decide::{Decided, Options, decide, slot_of};
use super::facts::{LastUse, User};
use super::instructions::Instructions;
use super::reason::{Reason, days_between};
use super::step::{Action, Excluded, Plan, PlanAccount, Step, Target};
use crate::finding::{Diagnostic, Evidence};
use crate::report::schema::Credential;
use crate::report::time::Timestamp;

/// When credentials were first in the steps of a plan, whatever was to be done about them.
#[derive(Clone, Debug, Default)]
pub struct Announced(BTreeMap<String, Timestamp>);

impl Announced {
    /// Those of an earlier plan.
    pub fn of(plan: &Plan) -> Self {
        let mut first: BTreeMap<String, Timestamp> = BTreeMap::new();
        for step in &plan.steps {
            let planned = first
                .entry(credential_id(&step.target, false))
                .or_insert(step.first_planned);
            *planned = (*planned).min(step.first_planned);
        }
        Self(first)
    }
}

/// What a plan is made of, besides what was gathered.
#[derive(Debug)]
pub struct PlanInput {
    /// When it is made.
    pub created: Timestamp,
    /// How it is decided.
    pub options: Options,
    /// What an earlier plan announced.
    pub announced: Announced,
    /// What it is made with.
    pub evidence: Option<Evidence>,
    /// SHA-256 of the inputs, by path.
    pub digests: BTreeMap<String, String>,
    /// Problems and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes the plan.
pub fn plan(collected: &Collected, input: PlanInput) -> Plan {
    let mut steps: Vec<(Risk, Step)> = Vec::new();
    let mut excluded: Vec<Excluded> = Vec::new();
    for user in &collected.users {
        let all = decide(user, &input.options);
        for decided in &all {
            let target = target(user, decided);
            match decided.action {
                Ok(action) => {
                    let step = step(user, (decided, &all), action, target, &input);
                    steps.push((Risk::of(user, decided), step));
                }
                Err(reason) => excluded.push(Excluded {
                    id: credential_id(&target, user.keys_share_a_second()),
                    action: None,
                    breaks: breaks(user, decided.credential, Action::Deactivate),
                    first_planned: None,
                    reason,
                    why: reason.why().to_owned(),
                    instead: reason.instead().to_owned(),
                    target,
                }),
            }
        }
    }
    // Several rows of a user lead to one entry.
    let mut known = BTreeSet::new();
    excluded.retain(|it| it.reason != Reason::DuplicateUser || known.insert(it.id.clone()));
    steps.sort_by(|(one, _), (other, _)| one.cmp(other));
    let steps: Vec<Step> = steps.into_iter().map(|(_, step)| step).collect();
    let mut instants = collected.accounts.values().map(|account| account.as_of);
    let as_of = instants
        .next()
        .filter(|first| instants.all(|other| other == *first));
    Plan {
        schema: Plan::SCHEMA.to_owned(),
        id: plan_id(input.created, &steps),
        created: input.created,
        as_of,
        quiet_days: input.options.quiet_days,
        evidence: input.evidence,
        accounts: accounts(collected, &input.digests),
        steps,
        excluded,
        diagnostics: input.diagnostics,
    }
}

fn accounts(collected: &Collected, digests: &BTreeMap<String, String>) -> Vec<PlanAccount> {
    let accounts = collected.accounts.iter().map(|(id, account)| PlanAccount {
        id: id.clone(),
        name: account.name.clone(),
        active_keys: account.active_keys,
        generated: account.generated,
        as_of: account.as_of,
        source: account.path.clone(),
        sha256: digests.get(&account.path).cloned(),
    });
    accounts.collect()
}

/// The order of steps: what was never used comes first, then what was used longest ago, then what may be in use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Risk {
    use_: UseRisk,
    account: Option<String>,
    user: String,
    /// Steps about the user come after those about its credentials.
    is_of_user: bool,
    credential: Option<Credential>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum UseRisk {
    Never,
    At(Timestamp),
    Unknown,
}

impl Risk {
    fn of(user: &User, decided: &Decided<'_>) -> Self {
        let use_ = match last_use(user, decided.credential) {
            Some(LastUse::Never) => UseRisk::Never,
            Some(LastUse::At(time)) => UseRisk::At(time),
            Some(LastUse::EmptyCell | LastUse::Unknown) | None => UseRisk::Unknown,
        };
        Self {
            use_,
            account: user.account.clone(),
            user: user.name.clone(),
            is_of_user: decided.credential.is_none(),
            credential: decided.credential,
        }
    }
}

/// The last use of a credential, as far as a report knows it; of a user the latest of all.
fn last_use(user: &User, credential: Option<Credential>) -> Option<LastUse> {
    match credential {
        Some(Credential::AccessKey(slot)) => user.key(slot).map(|key| key.last_used),
        Some(Credential::Password) => user.credentials.password_last_used,
        Some(Credential::Certificate(_) | Credential::ServiceCredential) => None,
        None => {
            let of_keys = user.keys.iter().flatten().map(|key| key.last_used);
            let all: Vec<LastUse> = of_keys.chain(user.credentials.password_last_used).collect();
            let times = all.iter().filter_map(|last_use| match last_use {
                LastUse::At(time) => Some(*time),
                LastUse::Never | LastUse::EmptyCell | LastUse::Unknown => None,
            });
            match times.max() {
                Some(time) => Some(LastUse::At(time)),
                None if all.iter().all(|last_use| *last_use == LastUse::Never) => Some(LastUse::Never),
                None => None,
            }
        }
    }
}

fn target(user: &User, decided: &Decided<'_>) -> Target {
    let key = slot_of(decided.credential).and_then(|slot| user.key(slot));
    let service = decided.service_credential.as_ref();
    let last_used = match last_use(user, decided.credential) {
        Some(LastUse::At(time)) => Some(time),
        Some(LastUse::Never | LastUse::EmptyCell | LastUse::Unknown) | None => None,
    };
    let mut rules: Vec<String> = decided
        .problems
        .iter()
        .map(|problem| problem.rule.clone())
        .collect();
    rules.dedup();
    let mut requirements: Vec<String> = decided
        .problems
        .iter()
        .flat_map(|problem| problem.requirements.clone())
        .collect();
    requirements.sort();
    requirements.dedup();
    Target {
        account: user.account.clone(),
        account_name: user.account_name.clone(),
        user: user.name.clone(),
        arn: user.arn.clone(),
        credential: decided.credential,
        key_created: key
            .and_then(|key| key.created)
            .or(service.and_then(|(_, created)| *created)),
        access_key_id: key
            .and_then(|key| key.id.clone())
            .or(service.map(|(id, _)| id.clone())),
        description: key.and_then(|key| key.description.clone()),
        last_used,
        last_service: key.and_then(|key| key.service.clone()),
        owner: user.owner.clone(),
        rules,
        findings: decided.problems.iter().map(|problem| problem.id).collect(),
        requirements,
    }
}

/// The step of one decision; `all` are those about the user.
fn step(
    user: &User,
    (decided, all): (&Decided<'_>, &[Decided<'_>]),
    action: Action,
    target: Target,
    input: &PlanInput,
) -> Step {
    let first_planned = input.announced.0.get(&credential_id(&target, false)).copied();
    let id = step_id(&target, action, user.keys_share_a_second());
    let fixes: Vec<_> = decided.problems.iter().map(|it| (&*it.rule, &*it.fix)).collect();
    let other = slot_of(decided.credential).map(|slot| Credential::AccessKey(slot.other()));
    let of_other = all.iter().find(|it| other.is_some() && it.credential == other);
    let of_other = of_other.and_then(|it| it.action.ok());
    let instructions = Instructions::of(user, decided.credential, action, &fixes, of_other);
    Step {
        // What was announced for later is not announced yet.
        first_planned: first_planned.map_or(input.created, |first| first.min(input.created)),
        id,
        action,
        quiet_days: (action == Action::Deactivate).then_some(decided.quiet_days),
        why: why(user, decided, action),
        breaks: breaks(user, decided.credential, action),
        target,
        instructions: instructions.todo,
        check: instructions.check,
        undo: instructions.undo,
    }
}

fn why(user: &User, decided: &Decided<'_>, action: Action) -> String {
    let key = slot_of(decided.credential).and_then(|slot| user.key(slot));
    // Disuse is known up to the report, whatever the as-of.
    let until = user.known_until().unwrap_or(user.as_of);
    let age = |time: Timestamp| days_between(time, until);
    match (action, key) {
        (Action::Deactivate, Some(key)) => match (key.last_used, key.created) {
            (LastUse::At(time), _) => {
                format!(
                    "idle for {}; the quiet days are {}",
                    days(age(time)),
                    decided.quiet_days
                )
            }
            (_, Some(created)) => format!(
                "never used, and {} old; the quiet days are {}",
                days(age(created)),
                decided.quiet_days
            ),
            (_, None) => "never used".to_owned(),
        },
        (Action::Rotate, Some(key)) => {
            let created = key.created.map(|time| format!("{} old", days(age(time))));
            let used = match key.last_used {
                LastUse::At(time) if age(time) == 0 => {
                    "and was used within a day before the report".to_owned()
                }
                LastUse::At(time) => format!("and was used {} before the report", days(age(time))),
                LastUse::Never => "and was never used, but is younger than the quiet days".to_owned(),
                LastUse::EmptyCell | LastUse::Unknown => "and may be in use".to_owned(),
            };
            format!(
                "the key is {} {used}",
                created.unwrap_or_else(|| "old".to_owned())
            )
        }
        (Action::Delete, Some(_)) => "the key has been inactive for at least 30 days".to_owned(),
        (Action::Deactivate | Action::Rotate | Action::Manual | Action::Delete, _) => {
            let mut titles: Vec<&str> = decided.problems.iter().map(|problem| &*problem.title).collect();
            titles.dedup();
            titles.join("; ")
        }
    }
}

/// `1 day`, `52 days`.
fn days(count: u64) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}

/// What uses the credential, as far as that is known; nothing where it was never used.
fn breaks(user: &User, credential: Option<Credential>, action: Action) -> Option<String> {
    if action == Action::Delete {
        return None;
    }
    let used = last_use(user, credential)?;
    let LastUse::At(time) = used else {
        return (used != LastUse::Never)
            .then(|| "unknown: the report does not say when it was last used".to_owned());
    };
    let key = slot_of(credential).and_then(|slot| user.key(slot));
    let Some(key) = key else {
        let what = if credential.is_some() {
            "the sign-in of this user"
        } else {
            "what this user does"
        };
        return Some(format!("{what}, last on {time}"));
    };
    let service = key.service.as_deref().unwrap_or("an unknown service");
    let region = key
        .region
        .as_deref()
        .map_or_else(String::new, |region| format!(" in {region}"));
    Some(format!("whatever used {service}{region}, last on {time}"))
}

/// Identifies a step: its account, user, credential and action. A key is identified by its creation time, since slots
/// change, and by its slot only if the other one was created in the same second.
fn step_id(target: &Target, action: Action, same_second: bool) -> String {
    let text = format!("{}\0{}", credential_id(target, same_second), action.name());
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// Identifies a credential, or a user.
fn credential_id(target: &Target, same_second: bool) -> String {
    let credential = match target.credential {
        Some(Credential::AccessKey(_)) if !same_second => "access_key".to_owned(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let created = target
        .key_created
        .map(|time| time.to_string())
        .unwrap_or_default();
    let of_service = target.credential == Some(Credential::ServiceCredential);
    let parts = [
        target.account.as_deref().unwrap_or_default(),
        target.arn.as_deref().unwrap_or(&target.user),
        &credential,
        &created,
        target
            .access_key_id
            .as_deref()
            .filter(|_| of_service)
            .unwrap_or_default(),
    ];
    format!("{:032x}", xxh3_128(parts.join("\0").as_bytes()))
}

/// Identifies a plan: when it was made, and its steps.
fn plan_id(created: Timestamp, steps: &[Step]) -> String {
    let ids: String = steps.iter().map(|step| step.id.as_str()).collect();
    let text = format!("{created}\0{ids}");
    format!("{:016x}", xxh3_128(text.as_bytes()) >> 64)
}

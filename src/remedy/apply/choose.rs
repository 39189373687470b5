//! Which steps of a plan are applied, and whether any may be: limits and ages are checked before AWS is asked anything.

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::Refusal;
use crate::remedy::journal::{Begin, Limits, StepKey};
use crate::remedy::step::{Action, Plan, PlanAccount, Step};
use crate::report::cell::{account_of, is_account_id, path_of, resource_of};
use crate::report::chunk::ROOT;
use crate::report::schema::Credential;
use crate::report::time::Timestamp;
use crate::rule::{Filters, UserToFilter, is_user_name};

/// How many keys of an account may be changed whatever share of its keys they are.
pub(super) const ALWAYS_ALLOWED: u64 = 3;

/// How far clocks of different machines may differ, in seconds.
const CLOCKS_DIFFER: i64 = 300;

/// How many letters of a step's id name it at least.
pub(super) const SHORTEST_ID: usize = 6;

/// What chooses among the steps of a plan.
#[derive(Debug, Default)]
pub struct Selection {
    /// Numbers of steps in the plan, or their ids, which may be cut short; all steps if there are none.
    pub steps: Vec<String>,
    /// Filters of users and accounts.
    pub filters: Filters,
    /// An older plan: only what was in it long enough ago is applied.
    pub announced: Option<Plan>,
}

/// The steps that are to be applied.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// In the order of the plan.
    pub steps: Vec<Step>,
    /// Their numbers in the plan, from 1.
    pub numbers: Vec<u64>,
    /// Their accounts.
    pub accounts: Vec<PlanAccount>,
    /// How many other steps that deactivate a key the older plan does not announce, or not for long enough.
    pub unannounced: u64,
    /// How many steps are for people.
    pub for_people: u64,
}

/// Chooses steps, and checks all limits. Nothing may be applied if this fails.
///
/// # Errors
/// Why nothing is applied.
pub fn choose(
    plan: &Plan,
    selection: &Selection,
    limits: &Limits,
    now: Timestamp,
) -> Result<Chosen, Refusal> {
    check_form(plan)?;
    let named = named_steps(plan, &selection.steps)?;
    let older = selection.announced.as_ref();
    let announced = older.map(|older| announced_by(older, limits, now));
    let mut chosen = Chosen::default();
    for (number, step) in (1..).zip(&plan.steps) {
        if step.action != Action::Deactivate {
            chosen.for_people += 1;
            continue;
        }
        let is_named = named.as_ref().is_none_or(|named| named.contains(&number));
        if !is_named || !selection.admits(step) {
            continue;
        }
        let is_announced = |announced: &BTreeSet<&str>| announced.contains(&*step.id);
        if !announced.as_ref().is_none_or(is_announced) {
            chosen.unannounced += 1;
            continue;
        }
        chosen.steps.push(step.clone());
        chosen.numbers.push(number as u64);
    }
    check_plan_age(plan.created, limits, now)?;
    chosen.accounts = accounts_of(plan, &chosen.steps)?;
    for account in &chosen.accounts {
        check_report(plan, account, limits, now)?;
    }
    check_limits(&chosen, limits)?;
    Ok(chosen)
}

/// Whether credlens could have written this plan: each key once, and each id.
fn check_form(plan: &Plan) -> Result<(), Refusal> {
    if plan.id.is_empty() || !plan.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::InvalidPlan("its id is not one of credlens"));
    }
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let steps = (1..).zip(&plan.steps);
    for (number, step) in steps.filter(|(_, step)| step.action == Action::Deactivate) {
        check_step(number, step)?;
        let target = &step.target;
        let user = (&target.account, &target.user);
        if !keys.insert((user, target.key_created, &target.access_key_id)) {
            return Err(Refusal::Invalid(number, "an earlier step is about the same key"));
        }
        if !ids.insert(&step.id) {
            return Err(Refusal::Invalid(number, "an earlier step has the same id"));
        }
    }
    Ok(())
}

/// Checks everything again when a run goes on: the journal may have been edited, and plan and reports are older now.
///
/// # Errors
/// Why nothing is applied.
pub fn check_again(begin: &Begin, now: Timestamp) -> Result<(), Refusal> {
    let plan = Plan {
        schema: Plan::SCHEMA.to_owned(),
        id: begin.plan.id.clone(),
        created: begin.plan.created,
        as_of: None,
        quiet_days: None,
        evidence: None,
        accounts: begin.accounts.clone(),
        steps: begin.steps.clone(),
        excluded: Vec::new(),
        diagnostics: Vec::new(),
    };
    let chosen = choose(&plan, &Selection::default(), &begin.limits, now)?;
    if chosen.steps.len() == begin.steps.len() {
        Ok(())
    } else {
        Err(Refusal::InvalidPlan("it has steps that are for people"))
    }
}

impl Selection {
    fn admits(&self, step: &Step) -> bool {
        let target = &step.target;
        let arn = target.arn.as_deref().unwrap_or_default();
        self.filters.admits(&UserToFilter {
            user: Some(target.user.as_bytes()),
            path: path_of(arn.as_bytes()),
            account: target.account.as_deref().map(str::as_bytes),
            account_name: target.account_name.as_deref().map(str::as_bytes),
        })
    }
}

/// The numbers of the steps that are named; none if none are.
fn named_steps(plan: &Plan, names: &[String]) -> Result<Option<BTreeSet<usize>>, Refusal> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut numbers = BTreeSet::new();
    for name in names {
        let number = number_of(plan, name).ok_or_else(|| Refusal::NoStep(name.clone()))?;
        let action = plan.steps[number - 1].action;
        if action != Action::Deactivate {
            return Err(Refusal::ForPeople(number, action));
        }
        numbers.insert(number);
    }
    Ok(Some(numbers))
}

/// A short number is the place of a step in the plan; anything else is the beginning of one id.
fn number_of(plan: &Plan, name: &str) -> Option<usize> {
    if name.len() < SHORTEST_ID {
        let number: usize = name.parse().ok()?;
        return (1..=plan.steps.len()).contains(&number).then_some(number);
    }
    let mut meant = (1..)
        .zip(&plan.steps)
        .filter(|(_, step)| step.id.starts_with(name));
    let (number, _) = meant.next()?;
    meant.next().is_none().then_some(number)
}

/// The ids of the steps that an older plan announced long enough ago.
fn announced_by<'a>(older: &'a Plan, limits: &Limits, now: Timestamp) -> BTreeSet<&'a str> {
    let notice = limits.min_notice.unwrap_or(0);
    let steps = older.steps.iter();
    let steps = steps.filter(|step| {
        // Not `first_planned`: that may be of another action, which announced no outage.
        step.action == Action::Deactivate && now.0.saturating_sub(older.created.0) >= notice
    });
    steps.map(|step| step.id.as_str()).collect()
}

/// Whether credlens could have written this step: a plan that was edited cannot reach further.
fn check_step(number: usize, step: &Step) -> Result<(), Refusal> {
    let target = &step.target;
    let account = target.account.as_deref().unwrap_or_default();
    let arn = target.arn.as_ref().map(String::as_bytes);
    let is_of_account = |arn: &[u8]| account_of(arn) == Some(account.as_bytes());
    let wrong = if target.user == ROOT || arn.and_then(resource_of) == Some(b"root") {
        "root's credentials are never changed"
    } else if !is_user_name(&target.user) {
        "IAM allows no user of this name"
    } else if !is_account_id(account) || !arn.is_none_or(is_of_account) {
        "its account is not valid"
    } else if !matches!(target.credential, Some(Credential::AccessKey(_))) {
        "only access keys are ever deactivated"
    } else if StepKey::of(step).is_none() {
        "it does not say when the key was created"
    } else if step.quiet_days.is_none_or(|days| days < 1) {
        "it does not say how many quiet days count"
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid(number, wrong))
}

/// The accounts of steps, as the plan lists them.
fn accounts_of(plan: &Plan, steps: &[Step]) -> Result<Vec<PlanAccount>, Refusal> {
    let wanted: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| step.target.account.as_deref())
        .collect();
    let accounts = wanted.into_iter().map(|id| {
        let mut of_plan = plan
            .accounts
            .iter()
            .filter(|account| account.id.as_deref() == Some(id));
        let account = of_plan
            .next()
            .ok_or_else(|| Refusal::UndatedReport(id.to_owned()))?;
        match of_plan.next() {
            None => Ok(account.clone()),
            Some(_) => Err(Refusal::InvalidPlan("it lists an account twice")),
        }
    });
    accounts.collect()
}

fn check_plan_age(made: Timestamp, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
    let age = now.0.saturating_sub(made.0);
    if age < -CLOCKS_DIFFER {
        return Err(Refusal::LaterPlan(made));
    }
    if age > limits.max_plan_age {
        let most = span(limits.max_plan_age);
        return Err(Refusal::OldPlan { made, most });
    }
    Ok(())
}

fn check_report(plan: &Plan, account: &PlanAccount, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
    if account.as_of > plan.created {
        return Err(Refusal::LaterAsOf {
            account: name_of(account),
            as_of: account.as_of,
            made: plan.created,
        });
    }
    check_report_age(account, limits, now)
}

fn check_report_age(account: &PlanAccount, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
    let generated = account
        .generated
        .ok_or_else(|| Refusal::UndatedReport(name_of(account)))?;
    if generated.0.saturating_sub(now.0) > CLOCKS_DIFFER {
        return Err(Refusal::LaterReport {
            account: name_of(account),
            generated,
        });
    }
    if now.0.saturating_sub(generated.0) > limits.max_report_age {
        return Err(Refusal::OldReport {
            account: name_of(account),
            generated,
            most: span(limits.max_report_age),
        });
    }
    Ok(())
}

fn name_of(account: &PlanAccount) -> String {
    account.id.clone().unwrap_or_default()
}

fn check_limits(chosen: &Chosen, limits: &Limits) -> Result<(), Refusal> {
    let changes = chosen.steps.len() as u64;
    if changes > limits.max_changes {
        let most = limits.max_changes;
        return Err(Refusal::TooMany { changes, most });
    }
    let mut by_account: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for step in &chosen.steps {
        *by_account.entry(step.target.account.as_deref()).or_default() += 1;
    }
    for account in &chosen.accounts {
        let changes = by_account.get(&account.id.as_deref()).copied().unwrap_or(0);
        let share = limits.max_share;
        let of_share = account
            .active_keys
            .map_or(0, |active| active.saturating_mul(share) / 100);
        let allowed = of_share.max(ALWAYS_ALLOWED);
        if changes <= allowed {
            continue;
        }
        let account_name = name_of(account);
        return Err(match account.active_keys {
            None => Refusal::UnknownShare {
                account: account_name,
                changes,
            },
            Some(active) => Refusal::TooGreatAShare {
                account: account_name,
                changes,
                allowed,
                share,
                active,
                needed: (changes * 100).div_ceil(active.max(1)).min(100),
            },
        });
    }
    Ok(())
}

/// `1 day`, `36 hours`, `90 seconds`.
pub fn span(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let unit = units
        .into_iter()
        .find(|(length, _)| seconds % length == 0 && seconds >= *length);
    let (length, name) = unit.unwrap_or((1, "second"));
    let count = seconds / length;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

//! Which steps of a plan are applied, and whether any may be: limits and ages are checked before AWS is asked anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::remedy::journal::{Begin, Limits, StepKey};
use crate::remedy::step::{Action, Plan, PlanAccount, Step};
use crate::report::cell::{is_account_id, path_of};
use crate::report::chunk::ROOT;
use crate::report::schema::Credential;
use crate::report::time::Timestamp;
use crate::rule::{Filters, UserToFilter, is_user_name};

/// How many keys of an account may be changed whatever share of its keys they are.
const ALWAYS_ALLOWED: u64 = 3;

/// How far clocks of different machines may differ, in seconds.
const CLOCKS_DIFFER: i64 = 300;

/// How many letters of a step's id name it at least.
const SHORTEST_ID: usize = 6;

/// What chooses among the steps of a plan.
#[derive(Debug, Default)]
pub struct Selection {
    /// Numbers of steps in the plan, or their ids, which may be cut short; all steps if there are none.
    pub steps: Vec<String>,
    /// Filters of users and accounts.
    pub filters: Filters,
    /// An older plan: only what stood in it long enough ago is applied.
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

/// Why nothing is applied.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// More changes than are allowed.
    #[error(
        "the plan has {changes} changes, and at most {most} are allowed at once; apply a part of it with --step, --user or \
         --account, or raise --max-changes"
    )]
    TooMany {
        /// How many steps there are.
        changes: u64,
        /// How many are allowed.
        most: u64,
    },
    /// A greater share of an account's keys than is allowed.
    #[error(
        "the plan has {changes} changes in account {account}, and at most {allowed} are allowed: {share} percent of its {active} \
         active keys, but always {ALWAYS_ALLOWED}; apply a part of it with --step or --user, or raise --max-share to {needed}"
    )]
    TooGreatAShare {
        /// The account.
        account: String,
        /// How many steps there are in it.
        changes: u64,
        /// How many are allowed.
        allowed: u64,
        /// The share that is allowed, in percent.
        share: u64,
        /// How many active keys it has.
        active: u64,
        /// The share that would be enough, in percent.
        needed: u64,
    },
    /// The plan is too old.
    #[error(
        "the plan was made {made}, more than {most} ago: keys may have been used since; make a new plan, or raise --max-plan-age"
    )]
    OldPlan {
        /// When it was made.
        made: Timestamp,
        /// How old it may be.
        most: String,
    },
    /// The plan is of a later time than now.
    #[error(
        "the plan was made {0}, which is later than this machine's clock says; correct the clock, or make a new plan"
    )]
    LaterPlan(Timestamp),
    /// A report is too old.
    #[error(
        "the report of account {account} was made {made}, more than {most} ago; make a plan from a new report, or raise \
         --max-report-age"
    )]
    OldReport {
        /// The account.
        account: String,
        /// When its report was made.
        made: Timestamp,
        /// How old it may be.
        most: String,
    },
    /// A report is of a later time than now.
    #[error(
        "the report of account {account} was made {made}, which is later than this machine's clock says; correct the clock, or make a \
         new plan"
    )]
    LaterReport {
        /// The account.
        account: String,
        /// When its report was made.
        made: Timestamp,
    },
    /// Nothing says how many keys an account has.
    #[error(
        "the plan has {changes} changes in account {account} and does not say how many active keys it has, so that at most \
         {ALWAYS_ALLOWED} are allowed; apply a part of it with --step or --user, or make a plan from a report with all columns"
    )]
    UnknownShare {
        /// The account.
        account: String,
        /// How many steps there are in it.
        changes: u64,
    },
    /// The plan is not one that credlens writes.
    #[error("the plan cannot be applied: {0}; make a new plan")]
    InvalidPlan(&'static str),
    /// Nothing says when a report was made.
    #[error(
        "the plan does not say when the report of account {0} was made; make a plan from a report with its time"
    )]
    UndatedReport(String),
    /// The plan counts ages to a later time than it was made at.
    #[error(
        "the plan counts the ages of account {account} to {as_of}, which is later than it was made ({made}): keys would look older \
         than they are; make a plan without --as-of"
    )]
    LaterAsOf {
        /// The account.
        account: String,
        /// The time to which ages are counted.
        as_of: Timestamp,
        /// When the plan was made.
        made: Timestamp,
    },
    /// A step is named that the plan does not have.
    #[error(
        "the plan has no step '{0}'; name its number, or its id or the beginning of it (at least {SHORTEST_ID} letters)"
    )]
    NoStep(String),
    /// A step is named that is for people.
    #[error("step {0} is to {1}, which is for people: only keys are ever deactivated")]
    ForPeople(usize, Action),
    /// A step is not one that credlens writes.
    #[error("step {0} of the plan cannot be applied: {1}; make a new plan")]
    Invalid(usize, &'static str),
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
    let named = named_steps(plan, &selection.steps)?;
    let announced = selection
        .announced
        .as_ref()
        .map(|older| announced_by(older, limits, now));
    let mut chosen = Chosen::default();
    if plan.id.is_empty() || !plan.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::InvalidPlan("its id is not one of credlens"));
    }
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (number, step) in (1..).zip(&plan.steps) {
        if step.action != Action::Deactivate {
            chosen.for_people += 1;
            continue;
        }
        check_step(number, step)?;
        let target = &step.target;
        if !keys.insert((
            &target.account,
            &target.user,
            target.key_created,
            &target.access_key_id,
        )) {
            return Err(Refusal::Invalid(number, "an earlier step is about the same key"));
        }
        if !ids.insert(&step.id) {
            return Err(Refusal::Invalid(number, "an earlier step has the same id"));
        }
        let is_named = named.as_ref().is_none_or(|named| named.contains(&number));
        if !is_named || !selection.admits(step) {
            continue;
        }
        if announced
            .as_ref()
            .is_some_and(|announced| !announced.contains(&*step.id))
        {
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

/// Whether a step is one that a plan of ours may have: whoever edits a plan does not get further than that.
fn check_step(number: usize, step: &Step) -> Result<(), Refusal> {
    let target = &step.target;
    let account = target.account.as_deref().unwrap_or_default();
    let is_of_account = |arn: &String| arn.split(':').nth(4) == Some(account);
    let wrong = if target.user == ROOT || target.arn.as_ref().is_some_and(|arn| arn.ends_with(":root")) {
        "root's credentials are never changed"
    } else if !is_user_name(&target.user) {
        "IAM allows no user of this name"
    } else if !is_account_id(account) || !target.arn.as_ref().is_none_or(is_of_account) {
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
    let made = account
        .generated
        .ok_or_else(|| Refusal::UndatedReport(name_of(account)))?;
    if made.0.saturating_sub(now.0) > CLOCKS_DIFFER {
        return Err(Refusal::LaterReport {
            account: name_of(account),
            made,
        });
    }
    if now.0.saturating_sub(made.0) > limits.max_report_age {
        return Err(Refusal::OldReport {
            account: name_of(account),
            made,
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

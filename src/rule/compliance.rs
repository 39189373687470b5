//! The results of frameworks and their requirements, computed from the results of rules.

use super::bound::BoundRule;
use super::framework::{Coverage, Framework, Requirement};
use super::select::WeakenedParameter;
use crate::finding::{
    AccountVerdicts, AccountsOfRequirement, Decided, FrameworkTally, Outcome, RelatedTally, RequirementTally,
    RuleTally, Tally,
};
use crate::gsl::typed::Entity;

/// Why a requirement that a rule about root decides is undetermined.
const LACKS_ROOT: &str = "An account has no row of root, so a rule about root says nothing there.";

/// Why such a requirement is not evaluated.
const LEAVES_OUT_ROOT: &str = "Filters leave out root, so the rule about it was not evaluated.";

/// Why a requirement is not evaluated that a rule about service-specific credentials decides.
const LACKS_DETAILS: &str =
    "Service-specific credentials are not in a report, so the rule about them was not run: use --details.";

/// The result of each framework. `rules` are the rules that ran, in the order of the tally; `accounts` are those that were
/// evaluated.
pub fn compliance<'a>(
    frameworks: impl IntoIterator<Item = &'a Framework>,
    rules: impl IntoIterator<Item = &'a BoundRule>,
    weakened: &[WeakenedParameter],
    level: Option<u8>,
    (tally, accounts): (&'a Tally, &[AccountVerdicts]),
) -> Vec<FrameworkTally> {
    let users: u64 = tally.inputs.iter().filter_map(|input| input.users).sum();
    let of_rule = |(position, (bound, rule)): (usize, (&'a BoundRule, &'a RuleTally))| {
        let is_about_root = bound.is_about_root();
        RuleResult {
            bound,
            position,
            tally: rule,
            lacks_root: is_about_root && (tally.roots == 0 || tally.lacks_root),
            is_partial: tally.is_partial,
            had_users: users > 0,
        }
    };
    let rules = rules.into_iter().zip(&tally.rules).enumerate();
    let rules: Vec<_> = rules.map(of_rule).collect();
    let frameworks = frameworks.into_iter().map(|framework| FrameworkTally {
        framework: framework.name.clone(),
        title: framework.title.clone(),
        version: framework.version.clone(),
        date: framework.date.clone(),
        status: framework.status,
        retired: framework.retired.clone(),
        source: framework.source.clone(),
        level: level.filter(|_| !framework.levels().is_empty()),
        requirements: framework
            .requirements
            .iter()
            .map(|requirement| requirement_tally((framework, requirement), &rules, accounts, weakened))
            .collect(),
    });
    frameworks.collect()
}

/// A rule, its tally, and whether the reports had users that it is about: for a rule about root, that of each account.
struct RuleResult<'a> {
    bound: &'a BoundRule,
    /// Its position among the rules that ran.
    position: usize,
    tally: &'a RuleTally,
    lacks_root: bool,
    /// Whether root may be missing because filters leave it out.
    is_partial: bool,
    had_users: bool,
}

fn requirement_tally(
    (framework, requirement): (&Framework, &Requirement),
    rules: &[RuleResult<'_>],
    accounts: &[AccountVerdicts],
    weakened: &[WeakenedParameter],
) -> RequirementTally {
    let name = framework.qualified(requirement);
    let naming = |names: fn(&BoundRule) -> &[String]| -> Vec<&RuleResult<'_>> {
        let is_named = |rule: &&RuleResult<'_>| names(rule.bound).contains(&name);
        rules.iter().filter(is_named).collect()
    };
    let deciding = naming(|bound| &bound.requirements);
    let sum = |count: fn(&RuleTally) -> u64| sum(&deciding, count);
    let (failed, undetermined) = (sum(|tally| tally.failed), sum(|tally| tally.undetermined));
    let lacks_root = deciding.iter().any(|rule| rule.lacks_root);
    let lacks_details = deciding.iter().any(|rule| rule.tally.not_run.is_some());
    let is_undetermined =
        undetermined > 0 || lacks_root || lacks_details || deciding.iter().any(|rule| !rule.had_users);
    let is_left_out = deciding.iter().any(|rule| rule.lacks_root && rule.is_partial);
    let outcome = outcome(requirement.coverage, failed, is_undetermined);
    let is_open = outcome == Outcome::Undetermined;
    let (outcome, missing) = if is_open && is_left_out {
        (Outcome::NotEvaluated, Some(LEAVES_OUT_ROOT))
    } else if is_open && lacks_details {
        (Outcome::NotEvaluated, Some(LACKS_DETAILS))
    } else {
        (outcome, (is_open && lacks_root).then_some(LACKS_ROOT))
    };
    let why: Vec<&str> = requirement.why.as_deref().into_iter().chain(missing).collect();
    let warnings = weakened.iter().filter(|weakened| weakened.requirement == name);
    RequirementTally {
        id: requirement.id.clone(),
        title: requirement.title.clone(),
        assessment: requirement.assessment,
        level: requirement.level,
        outcome,
        decided: decided(requirement.coverage),
        nothing: nothing(&deciding).filter(|_| outcome_is_of_nothing(outcome)),
        accounts: (decided(requirement.coverage) != Decided::No).then(|| by_account(&deciding, accounts)),
        rules: ids(&deciding),
        passed: sum(|tally| tally.passed),
        failed,
        undetermined,
        suppressed: sum(|tally| tally.suppressed),
        related: related_tally(&naming(|bound| &bound.related)),
        why: (!why.is_empty()).then(|| as_sentences(&why)),
        warnings: warnings.map(ToString::to_string).collect(),
    }
}

fn decided(coverage: Coverage) -> Decided {
    match coverage {
        Coverage::Full => Decided::Yes,
        Coverage::Partial => Decided::Partly,
        Coverage::Related | Coverage::Manual => Decided::No,
    }
}

fn outcome_is_of_nothing(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Pass | Outcome::Partial)
}

/// What these rules are about and does not exist, if they had nothing to evaluate: `no access key exists`.
fn nothing(deciding: &[&RuleResult<'_>]) -> Option<String> {
    if deciding.is_empty() || sum(deciding, |tally| tally.relevant) > 0 {
        return None;
    }
    let mut missing: Vec<String> = Vec::new();
    for entity in Entity::ALL {
        let of_entity = deciding.iter().filter(|rule| rule.bound.typed.entity == entity);
        let of_entity: Vec<&RuleResult<'_>> = of_entity.copied().collect();
        if of_entity.is_empty() {
            continue;
        }
        let what = match entity {
            Entity::IamUser => "user",
            Entity::IamAccessKey => "access key",
            Entity::IamSigningCertificate => "signing certificate",
            Entity::IamServiceCredential => "service-specific credential",
        };
        let is_any = of_entity.iter().any(|rule| rule.tally.tested > 0);
        missing.push(if is_any {
            format!("no {what} is in its scope")
        } else {
            format!("no {what} exists")
        });
    }
    Some(missing.join(", "))
}

/// How many of the accounts pass and fail all of these rules.
fn by_account(deciding: &[&RuleResult<'_>], accounts: &[AccountVerdicts]) -> AccountsOfRequirement {
    let mut counts = AccountsOfRequirement::default();
    let deciding: Vec<(usize, bool)> = deciding
        .iter()
        .map(|rule| (rule.position, rule.bound.is_about_root()))
        .collect();
    for account in accounts {
        let is_undetermined = |&(rule, is_about_root): &(usize, bool)| {
            account.undetermined[rule] || is_about_root && !account.has_root
        };
        if deciding.iter().any(|&(rule, _)| account.fails[rule]) {
            counts.failing += 1;
        } else if deciding.iter().any(is_undetermined) {
            counts.undetermined += 1;
        } else {
            counts.passing += 1;
        }
    }
    counts
}

fn related_tally(related: &[&RuleResult<'_>]) -> RelatedTally {
    RelatedTally {
        rules: ids(related),
        passed: sum(related, |tally| tally.passed),
        failed: sum(related, |tally| tally.failed),
        undetermined: sum(related, |tally| tally.undetermined),
        suppressed: sum(related, |tally| tally.suppressed),
    }
}

fn ids(rules: &[&RuleResult<'_>]) -> Vec<String> {
    rules.iter().map(|rule| rule.tally.id.clone()).collect()
}

fn sum(rules: &[&RuleResult<'_>], count: fn(&RuleTally) -> u64) -> u64 {
    rules.iter().map(|rule| count(rule.tally)).sum()
}

/// Texts as sentences: one that is followed by another gets a full stop if it has none.
fn as_sentences(texts: &[&str]) -> String {
    let mut all = String::new();
    for text in texts {
        if !all.is_empty() {
            all.truncate(all.trim_end().len());
            all += if all.ends_with(['.', '!', '?']) { " " } else { ". " };
        }
        all += text;
    }
    all
}

/// Without users to evaluate (a report without root, for a rule about root), the result is undetermined.
fn outcome(coverage: Coverage, failed: u64, is_undetermined: bool) -> Outcome {
    match coverage {
        Coverage::Manual => Outcome::Manual,
        Coverage::Related => Outcome::Related,
        Coverage::Full | Coverage::Partial if failed > 0 => Outcome::Fail,
        Coverage::Full | Coverage::Partial if is_undetermined => Outcome::Undetermined,
        Coverage::Partial => Outcome::Partial,
        Coverage::Full => Outcome::Pass,
    }
}

//! How frameworks came out, from how their rules did.

use super::framework::{Coverage, Framework, Requirement};
use super::select::{BoundRule, Loosened};
use crate::finding::{FrameworkTally, Outcome, RequirementTally, RuleTally};

/// How each framework came out. `rules` are the rules that were judged, each with its tally.
pub fn compliance<'a>(
    frameworks: impl IntoIterator<Item = &'a Framework>,
    rules: &[(&BoundRule, &RuleTally)],
    loosened: &[Loosened],
) -> Vec<FrameworkTally> {
    let frameworks = frameworks.into_iter().map(|framework| FrameworkTally {
        framework: framework.name.clone(),
        title: framework.title.clone(),
        requirements: framework
            .requirements
            .iter()
            .map(|requirement| tally(framework, requirement, rules, loosened))
            .collect(),
    });
    frameworks.collect()
}

fn tally(
    framework: &Framework,
    requirement: &Requirement,
    rules: &[(&BoundRule, &RuleTally)],
    loosened: &[Loosened],
) -> RequirementTally {
    let name = framework.qualified(requirement);
    let deciding = rules
        .iter()
        .filter(|(bound, _)| bound.requirements.contains(&name));
    let tallies: Vec<&RuleTally> = deciding.map(|(_, tally)| *tally).collect();
    let sum = |count: fn(&RuleTally) -> u64| tallies.iter().map(|tally| count(tally)).sum::<u64>();
    let (failed, undetermined) = (sum(|tally| tally.failed), sum(|tally| tally.undetermined));
    let warnings = loosened.iter().filter(|loosened| loosened.requirement == name);
    RequirementTally {
        id: requirement.id.clone(),
        title: requirement.title.clone(),
        outcome: outcome(requirement.coverage, failed, undetermined),
        rules: tallies.iter().map(|tally| tally.id.clone()).collect(),
        passed: sum(|tally| tally.passed),
        failed,
        undetermined,
        suppressed: sum(|tally| tally.suppressed),
        why: requirement.why.clone(),
        warnings: warnings.map(ToString::to_string).collect(),
    }
}

fn outcome(coverage: Coverage, failed: u64, undetermined: u64) -> Outcome {
    match coverage {
        Coverage::Manual => Outcome::Manual,
        Coverage::Full | Coverage::Partial if failed > 0 => Outcome::Fail,
        Coverage::Full | Coverage::Partial if undetermined > 0 => Outcome::Undetermined,
        Coverage::Partial => Outcome::Partial,
        Coverage::Full => Outcome::Pass,
    }
}

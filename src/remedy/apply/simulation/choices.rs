//! Which plans are refused, and which of their steps are chosen.

use super::world::*;
use crate::remedy::apply::*;
use crate::remedy::journal::Limits;
use crate::remedy::step::{Action, Plan, PlanAccount, Target};
use crate::report::schema::Credential;
use crate::report::time::Timestamp;

#[test]
fn limits_refuse_the_whole_plan() {
    let of = |count: usize, active: Option<u64>| {
        let key = key("AKIA", 400, None);
        let steps = (1..=count).map(|number| step(&format!("u{number}"), &key, number));
        let mut plan = plan_of(steps.collect());
        plan.accounts[0].active_keys = active;
        plan
    };
    let choose = |plan: &Plan| choose(plan, &Selection::default(), &limits(), NOW);
    let says = |plan: &Plan| choose(plan).unwrap_err().to_string();
    assert_eq!(choose(&of(25, Some(250))).unwrap().steps.len(), 25);
    assert!(says(&of(26, Some(10_000))).contains("raise --max-changes"));
    // A tenth, rounded down, but always three.
    assert!(choose(&of(3, Some(5))).is_ok());
    assert!(says(&of(4, Some(39))).contains("raise --max-share to 11"));
    assert!(choose(&of(4, Some(40))).is_ok());
    assert!(choose(&of(3, None)).is_ok());
    assert!(says(&of(4, None)).contains("does not say how many active keys"));
}

#[test]
fn plans_that_are_old_or_edited_are_refused() {
    let refuse = |change: &dyn Fn(&mut Plan), words: &str| {
        let mut plan = plan();
        change(&mut plan);
        let error = choose(&plan, &Selection::default(), &limits(), NOW)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
    };
    let account = |change: fn(&mut PlanAccount)| move |plan: &mut Plan| change(&mut plan.accounts[0]);
    refuse(
        &|plan| plan.created = Timestamp(NOW.0 - DAY - 1),
        "--max-plan-age",
    );
    refuse(
        &|plan| plan.created = Timestamp(NOW.0 + 301),
        "later than this machine's clock",
    );
    refuse(
        &account(|it| it.generated = Some(Timestamp(NOW.0 - 2 * DAY - 1))),
        "--max-report-age",
    );
    refuse(&account(|it| it.generated = None), "does not say when the report");
    refuse(
        &account(|it| it.as_of = Timestamp(REPORTED.0 + 1)),
        "later than it was made",
    );
    refuse(&|plan| plan.accounts.clear(), "does not say when the report");
    let target = |change: fn(&mut Target)| move |plan: &mut Plan| change(&mut plan.steps[0].target);
    refuse(&target(|it| it.user = "<root_account>".to_owned()), "root's");
    refuse(
        &target(|it| it.arn = Some(format!("arn:aws:iam::{ACCOUNT}:root"))),
        "root's",
    );
    refuse(&target(|it| it.user = "a b".to_owned()), "no user of this name");
    refuse(
        &target(|it| it.account = Some("1".to_owned())),
        "account is not valid",
    );
    refuse(
        &target(|it| it.arn = Some("arn:aws:iam::999999999999:user/alice".to_owned())),
        "account is not valid",
    );
    refuse(
        &target(|it| it.arn = Some(format!("a:b:c:d:{ACCOUNT}:user/alice"))),
        "account is not valid",
    );
    refuse(
        &target(|it| it.credential = Some(Credential::Password)),
        "only access keys",
    );
    refuse(&target(|it| it.key_created = None), "when the key was created");
    refuse(&|plan| plan.steps[0].quiet_days = None, "quiet days");
    refuse(&|plan| plan.steps[1] = plan.steps[0].clone(), "the same key");
    let mut at_the_limit = plan();
    at_the_limit.created = Timestamp(NOW.0 - DAY);
    at_the_limit.accounts[0].as_of = at_the_limit.created;
    at_the_limit.accounts[0].generated = Some(Timestamp(NOW.0 - 2 * DAY));
    assert!(choose(&at_the_limit, &Selection::default(), &limits(), NOW).is_ok());
}

#[test]
fn steps_are_chosen_by_number_id_and_notice() {
    let mut plan = plan();
    plan.steps[2].action = Action::Rotate;
    let chosen = |names: &[&str]| {
        let selection = Selection {
            steps: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Selection::default()
        };
        let chosen = choose(&plan, &selection, &limits(), NOW)?;
        Ok::<_, Refusal>(
            chosen
                .steps
                .into_iter()
                .map(|step| step.target.user)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(chosen(&[]).unwrap(), ["alice", "carol"]);
    assert_eq!(chosen(&["2"]).unwrap(), ["carol"]);
    assert_eq!(chosen(&["2", "1"]).unwrap(), ["alice", "carol"]);
    assert_eq!(chosen(&["00000000000000000000000000000001"]).unwrap(), ["alice"]);
    for name in ["0", "4", "000000", "ffffff", "x"] {
        assert!(matches!(chosen(&[name]), Err(Refusal::NoStep(_))), "{name}");
    }
    assert!(matches!(
        chosen(&["3"]),
        Err(Refusal::ForPeople(3, Action::Rotate))
    ));

    let announced = |days: i64, first: i64| {
        let mut older = self::plan();
        older.created = Timestamp(NOW.0 - days * DAY);
        older.steps[0].first_planned = Timestamp(NOW.0 - first * DAY);
        older.steps[1].action = Action::Rotate;
        let selection = Selection {
            announced: Some(older),
            ..Selection::default()
        };
        let limits = Limits {
            min_notice: Some(7 * DAY),
            ..limits()
        };
        let chosen = choose(&plan, &selection, &limits, NOW).unwrap();
        (chosen.steps.len(), chosen.unannounced)
    };
    // carol's key was to be rotated then: its deactivation is new.
    assert_eq!(announced(7, 7), (1, 1));
    assert_eq!(announced(6, 6), (0, 2));
    // What was there for longer may have been something else.
    assert_eq!(announced(1, 8), (0, 2));
}

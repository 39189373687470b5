//! What AWS says of a key since the plan was made.

use std::cell::RefCell;

use super::place::*;
use super::world::*;
use crate::remedy::apply::*;
use crate::remedy::journal::{End, Recorded};
use crate::remedy::live::KeyStatus;
use crate::remedy::skip::SkipReason;
use crate::remedy::step::Step;
use crate::report::time::Timestamp;

/// What becomes of alice's key in a changed world.
fn alice(change: impl FnOnce(&mut User)) -> StepReport {
    let mut world = world();
    change(world.users.get_mut("alice").unwrap());
    let before = world.clone();
    let place = Place::new(world);
    place.apply(&Fate::default()).unwrap().unwrap();
    let shown = place.shown.borrow();
    let report = shown.iter().find(|report| report.key.user == "alice").unwrap();
    let after = &place.world.borrow().users["alice"];
    if report.ending != Some(Ending::Done) {
        assert_eq!(*after, before.users["alice"]);
    }
    report.clone()
}

fn skipped(change: impl FnOnce(&mut User)) -> Option<SkipReason> {
    match alice(change).ending? {
        Ending::Skipped(reason) => Some(reason),
        Ending::Done => None,
        other @ (Ending::FoundDone
        | Ending::Doubtful(_)
        | Ending::Failed
        | Ending::Unknown
        | Ending::Interrupted) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn what_changed_since_the_plan_stops_a_step() {
    use SkipReason::*;
    let at = |seconds: i64| Some(Timestamp(NOW.0 - seconds));
    assert_eq!(skipped(|_| {}), None);
    // Exactly as many days as are quiet, and one second less.
    assert_eq!(skipped(|user| user.keys[0].used = at(45 * DAY)), None);
    assert_eq!(skipped(|user| user.keys[0].used = at(45 * DAY - 1)), Some(InUse));
    assert_eq!(skipped(|user| user.keys[0].used = at(-60)), Some(InUse));
    assert_eq!(
        skipped(|user| user.keys[0].status = KeyStatus::Inactive),
        Some(AlreadyInactive)
    );
    assert_eq!(
        skipped(|user| user.keys[0].status = KeyStatus::Expired),
        Some(Expired)
    );
    assert_eq!(skipped(|user| user.keys.clear()), Some(Gone));
    assert_eq!(skipped(|user| user.keys[0].created = Timestamp(1)), Some(Gone));
    // Another key of the same second.
    let twin = |user: &mut User| {
        let twin = Key {
            id: "AKIA9".to_owned(),
            status: KeyStatus::Inactive,
            ..user.keys[0].clone()
        };
        user.keys.push(twin);
    };
    assert_eq!(skipped(twin), Some(Ambiguous));
    // The slots were packed anew.
    assert_eq!(skipped(|user| user.keys.insert(0, key("AKIA9", 3, None))), None);
    assert_eq!(skipped(|user| user.keys[0].service = "ses"), Some(SesSmtp));
    let tag = |key: &'static str, value: &'static str| {
        move |user: &mut User| drop(user.tags.insert(key.to_owned(), value.to_owned()))
    };
    assert_eq!(skipped(tag("credlens-exempt", "true")), Some(Exempt));
    assert_eq!(skipped(tag("credlens-exempt", "")), Some(Exempt));
    assert_eq!(skipped(tag("credlens-exempt", "false")), None);
    assert_eq!(
        skipped(tag("aws:cloudformation:stack-id", "x")),
        Some(InfrastructureAsCode)
    );
    assert_eq!(
        skipped(|user| user.groups.extend(["break-glass".to_owned()])),
        Some(ExemptGroup)
    );
    assert_eq!(skipped(|user| user.groups.extend(["admins".to_owned()])), None);
}

#[test]
fn credentials_of_another_account_change_nothing() {
    let place = Place::new(World {
        account: "999999999999".to_owned(),
        ..world()
    });
    let end = place.apply(&Fate::default()).unwrap().unwrap();
    assert_eq!((end.failed, end.left), (3, 0));
    assert!(place.inactive().is_empty());
}

#[test]
fn a_run_stops_after_some_errors() {
    let mut limits = begin();
    limits.limits.max_errors = 1;
    let world = RefCell::new(World {
        account: "999999999999".to_owned(),
        ..world()
    });
    let fate = Fate::default();
    let text = RefCell::default();
    let steps: Vec<(&Step, Recorded)> = limits
        .steps
        .iter()
        .map(|step| (step, Recorded::NotDone))
        .collect();
    let mut applying = Applying {
        iam: &mut Iam {
            world: &world,
            fate: &fate,
        },
        clock: &|| NOW,
        begin: &limits,
        show: Box::new(|_| {}),
    };
    let mut journal = Journal {
        text: &text,
        fate: &fate,
    };
    let end = applying.apply(&steps, &mut journal).unwrap();
    assert_eq!((end.failed, end.left), (1, 2));
}

#[test]
fn a_look_changes_nothing() {
    let place = Place::new(world());
    let begin = begin();
    let steps: Vec<(&Step, Recorded)> = begin.steps.iter().map(|step| (step, Recorded::NotDone)).collect();
    let fate = Fate::default();
    let mut shown = Vec::new();
    let end = Applying {
        iam: &mut Iam {
            world: &place.world,
            fate: &fate,
        },
        clock: &|| NOW,
        begin: &begin,
        show: Box::new(|report| shown.push(report.clone())),
    }
    .show(&steps);
    assert_eq!(end, End::default());
    assert!(shown.iter().all(|report| report.ending.is_none()));
    assert_eq!(*place.world.borrow(), world());
}

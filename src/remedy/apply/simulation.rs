//! Runs against a simulated IAM and journal, which crash between every two calls and writes, and answer in every way.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;
use crate::remedy::journal::{
    Begin, CallerRef, End, Entry, Guards, JournalText, Limits, PlanRef, Record, Recorded, Replay, Session,
    StepKey,
};
use crate::remedy::live::{Answer, Change, KeyStatus, LiveIam, LiveKey, LiveUse, NoAnswer};
use crate::remedy::skip::SkipReason;
use crate::remedy::step::{Action, Plan, PlanAccount, Step, Target};
use crate::report::schema::{Credential, Slot};
use crate::report::time::Timestamp;

const DAY: i64 = 86_400;
const NOW: Timestamp = Timestamp(1_800_000_000);
const REPORTED: Timestamp = Timestamp(NOW.0 - 3_600);
const ACCOUNT: &str = "111122223333";

/// A run that dies here.
struct Crash;

/// What happens at the n-th call or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The run dies before it.
    Before,
    /// The run dies in the middle of a write; a call was not made.
    Torn,
    /// The run dies after it.
    After,
    /// It fails: a call is not answered and was not made, a write is not kept.
    Fails,
    /// It is made, and its answer is lost.
    Lost,
}

/// Counts calls and writes, and says what happens at one of them.
#[derive(Default)]
struct Fate {
    count: Cell<usize>,
    at: Option<(usize, At)>,
}

impl Fate {
    fn next(&self) -> Option<At> {
        let count = self.count.get();
        self.count.set(count + 1);
        self.at.filter(|(at, _)| *at == count).map(|(_, what)| what)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: String,
    created: Timestamp,
    status: KeyStatus,
    used: Option<Timestamp>,
    service: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct User {
    keys: Vec<Key>,
    tags: BTreeMap<String, String>,
    groups: BTreeSet<String>,
}

/// IAM of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct World {
    account: String,
    users: BTreeMap<String, User>,
}

struct Iam<'a> {
    world: &'a RefCell<World>,
    fate: &'a Fate,
}

impl Iam<'_> {
    fn ask<T>(&self, answer: impl FnOnce(&World) -> T) -> Answer<T> {
        match self.fate.next() {
            Some(At::Before | At::Torn) => resume_unwind(Box::new(Crash)),
            Some(At::After) => {
                let _answer = answer(&self.world.borrow());
                resume_unwind(Box::new(Crash))
            }
            Some(At::Fails | At::Lost) => Err(NoAnswer::Unreadable("Throttling".to_owned())),
            None => Ok(answer(&self.world.borrow())),
        }
    }
}

impl LiveIam for Iam<'_> {
    fn account_for(&mut self, _: &str) -> Answer<String> {
        self.ask(|world| world.account.clone())
    }

    fn keys(&mut self, _: &str, user: &str) -> Answer<Option<Vec<LiveKey>>> {
        self.ask(|world| {
            let keys = world.users.get(user)?.keys.iter().map(|key| LiveKey {
                id: key.id.clone(),
                created: Some(key.created),
                status: Some(key.status),
            });
            Some(keys.collect())
        })
    }

    fn last_use(&mut self, _: &str, id: &str) -> Answer<LiveUse> {
        self.ask(|world| {
            let users = world.users.iter();
            let mut keys = users.flat_map(|(user, of)| of.keys.iter().map(move |key| (user, key)));
            let (user, key) = keys.find(|(_, key)| key.id == id).unwrap();
            LiveUse {
                user: Some(user.clone()),
                time: key.used,
                service: Some(key.service.to_owned()),
            }
        })
    }

    fn tags(&mut self, _: &str, user: &str) -> Answer<Option<BTreeMap<String, String>>> {
        self.ask(|world| world.users.get(user).map(|user| user.tags.clone()))
    }

    fn groups(&mut self, _: &str, user: &str) -> Answer<Option<BTreeSet<String>>> {
        self.ask(|world| world.users.get(user).map(|user| user.groups.clone()))
    }

    fn set_status(&mut self, _: &str, user: &str, id: &str, status: KeyStatus) -> Change {
        let change = || {
            let mut world = self.world.borrow_mut();
            let keys = world.users.get_mut(user).map(|user| &mut user.keys);
            let key = keys.and_then(|keys| keys.iter_mut().find(|key| key.id == id));
            let Some(key) = key else { return Change::Gone };
            key.status = status;
            Change::Done
        };
        match self.fate.next() {
            Some(At::Before | At::Torn) => resume_unwind(Box::new(Crash)),
            Some(At::After) => {
                change();
                resume_unwind(Box::new(Crash))
            }
            Some(At::Fails) => Change::Rejected("AccessDenied".to_owned()),
            Some(At::Lost) => {
                change();
                Change::Unknown("no answer in time".to_owned())
            }
            None => change(),
        }
    }
}

struct Journal<'a> {
    text: &'a RefCell<String>,
    fate: &'a Fate,
}

impl Recorder for Journal<'_> {
    fn record(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_string(&Record::new(at, entry)).unwrap() + "\n";
        let fate = self.fate.next();
        let mut text = self.text.borrow_mut();
        match fate {
            Some(At::Before) => resume_unwind(Box::new(Crash)),
            Some(At::Torn) => line.truncate(line.len() / 2),
            Some(At::Fails | At::Lost) => return Err(io::ErrorKind::StorageFull.into()),
            Some(At::After) | None => {}
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
        match fate {
            Some(_) => resume_unwind(Box::new(Crash)),
            None => Ok(()),
        }
    }
}

fn key(id: &str, created: i64, used: Option<i64>) -> Key {
    Key {
        id: id.to_owned(),
        created: Timestamp(NOW.0 - created * DAY),
        status: KeyStatus::Active,
        used: used.map(|used| Timestamp(NOW.0 - used * DAY)),
        service: "s3",
    }
}

fn world() -> World {
    let user = |keys: &[Key]| User {
        keys: keys.to_vec(),
        ..User::default()
    };
    let users = [
        ("alice", user(&[key("AKIA1", 400, None)])),
        (
            "bob",
            user(&[key("AKIA3", 10, Some(1)), key("AKIA2", 500, Some(100))]),
        ),
        ("carol", user(&[key("AKIA4", 600, Some(300))])),
    ];
    World {
        account: ACCOUNT.to_owned(),
        users: users.map(|(name, user)| (name.to_owned(), user)).into(),
    }
}

fn step(user: &str, key: &Key, number: usize) -> Step {
    Step {
        id: format!("{number:032x}"),
        action: Action::Deactivate,
        target: Target {
            account: Some(ACCOUNT.to_owned()),
            user: user.to_owned(),
            arn: Some(format!("arn:aws:iam::{ACCOUNT}:user/{user}")),
            credential: Some(Credential::AccessKey(Slot::One)),
            key_created: Some(key.created),
            last_used: key.used,
            ..Target::default()
        },
        quiet_days: Some(45),
        why: "idle".to_owned(),
        breaks: None,
        first_planned: REPORTED,
        instructions: Vec::new(),
        check: Vec::new(),
        undo: Vec::new(),
    }
}

fn plan_of(steps: Vec<Step>) -> Plan {
    Plan {
        schema: Plan::SCHEMA.to_owned(),
        id: "a1".to_owned(),
        created: REPORTED,
        as_of: Some(REPORTED),
        quiet_days: None,
        evidence: None,
        accounts: vec![PlanAccount {
            id: Some(ACCOUNT.to_owned()),
            name: None,
            active_keys: Some(4),
            generated: Some(REPORTED),
            as_of: REPORTED,
            source: "r.csv".to_owned(),
            sha256: None,
        }],
        steps,
        excluded: Vec::new(),
        diagnostics: Vec::new(),
    }
}

/// The idle keys of the world.
fn plan() -> Plan {
    let world = world();
    let of = |user: &str, id: &str, number| {
        let keys = &world.users[user].keys;
        step(user, keys.iter().find(|key| key.id == id).unwrap(), number)
    };
    plan_of(vec![
        of("alice", "AKIA1", 1),
        of("carol", "AKIA4", 2),
        of("bob", "AKIA2", 3),
    ])
}

fn limits() -> Limits {
    Limits {
        max_changes: 25,
        max_share: 10,
        max_errors: 3,
        max_plan_age: DAY,
        max_report_age: 2 * DAY,
        min_notice: None,
    }
}

fn begin() -> Begin {
    let plan = plan();
    Begin {
        journal: "j".to_owned(),
        version: "0".to_owned(),
        plan: PlanRef {
            id: plan.id.clone(),
            created: plan.created,
            sha256: String::new(),
        },
        announced: None,
        limits: limits(),
        guards: Guards {
            exempt_groups: vec!["break-glass".to_owned()],
            ..Guards::default()
        },
        caller: CallerRef {
            account: ACCOUNT.to_owned(),
            arn: String::new(),
        },
        role_name: None,
        chosen_by: Vec::new(),
        evidence: None,
        accounts: plan.accounts,
        numbers: vec![1, 2, 3],
        steps: plan.steps,
    }
}

/// A place where runs happen.
struct Place {
    world: RefCell<World>,
    journal: RefCell<String>,
    shown: RefCell<Vec<StepReport>>,
}

impl Place {
    fn new(world: World) -> Self {
        let begin = Record::new(NOW, Entry::Begin(Box::new(begin())));
        Self {
            world: RefCell::new(world),
            journal: RefCell::new(serde_json::to_string(&begin).unwrap() + "\n"),
            shown: RefCell::default(),
        }
    }

    fn replay(&self) -> Replay {
        Replay::of(&JournalText::whole(&self.journal.borrow()).unwrap())
    }

    /// Applies what the journal leaves to do; none if the run dies.
    fn apply(&self, fate: &Fate) -> Option<Result<End, Box<Unrecorded>>> {
        let replay = self.replay();
        let begin = begin();
        let states: Vec<(&Step, Recorded)> = begin
            .steps
            .iter()
            .map(|step| {
                let known = replay.keys.iter().find(|key| key.key.step == step.id).unwrap();
                (step, known.state)
            })
            .filter(|(_, state)| state.needs_apply())
            .collect();
        let shown = |report: &StepReport| self.shown.borrow_mut().push(report.clone());
        let mut journal = Journal {
            text: &self.journal,
            fate,
        };
        let mut applying = Applying {
            iam: &mut Iam {
                world: &self.world,
                fate,
            },
            clock: &|| NOW,
            begin: &begin,
            show: Box::new(shown),
        };
        catch_unwind(AssertUnwindSafe(|| applying.apply(&states, &mut journal))).ok()
    }

    fn resume(&self) {
        let session = Session {
            version: "0".to_owned(),
            caller: None,
        };
        let mut journal = Journal {
            text: &self.journal,
            fate: &Fate::default(),
        };
        journal.record(NOW, Entry::Resume(session)).unwrap();
        self.apply(&Fate::default()).unwrap().unwrap();
    }

    /// Takes back what the journal says; none if the run dies.
    fn undo(&self, fate: &Fate) -> Option<UndoEnd> {
        let replay = self.replay();
        let keys = replay.keys.iter().rev().filter(|key| key.state.needs_undo());
        let keys: Vec<StepKey> = keys.map(|key| key.key.clone()).collect();
        let session = Session {
            version: "0".to_owned(),
            caller: None,
        };
        let never = Fate::default();
        let mut journal = Journal {
            text: &self.journal,
            fate: &never,
        };
        journal.record(NOW, Entry::Undo(session)).unwrap();
        journal.fate = fate;
        let mut undoing = Undoing {
            iam: &mut Iam {
                world: &self.world,
                fate,
            },
            clock: &|| NOW,
            show: Box::new(|_| {}),
        };
        catch_unwind(AssertUnwindSafe(|| undoing.undo(&keys, &mut journal))).ok()
    }

    fn inactive(&self) -> Vec<String> {
        let world = self.world.borrow();
        let keys = world.users.values().flat_map(|user| &user.keys);
        let inactive = keys.filter(|key| key.status == KeyStatus::Inactive);
        inactive.map(|key| key.id.clone()).collect()
    }

    /// The keys that the journal says may be inactive because of us.
    fn recorded(&self) -> BTreeSet<String> {
        let replay = self.replay();
        let keys = replay.keys.into_iter().filter(|key| key.state.needs_undo());
        keys.filter_map(|key| key.key.access_key_id).collect()
    }

    fn is_whole(&self) {
        let recorded = self.recorded();
        for id in self.inactive() {
            assert!(
                ["AKIA1", "AKIA2", "AKIA4"].contains(&&*id),
                "{id} is not in the plan"
            );
            assert!(recorded.contains(&id), "{id} is not in the journal");
        }
    }
}

const PLANNED: [&str; 3] = ["AKIA1", "AKIA2", "AKIA4"];

/// How many calls and writes a whole run makes.
fn length() -> usize {
    let fate = Fate::default();
    let place = Place::new(world());
    assert_eq!(place.apply(&fate).unwrap().unwrap().done, 3);
    assert_eq!(place.inactive(), PLANNED);
    fate.count.get()
}

#[test]
fn a_run_that_dies_anywhere_can_go_on_and_be_undone() {
    let length = length();
    assert!(length > 20, "{length}");
    for at in 0..length {
        for what in [At::Before, At::Torn, At::After] {
            let dies = || Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            let place = Place::new(world());
            assert!(place.apply(&dies()).is_none(), "{at} {what:?}");
            place.is_whole();
            place.resume();
            place.is_whole();
            assert_eq!(place.inactive(), PLANNED, "{at} {what:?}");
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
            // What was undone is not done again.
            place.resume();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");

            let place = Place::new(world());
            place.apply(&dies());
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
        }
    }
}

#[test]
fn an_undo_that_dies_anywhere_can_be_repeated() {
    for at in 0..9 {
        for what in [At::Before, At::Torn, At::After] {
            let place = Place::new(world());
            place.apply(&Fate::default()).unwrap().unwrap();
            let dies = Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            assert!(place.undo(&dies).is_none(), "{at} {what:?}");
            place.is_whole();
            assert_eq!(place.undo(&Fate::default()).unwrap().failed, 0);
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
            assert!(place.recorded().is_empty());
        }
    }
}

#[test]
fn what_fails_anywhere_lets_nothing_through() {
    for at in 0..length() {
        for what in [At::Fails, At::Lost] {
            let fate = Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            let place = Place::new(world());
            let run = place.apply(&fate).unwrap();
            place.is_whole();
            match run {
                Ok(end) => assert_eq!((end.failed, end.done), (1, 2), "{at} {what:?}"),
                // Nothing is asked of AWS that could not be recorded.
                Err(unrecorded) => {
                    assert_eq!(place.inactive().len() as u64, {
                        unrecorded.end.done + u64::from(unrecorded.changed.is_some())
                    });
                }
            }
            place.resume();
            assert_eq!(place.inactive(), PLANNED, "{at} {what:?}");
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
        }
    }
}

#[test]
fn an_undo_goes_on_without_its_records_and_after_failures() {
    for at in 0..9 {
        let place = Place::new(world());
        place.apply(&Fate::default()).unwrap().unwrap();
        let fate = Fate {
            at: Some((at, At::Fails)),
            ..Fate::default()
        };
        let end = place.undo(&fate).unwrap();
        if end.unrecorded.is_some() {
            assert_eq!(*place.world.borrow(), world(), "{at}");
        }
        assert_eq!(end.active + end.failed, 3);
        assert_eq!(end.failed, place.inactive().len() as u64, "{at}");
        place.undo(&Fate::default()).unwrap();
        assert_eq!(*place.world.borrow(), world(), "{at}");
    }
}

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
    // What stood there for longer may have been something else.
    assert_eq!(announced(1, 8), (0, 2));
}

//! A simulated IAM and journal: runs die between any two of their calls and writes, or get any answer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::resume_unwind;

use crate::remedy::apply::*;
use crate::remedy::journal::{Begin, CallerRef, Entry, Guards, Limits, PlanRef, Record};
use crate::remedy::live::{Answer, Change, KeyStatus, LiveIam, LiveKey, LiveUse, NoAnswer};
use crate::remedy::step::{Action, Plan, PlanAccount, Step, Target};
use crate::report::schema::{Credential, Slot};
use crate::report::time::Timestamp;

pub(super) const DAY: i64 = 86_400;
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(super) const REPORTED: Timestamp = Timestamp(NOW.0 - 3_600);
pub(super) const ACCOUNT: &str = "111122223333";

/// A run that dies here.
pub(super) struct Crash;

/// What happens at the n-th call or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
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
pub(super) struct Fate {
    pub(super) count: Cell<usize>,
    pub(super) at: Option<(usize, At)>,
}

impl Fate {
    pub(super) fn next(&self) -> Option<At> {
        let count = self.count.get();
        self.count.set(count + 1);
        self.at.filter(|(at, _)| *at == count).map(|(_, what)| what)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) status: KeyStatus,
    pub(super) used: Option<Timestamp>,
    pub(super) service: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) keys: Vec<Key>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) groups: BTreeSet<String>,
}

/// IAM of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct World {
    pub(super) account: String,
    pub(super) users: BTreeMap<String, User>,
}

pub(super) struct Iam<'a> {
    pub(super) world: &'a RefCell<World>,
    pub(super) fate: &'a Fate,
}

impl Iam<'_> {
    pub(super) fn ask<T>(&self, answer: impl FnOnce(&World) -> T) -> Answer<T> {
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

pub(super) struct Journal<'a> {
    pub(super) text: &'a RefCell<String>,
    pub(super) fate: &'a Fate,
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

pub(super) fn key(id: &str, created: i64, used: Option<i64>) -> Key {
    Key {
        id: id.to_owned(),
        created: Timestamp(NOW.0 - created * DAY),
        status: KeyStatus::Active,
        used: used.map(|used| Timestamp(NOW.0 - used * DAY)),
        service: "s3",
    }
}

pub(super) fn world() -> World {
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

pub(super) fn step(user: &str, key: &Key, number: usize) -> Step {
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

pub(super) fn plan_of(steps: Vec<Step>) -> Plan {
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
pub(super) fn plan() -> Plan {
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

pub(super) fn limits() -> Limits {
    Limits {
        max_changes: 25,
        max_share: 10,
        max_errors: 3,
        max_plan_age: DAY,
        max_report_age: 2 * DAY,
        min_notice: None,
    }
}

pub(super) fn begin() -> Begin {
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

//! A place where runs happen: they are applied, go on, are undone, and are compared with their journal.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::world::*;
use crate::remedy::apply::*;
use crate::remedy::journal::{End, Entry, JournalText, Record, Recorded, Replay, Session, StepKey};
use crate::remedy::live::KeyStatus;
use crate::remedy::step::Step;

/// A place where runs happen.
pub(super) struct Place {
    pub(super) world: RefCell<World>,
    pub(super) journal: RefCell<String>,
    pub(super) shown: RefCell<Vec<StepReport>>,
}

impl Place {
    pub(super) fn new(world: World) -> Self {
        let begin = Record::new(NOW, Entry::Begin(Box::new(begin())));
        Self {
            world: RefCell::new(world),
            journal: RefCell::new(serde_json::to_string(&begin).unwrap() + "\n"),
            shown: RefCell::default(),
        }
    }

    pub(super) fn replay(&self) -> Replay {
        Replay::of(&JournalText::whole(&self.journal.borrow()).unwrap())
    }

    /// Applies what the journal leaves to do; none if the run dies.
    pub(super) fn apply(&self, fate: &Fate) -> Option<Result<End, Box<Unrecorded>>> {
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

    pub(super) fn resume(&self) {
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
    pub(super) fn undo(&self, fate: &Fate) -> Option<UndoEnd> {
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

    pub(super) fn inactive(&self) -> Vec<String> {
        let world = self.world.borrow();
        let keys = world.users.values().flat_map(|user| &user.keys);
        let inactive = keys.filter(|key| key.status == KeyStatus::Inactive);
        inactive.map(|key| key.id.clone()).collect()
    }

    /// The keys that the journal says may be inactive because of us.
    pub(super) fn recorded(&self) -> BTreeSet<String> {
        let replay = self.replay();
        let keys = replay.keys.into_iter().filter(|key| key.state.needs_undo());
        keys.filter_map(|key| key.key.access_key_id).collect()
    }

    pub(super) fn is_whole(&self) {
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

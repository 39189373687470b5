//! Open findings and how long findings last: recognizes an open finding in the next snapshot.

use super::digest::RowRef;
use super::row::{Mark, SlotState, UserState};
use super::survival::Lengths;
use super::user::Step;
use crate::engine::{CompiledRule, finding_id};
use crate::finding::FindingId;
use crate::history::instance_bits::has;
use crate::report::cell::known;
use crate::report::schema::{ColumnSet, Slot};
use crate::report::time::Timestamp;

/// An open finding.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) rule: u16,
    /// As-of of the first snapshot that had it.
    pub(super) since: Timestamp,
    /// Whether that was the first snapshot of the account.
    pub(super) at_start: bool,
    /// Whether an earlier report lacked the columns that show it.
    pub(super) unveiled: bool,
    /// The columns that the last report that showed it lacks.
    missing: ColumnSet,
    /// Its slot when it was last seen.
    slot: Slot,
    /// Creation times of the keys or certificates in the slots then; zeros if the finding is about the user.
    created: [i64; 2],
}

/// How often findings of one rule were opened and resolved, and how long they lasted.
#[derive(Clone, Debug, Default)]
pub(super) struct Episodes {
    pub(super) at_start: u64,
    pub(super) opened: u64,
    pub(super) unveiled: u64,
    pub(super) resolved: u64,
    pub(super) lengths: Lengths,
}

impl Episodes {
    pub(super) fn end(&mut self, open: &Open, now: Timestamp) {
        self.resolved += 1;
        if open.has_known_start() {
            self.lengths.ended(now.0 - open.since.0);
        }
    }
}

/// The ways in which a failing finding may be an open one, the surest first.
pub(super) const LIKENESSES: [Likeness; 4] = [
    Likeness::SameSlot,
    Likeness::OtherSlot,
    Likeness::UnclearInSlot,
    Likeness::Unclear,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// About the user, or about the same key in the same slot.
    SameSlot,
    /// About the same key in the other slot, because AWS moves keys.
    OtherSlot,
    /// About a key in the same slot whose creation time is unknown in one of the snapshots.
    UnclearInSlot,
    /// The same, in the other slot.
    Unclear,
}

impl Open {
    /// A finding opened by a mark of this row.
    pub(super) fn new(mark: Mark, row: &UserState, step: Step<'_>, unveiled: bool) -> Self {
        let slots = row.slots_of(step.rules[usize::from(mark.rule)].bound.typed.entity);
        Self {
            rule: mark.rule,
            since: step.as_of,
            at_start: step.before.is_none(),
            unveiled,
            missing: step.missing,
            slot: mark.slot,
            created: slots.map_or([0; 2], |slots| slots.created),
        }
    }

    /// Whether it was opened when it was first seen, so that its age is known.
    pub(super) fn has_known_start(&self) -> bool {
        !self.at_start && !self.unveiled
    }

    fn created(&self) -> i64 {
        self.created[self.slot as usize]
    }

    /// The id of the finding; `user` is the key of its user.
    pub(super) fn id(&self, rules: &[CompiledRule], user: u128) -> FindingId {
        let compiled = &rules[usize::from(self.rule)];
        let about = compiled.bound.typed.entity.existence(self.slot);
        finding_id(compiled, user, self.slot, about.map(|_| self.created))
    }

    /// Whether a failing mark is this finding; `old` and `new` are the states of its user.
    pub(super) fn likeness(
        &self,
        mark: Mark,
        old: &UserState,
        new: &UserState,
        rules: &[CompiledRule],
    ) -> Option<Likeness> {
        if self.rule != mark.rule {
            return None;
        }
        let entity = rules[usize::from(mark.rule)].bound.typed.entity;
        let Some((old, new)) = old.slots_of(entity).zip(new.slots_of(entity)) else {
            return Some(Likeness::SameSlot);
        };
        let (mine, its) = (self.created(), new.created[mark.slot as usize]);
        let of_both = |same, other| Some(if self.slot == mark.slot { same } else { other });
        let are_known = [mine, its].map(|created| known(created).is_some());
        if mine == its || are_known == [false; 2] {
            return of_both(Likeness::SameSlot, Likeness::OtherSlot);
        }
        // If the other snapshot shows the key, the unreadable one is another key.
        let may_be = match are_known {
            [true, false] => new.of(mine).next().is_none(),
            [false, true] => old.of(its).next().is_none(),
            [true, true] | [false, false] => false,
        };
        if may_be {
            return of_both(Likeness::UnclearInSlot, Likeness::Unclear);
        }
        None
    }

    /// Moves the finding to the slot of this mark, which shows that it is still open.
    pub(super) fn see(&mut self, mark: Mark, row: &UserState, step: Step<'_>) {
        self.missing = step.missing;
        let Some(slots) = row.slots_of(step.rules[usize::from(self.rule)].bound.typed.entity) else {
            return;
        };
        if known(slots.created[mark.slot as usize]).is_some() || known(self.created()).is_none() {
            (self.slot, self.created) = (mark.slot, slots.created);
        }
    }

    /// Whether it may be open although no mark shows that it fails.
    pub(super) fn may_fail(&self, at: RowRef<'_>, step: Step<'_>) -> bool {
        let (row, marks) = (at.row(), at.marks());
        let compiled = &step.rules[usize::from(self.rule)];
        let folded = step.folded.contains(&self.rule);
        // What a column showed that is now missing may still be there.
        let has_lost = !step
            .missing
            .minus(self.missing)
            .intersection(compiled.needs)
            .is_empty();
        let unseen = |slot: Option<Slot>| {
            let mut slots = Slot::ALL
                .into_iter()
                .filter(|&it| slot.is_none_or(|slot| it == slot));
            has_lost && slots.any(|slot| has(at.unseen(), compiled.instance(slot)))
        };
        let unsure = |slot: Option<Slot>| {
            let of_rule = |mark: &Mark| mark.rule == self.rule && !mark.fails;
            folded
                || unseen(slot)
                || marks
                    .iter()
                    .any(|mark| of_rule(mark) && slot.is_none_or(|slot| mark.slot == slot))
        };
        let Some(slots) = row.slots_of(compiled.bound.typed.entity) else {
            return unsure(Some(Slot::One));
        };
        let created = self.created();
        if known(created).is_none() {
            // If neither snapshot identifies the key, only the slot is left to compare.
            return if slots.states[self.slot as usize] == SlotState::Unclear {
                unsure(Some(self.slot))
            } else {
                slots.is_any_unclear() || unsure(None)
            };
        }
        if slots.of(created).next().is_none() {
            return slots.is_any_unclear();
        }
        let mut holding = Slot::ALL
            .into_iter()
            .filter(|&slot| slots.created[slot as usize] == created);
        holding.any(|slot| unsure(Some(slot)))
    }
}

//! Findings over time: when each was opened, and when it was resolved.

use super::row::{Mark, Row, is_told};
use super::survival::Lengths;
use crate::engine::{CompiledRule, finding_id};
use crate::finding::FindingId;
use crate::report::schema::Slot;
use crate::report::time::Timestamp;

/// An open finding.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) rule: u16,
    /// The first snapshot that showed it.
    pub(super) since: Timestamp,
    /// Whether that was the account's first.
    pub(super) at_start: bool,
    /// Where it was when it was last seen.
    slot: Slot,
    /// When the keys or certificates were made that the slots held then; nothing, where it is about the user.
    created: [i64; 2],
}

/// The episodes of one rule that are over, or began.
#[derive(Clone, Debug, Default)]
pub(super) struct Episodes {
    pub(super) at_start: u64,
    pub(super) opened: u64,
    pub(super) resolved: u64,
    pub(super) lengths: Lengths,
}

impl Episodes {
    pub(super) fn end(&mut self, open: &Open, now: Timestamp) {
        self.resolved += 1;
        if !open.at_start {
            self.lengths.ended(now.0 - open.since.0);
        }
    }
}

/// How surely a failing finding is an open one, the surest first.
pub(super) const LIKENESSES: [Likeness; 4] = [
    Likeness::SameSlot,
    Likeness::OtherSlot,
    Likeness::UnclearInSlot,
    Likeness::Unclear,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is about the user, or about a key that was made then and is where it was.
    SameSlot,
    /// About a key that was made then and is elsewhere, as AWS moves keys.
    OtherSlot,
    /// When the key was made cannot be read in one of both snapshots.
    UnclearInSlot,
    Unclear,
}

impl Open {
    /// Opened by a mark of this row.
    pub(super) fn new(
        mark: Mark,
        row: &Row,
        rules: &[CompiledRule],
        since: Timestamp,
        at_start: bool,
    ) -> Self {
        let slots = row.slots_of(rules[usize::from(mark.rule)].bound.typed.entity);
        Self {
            rule: mark.rule,
            since,
            at_start,
            slot: mark.slot,
            created: slots.map_or([0; 2], |slots| slots.created),
        }
    }

    fn created(&self) -> i64 {
        self.created[self.slot as usize]
    }

    /// Stable name of the finding on the user of this key.
    pub(super) fn id(&self, rules: &[CompiledRule], user: u128) -> FindingId {
        let compiled = &rules[usize::from(self.rule)];
        let about = compiled.bound.typed.entity.existence(self.slot);
        finding_id(compiled, user, self.slot, about.map(|_| self.created))
    }

    /// Whether a failing mark of the user is this finding, that was open when the user was as in `old`.
    pub(super) fn likeness(
        &self,
        mark: Mark,
        old: &Row,
        new: &Row,
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
        if mine == its {
            return of_both(Likeness::SameSlot, Likeness::OtherSlot);
        }
        // One that is seen elsewhere is not the one that cannot be read.
        let may_be = match (is_told(mine), is_told(its)) {
            (true, false) => new.of(mine).next().is_none(),
            (false, true) => old.of(its).next().is_none(),
            (true, true) | (false, false) => false,
        };
        if may_be {
            return of_both(Likeness::UnclearInSlot, Likeness::Unclear);
        }
        None
    }

    /// Still open: this mark of the user shows it.
    pub(super) fn see(&mut self, mark: Mark, row: &Row, rules: &[CompiledRule]) {
        let Some(slots) = row.slots_of(rules[usize::from(self.rule)].bound.typed.entity) else {
            return;
        };
        if is_told(slots.created[mark.slot as usize]) || !is_told(self.created()) {
            (self.slot, self.created) = (mark.slot, slots.created);
        }
    }

    /// Whether it may be open although no mark shows that it fails. `folded` tells that nothing is said of its
    /// rule, `marks` are the user's.
    pub(super) fn may_fail(&self, row: &Row, marks: &[Mark], folded: bool, rules: &[CompiledRule]) -> bool {
        let unsure = |slot: Option<Slot>| {
            let of_rule = |mark: &Mark| mark.rule == self.rule && !mark.fails;
            folded
                || marks
                    .iter()
                    .any(|mark| of_rule(mark) && slot.is_none_or(|slot| mark.slot == slot))
        };
        let Some(slots) = row.slots_of(rules[usize::from(self.rule)].bound.typed.entity) else {
            return unsure(None);
        };
        let created = self.created();
        if !is_told(created) {
            // Where neither snapshot tells the key, the slot is all there is.
            return if is_told(slots.created[self.slot as usize]) {
                slots.is_any_unclear() || unsure(None)
            } else {
                unsure(Some(self.slot))
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

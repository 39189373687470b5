//! Decides which findings of a user in both snapshots were opened, resolved or are still open, and why.

use super::changes::Changes;
use super::event::{Cause, Causes, Event, Kind, Value};
use super::keys::{Pairs, SlotContent, is_unclear};
use super::transition::{FindingChange, Move, Moved, Side, User};
use super::verdicts::CompactFinding;
use crate::engine::CompiledRule;
use crate::finding::Status;
use crate::gsl::typed::Entity;
use crate::report::cell::known;
use crate::report::schema::{ACCESS_KEY, BySlot, CERTIFICATE, ColumnSet, KEY_LAST_USED, Slot, TimeColumn};
use crate::report::time::Timestamp;

/// An open finding of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) rule: u16,
    /// Its slot in the older snapshot, or where it was last seen.
    pub(super) slot: Slot,
    /// Creation times of the keys or certificates in the slots then, time cells; zeros if the finding is about the user.
    pub(super) created: BySlot<i64>,
    /// The columns that the last report that showed it lacks.
    missing: ColumnSet,
    pub(super) since: Since,
}

/// Since when a finding is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    /// As-of of the first snapshot that had it.
    pub(super) as_of: Timestamp,
    /// Whether that was the first snapshot of the account.
    pub(super) at_start: bool,
    /// Whether an earlier report lacked the columns that show it.
    pub(super) unveiled: bool,
}

impl Since {
    /// Whether the finding was opened when it was first seen, so that its age is known.
    pub(super) fn is_known(self) -> bool {
        !self.at_start && !self.unveiled
    }
}

impl Open {
    /// A finding that fails in this snapshot.
    pub(super) fn new(user: User<'_>, found: CompactFinding, rules: &[CompiledRule]) -> Self {
        let mut open = Self {
            rule: found.rule,
            slot: found.slot,
            created: [0; 2],
            missing: user.missing(),
            since: Since {
                as_of: user.as_of(),
                at_start: false,
                unveiled: false,
            },
        };
        open.move_to(user, found.slot, rules);
        open
    }

    /// Moves the finding to the slot in which this snapshot has its key.
    fn move_to(&mut self, user: User<'_>, slot: Slot, rules: &[CompiledRule]) {
        let entity = rules[usize::from(self.rule)].bound.typed.entity;
        if let Some(columns) = entity.slot_columns() {
            self.slot = slot;
            self.created = columns.last_rotated.map(|column| user.cells().time(column));
        }
    }

    /// The creation time of its key or certificate, a time cell.
    fn key_created(&self) -> i64 {
        self.created[self.slot as usize]
    }

    /// The finding as it fails in a snapshot with this slot.
    fn found(&self) -> CompactFinding {
        CompactFinding {
            rule: self.rule,
            status: Status::Fail,
            slot: self.slot,
        }
    }

    /// It was opened, or unveiled, in this snapshot.
    pub(super) fn opened(mut self, new: User<'_>, which: Move, before: Option<Status>) -> FindingChange {
        self.since.unveiled = which == Move::Unveiled;
        FindingChange {
            which,
            moved: Moved {
                row: new.row,
                found: self.found(),
                side: Side::New,
                before,
                after: Some(Status::Fail),
                by: Causes::default(),
                earlier: None,
            },
            open: self,
        }
    }

    /// It was resolved; `row` is that of its user in the older snapshot.
    pub(super) fn resolved(&self, row: u32, after: Option<Status>, by: Causes) -> FindingChange {
        FindingChange {
            which: Move::Resolved,
            moved: Moved {
                row,
                found: self.found(),
                side: Side::Old,
                before: Some(Status::Fail),
                after,
                by,
                earlier: None,
            },
            open: *self,
        }
    }
}

/// Where the entity of an open finding is in the newer snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The user itself, or its key or certificate in this slot.
    At(Slot),
    Gone,
    /// Unknown, because cells are unknown.
    Unclear,
}

/// A user in both snapshots, with what happened to it.
pub(super) struct FindingChanges<'a> {
    pub(super) changes: Changes<'a>,
    pub(super) events: &'a [Event],
    pub(super) rules: &'a [CompiledRule],
}

impl FindingChanges<'_> {
    /// What became of the open findings, and which were opened.
    pub(super) fn of(&self, open: &[Open]) -> Vec<FindingChange> {
        let mut failing: Vec<CompactFinding> = self.changes.new.failing().collect();
        let mut open: Vec<(Open, Place)> = open.iter().map(|&open| (open, self.place(&open))).collect();
        let mut all = Vec::with_capacity(open.len().max(failing.len()));
        for likeness in 0..LIKENESSES {
            open.retain(|&(open, place)| {
                let is_it = |&found: &CompactFinding| self.likeness(&open, place, found) == Some(likeness);
                let Some(position) = failing.iter().position(is_it) else {
                    return true;
                };
                all.push(self.still_fails(open, failing.remove(position)));
                false
            });
        }
        all.extend(
            open.into_iter()
                .map(|(open, place)| self.does_not_fail(open, place)),
        );
        all.extend(failing.into_iter().map(|found| {
            let which = if self.is_unveiled(found) {
                Move::Unveiled
            } else {
                Move::Opened
            };
            let open = Open::new(self.changes.new, found, self.rules);
            open.opened(self.changes.new, which, self.before(found))
        }));
        all
    }

    fn still_fails(&self, open: Open, found: CompactFinding) -> FindingChange {
        let Changes { old, new, .. } = self.changes;
        let mut now = open;
        now.missing = new.missing();
        let created = |column: TimeColumn| known(new.cells().time(column)).is_some();
        let about = self.entity(found.rule).existence(found.slot);
        // A key that is unclear for a while is still the one that was seen.
        if about.is_some_and(|(_, column)| created(column)) || known(open.key_created()).is_none() {
            now.move_to(new, found.slot, self.rules);
        }
        FindingChange {
            which: Move::Open,
            moved: Moved {
                row: new.row,
                found,
                side: Side::New,
                before: Some(Status::Fail),
                after: Some(Status::Fail),
                by: Causes::default(),
                earlier: Some((old.row, open.found())),
            },
            open: now,
        }
    }

    /// An open finding that is undetermined now, or resolved.
    fn does_not_fail(&self, open: Open, place: Place) -> FindingChange {
        let Changes { old, new, .. } = self.changes;
        let now = self.now(&open, place);
        if now != Some(Status::Undetermined) {
            return open.resolved(old.row, now, self.causes(&open, place, now));
        }
        let mut change = open.resolved(old.row, now, Causes::default());
        change.which = Move::Open;
        if let Place::At(slot) = place {
            change.open.move_to(new, slot, self.rules);
        }
        change
    }

    /// The status of an open finding in the newer snapshot, in which it does not fail.
    fn now(&self, open: &Open, place: Place) -> Option<Status> {
        let new = self.slots(open.rule, self.changes.new);
        match place {
            Place::Gone => None,
            Place::At(slot) => self.now_at(open, slot),
            // If neither snapshot identifies the key, only the slot is left to compare.
            Place::Unclear
                if known(open.key_created()).is_none() && new[open.slot as usize] == SlotContent::Unclear =>
            {
                self.now_at(open, open.slot)
            }
            Place::Unclear if is_unclear(new) => Some(Status::Undetermined),
            // The newer snapshot shows all its keys, and the key of this finding is one of them, or gone.
            Place::Unclear => undetermined_or_suppressed(|slot| self.now_at(open, slot)),
        }
    }

    fn now_at(&self, open: &Open, slot: Slot) -> Option<Status> {
        let (new, rule) = (self.changes.new, open.rule);
        let lost = new.missing().minus(open.missing);
        let has_lost = || !lost.intersection(self.rules[usize::from(rule)].needs).is_empty();
        // What an optional column showed may still be there.
        let is_lost = || has_lost() && new.is_unseen(rule, slot);
        let own = new.status(rule, slot).filter(|&status| status != Status::Fail);
        own.or_else(|| is_lost().then_some(Status::Undetermined))
            .or_else(|| new.folded(rule))
    }

    /// The status in the older snapshot of a finding that was opened.
    fn before(&self, found: CompactFinding) -> Option<Status> {
        match self.place_before(found) {
            Place::At(slot) => self.before_at(found.rule, slot),
            Place::Gone => None,
            Place::Unclear if is_unclear(self.slots(found.rule, self.changes.old)) => {
                Some(Status::Undetermined)
            }
            Place::Unclear => undetermined_or_suppressed(|slot| self.before_at(found.rule, slot)),
        }
    }

    fn before_at(&self, rule: u16, slot: Slot) -> Option<Status> {
        let old = self.changes.old;
        let own = old.status(rule, slot);
        own.or_else(|| old.folded(rule).filter(|_| old.is_unseen(rule, slot)))
    }

    /// Whether a finding of the newer snapshot only became visible because its report has more columns: the older report
    /// cannot say whether it failed, and with its columns the newer one could not say so either.
    fn is_unveiled(&self, found: CompactFinding) -> bool {
        let Changes { old, new, .. } = self.changes;
        let compiled = &self.rules[usize::from(found.rule)];
        let more = old.missing().minus(new.missing());
        let gained = more.intersection(compiled.needs);
        let instance = (found.rule, found.slot);
        if gained.is_empty() || new.snapshot.verdicts().fails_without(more, new.row, instance) {
            return false;
        }
        let is_unseen = |slot| old.is_unseen(found.rule, slot);
        let slots = self.slots(found.rule, old);
        let is_unclear = |slot: Slot| slots[slot as usize] == SlotContent::Unclear;
        let was_unseen = match self.place_before(found) {
            Place::At(slot) => is_unseen(slot),
            Place::Gone => false,
            Place::Unclear => Slot::ALL
                .into_iter()
                .any(|slot| is_unclear(slot) && is_unseen(slot)),
        };
        was_unseen && !self.is_of_later_key(found, gained)
    }

    /// Whether one of the gained columns shows a key or certificate that was created after the older snapshot; for a rule
    /// about keys or certificates, in this slot.
    fn is_of_later_key(&self, found: CompactFinding, gained: ColumnSet) -> bool {
        let Changes { old, new, .. } = self.changes;
        let is_about_user = self.entity(found.rule) == Entity::IamUser;
        let slots = [&ACCESS_KEY, &CERTIFICATE].map(|kind| Slot::ALL.map(|slot| (kind, slot)));
        slots.into_iter().flatten().any(|(kind, slot)| {
            let created = kind.last_rotated[slot as usize];
            let shows = gained.contains(created) || gained.contains(kind.active[slot as usize]);
            let is_later = || known(new.cells().time(created)).is_some_and(|created| created > old.as_of());
            shows && (is_about_user || slot == found.slot) && is_later()
        })
    }

    fn entity(&self, rule: u16) -> Entity {
        self.rules[usize::from(rule)].bound.typed.entity
    }

    /// The keys or certificates, if the rule is about them.
    fn pairs(&self, rule: u16) -> Option<&Pairs> {
        match self.entity(rule) {
            // Snapshots have no details.
            Entity::IamUser | Entity::IamServiceCredential => None,
            Entity::IamAccessKey => Some(self.changes.keys),
            Entity::IamSigningCertificate => Some(self.changes.certificates),
        }
    }

    /// The contents of the slots that a rule about keys or certificates is about.
    fn slots(&self, rule: u16, user: User<'_>) -> BySlot<SlotContent> {
        match self.entity(rule) {
            Entity::IamUser | Entity::IamAccessKey | Entity::IamServiceCredential => user.cells().keys(),
            Entity::IamSigningCertificate => user.cells().certificates(),
        }
    }

    fn both_slots(&self, rule: u16) -> [BySlot<SlotContent>; 2] {
        [self.changes.old, self.changes.new].map(|user| self.slots(rule, user))
    }

    /// Where the user or key of an open finding is in the newer snapshot.
    fn place(&self, open: &Open) -> Place {
        let Some(pairs) = self.pairs(open.rule) else {
            return Place::At(open.slot);
        };
        let created = open.key_created();
        let [old, new] = self.both_slots(open.rule);
        let place = if old[open.slot as usize].is(created) {
            pairs.after(open.slot)
        } else if known(created).is_some() {
            // The older snapshot does not show the key.
            let slots = [open.slot, open.slot.other()];
            slots.into_iter().find(|&slot| new[slot as usize].is(created))
        } else {
            return Place::Unclear;
        };
        match place {
            Some(slot) => Place::At(slot),
            None if pairs.unclear[1] => Place::Unclear,
            None => Place::Gone,
        }
    }

    /// Where the user or key of a finding of the newer snapshot is in the older one.
    fn place_before(&self, found: CompactFinding) -> Place {
        let Some(pairs) = self.pairs(found.rule) else {
            return Place::At(found.slot);
        };
        if let Some(slot) = pairs.before(found.slot) {
            return Place::At(slot);
        }
        let [old, new] = self.both_slots(found.rule);
        match (old[found.slot as usize], new[found.slot as usize]) {
            // If neither snapshot identifies the key, only the slot is left to compare.
            (SlotContent::Unclear, SlotContent::Unclear) => Place::At(found.slot),
            (_, SlotContent::Key(_)) if !pairs.unclear[0] => Place::Gone,
            _ => Place::Unclear,
        }
    }

    /// How surely a failing finding of the newer snapshot is an open one, the surest first; none if it is not.
    fn likeness(&self, open: &Open, place: Place, found: CompactFinding) -> Option<u8> {
        if open.rule != found.rule {
            return None;
        }
        let is_other_slot = u8::from(open.slot != found.slot);
        match place {
            Place::At(slot) => (slot == found.slot).then_some(0),
            Place::Gone => None,
            Place::Unclear => {
                let new = self.slots(open.rule, self.changes.new)[found.slot as usize];
                let is_in_both = || self.pairs(open.rule)?.before(found.slot);
                match (known(open.key_created()), new.key()) {
                    (None, None) => Some(is_other_slot),
                    (Some(_), Some(_)) => None,
                    // A key that the older snapshot shows, too, is another one.
                    (None, Some(_)) if is_in_both().is_some() => None,
                    (Some(_), None) | (None, Some(_)) => Some(2 + is_other_slot),
                }
            }
        }
    }

    /// What resolved a finding.
    fn causes(&self, open: &Open, place: Place, now: Option<Status>) -> Causes {
        if now == Some(Status::Suppressed) {
            return Causes::from_iter([Cause::Suppressed]);
        }
        let reads = self.rules[usize::from(open.rule)].needs;
        let of_one_key = self.pairs(open.rule).is_some();
        let created = known(open.key_created()).filter(|_| of_one_key && place != Place::Unclear);
        let concerns = |event: &&Event| {
            let same_key = event.key_created == created
                || event.kind == Kind::KeyRotated && event.old == Value::of(created);
            let about_key = event.key_created.is_some();
            (!of_one_key || !about_key || same_key)
                && !event.kind.columns().intersection(reads).is_empty()
                && event.kind != Kind::RootUsed
        };
        let events = self.events.iter().filter(concerns);
        let causes: Causes = events.map(|event| Cause::Event(event.kind)).collect();
        if causes.is_empty() {
            return Causes::from_iter([self.other_cause(reads)]);
        }
        causes
    }

    /// What resolved a finding of a rule that reads these columns, if no event did.
    fn other_cause(&self, reads: ColumnSet) -> Cause {
        let (then, now) = self.changes.times(TimeColumn::PasswordLastUsed);
        let reads_key_use = || KEY_LAST_USED.date.iter().any(|&column| reads.contains(column));
        let mut both = self.changes.keys.in_both();
        let is_used = then != now && reads.contains(TimeColumn::PasswordLastUsed)
            || reads_key_use() && both.any(|(old, new)| old.last_used != new.last_used);
        if is_used { Cause::Used } else { Cause::Other }
    }
}

/// How many ways there are in which a failing finding may be an open one.
const LIKENESSES: u8 = 4;

/// The one of these statuses that any slot has.
fn undetermined_or_suppressed(status: impl Fn(Slot) -> Option<Status>) -> Option<Status> {
    let statuses = Slot::ALL.map(status);
    let both = [Status::Undetermined, Status::Suppressed];
    both.into_iter().find(|&status| statuses.contains(&Some(status)))
}

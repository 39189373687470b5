//! Decides which findings of a user in both snapshots were opened, resolved or are still open, and why.

use super::cells::{Cells, SlotContent};
use super::changes::{Changes, Comparison};
use super::diff::{Cause, Causes, Side};
use super::event::{Event, Kind, Value};
use super::findings::{Lists, Move, Moved};
use super::packed::Used;
use super::pairs::{Pair, Pairs};
use super::snapshot::Snapshot;
use super::users::Users;
use super::verdicts::{CompactFinding, UserVerdicts};
use crate::engine::CompiledRule;
use crate::finding::Status;
use crate::gsl::typed::Entity;
use crate::report::cell::known;
use crate::report::schema::{ACCESS_KEY, BySlot, CERTIFICATE, ColumnSet, KEY_LAST_USED, Slot, TimeColumn};
use crate::report::time::Timestamp;

/// A user in both snapshots, with its events and its pairs of keys.
pub(super) struct FindingMoves<'a> {
    pub(super) comparison: Comparison<'a>,
    pub(super) changes: &'a Changes<'a>,
    pub(super) rules: &'a [CompiledRule],
}

/// Where the entity of a finding is in the other snapshot.
enum EntityFate {
    /// It is there: a key or certificate as this pair, or the user itself.
    There(Option<Pair>),
    Gone(Pair),
    /// Unknown, because cells are unknown.
    Unclear,
}

impl FindingMoves<'_> {
    /// Adds the findings of the user to `lists`.
    pub(super) fn add_to(&self, lists: &mut Lists) {
        let [(old, old_row), (new, new_row)] = self.comparison.sides();
        let (before, after) = (old.roster.verdicts.of(old_row), new.roster.verdicts.of(new_row));
        let alike = self.alike(before, after);
        for found in after.failing() {
            let like = alike.iter().find(|&&(_, now)| now == found);
            let was = match like {
                Some(_) => Some(Status::Fail),
                None => self.other(found, Side::New, before, old),
            };
            let mut moved = Moved::new((new_row, found), Side::New, was, Some(Status::Fail));
            if was == Some(Status::Fail) {
                let earlier = like.map_or_else(|| self.earlier(found), |&(earlier, _)| earlier);
                moved.earlier = Some((old_row, earlier));
            }
            let which = match was {
                Some(Status::Fail) => Move::Open,
                _ if self.is_unveiled(found, [before, after]) => Move::Unveiled,
                _ => Move::Opened,
            };
            lists.push(which, old_row, moved);
        }
        let is_alike = |found: &CompactFinding| alike.iter().any(|(was, _)| was == found);
        for found in before.failing().filter(|found| !is_alike(found)) {
            let now = self.other(found, Side::Old, after, new);
            let mut moved = Moved::new((old_row, found), Side::Old, Some(Status::Fail), now);
            match now {
                Some(Status::Fail) => {}
                Some(Status::Undetermined) => lists.push(Move::Open, old_row, moved),
                Some(Status::Suppressed | Status::Pass | Status::Due) | None => {
                    moved.by = self.causes(found, now);
                    lists.push(Move::Resolved, old_row, moved);
                }
            }
        }
    }

    /// A finding that fails in both snapshots, as it is in the older one.
    fn earlier(&self, found: CompactFinding) -> CompactFinding {
        let slot = match self.fate(found, Side::New) {
            EntityFate::There(Some((Some(old), _))) => old.slot,
            EntityFate::There(_) | EntityFate::Gone(_) | EntityFate::Unclear => found.slot,
        };
        CompactFinding { slot, ..found }
    }

    /// The status of the same rule and entity in the other snapshot.
    fn other(
        &self,
        found: CompactFinding,
        side: Side,
        others: UserVerdicts<'_>,
        snapshot: &Snapshot,
    ) -> Option<Status> {
        let slot = match self.fate(found, side) {
            EntityFate::There(None) => found.slot,
            EntityFate::There(Some((old, new))) => match side {
                Side::Old => new?.slot,
                Side::New => old?.slot,
            },
            EntityFate::Gone(_) => return None,
            EntityFate::Unclear if self.is_other_unclear(found, side) => return Some(Status::Undetermined),
            // The other report shows all its keys, and the key of this finding is one of them, or gone.
            EntityFate::Unclear => {
                let status = |slot| self.status(found, (side, slot), others, snapshot);
                let statuses = Slot::ALL.map(status);
                let both = [Status::Undetermined, Status::Suppressed];
                return both.into_iter().find(|&status| statuses.contains(&Some(status)));
            }
        };
        self.status(found, (side, slot), others, snapshot)
    }

    /// The status of the rule of a finding for this slot of the other snapshot.
    fn status(
        &self,
        found: CompactFinding,
        (side, slot): (Side, Slot),
        others: UserVerdicts<'_>,
        snapshot: &Snapshot,
    ) -> Option<Status> {
        let same = |other: &CompactFinding| other.rule == found.rule && other.slot == slot;
        if let Some(other) = others.all().find(same) {
            return Some(other.status);
        }
        let compiled = &self.rules[usize::from(found.rule)];
        let is_unseen = others.is_unseen(compiled.instance(slot));
        let [old, new] = self.missing();
        match side {
            Side::New => snapshot.folded(found.rule).filter(|_| is_unseen),
            // What an optional column showed may still be there.
            Side::Old if is_unseen && !new.minus(old).intersection(compiled.needs).is_empty() => {
                Some(Status::Undetermined)
            }
            Side::Old => snapshot.folded(found.rule),
        }
    }

    /// The columns that the reports lack, the older one first.
    fn missing(&self) -> [ColumnSet; 2] {
        self.comparison
            .sides()
            .map(|(snapshot, row)| snapshot.missing(row))
    }

    /// Whether a finding of the newer snapshot only became visible because its report has more columns: the older report
    /// cannot say whether it failed, and with its columns the newer one could not say so either.
    fn is_unveiled(&self, found: CompactFinding, [before, after]: [UserVerdicts<'_>; 2]) -> bool {
        let compiled = &self.rules[usize::from(found.rule)];
        let [old, new] = self.missing();
        let gained = old.minus(new).intersection(compiled.needs);
        if gained.is_empty() || after.fails_without(compiled.instance(found.slot)) {
            return false;
        }
        let (snapshot, row) = (self.comparison.old, self.comparison.old_row);
        let is_unseen = |slot| before.is_unseen(compiled.instance(slot));
        let was_unseen = match self.fate(found, Side::New) {
            EntityFate::There(None) => is_unseen(found.slot),
            EntityFate::There(Some((old, _))) => old.is_some_and(|old| is_unseen(old.slot)),
            EntityFate::Gone(_) => false,
            EntityFate::Unclear => {
                let contents = self.contents(found)(snapshot.users(), row as usize);
                Slot::ALL
                    .into_iter()
                    .any(|slot| contents[slot as usize] == SlotContent::Unclear && is_unseen(slot))
            }
        };
        was_unseen && !self.is_of_later_key(compiled, found.slot, gained)
    }

    /// Whether one of the gained columns shows a key or certificate that was created after the older snapshot; for a rule
    /// about keys or certificates, in this slot.
    fn is_of_later_key(&self, compiled: &CompiledRule, slot: Slot, gained: ColumnSet) -> bool {
        let (snapshot, row) = (self.comparison.new, self.comparison.new_row as usize);
        let since = self.comparison.old.as_of(self.comparison.old_row);
        let of_rule = compiled.bound.typed.entity;
        later_keys(|column| snapshot.users().time(row, column), since, gained)
            .any(|later| of_rule == Entity::IamUser || later == slot)
    }

    fn pairs(&self, found: CompactFinding) -> Option<&Pairs> {
        match self.rules[usize::from(found.rule)].bound.typed.entity {
            Entity::IamUser | Entity::IamServiceCredential => None,
            Entity::IamAccessKey => Some(&self.changes.keys),
            Entity::IamSigningCertificate => Some(&self.changes.certificates),
        }
    }

    fn fate(&self, found: CompactFinding, side: Side) -> EntityFate {
        let Some(pairs) = self.pairs(found) else {
            return EntityFate::There(None);
        };
        let mine = |pair: &&Pair| {
            let key = match side {
                Side::Old => pair.0,
                Side::New => pair.1,
            };
            key.is_some_and(|key| key.slot == found.slot)
        };
        match pairs.all.iter().find(mine) {
            Some(&pair @ (Some(_), Some(_))) => EntityFate::There(Some(pair)),
            Some(&pair) if !self.is_other_unclear(found, side) => EntityFate::Gone(pair),
            // If neither report identifies the key, only the slot is left to compare.
            _ if self.is_unclear_in_both(found) => EntityFate::There(None),
            _ => EntityFate::Unclear,
        }
    }

    /// Whether the other snapshot does not show all keys, or certificates.
    fn is_other_unclear(&self, found: CompactFinding, side: Side) -> bool {
        let [old, new] = self.pairs(found).map_or([false; 2], |pairs| pairs.unclear);
        match side {
            Side::Old => new,
            Side::New => old,
        }
    }

    fn is_unclear_in_both(&self, found: CompactFinding) -> bool {
        [Side::Old, Side::New]
            .iter()
            .all(|&side| self.is_slot_unclear(found, side))
    }

    /// Whether a snapshot does not show what is in the slot of a finding.
    fn is_slot_unclear(&self, found: CompactFinding, side: Side) -> bool {
        let [old, new] = self.comparison.sides();
        let (snapshot, row) = match side {
            Side::Old => old,
            Side::New => new,
        };
        self.contents(found)(snapshot.users(), row as usize)[found.slot as usize] == SlotContent::Unclear
    }

    /// Failing findings of both snapshots that may be of the same key or certificate, because one of the snapshots does not
    /// say when it was created. Each pair of them counts as one finding: the surest first.
    fn alike(
        &self,
        before: UserVerdicts<'_>,
        after: UserVerdicts<'_>,
    ) -> Vec<(CompactFinding, CompactFinding)> {
        let Changes {
            keys, certificates, ..
        } = self.changes;
        if !keys.is_unclear() && !certificates.is_unclear() {
            return Vec::new();
        }
        let unsure = |verdicts: UserVerdicts<'_>, side| -> Vec<CompactFinding> {
            let is_unsure = |found: &CompactFinding| match self.fate(*found, side) {
                EntityFate::There(pair) => pair.is_none() && self.pairs(*found).is_some(),
                EntityFate::Gone(_) => false,
                EntityFate::Unclear => true,
            };
            verdicts.failing().filter(is_unsure).collect()
        };
        let (mut olds, mut news) = (unsure(before, Side::Old), unsure(after, Side::New));
        let mut alike = Vec::new();
        for likeness in 0..4 {
            olds.retain(|&old| {
                let is_it = |&new: &CompactFinding| self.likeness(old, new) == Some(likeness);
                let Some(position) = news.iter().position(is_it) else {
                    return true;
                };
                alike.push((old, news.remove(position)));
                false
            });
        }
        alike
    }

    /// How surely two findings are of the same key, the surest first; none if they are not.
    fn likeness(&self, old: CompactFinding, new: CompactFinding) -> Option<u8> {
        if old.rule != new.rule {
            return None;
        }
        let is_other_slot = u8::from(old.slot != new.slot);
        match (
            self.is_slot_unclear(old, Side::Old),
            self.is_slot_unclear(new, Side::New),
        ) {
            (true, true) => Some(is_other_slot),
            (true, false) | (false, true) => Some(2 + is_other_slot),
            (false, false) => None,
        }
    }

    /// The contents of the slots that a finding about a key or certificate is about.
    fn contents(&self, found: CompactFinding) -> fn(&Users, usize) -> BySlot<SlotContent> {
        match self.rules[usize::from(found.rule)].bound.typed.entity {
            Entity::IamUser | Entity::IamAccessKey | Entity::IamServiceCredential => Cells::keys,
            Entity::IamSigningCertificate => Cells::certificates,
        }
    }

    /// What resolved a finding.
    fn causes(&self, found: CompactFinding, now: Option<Status>) -> Causes {
        if now == Some(Status::Suppressed) {
            return Causes::from_iter([Cause::Suppressed]);
        }
        let reads = self.rules[usize::from(found.rule)].needs;
        let created = match self.fate(found, Side::Old) {
            EntityFate::There(Some((old, _))) | EntityFate::Gone((old, _)) => {
                old.and_then(|key| known(key.created))
            }
            EntityFate::There(None) | EntityFate::Unclear => None,
        };
        let of_one_key = self.pairs(found).is_some();
        let concerns = |event: &&Event| {
            let same_key = event.key_created == created
                || event.kind == Kind::KeyRotated && event.old == Value::of(created);
            let about_key = event.key_created.is_some();
            (!of_one_key || !about_key || same_key)
                && !event.kind.columns().intersection(reads).is_empty()
                && event.kind != Kind::RootUsed
        };
        let events = self.changes.events.iter().filter(concerns);
        let causes: Causes = events.map(|event| Cause::Event(event.kind)).collect();
        if !causes.is_empty() {
            return causes;
        }
        Causes::from_iter([self.used().cause(reads)])
    }

    fn used(&self) -> Used {
        let (then, now) = self.comparison.times(TimeColumn::PasswordLastUsed);
        let keys = self.changes.keys.all.iter();
        let mut both = keys.filter_map(|&(old, new)| old.zip(new));
        Used {
            password: then != now,
            keys: both.any(|(old, new)| old.last_used != new.last_used),
        }
    }
}

impl Used {
    /// What resolved a finding of a rule that reads these columns, if no event did.
    pub(super) fn cause(self, reads: ColumnSet) -> Cause {
        let reads_key_use = || KEY_LAST_USED.date.iter().any(|&column| reads.contains(column));
        if self.password && reads.contains(TimeColumn::PasswordLastUsed) || self.keys && reads_key_use() {
            Cause::Used
        } else {
            Cause::Other
        }
    }
}

/// The slots with a key or certificate that was created later, as far as one of these columns shows it.
pub(super) fn later_keys(
    time: impl Fn(TimeColumn) -> i64,
    since: Timestamp,
    columns: ColumnSet,
) -> impl Iterator<Item = Slot> {
    let slots = [&ACCESS_KEY, &CERTIFICATE].map(|kind| Slot::ALL.map(|slot| (kind, slot)));
    let later = slots.into_iter().flatten().filter(move |(kind, slot)| {
        let created = kind.last_rotated[*slot as usize];
        let shows = columns.contains(created) || columns.contains(kind.active[*slot as usize]);
        shows && known(time(created)).is_some_and(|created| created > since)
    });
    later.map(|(_, slot)| slot)
}

//! What happened to a user from one snapshot to the next: events, and findings that were opened, resolved or are still open.
//! This is the only place that decides it: a diff takes two snapshots, a trend many.

use super::changes::Changes;
use super::event::{Cause, Causes, Event, Kind, Value};
use super::findings::{FindingChanges, Open};
use super::keys::{Pairs, UserCells};
use super::snapshot::Snapshot;
use super::verdicts::CompactFinding;
use crate::engine::CompiledRule;
use crate::finding::{Status, word_enum};
use crate::report::cell::known;
use crate::report::schema::{ColumnSet, Slot};
use crate::report::time::Timestamp;

word_enum! {
    /// How a finding changed from one snapshot to the next.
    pub enum Move {
        /// It fails in the newer snapshot and did not fail in the older one.
        Opened = "opened",
        /// It fails in the newer snapshot; the older one cannot say whether it failed, because its report lacks columns that
        /// the newer one has.
        Unveiled = "unveiled",
        /// It failed in the older snapshot and does not fail any more.
        Resolved = "resolved",
        /// It failed in the older snapshot and still fails, or is undetermined now.
        Open = "open",
    }
}

/// Which of the two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The older one.
    Old,
    /// The newer one.
    New,
}

/// A finding and how it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Index of the user in the snapshot named by `side`.
    pub row: u32,
    /// The finding as in the newer snapshot if it fails there, else as in the older one.
    pub found: CompactFinding,
    /// The snapshot that `row` and `found` refer to.
    pub side: Side,
    /// The status in the older snapshot; none if it had no finding.
    pub before: Option<Status>,
    /// The status in the newer snapshot; none if it has no finding.
    pub after: Option<Status>,
    /// What resolved it; empty unless it is resolved.
    pub by: Causes,
    /// Of an open finding of the newer snapshot, the user and the finding in the older one. Its id may be another there, for
    /// example where that report lacks a column.
    pub earlier: Option<(u32, CompactFinding)>,
}

/// What happened to a user.
#[derive(Debug, Default)]
pub(super) struct Transition {
    /// In the order of [`Kind`]; that of a user who was created, deleted or recreated is the only one.
    pub(super) events: Vec<Event>,
    pub(super) findings: Vec<FindingChange>,
}

/// How a finding of a user changed.
#[derive(Debug)]
pub(super) struct FindingChange {
    pub(super) which: Move,
    pub(super) moved: Moved,
    /// The finding as it is open from now on; of a resolved one, as it was open.
    pub(super) open: Open,
}

/// A user in a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct User<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) row: u32,
    /// Creation time of the user, a time cell: as this snapshot says, or an earlier one if this one does not.
    pub(super) created: i64,
}

impl<'a> User<'a> {
    pub(super) fn cells(self) -> &'a UserCells {
        self.snapshot.users().cells(self.row as usize)
    }

    pub(super) fn as_of(self) -> Timestamp {
        self.snapshot.as_of(self.row)
    }

    /// The columns that its report lacks, optional ones too.
    pub(super) fn missing(self) -> ColumnSet {
        self.snapshot.missing(self.row)
    }

    pub(super) fn found(self) -> &'a [CompactFinding] {
        self.snapshot.found_of(self.row)
    }

    /// The failing findings, by rule and slot.
    pub(super) fn failing(self) -> impl Iterator<Item = CompactFinding> {
        let found = self.found().iter().copied();
        found.take_while(|found| found.status == Status::Fail)
    }

    /// The status of a rule, as far as the user has a finding of its own.
    pub(super) fn status(self, rule: u16, slot: Slot) -> Option<Status> {
        let mut found = self.found().iter();
        let found = found.find(|found| found.rule == rule && found.slot == slot);
        found.map(|found| found.status)
    }

    /// The status of a rule for users who have no finding of their own: undetermined if the report lacks columns that the
    /// rule needs.
    pub(super) fn folded(self, rule: u16) -> Option<Status> {
        let is_folded = self.snapshot.folded.contains(&rule);
        is_folded.then_some(Status::Undetermined)
    }

    /// Whether the report cannot say if a rule fails, because it lacks columns.
    pub(super) fn is_unseen(self, rule: u16, slot: Slot) -> bool {
        self.snapshot.verdicts().is_unseen(self.row, rule, slot)
    }

    /// The findings that are open because they fail here.
    pub(super) fn open(self, rules: &[CompiledRule]) -> Vec<Open> {
        let open = self.failing().map(|found| Open::new(self, found, rules));
        open.collect()
    }
}

/// A user in the older snapshot, with the findings that are open there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'a> {
    pub(super) user: User<'a>,
    pub(super) open: &'a [Open],
}

/// How the users of two snapshots are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparer<'a> {
    rules: &'a [CompiledRule],
    /// Days without use after which a credential is idle.
    idle_days: i64,
    /// Whether the same rules are folded in both.
    fold_the_same: bool,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(rules: &'a [CompiledRule], idle_days: i64, [old, new]: [&Snapshot; 2]) -> Self {
        Self {
            rules,
            idle_days,
            fold_the_same: old.folded == new.folded,
        }
    }

    /// Whether a user has the same cells and the same findings in both snapshots, and their reports can say the same. Then
    /// nothing happened, and what was open is open.
    pub(super) fn is_unchanged(self, old: User<'_>, new: User<'_>) -> bool {
        self.fold_the_same
            && old.cells() == new.cells()
            && old.found() == new.found()
            && old.missing() == new.missing()
    }

    /// What happened to a user who has the same identity in both snapshots, or is in one of them.
    pub(super) fn transition(self, old: Option<Before<'_>>, new: Option<User<'_>>) -> Transition {
        match (old, new) {
            (None, None) => Transition::default(),
            (Some(old), Some(new)) if !is_other(old.user, new) => self.same(old, new),
            (old, new) => self.other(old, new),
        }
    }

    /// A user who was created, deleted, or deleted and created again.
    fn other(self, old: Option<Before<'_>>, new: Option<User<'_>>) -> Transition {
        let kind = match (old.is_some(), new.is_some()) {
            (true, true) => Kind::UserRecreated,
            (true, false) => Kind::UserDeleted,
            (false, _) => Kind::UserCreated,
        };
        let user = old.map(|old| old.user);
        let created = |user: Option<User<'_>>| user.map_or(Value::None, |user| Value::of_time(user.created));
        let event = Event {
            kind,
            old_row: user.map(|user| user.row),
            new_row: new.map(|user| user.row),
            key_created: None,
            old: created(user),
            new: created(new),
        };
        let resolved = old.into_iter().flat_map(|old| {
            let by = Causes::from_iter([Cause::Event(kind)]);
            let open = old.open.iter();
            open.map(move |open| open.resolved(old.user.row, None, by))
        });
        let opened = new.into_iter().flat_map(|new| {
            let open = new.open(self.rules).into_iter();
            open.map(move |open| open.opened(new, Move::Opened, None))
        });
        Transition {
            events: vec![event],
            findings: resolved.chain(opened).collect(),
        }
    }

    fn same(self, old: Before<'_>, new: User<'_>) -> Transition {
        let [before, after] = [old.user, new].map(User::cells);
        let keys = Pairs::of(before.keys(), after.keys());
        let certificates = Pairs::of(before.certificates(), after.certificates());
        let changes = Changes {
            old: old.user,
            new,
            keys: &keys,
            certificates: &certificates,
            idle_days: self.idle_days,
        };
        let events = changes.events();
        let findings = FindingChanges {
            changes,
            events: &events,
            rules: self.rules,
        };
        let findings = findings.of(old.open);
        Transition { events, findings }
    }
}

/// Whether two users with the same identity have different creation times.
pub(super) fn is_other(old: User<'_>, new: User<'_>) -> bool {
    let created = known(old.created).zip(known(new.created));
    created.is_some_and(|(old, new)| old != new)
}

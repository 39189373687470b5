//! What changed from one snapshot to the next.

use super::changes::{Changes, Comparison};
use super::event::{Event, Kind, Value};
use super::matching::{Incomparable, Match, Matching, match_users};
use super::moves::{Follow, Moves};
use super::notes;
use super::snapshot::{Found, Snapshot};
use crate::engine::Program;
use crate::finding::{Diagnostic, Status};
use crate::gsl::typed::Entity;
use crate::report::schema::{Slot, TimeColumn};
use crate::rule::BoundRule;

/// Which of the two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The older one.
    Old,
    /// The newer one.
    New,
}

/// Events and findings between two snapshots.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The older snapshot.
    pub old: &'a Snapshot,
    /// The newer snapshot.
    pub new: &'a Snapshot,
    /// What happened: users in the order of the newer snapshot, then the deleted ones; kinds in their order.
    pub events: Vec<Event>,
    /// Findings that fail in the newer snapshot and did not in the older.
    pub opened: Vec<Moved>,
    /// Findings that failed in the older snapshot and do not any more.
    pub resolved: Vec<Moved>,
    /// Findings that failed in the older snapshot and still do, or of which that cannot be determined.
    pub open: Vec<Moved>,
    /// What stands in the way of the comparison, or is odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The finding in the snapshot that shows it best: the newer one where it fails there.
    pub found: Found,
    /// The snapshot that it is of.
    pub side: Side,
    /// What the older snapshot said; none where it did not tell of it.
    pub before: Option<Status>,
    /// What the newer snapshot says; none where it does not tell of it.
    pub after: Option<Status>,
    /// What resolved it; empty for others.
    pub by: Box<[Cause]>,
}

/// What resolved a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An event.
    Event(Kind),
    /// A suppression accepts it now.
    Suppressed,
    /// The credential has been used.
    Used,
    /// None of these: another cell, or time went by.
    Other,
}

impl Cause {
    /// The word in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Suppressed => "suppressed",
            Self::Used => "used",
            Self::Other => "other",
        }
    }
}

impl Moved {
    pub(super) fn new(found: Found, side: Side, before: Option<Status>, after: Option<Status>) -> Self {
        Self {
            found,
            side,
            before,
            after,
            by: Box::default(),
        }
    }
}

/// How snapshots are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Days without use after which a credential is idle.
    pub idle_days: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { idle_days: 90 }
    }
}

/// Compares two snapshots that this program has judged.
pub fn diff<'a>(
    program: &Program,
    old: &'a Snapshot,
    new: &'a Snapshot,
    options: Options,
) -> Result<Diff<'a>, Incomparable> {
    let matching = match_users(old, new)?;
    let mut comparer = Comparer {
        old,
        new,
        options,
        rules: program.rules().collect(),
        events: Vec::new(),
        moves: Moves::default(),
        same_second: Vec::new(),
        unclear: Vec::new(),
        tells: [Entity::IamAccessKey, Entity::IamSigningCertificate]
            .map(|entity| tells(old, entity) && tells(new, entity)),
    };
    for &user in &matching.users {
        comparer.user(user);
    }
    let diagnostics = comparer.diagnostics(&matching);
    let Moves {
        opened,
        resolved,
        open,
    } = comparer.moves;
    Ok(Diff {
        old,
        new,
        events: comparer.events,
        opened,
        resolved,
        open,
        diagnostics,
    })
}

/// Whether a report has the columns that tell whether such an entity exists.
fn tells(snapshot: &Snapshot, entity: Entity) -> bool {
    let lacks = snapshot.input.lacks();
    let mut columns = Slot::ALL.into_iter().filter_map(|slot| entity.existence(slot));
    columns.all(|(active, created)| !lacks.contains(active) && !lacks.contains(created))
}

struct Comparer<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    options: Options,
    rules: Vec<&'a BoundRule>,
    events: Vec<Event>,
    moves: Moves,
    /// Users, by row of the newer snapshot, with keys of the same second.
    same_second: Vec<u32>,
    /// Users whose keys are not told by cells that can be read.
    unclear: Vec<u32>,
    /// Whether both reports have the columns that tell keys, and certificates.
    tells: [bool; 2],
}

impl Comparer<'_> {
    fn user(&mut self, user: Match) {
        match user {
            Match::Same(old, new) => self.same(old, new),
            Match::Recreated(old, new) => {
                self.stands_alone(Kind::UserRecreated, Some(old), Some(new));
                self.resolve_all(old, Kind::UserRecreated);
                self.open_all(new);
            }
            Match::Created(new) => {
                self.stands_alone(Kind::UserCreated, None, Some(new));
                self.open_all(new);
            }
            Match::Deleted(old) => {
                self.stands_alone(Kind::UserDeleted, Some(old), None);
                self.resolve_all(old, Kind::UserDeleted);
            }
        }
    }

    fn same(&mut self, old_row: u32, new_row: u32) {
        let comparison = Comparison {
            old: self.old,
            new: self.new,
            old_row,
            new_row,
            idle_days: self.options.idle_days,
        };
        let mut changes = comparison.changes();
        let Changes {
            keys, certificates, ..
        } = &changes;
        if keys.same_second || certificates.same_second {
            self.same_second.push(new_row);
        }
        if keys.unclear && self.tells[0] || certificates.unclear && self.tells[1] {
            self.unclear.push(new_row);
        }
        let follow = Follow {
            comparison,
            changes: &changes,
            rules: &self.rules,
        };
        follow.follow(&mut self.moves);
        self.events.append(&mut changes.events);
    }

    fn stands_alone(&mut self, kind: Kind, old_row: Option<u32>, new_row: Option<u32>) {
        let created = |snapshot: &Snapshot, row: Option<u32>| {
            let time = row.map(|row| snapshot.users.time(row as usize, TimeColumn::UserCreation));
            time.map_or(Value::None, Value::of_time)
        };
        self.events.push(Event {
            kind,
            old_row,
            new_row,
            key_created: None,
            old: created(self.old, old_row),
            new: created(self.new, new_row),
        });
    }

    fn resolve_all(&mut self, row: u32, kind: Kind) {
        let failing = self
            .old
            .found_of(row)
            .iter()
            .filter(|found| found.status == Status::Fail);
        self.moves.resolved.extend(failing.map(|&found| Moved {
            by: [Cause::Event(kind)].into(),
            ..Moved::new(found, Side::Old, Some(Status::Fail), None)
        }));
    }

    fn open_all(&mut self, row: u32) {
        let failing = self
            .new
            .found_of(row)
            .iter()
            .filter(|found| found.status == Status::Fail);
        let opened = failing.map(|&found| Moved::new(found, Side::New, None, Some(Status::Fail)));
        self.moves.opened.extend(opened);
    }

    fn diagnostics(&self, matching: &Matching) -> Vec<Diagnostic> {
        let snapshots = [self.old, self.new];
        let mut notes = notes::order(self.old, self.new);
        notes.extend(notes::columns(self.old, self.new));
        for (side, snapshot) in snapshots.into_iter().enumerate() {
            notes.extend(notes::undated(&snapshot.input));
            notes.extend(notes::accounts(snapshot, &matching.accounts[side]));
            notes.extend(notes::duplicates(snapshot, &matching.duplicates[side]));
        }
        notes.extend(notes::same_second(self.new, &self.same_second));
        notes.extend(notes::unclear(self.new, &self.unclear));
        notes
    }
}

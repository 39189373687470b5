//! What changed from one snapshot to the next.

use super::before::{Aged, Before};
use super::changes::{Changes, Comparison};
use super::event::{Event, Kind, Value};
use super::matching::{Incomparable, Match, Matching, match_users};
use super::moves::{Aging, Follow, Moves};
use super::notes;
use super::open::Open;
use super::snapshot::Snapshot;
use super::verdicts::Found;
use crate::engine::{Input, Judged, Program, Workers};
use crate::finding::{Diagnostic, Status};
use crate::gsl::typed::Entity;
use crate::report::schema::{Slot, TimeColumn};
use crate::report::time::{Timestamp, Unit};

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
    pub open: Open<'a>,
    /// What stands in the way of the comparison, or is odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// A finding and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Index of the user in the snapshot that the finding is of.
    pub row: u32,
    /// The finding in the snapshot that shows it best: the newer one where it fails there, unless the user is as
    /// before, and so not kept there.
    pub found: Found,
    /// The snapshot that it is of.
    pub side: Side,
    /// What the older snapshot said; none where it did not tell of it.
    pub before: Option<Status>,
    /// What the newer snapshot says; none where it does not tell of it.
    pub after: Option<Status>,
    /// What resolved it; empty for others.
    pub by: Causes,
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

/// Causes, each once: events in the order of their kinds, then others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u32);

impl Causes {
    const OTHERS: [Cause; 3] = [Cause::Suppressed, Cause::Used, Cause::Other];

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        let all = Kind::ALL.into_iter().map(Cause::Event).chain(Self::OTHERS);
        all.filter(move |&cause| self.0 & Self::bit(cause) != 0)
    }

    fn bit(cause: Cause) -> u32 {
        let others = Kind::ALL.len();
        1 << match cause {
            Cause::Event(kind) => kind as usize,
            Cause::Suppressed => others,
            Cause::Used => others + 1,
            Cause::Other => others + 2,
        }
    }
}

impl FromIterator<Cause> for Causes {
    fn from_iter<T: IntoIterator<Item = Cause>>(causes: T) -> Self {
        Self(causes.into_iter().fold(0, |bits, cause| bits | Self::bit(cause)))
    }
}

impl Moved {
    pub(super) fn new(
        (row, found): (u32, Found),
        side: Side,
        before: Option<Status>,
        after: Option<Status>,
    ) -> Self {
        Self {
            row,
            found,
            side,
            before,
            after,
            by: Causes::default(),
        }
    }
}

/// How snapshots are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Days without use after which a credential is idle.
    pub idle_days: i64,
}

impl Options {
    /// What was last used until then is idle at this instant.
    pub(super) fn idle_since(self, as_of: Timestamp) -> Timestamp {
        as_of.plus(-self.idle_days, Unit::Days)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { idle_days: 90 }
    }
}

/// How many users a thread takes at a time.
const PART: usize = 512;

/// Compares two snapshots that this program has judged; the newer one is whole, or was collected against that same
/// older one.
pub fn diff<'a>(
    program: &Program,
    before: Before<'a>,
    new: &'a Snapshot,
    workers: &Workers,
) -> Result<Diff<'a>, Incomparable> {
    let (old, options) = (before.old, before.options);
    let matching = match_users(before, new, workers)?;
    let comparer = Comparer {
        old,
        new,
        options,
        rules: program.judged(),
        aged: &matching.aged,
        tells: [Entity::IamAccessKey, Entity::IamSigningCertificate]
            .map(|entity| tells(old, entity) && tells(new, entity)),
    };
    let all = 0..matching.users.len();
    let parts = workers.in_parts(all, PART, |users| comparer.users(&matching.users[users]));
    let changes = Changed::join(parts, workers);
    let diagnostics = comparer.diagnostics(&matching, &changes);
    Ok(Diff {
        old,
        new,
        events: changes.events,
        opened: changes.moves.opened,
        resolved: changes.moves.resolved,
        open: Open::new(old, matching, changes.moves.open),
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
    rules: &'a [Judged],
    /// What is found about users who are as before but for that.
    aged: &'a Aged,
    /// Whether both reports have the columns that tell keys, and certificates.
    tells: [bool; 2],
}

/// What changed of some users.
#[derive(Default)]
struct Changed {
    events: Vec<Event>,
    moves: Moves,
    /// Users, by row of the newer snapshot, with keys of the same second.
    same_second: Vec<u32>,
    /// Users whose keys are not told by cells that can be read.
    unclear: Vec<u32>,
}

impl Changed {
    fn join(mut parts: Vec<Self>, workers: &Workers) -> Self {
        // Of all these, time brings by far the most.
        let opened = |part: &mut Self| std::mem::take(&mut part.moves.opened);
        let opened: Vec<Vec<Moved>> = parts.iter_mut().map(opened).collect();
        let others = || {
            let mut all = Self::default();
            for part in &mut parts {
                all.events.append(&mut part.events);
                all.moves.resolved.append(&mut part.moves.resolved);
                all.moves.open.append(&mut part.moves.open);
                all.same_second.append(&mut part.same_second);
                all.unclear.append(&mut part.unclear);
            }
            all
        };
        let (mut all, opened) = workers.both(others, || opened.concat());
        all.moves.opened = opened;
        all
    }
}

impl Comparer<'_> {
    fn users(&self, users: &[Match]) -> Changed {
        let mut changed = Changed::default();
        for &user in users {
            match user {
                Match::Same(old, new) => self.same(old, new, &mut changed),
                Match::Aged(old, user) => {
                    let (used, verdicts) = self.aged.of(user);
                    let aging = Aging {
                        snapshots: [self.old, self.new],
                        row: old,
                        used,
                        rules: self.rules,
                    };
                    aging.follow(verdicts, &mut changed.moves);
                }
                Match::Recreated(old, new) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserRecreated, Some(old), Some(new)));
                    self.resolve_all(old, Kind::UserRecreated, &mut changed);
                    self.open_all(new, &mut changed);
                }
                Match::Created(new) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserCreated, None, Some(new)));
                    self.open_all(new, &mut changed);
                }
                Match::Deleted(old) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserDeleted, Some(old), None));
                    self.resolve_all(old, Kind::UserDeleted, &mut changed);
                }
            }
        }
        changed
    }

    fn same(&self, old_row: u32, new_row: u32, changed: &mut Changed) {
        let comparison = Comparison {
            old: self.old,
            new: self.new,
            old_row,
            new_row,
            options: self.options,
        };
        let mut changes = comparison.changes();
        let Changes {
            keys, certificates, ..
        } = &changes;
        if keys.same_second || certificates.same_second {
            changed.same_second.push(new_row);
        }
        if keys.unclear && self.tells[0] || certificates.unclear && self.tells[1] {
            changed.unclear.push(new_row);
        }
        let follow = Follow {
            comparison,
            changes: &changes,
            rules: self.rules,
        };
        follow.follow(&mut changed.moves);
        changed.events.append(&mut changes.events);
    }

    fn stands_alone(&self, kind: Kind, old_row: Option<u32>, new_row: Option<u32>) -> Event {
        let created = |snapshot: &Snapshot, row: Option<u32>| {
            let time = row.map(|row| snapshot.users().time(row as usize, TimeColumn::UserCreation));
            time.map_or(Value::None, Value::of_time)
        };
        Event {
            kind,
            old_row,
            new_row,
            key_created: None,
            old: created(self.old, old_row),
            new: created(self.new, new_row),
        }
    }

    fn resolve_all(&self, row: u32, kind: Kind, changed: &mut Changed) {
        let resolved = failing(self.old, row).map(|found| Moved {
            by: Causes::from_iter([Cause::Event(kind)]),
            ..Moved::new((row, found), Side::Old, Some(Status::Fail), None)
        });
        changed.moves.resolved.extend(resolved);
    }

    fn open_all(&self, row: u32, changed: &mut Changed) {
        let opened =
            failing(self.new, row).map(|found| Moved::new((row, found), Side::New, None, Some(Status::Fail)));
        changed.moves.opened.extend(opened);
    }

    fn diagnostics(&self, matching: &Matching, changed: &Changed) -> Vec<Diagnostic> {
        let snapshots = [self.old, self.new];
        let mut notes = notes::order(self.old, self.new);
        notes.extend(notes::columns(self.old, self.new));
        for (side, snapshot) in snapshots.into_iter().enumerate() {
            notes.extend(notes::undated(&snapshot.input));
            notes.extend(notes::accounts(snapshot, &matching.accounts[side]));
            notes.extend(told(snapshot, &matching.duplicates[side], notes::duplicates));
        }
        let numbers = |rows: &[u32]| {
            rows.iter()
                .map(|&row| self.new.roster.number(row))
                .collect::<Vec<_>>()
        };
        notes.extend(told(self.new, &numbers(&changed.same_second), notes::same_second));
        notes.extend(told(self.new, &numbers(&changed.unclear), notes::unclear));
        notes
    }
}

/// What is odd about the users in these rows of the report.
fn told(snapshot: &Snapshot, rows: &[u32], note: fn(&Input, u64, usize) -> Diagnostic) -> Option<Diagnostic> {
    let first = u64::from(*rows.first()?) + 1;
    let mut note = note(&snapshot.input, first, rows.len());
    if snapshot.is_joined() {
        // Of several reports it would be a row of none.
        note.row = None;
    }
    Some(note)
}

fn failing(snapshot: &Snapshot, row: u32) -> impl Iterator<Item = Found> {
    snapshot.roster.verdicts.of(row).failing()
}

//! What changed from one snapshot to the next.

use super::as_before::AsBefore;
use super::before::Before;
use super::changes::{Changes, Comparison};
use super::event::{Event, Kind, Value};
use super::findings::{Counts, Findings, Lists, Move, Moved};
use super::matching::{Incomparable, Match, Matching, match_users};
use super::moves::Follow;
use super::notes;
use super::roster::index;
use super::snapshot::Snapshot;
use super::verdicts::Found;
use crate::engine::{CompiledRule, Input, Program, Workers};
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
    /// What stands in the way of the comparison, or is odd.
    pub diagnostics: Vec<Diagnostic>,
    /// The rules that judged both, by position.
    pub rules: &'a [CompiledRule],
    pub(super) as_before: AsBefore,
    /// Findings of the users who are not.
    pub(super) lists: Lists,
    /// Findings of all.
    pub(super) counts: Counts,
}

impl<'a> Diff<'a> {
    /// The findings that have moved so.
    pub fn findings(&'a self, which: Move) -> Findings<'a> {
        Findings { diff: self, which }
    }
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
    program: &'a Program,
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
        rules: program.compiled_rules(),
        tells: [Entity::IamAccessKey, Entity::IamSigningCertificate]
            .map(|entity| tells(old, entity) && tells(new, entity)),
    };
    let Matching { users, as_before, .. } = &matching;
    let (parts, mut counts) = workers.both(
        || workers.in_parts(0..users.len(), PART, |part| comparer.users(&users[part])),
        || Counts::of((old, new), as_before, program.compiled_rules().len(), workers),
    );
    let changes = Changed::join(parts);
    let diagnostics = comparer.diagnostics(&matching, &changes);
    let Changed {
        events, mut lists, ..
    } = changes;
    lists.sort();
    counts.add(&lists);
    Ok(Diff {
        old,
        new,
        events,
        diagnostics,
        rules: program.compiled_rules(),
        as_before: matching.as_before,
        lists,
        counts,
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
    rules: &'a [CompiledRule],
    /// Whether both reports have the columns that tell keys, and certificates.
    tells: [bool; 2],
}

/// What changed of some users.
#[derive(Default)]
struct Changed {
    events: Vec<Event>,
    lists: Lists,
    /// Users, by row of the newer snapshot, with keys of the same second.
    same_second: Vec<u32>,
    /// Users whose keys are not told by cells that can be read.
    unclear: Vec<u32>,
}

impl Changed {
    fn join(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        all.events
            .reserve(parts.iter().map(|part| part.events.len()).sum());
        for mut part in parts {
            all.events.append(&mut part.events);
            all.lists.append(&mut part.lists);
            all.same_second.append(&mut part.same_second);
            all.unclear.append(&mut part.unclear);
        }
        all
    }
}

impl Comparer<'_> {
    fn users(&self, users: &[Match]) -> Changed {
        let mut changed = Changed::default();
        for &user in users {
            match user {
                Match::Same(old, new) => self.same(old, new, &mut changed),
                Match::Recreated(old, new) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserRecreated, Some(old), Some(new)));
                    self.resolve_all(old, Kind::UserRecreated, &mut changed);
                    self.open_all(old, new, &mut changed);
                }
                Match::Created(new) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserCreated, None, Some(new)));
                    let behind = index(self.old.users().len()) + new;
                    self.open_all(behind, new, &mut changed);
                }
                Match::Deleted(old) => {
                    changed
                        .events
                        .push(self.stands_alone(Kind::UserDeleted, Some(old), None));
                    self.resolve_all(old, Kind::UserDeleted, &mut changed);
                }
            }
        }
        // In parallel, so that little is left to be sorted where all are joined.
        changed.lists.sort();
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
        let changes = comparison.changes(&mut changed.events);
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
        follow.follow(&mut changed.lists);
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
        for found in failing(self.old, row) {
            let resolved = Moved {
                by: Causes::from_iter([Cause::Event(kind)]),
                ..Moved::new((row, found), Side::Old, Some(Status::Fail), None)
            };
            changed.lists.push(Move::Resolved, row, resolved);
        }
    }

    fn open_all(&self, old: u32, row: u32, changed: &mut Changed) {
        for found in failing(self.new, row) {
            let opened = Moved::new((row, found), Side::New, None, Some(Status::Fail));
            changed.lists.push(Move::Opened, old, opened);
        }
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

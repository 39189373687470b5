//! Compares two snapshots: events, and findings that were opened, resolved or are still open.

use std::collections::BTreeSet;

use super::as_before::AsBefore;
use super::before::Before;
use super::cells::Cells as _;
use super::changes::Comparison;
use super::event::{Event, Kind, Value};
use super::findings::{Counts, Findings, Lists, Move, Moved};
use super::matching::{Incomparable, Match, Matching, match_users};
use super::moves::FindingMoves;
use super::notes::{self, Note};
use super::roster::index;
use super::snapshot::Snapshot;
use super::verdicts::CompactFinding;
use crate::engine::{CompiledRule, Program, Workers};
use crate::finding::{Diagnostic, Status};
use crate::gsl::typed::Entity;
use crate::report::schema::{Slot, TimeColumn};
use crate::report::time::{Timestamp, Unit};
use crate::rule::{Filters, NearMisses};

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
    /// Users in the order of the newer snapshot, then deleted users; the events of a user in the order of [`Kind`].
    pub events: Vec<Event>,
    /// What limits the comparison, and what is unusual in the reports.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of users of the older snapshot and of the newer one that the filters admit.
    pub users: [u64; 2],
    /// Why there are none, if that is because of the filters.
    pub no_match: Option<String>,
    /// The rules that evaluated both snapshots, by position.
    pub rules: &'a [CompiledRule],
    pub(super) as_before: AsBefore,
    /// Findings of changed users.
    pub(super) lists: Lists,
    /// The number of findings of all users.
    pub(super) counts: Counts,
}

impl<'a> Diff<'a> {
    /// The findings that were opened, resolved or are still open.
    pub fn findings(&'a self, which: Move) -> Findings<'a> {
        Findings { diff: self, which }
    }
}

/// What resolved a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An event.
    Event(Kind),
    /// A suppression covers it now.
    Suppressed,
    /// The credential was used.
    Used,
    /// Something else: another cell changed, or time passed.
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

/// A set of causes: events in the order of [`Kind`], then the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u32);

impl Causes {
    const OTHERS: [Cause; 3] = [Cause::Suppressed, Cause::Used, Cause::Other];

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The causes in order.
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
pub struct DiffOptions {
    /// Number of days without use after which a credential is idle.
    pub idle_days: i64,
}

impl DiffOptions {
    /// A credential last used at or before this time is idle at `as_of`.
    pub(super) fn idle_since(self, as_of: Timestamp) -> Timestamp {
        as_of.plus(-self.idle_days, Unit::Days)
    }
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self { idle_days: 90 }
    }
}

/// The number of users that a thread takes at a time.
const PART: usize = 512;

/// Compares two snapshots that were evaluated with this program. The newer one is complete, or was collected against the
/// same older one.
pub fn diff<'a>(
    program: &'a Program,
    before: Before<'a>,
    new: &'a Snapshot,
    workers: &Workers,
) -> Result<Diff<'a>, Incomparable> {
    let (old, options, filters) = (before.old, before.options, before.filters);
    let mut matching = match_users(before, new, workers)?;
    let users = filters.map_or_else(
        || [old, new].map(Snapshot::count),
        |filters| matching.filter([old, new], filters),
    );
    let comparer = Comparer {
        old,
        new,
        options,
        rules: program.compiled_rules(),
        have_columns: [Entity::IamAccessKey, Entity::IamSigningCertificate]
            .map(|entity| has_columns(old, entity) && has_columns(new, entity)),
    };
    let Matching {
        users: matches,
        as_before,
        ..
    } = &matching;
    let (parts, mut counts) = workers.both(
        || workers.in_parts(0..matches.len(), PART, |part| comparer.users(&matches[part])),
        || Counts::of((old, new), as_before, program.compiled_rules().len(), workers),
    );
    let changes = Changed::join(parts);
    let diagnostics = comparer.diagnostics(&matching, &changes);
    let mut lists = changes.lists;
    lists.sort();
    counts.add(&lists);
    Ok(Diff {
        old,
        new,
        events: changes.events,
        diagnostics,
        users,
        no_match: filters
            .filter(|_| users == [0, 0])
            .map(|filters| no_match([old, new], &matching.accounts, filters)),
        rules: program.compiled_rules(),
        as_before: matching.as_before,
        lists,
        counts,
    })
}

/// What to say of filters that admit no compared user of these snapshots. `of_one` are the accounts that only one of them
/// has.
fn no_match(snapshots: [&Snapshot; 2], of_one: &[BTreeSet<Vec<u8>>; 2], filters: &Filters) -> String {
    for (snapshot, of_one) in snapshots.into_iter().zip(of_one) {
        let users = snapshot.users();
        let admitted = (0..users.len()).filter(|&row| filters.admits(&users.to_filter(row)));
        let accounts = admitted.filter_map(|row| users.account_or_name(row));
        let accounts = accounts.filter(|&account| of_one.contains(account));
        let note = notes::accounts(snapshot, &accounts.map(<[u8]>::to_vec).collect());
        if let Some(note) = note {
            return format!("{}: {}", snapshot.input.path, note.message);
        }
    }
    let mut misses = NearMisses::default();
    for users in snapshots.map(Snapshot::users) {
        (0..users.len()).for_each(|row| misses.add(filters, &users.to_filter(row)));
    }
    misses.message(filters)
}

/// Whether a report has the columns that say whether such an entity exists.
fn has_columns(snapshot: &Snapshot, entity: Entity) -> bool {
    let lacks = snapshot.input.lacks();
    let mut columns = Slot::ALL.into_iter().filter_map(|slot| entity.existence(slot));
    columns.all(|(active, created)| !lacks.contains(active) && !lacks.contains(created))
}

struct Comparer<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    options: DiffOptions,
    rules: &'a [CompiledRule],
    /// Whether both reports have the columns of keys, and of certificates.
    have_columns: [bool; 2],
}

/// The changes of some users.
#[derive(Default)]
struct Changed {
    events: Vec<Event>,
    lists: Lists,
    /// Users, by row of the newer snapshot, with keys or certificates created in the same second.
    same_second: Vec<u32>,
    /// Users whose keys or certificates cannot be identified, because cells are unknown.
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
                    let event = self.user_event(Kind::UserRecreated, Some(old), Some(new));
                    changed.events.push(event);
                    self.resolve_all(old, Kind::UserRecreated, &mut changed);
                    self.open_all(old, new, &mut changed);
                }
                Match::Created(new) => {
                    let event = self.user_event(Kind::UserCreated, None, Some(new));
                    changed.events.push(event);
                    let after_old = index(self.old.users().len()) + new;
                    self.open_all(after_old, new, &mut changed);
                }
                Match::Deleted(old) => {
                    let event = self.user_event(Kind::UserDeleted, Some(old), None);
                    changed.events.push(event);
                    self.resolve_all(old, Kind::UserDeleted, &mut changed);
                }
            }
        }
        // Each thread sorts its own part, so that sorting the joined lists is quick.
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
        let (keys, certificates) = (&changes.keys, &changes.certificates);
        if keys.same_second || certificates.same_second {
            changed.same_second.push(new_row);
        }
        if keys.is_unclear() && self.have_columns[0] || certificates.is_unclear() && self.have_columns[1] {
            changed.unclear.push(new_row);
        }
        let moves = FindingMoves {
            comparison,
            changes: &changes,
            rules: self.rules,
        };
        moves.add_to(&mut changed.lists);
    }

    fn user_event(&self, kind: Kind, old_row: Option<u32>, new_row: Option<u32>) -> Event {
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
        let mut diagnostics = notes::order(self.old, self.new);
        diagnostics.extend(notes::columns(self.old, self.new));
        for (side, snapshot) in snapshots.into_iter().enumerate() {
            diagnostics.extend(notes::undated(&snapshot.input));
            diagnostics.extend(notes::accounts(snapshot, &matching.accounts[side]));
            let repeated = &matching.duplicates[side];
            diagnostics.extend(about(snapshot, repeated, notes::duplicates));
        }
        for (rows, note) in [
            (&changed.same_second, notes::same_second as Note),
            (&changed.unclear, notes::unclear),
        ] {
            let numbers: Vec<u32> = rows.iter().map(|&row| self.new.roster.number(row)).collect();
            diagnostics.extend(about(self.new, &numbers, note));
        }
        diagnostics
    }
}

/// A diagnostic about the users in these rows of the report, if there are any.
fn about(snapshot: &Snapshot, rows: &[u32], note: Note) -> Option<Diagnostic> {
    let first = u64::from(*rows.first()?) + 1;
    let mut note = note(&snapshot.input, first, rows.len());
    if snapshot.is_joined() {
        // The row counts through all joined reports, so it is not a row of any of them.
        note.row = None;
    }
    Some(note)
}

fn failing(snapshot: &Snapshot, row: u32) -> impl Iterator<Item = CompactFinding> {
    snapshot.roster.verdicts.of(row).failing()
}

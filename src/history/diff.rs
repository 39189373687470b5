//! Compares two snapshots: events, and findings that were opened, resolved or are still open.

use std::collections::BTreeSet;
use std::ops::Range;

use super::event::{Causes, Event};
use super::keys::{are_of_same_second, is_unclear};
use super::matching::{Incomparable, Match, MatchedSnapshots, match_snapshots};
use super::notes::{self, Note};
use super::snapshot::Snapshot;
use super::transition::{Before, Comparer, Move, Moved, Side, Transition, User, is_other};
use super::users::index;
use crate::engine::{CompiledRule, Program, Workers};
use crate::finding::{Diagnostic, Status};
use crate::gsl::typed::Entity;
use crate::report::schema::{Slot, TimeColumn};
use crate::rule::{Filters, NearMisses};

/// Events and findings between two snapshots.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The older snapshot.
    pub old: &'a Snapshot,
    /// The newer snapshot.
    pub new: &'a Snapshot,
    /// Users in the order of the newer snapshot, then deleted users; the events of a user in the order of [`Kind`].
    ///
    /// [`Kind`]: super::Kind
    pub events: Vec<Event>,
    /// What limits the comparison, and what is unusual in the reports.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of users of the older snapshot and of the newer one that the filters admit.
    pub users: [u64; 2],
    /// Why there are none, if that is because of the filters.
    pub no_match: Option<String>,
    /// The rules that evaluated both snapshots, by position.
    pub rules: &'a [CompiledRule],
    comparer: Comparer<'a>,
    matches: Vec<Match>,
    /// Which of them have findings that were opened, unveiled or resolved; ascending.
    moved: Vec<u32>,
    /// The number of findings, by [`Move`] and position of the rule.
    counts: [Vec<u64>; Move::ALL.len()],
}

/// How snapshots are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffOptions {
    /// Number of days without use after which a credential is idle.
    pub idle_days: i64,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self { idle_days: 90 }
    }
}

/// The number of users that a thread takes at a time.
const PART: usize = 8_192;

/// Compares two snapshots that were evaluated with this program: the users that the filters admit as one of the snapshots has
/// them.
pub fn diff<'a>(
    program: &'a Program,
    [old, new]: [&'a Snapshot; 2],
    (options, filters): (DiffOptions, &Filters),
    workers: &Workers,
) -> Result<Diff<'a>, Incomparable> {
    let mut matched = match_snapshots(old, new)?;
    filter(&mut matched, [old, new], filters);
    let in_snapshot = |row: fn(&Match) -> Option<u32>| matched.users.iter().filter_map(row).count() as u64;
    let mut users = [in_snapshot(|user| user.old), in_snapshot(|user| user.new)];
    if filters.is_empty() {
        users = [old, new].map(|snapshot| snapshot.users().len() as u64);
    }
    let rules = program.compiled_rules();
    let mut diff = Diff {
        old,
        new,
        events: Vec::new(),
        diagnostics: Vec::new(),
        users,
        no_match: None,
        rules,
        comparer: Comparer::new(rules, options.idle_days, [old, new]),
        matches: std::mem::take(&mut matched.users),
        moved: Vec::new(),
        counts: Move::ALL.map(|_| vec![0; rules.len()]),
    };
    let parts = workers.in_parts(0..diff.matches.len(), PART, |part| diff.compare(part));
    let unusual = diff.add(parts);
    diff.diagnostics = diff.diagnostics(&matched, &unusual);
    diff.no_match =
        (!filters.is_empty() && users == [0, 0]).then(|| no_match([old, new], &matched.accounts, filters));
    Ok(diff)
}

/// Leaves out the users that the filters admit neither as the older snapshot has them nor as the newer one.
fn filter(matched: &mut MatchedSnapshots, [old, new]: [&Snapshot; 2], filters: &Filters) {
    if filters.is_empty() {
        return;
    }
    let is_wanted = |snapshot: &Snapshot, row: Option<u32>| {
        row.is_some_and(|row| filters.admits(&snapshot.users().to_filter(row as usize)))
    };
    matched
        .users
        .retain(|user| is_wanted(old, user.old) || is_wanted(new, user.new));
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

/// What happened to some users.
#[derive(Debug)]
struct Part {
    events: Vec<Event>,
    moved: Vec<u32>,
    counts: [Vec<u64>; Move::ALL.len()],
    unusual: UnusualUsers,
}

/// Users by row of the newer snapshot.
#[derive(Debug, Default)]
struct UnusualUsers {
    /// With keys or certificates created in the same second.
    same_second: Vec<u32>,
    /// Whose keys or certificates cannot be identified, because cells are unknown.
    unclear: Vec<u32>,
}

impl<'a> Diff<'a> {
    /// The findings that were opened, resolved or are still open.
    pub fn findings(&'a self, which: Move) -> Findings<'a> {
        Findings { diff: self, which }
    }

    /// A user in the snapshots that have it.
    fn users_of(&self, user: Match) -> [Option<User<'a>>; 2] {
        let in_snapshot = |snapshot: &'a Snapshot, row: Option<u32>| {
            let row = row?;
            let created = snapshot.users().time(row as usize, TimeColumn::UserCreation);
            Some(User {
                snapshot,
                row,
                created,
            })
        };
        [in_snapshot(self.old, user.old), in_snapshot(self.new, user.new)]
    }

    /// What happened to a user; none if nothing did, and the findings are the same.
    fn transition(&self, [old, new]: [Option<User<'a>>; 2]) -> Option<Transition> {
        if old
            .zip(new)
            .is_some_and(|(old, new)| self.comparer.is_unchanged(old, new))
        {
            return None;
        }
        let open = old.map_or_else(Vec::new, |old| old.open(self.rules));
        let before = old.map(|user| Before { user, open: &open });
        Some(self.comparer.transition(before, new))
    }

    fn compare(&self, users: Range<usize>) -> Part {
        let mut part = Part {
            events: Vec::new(),
            moved: Vec::new(),
            counts: Move::ALL.map(|_| vec![0; self.rules.len()]),
            unusual: UnusualUsers::default(),
        };
        let have_columns = [Entity::IamAccessKey, Entity::IamSigningCertificate].map(|entity| {
            [self.old, self.new]
                .iter()
                .all(|snapshot| has_columns(snapshot, entity))
        });
        for position in users {
            let both = self.users_of(self.matches[position]);
            if let [Some(old), Some(new)] = both
                && !is_other(old, new)
            {
                part.unusual.add([old, new], have_columns);
            }
            let Some(transition) = self.transition(both) else {
                for found in both[1].into_iter().flat_map(User::failing) {
                    part.counts[Move::Open as usize][usize::from(found.rule)] += 1;
                }
                continue;
            };
            part.events.extend(transition.events);
            let mut findings = transition.findings.iter();
            if findings.any(|change| change.which != Move::Open) {
                part.moved.push(index(position));
            }
            for change in &transition.findings {
                part.counts[change.which as usize][usize::from(change.open.rule)] += 1;
            }
        }
        part
    }

    /// Takes what happened to all users; the unusual ones.
    fn add(&mut self, parts: Vec<Part>) -> UnusualUsers {
        let mut unusual = UnusualUsers::default();
        for mut part in parts {
            self.events.append(&mut part.events);
            self.moved.append(&mut part.moved);
            for (all, counts) in self.counts.iter_mut().zip(&part.counts) {
                all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
            }
            unusual.same_second.append(&mut part.unusual.same_second);
            unusual.unclear.append(&mut part.unusual.unclear);
        }
        self.events
            .sort_by_key(|event| (event.new_row.is_none(), event.new_row, event.old_row));
        unusual
    }

    fn diagnostics(&self, matched: &MatchedSnapshots, unusual: &UnusualUsers) -> Vec<Diagnostic> {
        let mut diagnostics = notes::order(self.old, self.new);
        diagnostics.extend(notes::columns(self.old, self.new));
        for (side, snapshot) in [self.old, self.new].into_iter().enumerate() {
            diagnostics.extend(notes::undated(&snapshot.input));
            diagnostics.extend(notes::accounts(snapshot, &matched.accounts[side]));
            let repeated = &matched.repeated[side];
            diagnostics.extend(about(snapshot, repeated, notes::duplicates));
        }
        diagnostics.extend(about(self.new, &unusual.same_second, notes::same_second));
        diagnostics.extend(about(self.new, &unusual.unclear, notes::unclear));
        diagnostics
    }
}

impl UnusualUsers {
    /// `have_columns` says whether both reports have the columns of keys, and of certificates.
    fn add(&mut self, users: [User<'_>; 2], have_columns: [bool; 2]) {
        let slots = users.map(|user| [user.cells().keys(), user.cells().certificates()]);
        if slots.iter().flatten().any(|&slots| are_of_same_second(slots)) {
            self.same_second.push(users[1].row);
        }
        let is_unclear = |slots: &[_; 2]| (0..2).any(|kind| have_columns[kind] && is_unclear(slots[kind]));
        if slots.iter().any(is_unclear) {
            self.unclear.push(users[1].row);
        }
    }
}

/// Whether a report has the columns that say whether such an entity exists.
fn has_columns(snapshot: &Snapshot, entity: Entity) -> bool {
    let lacks = snapshot.input.lacks();
    let mut columns = Slot::ALL.into_iter().filter_map(|slot| entity.existence(slot));
    columns.all(|(active, created)| !lacks.contains(active) && !lacks.contains(created))
}

/// A diagnostic about the users in these rows, if there are any.
fn about(snapshot: &Snapshot, rows: &[u32], note: Note) -> Option<Diagnostic> {
    let numbers = rows.iter().map(|&row| snapshot.users().number(row));
    let first = u64::from(numbers.min()?) + 1;
    let mut note = note(&snapshot.input, first, rows.len());
    if snapshot.is_joined() {
        // The row counts through all joined reports, so it is not a row of any of them.
        note.row = None;
    }
    Some(note)
}

/// All findings of one [`Move`]: users in the order of the older snapshot, then users of only the newer one; the findings of
/// a user by rule and slot. They are not stored: users are compared again.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    diff: &'a Diff<'a>,
    which: Move,
}

impl<'a> Findings<'a> {
    /// Their number, by position of the rule.
    pub fn by_rule(self) -> &'a [u64] {
        &self.diff.counts[self.which as usize]
    }

    /// Their number.
    pub fn count(self) -> u64 {
        self.by_rule().iter().sum()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Moved> + 'a {
        self.of(0..self.users(), |_| true)
    }

    /// The number of user positions for [`Self::of`].
    pub fn users(self) -> usize {
        self.diff.matches.len()
    }

    /// The findings of some users, of the wanted rules.
    pub fn of(
        self,
        users: Range<usize>,
        is_wanted: impl Fn(u16) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = Moved> + 'a {
        let moved = &self.diff.moved;
        let at = |position: usize| moved.partition_point(|&moved| (moved as usize) < position);
        let (all, moved) = match self.which {
            Move::Open => (users, &moved[..0]),
            Move::Opened | Move::Unveiled | Move::Resolved => (0..0, &moved[at(users.start)..at(users.end)]),
        };
        let positions = all.chain(moved.iter().map(|&position| position as usize));
        positions.flat_map(move |position| self.of_user(position, is_wanted))
    }

    fn of_user(self, position: usize, is_wanted: impl Fn(u16) -> bool) -> Vec<Moved> {
        let both = self.diff.users_of(self.diff.matches[position]);
        let mut all: Vec<Moved> = match self.diff.transition(both) {
            Some(transition) => {
                let findings = transition.findings.into_iter();
                let mine = findings.filter(|change| change.which == self.which);
                mine.map(|change| change.moved).collect()
            }
            None if self.which == Move::Open => still_failing(both).collect(),
            None => Vec::new(),
        };
        all.retain(|moved| is_wanted(moved.found.rule));
        all.sort_by_key(|moved| (moved.found.rule, moved.found.slot));
        all
    }
}

/// The findings of an unchanged user.
fn still_failing(both: [Option<User<'_>>; 2]) -> impl Iterator<Item = Moved> {
    let [old, new] = both;
    let users = old.zip(new).into_iter();
    users.flat_map(|(old, new)| {
        new.failing().map(move |found| Moved {
            row: new.row,
            found,
            side: Side::New,
            before: Some(Status::Fail),
            after: Some(Status::Fail),
            by: Causes::default(),
            earlier: Some((old.row, found)),
        })
    })
}

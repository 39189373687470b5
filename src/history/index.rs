//! The users of a report by who they are.

use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use xxhash_rust::xxh3::xxh3_64;

use super::event::known;
use super::roster::index;
use super::users::Users;
use crate::engine::Workers;
use crate::report::schema::TimeColumn;

/// How users are told apart within an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By ARN, or by name where a row tells none.
    Arn,
    Name,
}

/// What tells a user apart. A name that reads like an ARN is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Handle<'a> {
    Arn(&'a [u8]),
    Name(&'a [u8]),
}

impl Handle<'_> {
    pub(super) fn hash(self) -> u32 {
        let (Self::Arn(text) | Self::Name(text)) = self;
        #[expect(clippy::cast_possible_truncation, reason = "a part of a hash is one")]
        let hash = xxh3_64(text) as u32;
        hash
    }
}

impl Identity {
    /// What tells this user apart.
    pub(super) fn of<'a>(self, name: &'a [u8], arn: &'a [u8]) -> Handle<'a> {
        match self {
            Self::Arn if !arn.is_empty() => Handle::Arn(arn),
            Self::Arn | Self::Name => Handle::Name(name),
        }
    }
}

/// Who stands in which row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'a> {
    pub(super) users: &'a Users,
    pub(super) identity: Identity,
}

impl<'a> Who<'a> {
    pub(super) fn at(self, row: u32) -> Handle<'a> {
        let row = row as usize;
        self.identity.of(self.users.name(row), self.users.arn(row))
    }

    fn hash(self, row: u32) -> u32 {
        match self.identity {
            Identity::Arn => self.users.hash(row as usize),
            Identity::Name => self.at(row).hash(),
        }
    }

    pub(super) fn created(self, row: u32) -> i64 {
        self.users.time(row as usize, TimeColumn::UserCreation)
    }
}

/// Of rows of one user the one made last counts, of several such the first. Whether the later row, made then, counts.
pub(super) fn is_made_later(earlier_row: i64, later_row: i64) -> bool {
    // A time that is not told is not the later one.
    known(later_row) > known(earlier_row)
}

/// The users of one snapshot by identity.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) who: Who<'a>,
    /// By some bits of the hash of who it is: each fits a cache, and is made by itself.
    shards: Vec<Shard>,
    /// Whether the row is the one that counts for its user.
    counts: Vec<bool>,
    /// The rows that do not, ascending.
    pub(super) duplicates: Vec<u32>,
}

/// Some of the users of a snapshot.
#[derive(Debug)]
struct Shard {
    /// The rows that count.
    rows: HashTable<u32>,
    duplicates: Vec<u32>,
}

/// How many users a thread takes at a time.
const PART: usize = 16_384;

/// How many users a shard has, more or less: a table of 4,096 places is filled by seven eighths at most.
const SHARD: usize = 3_300;

impl<'a> Index<'a> {
    pub(super) fn new(who: Who<'a>, workers: &Workers) -> Self {
        let rows = who.users.len();
        let shards = rows.div_ceil(SHARD).max(1);
        let by_shard = workers.in_parts(0..rows, PART, |rows| ByShard::new(who, rows, shards));
        let part = shards.div_ceil(8 * workers.count());
        let shards = workers.in_parts(0..shards, part, |numbers| {
            let shards = numbers.map(|number| Shard::new(who, &by_shard, number));
            shards.collect::<Vec<_>>()
        });
        let shards: Vec<Shard> = shards.into_iter().flatten().collect();
        let duplicates = shards.iter().flat_map(|shard| &shard.duplicates);
        let mut duplicates: Vec<u32> = duplicates.copied().collect();
        duplicates.sort_unstable();
        let mut counts = vec![true; rows];
        for &row in &duplicates {
            counts[row as usize] = false;
        }
        Self {
            who,
            shards,
            counts,
            duplicates,
        }
    }

    /// Whether the row is the one that counts for its user.
    pub(super) fn counts(&self, row: u32) -> bool {
        self.counts.get(row as usize) == Some(&true)
    }

    /// The row that counts for this user.
    pub(super) fn row(&self, who: Handle<'_>) -> Option<u32> {
        self.find(who, who.hash())
    }

    /// The row that counts for who stands there.
    pub(super) fn row_of(&self, who: Who<'_>, row: u32) -> Option<u32> {
        self.find(who.at(row), who.hash(row))
    }

    fn find(&self, who: Handle<'_>, hash: u32) -> Option<u32> {
        let shard = &self.shards[shard_of(hash, self.shards.len())];
        let found = shard.rows.find(place(hash), |&row| self.who.at(row) == who);
        found.copied()
    }
}

fn shard_of(hash: u32, shards: usize) -> usize {
    ((u64::from(hash) * shards as u64) >> 32) as usize
}

/// Where a table looks: by the low bits, and by the highest, neither of which are those that tell the shard.
fn place(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 40
}

/// Rows by shard.
struct ByShard {
    rows: Vec<u32>,
    /// Where those of each shard end.
    ends: Vec<u32>,
}

impl ByShard {
    fn new(who: Who<'_>, rows: Range<usize>, shards: usize) -> Self {
        let rows = index(rows.start)..index(rows.end);
        let shard = |row| shard_of(who.hash(row), shards);
        let mut ends = vec![0; shards];
        for row in rows.clone() {
            ends[shard(row)] += 1;
        }
        let mut end = 0;
        for place in &mut ends {
            // First where they begin: each that is placed moves it on.
            end += std::mem::replace(place, end);
        }
        let mut placed = vec![0; rows.len()];
        for row in rows {
            let place = &mut ends[shard(row)];
            placed[*place as usize] = row;
            *place += 1;
        }
        Self { rows: placed, ends }
    }

    fn of(&self, shard: usize) -> &[u32] {
        let start = shard.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start as usize..self.ends[shard] as usize]
    }
}

impl Shard {
    fn new(who: Who<'_>, parts: &[ByShard], number: usize) -> Self {
        let of_shard = || parts.iter().map(|part| part.of(number));
        let mut shard = Self {
            rows: HashTable::with_capacity(of_shard().map(<[_]>::len).sum()),
            duplicates: Vec::new(),
        };
        for &row in of_shard().flatten() {
            shard.add(who, row);
        }
        shard
    }

    fn add(&mut self, who: Who<'_>, row: u32) {
        let hash = who.hash(row);
        let is_mine = |&other: &u32| who.hash(other) == hash && who.at(other) == who.at(row);
        let mut known = match self.rows.entry(place(hash), is_mine, |&row| place(who.hash(row))) {
            Entry::Vacant(place) => {
                place.insert(row);
                return;
            }
            Entry::Occupied(known) => known,
        };
        let loser = if is_made_later(who.created(*known.get()), who.created(row)) {
            std::mem::replace(known.get_mut(), row)
        } else {
            row
        };
        self.duplicates.push(loser);
    }
}

//! Looks up the users of a snapshot by ARN, or by name and account.

use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::cells::Cells as _;
use super::roster::index;
use super::users::Users;
use crate::engine::Workers;
use crate::report::cell::known;
use crate::report::schema::TimeColumn;

/// How the users of an account are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By ARN, or by name and the account in columns if a row has no ARN.
    Arn,
    /// By name.
    Name,
}

/// What identifies a user. A name that looks like an ARN is still a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identifier<'a> {
    Arn(&'a [u8]),
    /// The name, and the account; empty if that is not known, or does not count.
    Name(&'a [u8], &'a [u8]),
}

impl Identifier<'_> {
    pub(super) fn hash(self) -> u32 {
        let hash = match self {
            Self::Arn(text) | Self::Name(text, []) => xxh3_64(text),
            Self::Name(name, account) => xxh3_64_with_seed(name, xxh3_64(account)),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a part of a hash is one")]
        let hash = hash as u32;
        hash
    }
}

impl Identity {
    /// The identifier of the user with this name, ARN, and account in columns.
    pub(super) fn of<'a>(self, name: &'a [u8], arn: &'a [u8], owner: &'a [u8]) -> Identifier<'a> {
        match self {
            Self::Arn if !arn.is_empty() => Identifier::Arn(arn),
            Self::Arn => Identifier::Name(name, owner),
            Self::Name => Identifier::Name(name, b""),
        }
    }
}

/// The users of a snapshot with their identifiers.
#[derive(Clone, Copy, Debug)]
pub(super) struct UserIds<'a> {
    pub(super) users: &'a Users,
    pub(super) identity: Identity,
}

impl<'a> UserIds<'a> {
    pub(super) fn at(self, row: u32) -> Identifier<'a> {
        let row = row as usize;
        self.identity
            .of(self.users.name(row), self.users.arn(row), self.users.owner(row))
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

/// Whether the later of two rows of one user counts: the row created last does, or the first of equal ones.
pub(super) fn is_created_later(earlier_row: i64, later_row: i64) -> bool {
    // An unknown time is before all others.
    known(later_row) > known(earlier_row)
}

/// The rows of users, by identifier.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) users: UserIds<'a>,
    /// By some bits of the identifier's hash. Each shard fits into a cache, and they are built in parallel.
    shards: Vec<Shard>,
    /// Whether the row is the one that counts for its user.
    counts: Vec<bool>,
    /// The rows that do not count, ascending.
    pub(super) duplicates: Vec<u32>,
}

/// Some of the users of a snapshot.
#[derive(Debug)]
struct Shard {
    /// The rows that count.
    rows: HashTable<u32>,
    duplicates: Vec<u32>,
}

/// The number of users that a thread takes at a time.
const PART: usize = 16_384;

/// About how many users a shard has: a table of 4,096 entries is at most seven eighths full.
const SHARD: usize = 3_300;

impl<'a> Index<'a> {
    pub(super) fn new(users: UserIds<'a>, workers: &Workers) -> Self {
        let rows = users.users.len();
        let shards = rows.div_ceil(SHARD).max(1);
        let by_shard = workers.in_parts(0..rows, PART, |rows| ByShard::new(users, rows, shards));
        let part = shards.div_ceil(8 * workers.count());
        let shards = workers.in_parts(0..shards, part, |numbers| {
            let shards = numbers.map(|number| Shard::new(users, &by_shard, number));
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
            users,
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
    pub(super) fn row(&self, identifier: Identifier<'_>) -> Option<u32> {
        self.find(identifier, identifier.hash())
    }

    /// The row that counts for the user in a row of the other snapshot.
    pub(super) fn row_of(&self, users: UserIds<'_>, row: u32) -> Option<u32> {
        self.find(users.at(row), users.hash(row))
    }

    fn find(&self, identifier: Identifier<'_>, hash: u32) -> Option<u32> {
        let shard = &self.shards[shard_of(hash, self.shards.len())];
        let found = shard
            .rows
            .find(table_hash(hash), |&row| self.users.at(row) == identifier);
        found.copied()
    }
}

fn shard_of(hash: u32, shards: usize) -> usize {
    ((u64::from(hash) * shards as u64) >> 32) as usize
}

/// The hash for the table of a shard. Tables use the lowest and highest bits; the shard depends on others.
fn table_hash(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 40
}

/// Rows by shard.
struct ByShard {
    rows: Vec<u32>,
    /// The end of the rows of each shard.
    ends: Vec<u32>,
}

impl ByShard {
    fn new(users: UserIds<'_>, rows: Range<usize>, shards: usize) -> Self {
        let rows = index(rows.start)..index(rows.end);
        let shard = |row| shard_of(users.hash(row), shards);
        let mut ends = vec![0; shards];
        for row in rows.clone() {
            ends[shard(row)] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            // Now the start of the shard's rows; placing them moves it to their end.
            end += std::mem::replace(count, end);
        }
        let mut placed = vec![0; rows.len()];
        for row in rows {
            let next = &mut ends[shard(row)];
            placed[*next as usize] = row;
            *next += 1;
        }
        Self { rows: placed, ends }
    }

    fn of(&self, shard: usize) -> &[u32] {
        let start = shard.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start as usize..self.ends[shard] as usize]
    }
}

impl Shard {
    fn new(users: UserIds<'_>, parts: &[ByShard], number: usize) -> Self {
        let of_shard = || parts.iter().map(|part| part.of(number));
        let mut shard = Self {
            rows: HashTable::with_capacity(of_shard().map(<[_]>::len).sum()),
            duplicates: Vec::new(),
        };
        for &row in of_shard().flatten() {
            shard.add(users, row);
        }
        shard
    }

    fn add(&mut self, users: UserIds<'_>, row: u32) {
        let hash = users.hash(row);
        let is_mine = |&other: &u32| users.hash(other) == hash && users.at(other) == users.at(row);
        let mut known = match self
            .rows
            .entry(table_hash(hash), is_mine, |&row| table_hash(users.hash(row)))
        {
            Entry::Vacant(entry) => {
                entry.insert(row);
                return;
            }
            Entry::Occupied(known) => known,
        };
        let loser = if is_created_later(users.created(*known.get()), users.created(row)) {
            std::mem::replace(known.get_mut(), row)
        } else {
            row
        };
        self.duplicates.push(loser);
    }
}

//! Which user of one snapshot is which of the other.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::event::{self, known};
use super::hashed::HashedMap;
use super::snapshot::Snapshot;
use crate::engine::Workers;
use crate::report::schema::{TextColumn, TimeColumn};

/// One user in the snapshots that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// In both.
    Same(u32, u32),
    /// Deleted, and made again under the same ARN.
    Recreated(u32, u32),
    /// Only in the newer one.
    Created(u32),
    /// Only in the older one.
    Deleted(u32),
}

/// The users of both snapshots.
#[derive(Debug)]
pub(super) struct Matching {
    /// In the order of the newer snapshot; then the deleted ones, in that of the older.
    pub(super) users: Vec<Match>,
    /// Rows of users who stand in a report twice and are left out; by snapshot.
    pub(super) duplicates: [Vec<u32>; 2],
    /// Accounts that only one of them holds; by snapshot.
    pub(super) accounts: [BTreeSet<Vec<u8>>; 2],
}

/// Why two snapshots cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// They share no account.
    #[error("they are reports of different accounts ({old} and {new}); compare reports of the same account")]
    OtherAccount {
        /// Accounts of the older one.
        old: String,
        /// Accounts of the newer one.
        new: String,
    },
    /// A name alone does not tell a user where there are several accounts.
    #[error(
        "one of them lacks the column arn and the other holds several accounts, so that users cannot be told \
         apart; compare reports that both have it"
    )]
    NoArn,
    /// Nothing tells the users.
    #[error("{0} has neither user nor arn, so that users cannot be told apart")]
    NoUser(String),
}

/// How users are told apart within an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Identity {
    Arn,
    Name,
}

/// Matches users by account, ARN (else name) and creation time.
pub(super) fn match_users(
    old: &Snapshot,
    new: &Snapshot,
    workers: &Workers,
) -> Result<Matching, Incomparable> {
    let (in_old, in_new) = (old.users.accounts(), new.users.accounts());
    let identity = identity(old, new, [in_old, in_new])?;
    let only_old: BTreeSet<Vec<u8>> = in_old - in_new;
    let only_new: BTreeSet<Vec<u8>> = in_new - in_old;
    // Where one of them tells no account, nothing speaks against a comparison.
    let told = !in_old.is_empty() && !in_new.is_empty();
    if told && only_old.len() == in_old.len() {
        let list = |accounts: &BTreeSet<Vec<u8>>| {
            let names = accounts.iter().map(|account| String::from_utf8_lossy(account));
            names.take(3).collect::<Vec<_>>().join(", ")
        };
        return Err(Incomparable::OtherAccount {
            old: list(&only_old),
            new: list(&only_new),
        });
    }
    let accounts = if told {
        [only_old, only_new]
    } else {
        Default::default()
    };
    let index = |snapshot, left_out| Index::new(Who { snapshot, identity }, left_out, workers);
    let mut after = index(new, &accounts[1]);
    // Nobody is looked up there.
    after.shards.clear();
    let before = index(old, &accounts[0]);
    Ok(Matching {
        users: before.matches(&after, workers),
        duplicates: [before.duplicates, after.duplicates],
        accounts,
    })
}

fn identity(
    old: &Snapshot,
    new: &Snapshot,
    accounts: [&BTreeSet<Vec<u8>>; 2],
) -> Result<Identity, Incomparable> {
    let lacks = |column: TextColumn| [old, new].map(|snapshot| snapshot.input.lacks().contains(column));
    let without_arn = lacks(TextColumn::Arn);
    if without_arn == [false, false] {
        return Ok(Identity::Arn);
    }
    if accounts.iter().any(|accounts| accounts.len() > 1) {
        return Err(Incomparable::NoArn);
    }
    match lacks(TextColumn::User).iter().position(|&lacks| lacks) {
        Some(position) => Err(Incomparable::NoUser([old, new][position].input.path.clone())),
        None => Ok(Identity::Name),
    }
}

/// The users of one snapshot by identity.
struct Index<'a> {
    who: Who<'a>,
    /// By some bits of the hash of who it is: each fits a cache, and is made by itself.
    shards: Vec<Shard<'a>>,
    /// Whether the row is the one that counts for its user.
    counts: Vec<bool>,
    duplicates: Vec<u32>,
}

/// Who stands in which row.
#[derive(Clone, Copy)]
struct Who<'a> {
    snapshot: &'a Snapshot,
    identity: Identity,
}

/// Some of the users of a snapshot.
#[derive(Default)]
struct Shard<'a> {
    /// By the hash of who it is.
    rows: HashedMap<u64, u32>,
    /// Those whose hash another one has.
    others: HashMap<&'a [u8], u32>,
    duplicates: Vec<u32>,
}

/// How many users a thread takes at a time.
const PART: usize = 16_384;

/// Rows with the hashes of who they are.
type Hashes = Vec<(u64, u32)>;

/// A million users make shards of a few thousand.
const SHARDS: usize = 256;

fn shard_of(hash: u64) -> usize {
    // Neither the bits by which tables place a key nor those by which they tell keys apart.
    (hash >> 32) as usize % SHARDS
}

impl<'a> Who<'a> {
    fn at(self, row: u32) -> &'a [u8] {
        let (users, row) = (&self.snapshot.users, row as usize);
        match (self.identity, users.arn(row)) {
            (Identity::Arn, arn) if !arn.is_empty() => arn,
            _ => users.name(row),
        }
    }

    fn created(self, row: u32) -> i64 {
        self.snapshot.users.time(row as usize, TimeColumn::UserCreation)
    }

    /// Of some rows, by shard.
    fn hashes(self, rows: Range<usize>, counts: &[bool]) -> Vec<Hashes> {
        let mut shards = vec![Hashes::new(); SHARDS];
        for row in counted(counts, rows) {
            let hash = xxh3_64(self.at(row));
            shards[shard_of(hash)].push((hash, row));
        }
        shards
    }
}

impl<'a> Shard<'a> {
    fn new(who: Who<'a>, hashes: &[Vec<Hashes>], number: usize) -> Self {
        let mut shard = Self::default();
        shard
            .rows
            .reserve(hashes.iter().map(|hashes| hashes[number].len()).sum());
        for &(hash, row) in hashes.iter().flat_map(|hashes| &hashes[number]) {
            shard.add(who, hash, row);
        }
        shard
    }

    /// Of rows of one user the one made last counts, of several such the first.
    fn add(&mut self, who: Who<'a>, hash: u64, row: u32) {
        let mut known = self.rows.entry(hash).or_insert(row);
        if *known == row {
            return;
        }
        let name = who.at(row);
        if who.at(*known) != name {
            known = self.others.entry(name).or_insert(row);
            if *known == row {
                return;
            }
        }
        // A time that is not told is not the later one.
        let loser = if event::known(who.created(row)) > event::known(who.created(*known)) {
            std::mem::replace(known, row)
        } else {
            row
        };
        self.duplicates.push(loser);
    }
}

impl<'a> Index<'a> {
    fn new(who: Who<'a>, left_out: &BTreeSet<Vec<u8>>, workers: &Workers) -> Self {
        let users = &who.snapshot.users;
        let is_wanted = |row| {
            left_out.is_empty()
                || users
                    .account(row)
                    .is_none_or(|account| !left_out.contains(account))
        };
        let mut counts: Vec<bool> = (0..users.len()).map(is_wanted).collect();
        let hashes = workers.in_parts(0..users.len(), PART, |rows| who.hashes(rows, &counts));
        let shards = workers.in_parts(0..SHARDS, SHARDS / 8, |numbers| {
            let shards = numbers.map(|number| Shard::new(who, &hashes, number));
            shards.collect::<Vec<_>>()
        });
        let shards: Vec<Shard<'a>> = shards.into_iter().flatten().collect();
        let mut duplicates: Vec<u32> = shards
            .iter()
            .flat_map(|shard| &shard.duplicates)
            .copied()
            .collect();
        duplicates.sort_unstable();
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

    fn row(&self, who: &[u8]) -> Option<u32> {
        let hash = xxh3_64(who);
        let shard = &self.shards[shard_of(hash)];
        let row = *shard.rows.get(&hash)?;
        if self.who.at(row) == who {
            Some(row)
        } else {
            shard.others.get(who).copied()
        }
    }

    /// The row of a user who is thought to stand here, as the order of reports hardly changes.
    fn row_near(&self, guess: u32, who: &[u8]) -> Option<u32> {
        let counts = self.counts.get(guess as usize) == Some(&true);
        if counts && self.who.at(guess) == who {
            return Some(guess);
        }
        self.row(who)
    }

    fn matches(&self, after: &Self, workers: &Workers) -> Vec<Match> {
        let all = 0..after.counts.len();
        let parts = workers.in_parts(all, PART, |rows| self.matches_of(rows, after));
        let mut users = parts.concat();
        let mut is_gone = self.counts.clone();
        for user in &users {
            if let &(Match::Same(old, _) | Match::Recreated(old, _)) = user {
                is_gone[old as usize] = false;
            }
        }
        users.extend(counted(&is_gone, 0..is_gone.len()).map(Match::Deleted));
        users
    }

    /// Of some rows of the newer snapshot.
    fn matches_of(&self, rows: Range<usize>, after: &Self) -> Vec<Match> {
        let mut users = Vec::with_capacity(rows.len());
        let mut next = None;
        for row in counted(&after.counts, rows) {
            let Some(old) = self.row_near(next.unwrap_or(row), after.who.at(row)) else {
                users.push(Match::Created(row));
                continue;
            };
            next = Some(old + 1);
            users.push(if self.is_other(old, after, row) {
                Match::Recreated(old, row)
            } else {
                Match::Same(old, row)
            });
        }
        users
    }

    /// Whether users of the same name are surely not the same.
    fn is_other(&self, old: u32, after: &Self, new: u32) -> bool {
        let created = known(self.who.created(old)).zip(known(after.who.created(new)));
        created.is_some_and(|(old, new)| old != new)
    }
}

/// Those of these rows that count.
fn counted(counts: &[bool], rows: Range<usize>) -> impl Iterator<Item = u32> {
    let row = |row| u32::try_from(row).expect("invariant: a snapshot has fewer than 4 G users");
    rows.filter(|&row| counts[row]).map(row)
}

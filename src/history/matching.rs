//! Which user of one snapshot is which of the other.

use std::collections::{BTreeSet, HashMap};

use xxhash_rust::xxh3::xxh3_64;

use super::accounts::AccountOf;
use super::event::known;
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
    let (in_old, in_new) = workers.both(|| accounts(old), || accounts(new));
    let identity = identity(old, new, [&in_old, &in_new])?;
    let only_old: BTreeSet<Vec<u8>> = in_old
        .difference(&in_new)
        .map(|&account| account.to_vec())
        .collect();
    let only_new: BTreeSet<Vec<u8>> = in_new
        .difference(&in_old)
        .map(|&account| account.to_vec())
        .collect();
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
    let (before, after) = workers.both(
        || Index::new(old, identity, &accounts[0]),
        || Index::new(new, identity, &accounts[1]),
    );
    Ok(Matching {
        users: before.matches(&after),
        duplicates: [before.duplicates, after.duplicates],
        accounts,
    })
}

fn identity(
    old: &Snapshot,
    new: &Snapshot,
    accounts: [&BTreeSet<&[u8]>; 2],
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

fn accounts(snapshot: &Snapshot) -> BTreeSet<&[u8]> {
    let mut accounts = BTreeSet::new();
    let (mut account_of, mut last) = (AccountOf::default(), None);
    for row in 0..snapshot.users.len() {
        let account = account_of.arn(snapshot.users.arn(row));
        if account != last {
            accounts.extend(account);
            last = account;
        }
    }
    accounts
}

/// The users of one snapshot by identity.
struct Index<'a> {
    snapshot: &'a Snapshot,
    identity: Identity,
    /// By the hash of who it is.
    rows: HashedMap<u64, u32>,
    /// Those whose hash another one has.
    others: HashMap<&'a [u8], u32>,
    /// Whether the row is the one that counts for its user.
    counts: Vec<bool>,
    duplicates: Vec<u32>,
}

impl<'a> Index<'a> {
    fn new(snapshot: &'a Snapshot, identity: Identity, left_out: &BTreeSet<Vec<u8>>) -> Self {
        let users = snapshot.users.len();
        let mut index = Self {
            snapshot,
            identity,
            rows: HashedMap::with_capacity_and_hasher(users, <_>::default()),
            others: HashMap::new(),
            counts: vec![false; users],
            duplicates: Vec::new(),
        };
        for row in 0..users {
            let account = || snapshot.users.account(row);
            if left_out.is_empty() || account().is_none_or(|account| !left_out.contains(account)) {
                index.add(row);
            }
        }
        index.duplicates.sort_unstable();
        index
    }

    /// Of rows of one user the one made last counts, of several such the first.
    fn add(&mut self, row: usize) {
        let number = u32::try_from(row).expect("invariant: a snapshot has fewer than 4 G users");
        let who = self.who(row);
        let known = *self.rows.entry(xxh3_64(who)).or_insert(number);
        let known = if known == number || self.who(known as usize) == who {
            known
        } else {
            *self.others.entry(who).or_insert(number)
        };
        self.counts[row] = true;
        if known == number {
            return;
        }
        let created = |row: usize| self.snapshot.users.time(row, TimeColumn::UserCreation);
        let loser = if created(row) > created(known as usize) {
            self.replace(who, number);
            known
        } else {
            number
        };
        self.counts[loser as usize] = false;
        self.duplicates.push(loser);
    }

    /// Has another row count for a user who is known.
    fn replace(&mut self, who: &'a [u8], row: u32) {
        match self.others.get_mut(who) {
            Some(known) => *known = row,
            None => drop(self.rows.insert(xxh3_64(who), row)),
        }
    }

    fn row(&self, who: &[u8]) -> Option<u32> {
        let row = *self.rows.get(&xxh3_64(who))?;
        if self.who(row as usize) == who {
            Some(row)
        } else {
            self.others.get(who).copied()
        }
    }

    /// The row of a user who is thought to stand here, as the order of reports hardly changes.
    fn row_near(&self, guess: u32, who: &[u8]) -> Option<u32> {
        let counts = self.counts.get(guess as usize) == Some(&true);
        if counts && self.who(guess as usize) == who {
            return Some(guess);
        }
        self.row(who)
    }

    fn who(&self, row: usize) -> &'a [u8] {
        let users = &self.snapshot.users;
        match (self.identity, users.arn(row)) {
            (Identity::Arn, arn) if !arn.is_empty() => arn,
            _ => users.name(row),
        }
    }

    fn matches(&self, after: &Self) -> Vec<Match> {
        let mut users = Vec::with_capacity(after.rows.len());
        let mut is_gone = self.counts.clone();
        let mut next = 0;
        for row in counted(&after.counts) {
            let Some(old) = self.row_near(next, after.who(row as usize)) else {
                users.push(Match::Created(row));
                continue;
            };
            next = old + 1;
            is_gone[old as usize] = false;
            users.push(if self.is_other(old, after, row) {
                Match::Recreated(old, row)
            } else {
                Match::Same(old, row)
            });
        }
        users.extend(counted(&is_gone).map(Match::Deleted));
        users
    }

    /// Whether users of the same name are surely not the same.
    fn is_other(&self, old: u32, after: &Self, new: u32) -> bool {
        let created =
            |index: &Self, row: u32| known(index.snapshot.users.time(row as usize, TimeColumn::UserCreation));
        let created = created(self, old).zip(created(after, new));
        created.is_some_and(|(old, new)| old != new)
    }
}

fn counted(counts: &[bool]) -> impl Iterator<Item = u32> {
    (0..)
        .zip(counts)
        .filter(|&(_, &counts)| counts)
        .map(|(row, _)| row)
}

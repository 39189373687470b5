//! Matches the users of two snapshots by account, ARN (or name), each once.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use hashbrown::HashTable;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::account::id_of;
use super::snapshot::Snapshot;
use super::users::{Users, index};
use crate::report::cell::known;
use crate::report::schema::{TextColumn, TimeColumn};

/// A user by its rows in the snapshots that have it. If the creation times differ, it was deleted and created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) old: Option<u32>,
    pub(super) new: Option<u32>,
}

/// How the users of an account are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By ARN, or by name and the account in columns if a row has no ARN.
    Arn,
    /// By name.
    Name,
}

/// What identifies a user. A name that looks like an ARN is still a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identifier<'a> {
    Arn(&'a [u8]),
    /// The name, and the account; empty if that is not known, or does not count.
    Name(&'a [u8], &'a [u8]),
}

impl Identifier<'_> {
    fn hash(self) -> u64 {
        match self {
            Self::Arn(text) | Self::Name(text, []) => xxh3_64(text),
            Self::Name(name, account) => xxh3_64_with_seed(name, xxh3_64(account)),
        }
    }
}

/// Some of the users of a snapshot, with their identifiers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roster<'a> {
    pub(super) users: &'a Users,
    pub(super) identity: Identity,
    /// Rows that do not count, ascending.
    pub(super) left_out: &'a [u32],
}

impl<'a> Roster<'a> {
    fn at(self, row: u32) -> Identifier<'a> {
        let [name, arn, owner] = self.users.who(row as usize);
        match self.identity {
            Identity::Arn if !arn.is_empty() => Identifier::Arn(arn),
            Identity::Arn => Identifier::Name(name, owner),
            Identity::Name => Identifier::Name(name, b""),
        }
    }

    fn counts(self, row: u32) -> bool {
        (row as usize) < self.users.len() && self.left_out.binary_search(&row).is_err()
    }

    fn rows(self) -> impl Iterator<Item = u32> {
        (0..index(self.users.len())).filter(move |&row| self.counts(row))
    }

    /// The rows of these users by identifier; they repeat no user.
    fn table(self) -> HashTable<u32> {
        let mut table = HashTable::with_capacity(self.users.len());
        for row in self.rows() {
            table.insert_unique(self.at(row).hash(), row, |&row| self.at(row).hash());
        }
        table
    }
}

/// The users of two snapshots, each once.
#[derive(Debug, Default)]
pub(super) struct Matching {
    /// In the order of the older snapshot, then users of only the newer one in its order.
    pub(super) users: Vec<Match>,
    /// Rows of the newer snapshot that repeat a user and do not count, ascending.
    pub(super) repeated: Vec<u32>,
}

/// How many rows to look at before a table of all users is made.
const AHEAD: u32 = 4;

/// No row.
const NO_ROW: u32 = u32::MAX;

/// Matches users by their identifiers. The older snapshot repeats none of them. Of the rows of a user in the newer one the row
/// created last counts, or the first of equal ones.
pub(super) fn match_users(old: Roster<'_>, new: Roster<'_>) -> Matching {
    let table = OnceCell::new();
    let most_are_new = old.users.is_empty();
    let mut claims = Claims {
        old: vec![NO_ROW; old.users.len()],
        created: HashTable::with_capacity(if most_are_new { new.users.len() } else { 0 }),
        repeated: Vec::new(),
    };
    let mut expected: u32 = 0;
    for row in new.rows() {
        let who = new.at(row);
        // Most reports have the same users in the same order, but for a few.
        let mut near = expected..expected.saturating_add(AHEAD);
        let at = near.find(|&row| old.counts(row) && old.at(row) == who);
        let at = at.or_else(|| {
            let table = table.get_or_init(|| old.table());
            table.find(who.hash(), |&row| old.at(row) == who).copied()
        });
        expected = at.unwrap_or(expected).wrapping_add(u32::from(at.is_some()));
        claims.claim((new, row), at);
    }
    claims.into_matching(old)
}

/// The rows of the newer snapshot that count for a user, as far as they are known.
struct Claims {
    /// By row of the older snapshot, or [`NO_ROW`].
    old: Vec<u32>,
    /// For users who are not in the older one, by identifier.
    created: HashTable<u32>,
    /// Rows that do not count.
    repeated: Vec<u32>,
}

impl Claims {
    /// Takes the next row of the newer snapshot; `at` is the row of its user in the older one.
    fn claim(&mut self, (new, row): (Roster<'_>, u32), at: Option<u32>) {
        let claim = if let Some(at) = at {
            &mut self.old[at as usize]
        } else {
            let who = new.at(row);
            let hash = |&row: &u32| new.at(row).hash();
            let entry = self
                .created
                .entry(who.hash(), |&other| new.at(other) == who, hash);
            // The first row of a user who is new claims it.
            entry.or_insert(row).into_mut()
        };
        if *claim == NO_ROW {
            *claim = row;
        }
        let before = *claim;
        if before == row {
            return;
        }
        if is_created_later(new.users, [before, row]) {
            *claim = row;
            self.repeated.push(before);
        } else {
            self.repeated.push(row);
        }
    }

    fn into_matching(mut self, old: Roster<'_>) -> Matching {
        self.repeated.sort_unstable();
        let mut created: Vec<u32> = self.created.into_iter().collect();
        created.sort_unstable();
        let known = old.rows().map(|row| Match {
            old: Some(row),
            new: Some(self.old[row as usize]).filter(|&new| new != NO_ROW),
        });
        let created = created.into_iter().map(|row| Match {
            old: None,
            new: Some(row),
        });
        Matching {
            users: known.chain(created).collect(),
            repeated: self.repeated,
        }
    }
}

/// The rows that repeat a user and do not count, ascending.
pub(super) fn repeated(all: Roster<'_>) -> Vec<u32> {
    let empty = Roster {
        users: &Users::default(),
        ..all
    };
    match_users(empty, all).repeated
}

/// Whether the later of two rows of one user was created later; an unknown time is before all others.
fn is_created_later(users: &Users, rows: [u32; 2]) -> bool {
    let [earlier, later] = rows.map(|row| known(users.time(row as usize, TimeColumn::UserCreation)));
    later > earlier
}

/// The users of two snapshots of the same accounts, matched.
#[derive(Debug)]
pub(super) struct MatchedSnapshots {
    /// In the order of the older snapshot, then users of only the newer one in its order.
    pub(super) users: Vec<Match>,
    /// Rows that repeat a user and are left out, ascending; by snapshot.
    pub(super) repeated: [Vec<u32>; 2],
    /// Accounts that only one of the snapshots has; by snapshot.
    pub(super) accounts: [BTreeSet<Vec<u8>>; 2],
}

/// Matches the users of the accounts that both snapshots have.
pub(super) fn match_snapshots(old: &Snapshot, new: &Snapshot) -> Result<MatchedSnapshots, Incomparable> {
    let identity = identity(old, new)?;
    let accounts = accounts_of_one(old, new)?;
    let [mut old_out, new_out] = [(old, &accounts[0]), (new, &accounts[1])].map(not_compared);
    let repeated = repeated(Roster {
        users: old.users(),
        identity,
        left_out: &old_out,
    });
    old_out.extend(&repeated);
    old_out.sort_unstable();
    let [old, new] = [(old, &old_out), (new, &new_out)].map(|(snapshot, left_out)| Roster {
        users: snapshot.users(),
        identity,
        left_out,
    });
    let matching = match_users(old, new);
    Ok(MatchedSnapshots {
        users: matching.users,
        repeated: [repeated, matching.repeated],
        accounts,
    })
}

/// The rows of users whose accounts only this snapshot has.
fn not_compared((snapshot, of_one): (&Snapshot, &BTreeSet<Vec<u8>>)) -> Vec<u32> {
    if of_one.is_empty() {
        return Vec::new();
    }
    let users = snapshot.users();
    let account = |row: u32| users.account_or_name(row as usize);
    let rows = 0..index(users.len());
    rows.filter(|&row| account(row).is_some_and(|account| of_one.contains(account)))
        .collect()
}

/// Why two snapshots cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// They have no account in common.
    #[error("the reports are of different accounts ({old} and {new}); compare reports of the same account")]
    OtherAccount {
        /// Accounts of the older one.
        old: String,
        /// Accounts of the newer one.
        new: String,
    },
    /// Names alone do not identify users of several accounts.
    #[error(
        "a report lacks the column arn and there are several accounts, so users cannot be matched; compare reports \
         that have the column"
    )]
    NoArn,
    /// No column identifies the users of both reports.
    #[error("{0} lacks the column user, and the reports do not both have arn, so users cannot be matched")]
    NoUser(String),
}

/// How users of both snapshots are identified.
fn identity(old: &Snapshot, new: &Snapshot) -> Result<Identity, Incomparable> {
    let lacks = |column: TextColumn| [old, new].map(|snapshot| snapshot.input.lacks().contains(column));
    if lacks(TextColumn::Arn) == [false, false] {
        return Ok(Identity::Arn);
    }
    if [old, new]
        .iter()
        .any(|snapshot| snapshot.users().accounts().len() > 1)
    {
        return Err(Incomparable::NoArn);
    }
    match lacks(TextColumn::User).iter().position(|&lacks| lacks) {
        Some(position) => Err(Incomparable::NoUser([old, new][position].input.path.clone())),
        None => Ok(Identity::Name),
    }
}

/// Accounts that only one of the snapshots has; by snapshot.
fn accounts_of_one(old: &Snapshot, new: &Snapshot) -> Result<[BTreeSet<Vec<u8>>; 2], Incomparable> {
    let (in_old, in_new) = (old.users().accounts(), new.users().accounts());
    // Without an account in one of them, they may be of the same one; as may an id and a name.
    let has_id = |accounts: &BTreeSet<Vec<u8>>| accounts.iter().any(|account| id_of(account).is_some());
    let is_unknown = in_old.is_disjoint(in_new) && has_id(in_old) != has_id(in_new);
    if in_old.is_empty() || in_new.is_empty() || is_unknown {
        return Ok(Default::default());
    }
    let [only_old, only_new] = [in_old - in_new, in_new - in_old];
    if only_old.len() == in_old.len() {
        let list = |snapshot: &Snapshot, accounts: &BTreeSet<Vec<u8>>| {
            let known = snapshot.users().account_names();
            let names = accounts.iter().map(|account| known.phrase(account));
            names.take(3).collect::<Vec<_>>().join(", ")
        };
        return Err(Incomparable::OtherAccount {
            old: list(old, &only_old),
            new: list(new, &only_new),
        });
    }
    Ok([only_old, only_new])
}

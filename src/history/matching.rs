//! Which user of one snapshot is which of the other.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::as_before::AsBefore;
use super::before::{Before, NOWHERE, Unchanged};
use super::event::known;
use super::index::{Handle, Identity, Index, Who, is_made_later};
use super::roster::index;
use super::snapshot::Snapshot;
use crate::engine::Workers;
use crate::report::schema::TextColumn;

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
    /// Who is not as before, in the order of the newer snapshot; then the deleted ones, in that of the older.
    pub(super) users: Vec<Match>,
    pub(super) as_before: AsBefore,
    /// Rows of the reports in which users stand once more and are left out, ascending; by snapshot.
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

/// How many users a thread takes at a time.
const PART: usize = 1_024;

/// Matches users by account, ARN (else name) and creation time.
pub(super) fn match_users(
    before: Before<'_>,
    new: &Snapshot,
    workers: &Workers,
) -> Result<Matching, Incomparable> {
    let (old, index, unchanged) = before.into_parts();
    let identity = identity(old, new)?;
    let accounts = accounts_of_one(old, new)?;
    let index = if index.who.identity == identity {
        index
    } else {
        let users = old.users();
        Index::new(Who { users, identity }, workers)
    };
    let matcher = Matcher {
        old,
        new,
        who: Who {
            users: new.users(),
            identity,
        },
        index,
        unchanged,
        accounts,
        claims: vec![NOWHERE; old.users().len()],
    };
    Ok(matcher.matching(workers))
}

/// What tells users apart in both.
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

/// Accounts that only one of them holds; by snapshot.
fn accounts_of_one(old: &Snapshot, new: &Snapshot) -> Result<[BTreeSet<Vec<u8>>; 2], Incomparable> {
    let (in_old, in_new) = (old.users().accounts(), new.users().accounts());
    // Where one of them tells no account, nothing speaks against a comparison.
    if in_old.is_empty() || in_new.is_empty() {
        return Ok(Default::default());
    }
    let [only_old, only_new] = [in_old - in_new, in_new - in_old];
    if only_old.len() == in_old.len() {
        let list = |accounts: &BTreeSet<Vec<u8>>| {
            let names = accounts.iter().map(|account| String::from_utf8_lossy(account));
            names.take(3).collect::<Vec<_>>().join(", ")
        };
        return Err(Incomparable::OtherAccount {
            old: list(&only_old),
            new: list(&only_new),
        });
    }
    Ok([only_old, only_new])
}

struct Matcher<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    /// Who stands where in the newer snapshot.
    who: Who<'a>,
    /// Of the older one.
    index: Index<'a>,
    unchanged: Unchanged,
    /// Accounts that only one of them holds; by snapshot.
    accounts: [BTreeSet<Vec<u8>>; 2],
    /// By row of the older snapshot, the row of the newer one that counts for that user, or [`NOWHERE`].
    claims: Vec<u32>,
}

impl Matcher<'_> {
    fn matching(mut self, workers: &Workers) -> Matching {
        let all = 0..self.new.users().len();
        let olds = workers.in_parts(all, PART, |rows| {
            let old = |row| match self.unchanged.others.get(row) {
                Some(&old) if old != NOWHERE => old,
                _ => self.index.row_of(self.who, index(row)).unwrap_or(NOWHERE),
            };
            rows.map(old).collect::<Vec<_>>()
        });
        let olds = olds.concat();
        let counts = self.claim(&olds);
        let counted = (0..).zip(olds).filter(|&(row, _)| counts[row as usize]);
        let kept = counted.map(|(row, old)| match old {
            NOWHERE => Match::Created(row),
            old if self.is_other(old, row) => Match::Recreated(old, row),
            old => Match::Same(old, row),
        });
        let mut users: Vec<Match> = kept.collect();
        let [only_old, _] = &self.accounts;
        let is_gone = |&row: &u32| {
            let at = row as usize;
            self.claims[at] == NOWHERE
                && self.unchanged.rows[at] == NOWHERE
                && self.index.counts(row)
                && is_compared(self.old, row, only_old)
        };
        let rows = 0..index(self.old.users().len());
        users.extend(rows.filter(is_gone).map(Match::Deleted));
        self.index
            .duplicates
            .retain(|&row| is_compared(self.old, row, only_old));
        let doubles = self
            .index
            .duplicates
            .iter()
            .map(|&row| self.old.roster.number(row));
        let mut unchanged = self.unchanged;
        unchanged.duplicates.sort_unstable();
        Matching {
            users,
            duplicates: [doubles.collect(), unchanged.duplicates],
            as_before: AsBefore::new(unchanged.rows, unchanged.rejudged),
            accounts: self.accounts,
        }
    }

    /// Whether each row of the newer snapshot counts, given the row of the older one that has its user.
    fn claim(&mut self, olds: &[u32]) -> Vec<bool> {
        let mut counts = vec![true; olds.len()];
        let mut created: HashMap<Handle<'_>, u32> = HashMap::new();
        for (row, &old) in (0..).zip(olds) {
            if !is_compared(self.new, row, &self.accounts[1]) {
                counts[row as usize] = false;
                continue;
            }
            if self.stands_unchanged(row, old) {
                counts[row as usize] = false;
                self.unchanged.duplicates.push(self.new.roster.number(row));
                continue;
            }
            let holder = match self.claims.get_mut(old as usize) {
                Some(holder) => holder,
                None => created.entry(self.who.at(row)).or_insert(NOWHERE),
            };
            let before = std::mem::replace(holder, row);
            if before == NOWHERE {
                continue;
            }
            let loser = if is_made_later(self.who.created(before), self.who.created(row)) {
                before
            } else {
                std::mem::replace(holder, before)
            };
            counts[loser as usize] = false;
            self.unchanged.duplicates.push(self.new.roster.number(loser));
        }
        counts
    }

    /// Whether another row, in which the user stands as before, counts and not this one. If this one does, the other
    /// is let go.
    fn stands_unchanged(&mut self, row: u32, old: u32) -> bool {
        let Some(other) = self.unchanged.rows.get_mut(old as usize) else {
            return false;
        };
        if *other == NOWHERE {
            return false;
        }
        let created = known(self.index.who.created(old));
        let mine = (known(self.who.created(row)), Reverse(self.new.roster.number(row)));
        if (created, Reverse(*other)) > mine {
            return true;
        }
        let other = std::mem::replace(other, NOWHERE);
        self.unchanged.duplicates.push(other);
        false
    }

    /// Whether users of the same name are surely not the same.
    fn is_other(&self, old: u32, new: u32) -> bool {
        let created = known(self.index.who.created(old)).zip(known(self.who.created(new)));
        created.is_some_and(|(old, new)| old != new)
    }
}

/// Whether the other snapshot holds the user's account, too.
fn is_compared(snapshot: &Snapshot, row: u32, of_one: &BTreeSet<Vec<u8>>) -> bool {
    let account = || snapshot.users().account(row as usize);
    of_one.is_empty() || account().is_none_or(|account| !of_one.contains(account))
}

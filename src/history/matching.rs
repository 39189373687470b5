//! Matches the users of two snapshots.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::as_before::AsBefore;
use super::before::{Before, NO_ROW, Unchanged};
use super::index::{Identifier, Identity, Index, UserIds, is_created_later};
use super::owners::id_of;
use super::roster::index;
use super::snapshot::Snapshot;
use crate::engine::Workers;
use crate::report::cell::known;
use crate::report::schema::TextColumn;
use crate::rule::{Filters, UserToFilter};

/// A user by its rows in the snapshots that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// In both.
    Same(u32, u32),
    /// Deleted, and created again with the same ARN.
    Recreated(u32, u32),
    /// Only in the newer one.
    Created(u32),
    /// Only in the older one.
    Deleted(u32),
}

/// The users of both snapshots, matched.
#[derive(Debug)]
pub(super) struct Matching {
    /// Changed users: in the order of the newer snapshot, then deleted users in the order of the older one.
    pub(super) users: Vec<Match>,
    pub(super) as_before: AsBefore,
    /// Rows that repeat a user and are left out, ascending; by snapshot.
    pub(super) duplicates: [Vec<u32>; 2],
    /// Accounts that only one of the snapshots has; by snapshot.
    pub(super) accounts: [BTreeSet<Vec<u8>>; 2],
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

/// The number of users that a thread takes at a time.
const PART: usize = 1_024;

/// Matches users by account, ARN (or name) and creation time.
pub(super) fn match_users(
    before: Before<'_>,
    new: &Snapshot,
    workers: &Workers,
) -> Result<Matching, Incomparable> {
    let (old, index, unchanged) = before.into_parts();
    let identity = identity(old, new)?;
    let accounts = accounts_of_one(old, new)?;
    let index = if index.users.identity == identity {
        index
    } else {
        let users = old.users();
        Index::new(UserIds { users, identity }, workers)
    };
    let matcher = Matcher {
        old,
        new,
        new_users: UserIds {
            users: new.users(),
            identity,
        },
        index,
        unchanged,
        accounts,
        claims: vec![NO_ROW; old.users().len()],
    };
    Ok(matcher.matching(workers))
}

impl Matching {
    /// Leaves out the users that the filters admit neither as the older snapshot has them nor as the newer one; the
    /// numbers of the others in each.
    pub(super) fn filter(&mut self, [old, new]: [&Snapshot; 2], filters: &Filters) -> [u64; 2] {
        let is_wanted =
            |snapshot: &Snapshot, row: u32| filters.admits(&snapshot.users().to_filter(row as usize));
        self.users.retain(|user| {
            let [in_old, in_new] = user.rows();
            in_old.is_some_and(|row| is_wanted(old, row)) || in_new.is_some_and(|row| is_wanted(new, row))
        });
        // An unchanged user has the same name and ARN; the newer snapshot may have another name of its account.
        let is_wanted_now = |row: usize| {
            let user = old.users().to_filter(row);
            let name = old
                .users()
                .account_or_name(row)
                .and_then(|account| new.users().account_names().get(account));
            let account_name = name.map(str::as_bytes);
            account_name.is_some() && filters.admits(&UserToFilter { account_name, ..user })
        };
        let unchanged = self
            .as_before
            .retain(|row| is_wanted(old, index(row)) || is_wanted_now(row));
        [0, 1].map(|side| {
            let rows = self.users.iter().filter(|user| user.rows()[side].is_some());
            unchanged + rows.count() as u64
        })
    }
}

impl Match {
    /// Its rows in both snapshots.
    fn rows(self) -> [Option<u32>; 2] {
        match self {
            Self::Same(old, new) | Self::Recreated(old, new) => [Some(old), Some(new)],
            Self::Created(new) => [None, Some(new)],
            Self::Deleted(old) => [Some(old), None],
        }
    }
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

struct Matcher<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    /// The users of the newer snapshot.
    new_users: UserIds<'a>,
    /// The users of the older snapshot.
    index: Index<'a>,
    unchanged: Unchanged,
    /// Accounts that only one of the snapshots has; by snapshot.
    accounts: [BTreeSet<Vec<u8>>; 2],
    /// By row of the older snapshot, the row of the newer one that counts for that user, or [`NO_ROW`].
    claims: Vec<u32>,
}

impl Matcher<'_> {
    fn matching(mut self, workers: &Workers) -> Matching {
        let all = 0..self.new.users().len();
        let olds = workers.in_parts(all, PART, |rows| {
            let old = |row| match self.unchanged.others.get(row) {
                Some(&old) if old != NO_ROW => old,
                _ => self.index.row_of(self.new_users, index(row)).unwrap_or(NO_ROW),
            };
            rows.map(old).collect::<Vec<_>>()
        });
        let olds = olds.concat();
        let counts = self.claim(&olds);
        let counted = (0..).zip(olds).filter(|&(row, _)| counts[row as usize]);
        let changed = counted.map(|(row, old)| match old {
            NO_ROW => Match::Created(row),
            old if self.is_other(old, row) => Match::Recreated(old, row),
            old => Match::Same(old, row),
        });
        let mut users: Vec<Match> = changed.collect();
        let [only_old, _] = &self.accounts;
        let is_gone = |&row: &u32| {
            let at = row as usize;
            self.claims[at] == NO_ROW
                && self.unchanged.rows[at] == NO_ROW
                && self.index.counts(row)
                && is_compared(self.old, row, only_old)
        };
        let rows = 0..index(self.old.users().len());
        users.extend(rows.filter(is_gone).map(Match::Deleted));
        self.index
            .duplicates
            .retain(|&row| is_compared(self.old, row, only_old));
        let duplicates = self
            .index
            .duplicates
            .iter()
            .map(|&row| self.old.roster.number(row));
        let mut unchanged = self.unchanged;
        unchanged.duplicates.sort_unstable();
        Matching {
            users,
            duplicates: [duplicates.collect(), unchanged.duplicates],
            as_before: AsBefore::new(unchanged.rows, unchanged.reevaluated),
            accounts: self.accounts,
        }
    }

    /// Decides which rows of the newer snapshot count. `olds` are the rows of their users in the older one.
    fn claim(&mut self, olds: &[u32]) -> Vec<bool> {
        let mut counts = vec![true; olds.len()];
        let mut created: HashMap<Identifier<'_>, u32> = HashMap::new();
        for (row, &old) in (0..).zip(olds) {
            if !is_compared(self.new, row, &self.accounts[1]) {
                counts[row as usize] = false;
                continue;
            }
            if self.is_repeated(row, old) {
                counts[row as usize] = false;
                self.unchanged.duplicates.push(self.new.roster.number(row));
                continue;
            }
            let claim = match self.claims.get_mut(old as usize) {
                Some(claim) => claim,
                None => created.entry(self.new_users.at(row)).or_insert(NO_ROW),
            };
            let before = std::mem::replace(claim, row);
            if before == NO_ROW {
                continue;
            }
            let loser = if is_created_later(self.new_users.created(before), self.new_users.created(row)) {
                before
            } else {
                std::mem::replace(claim, before)
            };
            counts[loser as usize] = false;
            self.unchanged.duplicates.push(self.new.roster.number(loser));
        }
        counts
    }

    /// Whether this row repeats an unchanged user whose other row counts. If this row counts, the other row no longer does.
    fn is_repeated(&mut self, row: u32, old: u32) -> bool {
        let Some(other) = self.unchanged.rows.get_mut(old as usize) else {
            return false;
        };
        if *other == NO_ROW {
            return false;
        }
        let created = known(self.index.users.created(old));
        let mine = (
            known(self.new_users.created(row)),
            Reverse(self.new.roster.number(row)),
        );
        if (created, Reverse(*other)) > mine {
            return true;
        }
        let other = std::mem::replace(other, NO_ROW);
        self.unchanged.duplicates.push(other);
        false
    }

    /// Whether two users with the same identifier have different creation times.
    fn is_other(&self, old: u32, new: u32) -> bool {
        let created = known(self.index.users.created(old)).zip(known(self.new_users.created(new)));
        created.is_some_and(|(old, new)| old != new)
    }
}

/// Whether the other snapshot has the user's account too.
fn is_compared(snapshot: &Snapshot, row: u32, of_one: &BTreeSet<Vec<u8>>) -> bool {
    let account = || snapshot.users().account_or_name(row as usize);
    of_one.is_empty() || account().is_none_or(|account| !of_one.contains(account))
}

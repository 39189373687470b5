//! Stores the users of a report compactly: packed times and flags per user, and one buffer for all names.

use std::collections::{BTreeMap, BTreeSet};

use super::account_names::AccountNames;
use super::cells::Cells;
use super::index::Identity;
use super::names::Names;
use super::owners::{Owners, id_of};
use super::packed::{Packed, Used};
use super::roster::{BlockRow, index};
use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{Column, FlagColumn, TimeColumn};
use crate::report::time::Timestamp;
use crate::rule::UserToFilter;

/// All users of one report, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    cells: Vec<Packed>,
    /// Times that do not fit into [`Packed`], by row and column.
    wide_times: BTreeMap<(u32, usize), i64>,
    names: Names,
    /// Of users whose ARN names no account.
    owners: Owners,
    /// Hashes of the ARNs, or of the name and account of a user without an ARN.
    hashes: Vec<u32>,
    pub(super) accounts: BTreeSet<Vec<u8>>,
    pub(super) account_names: AccountNames,
}

impl Users {
    /// Number of users.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The user's name; `<root_account>` for root; empty if the report has none.
    pub fn name(&self, row: usize) -> &[u8] {
        self.names.name(row)
    }

    /// The user's ARN; empty if the report has none.
    pub fn arn(&self, row: usize) -> &[u8] {
        self.names.arn(row)
    }

    /// The id of the account, as the ARN says, or else a column of the report.
    pub fn account(&self, row: usize) -> Option<&[u8]> {
        self.account_or_name(row).and_then(id_of)
    }

    /// The account as [`Users::account`] says, or else its name in a column of the report.
    pub fn account_or_name(&self, row: usize) -> Option<&[u8]> {
        cell::account_of(self.arn(row))
            .or_else(|| Some(self.owner(row)).filter(|account| !account.is_empty()))
    }

    /// The account in the columns of a user whose ARN names none; else empty.
    pub(super) fn owner(&self, row: usize) -> &[u8] {
        self.owners.of(row)
    }

    /// What filters go by.
    pub fn to_filter(&self, row: usize) -> UserToFilter<'_> {
        let some = |text: &&[u8]| !text.is_empty();
        let account = self.account(row);
        let name = self
            .account_or_name(row)
            .and_then(|account| self.account_names.get(account));
        UserToFilter {
            user: Some(self.name(row)).filter(some),
            path: cell::path_of(self.arn(row)),
            account,
            account_name: name.map(str::as_bytes),
        }
    }

    /// The accounts, as [`Users::account_or_name`] says.
    pub fn accounts(&self) -> &BTreeSet<Vec<u8>> {
        &self.accounts
    }

    /// The names of these accounts, as far as they are known.
    pub fn account_names(&self) -> &AccountNames {
        &self.account_names
    }

    /// Compares the cells of a user with those of a newer row: see [`Packed::used_since`]. Times that do not fit into
    /// [`Packed`] are treated as changed.
    pub(super) fn used_since(&self, user: usize, row: &BlockRow<'_>, idle: Timestamp) -> Option<Used> {
        let cells = &self.cells[user];
        if !self.wide_times.is_empty() && row.cells.has_wide_time() {
            return None;
        }
        if cells == row.cells {
            return Some(Used::default());
        }
        cells.used_since(row.cells, idle)
    }

    /// Whether a user has the name, ARN and account of the row.
    pub(super) fn is_named(&self, user: usize, row: &BlockRow<'_>) -> bool {
        self.names.are(user, row.name, row.arn) && self.owner(user) == row.owner
    }

    /// Whether the keys and certificates of a user can be identified: see [`Packed::is_clear`].
    pub(super) fn is_clear(&self, user: usize) -> bool {
        self.cells[user].is_clear()
    }

    /// The hash of the ARN, or of the name and account of a user without an ARN.
    pub(super) fn hash(&self, user: usize) -> u32 {
        self.hashes[user]
    }

    /// Adds the user of a row. `chunk` is given if a time of its block does not fit into [`Packed`].
    pub(super) fn push(&mut self, row: &BlockRow<'_>, chunk: Option<&Chunk>) {
        if let Some(chunk) = chunk.filter(|_| row.cells.has_wide_time()) {
            for column in Column::ALL {
                if let Column::Time(time) = column
                    && row.cells.time(time).is_none()
                {
                    let cell = chunk.times(time).cells[row.number as usize];
                    self.wide_times
                        .insert((index(self.cells.len()), time as usize), cell);
                }
            }
        }
        self.owners.set(self.cells.len(), row.owner);
        self.cells.push(*row.cells);
        self.names.push(row.name, row.arn);
        self.hashes
            .push(Identity::Arn.of(row.name, row.arn, row.owner).hash());
    }

    /// Appends the users of `other`.
    pub(super) fn append(&mut self, other: &mut Self) {
        let before = index(self.cells.len());
        self.owners.append(self.cells.len(), &mut other.owners);
        self.cells.append(&mut other.cells);
        let wide_times = std::mem::take(&mut other.wide_times).into_iter();
        self.wide_times
            .extend(wide_times.map(|((row, column), time)| ((before + row, column), time)));
        self.names.append(&mut other.names);
        self.hashes.append(&mut other.hashes);
        self.accounts.extend(std::mem::take(&mut other.accounts));
        self.account_names.append(&mut other.account_names);
    }
}

impl Cells for Users {
    fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.cells[row]
            .time(column)
            .unwrap_or_else(|| self.wide_times[&(index(row), column as usize)])
    }

    fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        self.cells[row].flag(column)
    }

    fn is_root(&self, row: usize) -> bool {
        self.cells[row].is_root()
    }
}

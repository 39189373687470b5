//! The users of a report in little memory: packed times and flags each, and one text for all names.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cells, Held};
use super::index::Identity;
use super::names::Names;
use super::packed::{Packed, Used};
use super::roster::{Row, index};
use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{Column, FlagColumn, TimeColumn};
use crate::report::time::Timestamp;

/// All users of one report, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    cells: Vec<Packed>,
    /// Times that are none of the usual ones, by row and column.
    odd: BTreeMap<(u32, usize), i64>,
    names: Names,
    /// Of what tells each apart: the ARN, or the name where there is none.
    hashes: Vec<u32>,
    pub(super) accounts: BTreeSet<Vec<u8>>,
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

    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    pub fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.cells[row]
            .time(column)
            .unwrap_or_else(|| self.odd[&(index(row), column as usize)])
    }

    /// A flag.
    pub fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        self.cells[row].flag(column)
    }

    /// Whether it is the root user.
    pub fn is_root(&self, row: usize) -> bool {
        self.cells[row].is_root()
    }

    /// The user's name; `<root_account>` for root; empty where the report does not say.
    pub fn name(&self, row: usize) -> &[u8] {
        self.names.name(row)
    }

    /// The user's ARN; empty where the report does not say.
    pub fn arn(&self, row: usize) -> &[u8] {
        self.names.arn(row)
    }

    /// The account that the ARN names.
    pub fn account(&self, row: usize) -> Option<&[u8]> {
        cell::account_of(self.arn(row))
    }

    /// The accounts that the ARNs name.
    pub fn accounts(&self) -> &BTreeSet<Vec<u8>> {
        &self.accounts
    }

    /// What the slots for access keys hold.
    pub fn keys(&self, row: usize) -> [Held; 2] {
        Cells::keys(self, row)
    }

    /// What the slots for signing certificates hold.
    pub fn certificates(&self, row: usize) -> [Held; 2] {
        Cells::certificates(self, row)
    }

    /// Which credentials of a user have another last use, if nothing else tells its times and flags from those of the row;
    /// odd times always may. What was last used until `idle` was not in use.
    pub(super) fn used_since(&self, user: usize, row: &Row<'_>, idle: Timestamp) -> Option<Used> {
        let cells = &self.cells[user];
        if !self.odd.is_empty() && row.cells.is_odd() {
            return None;
        }
        if cells == row.cells {
            return Some(Used::default());
        }
        cells.used_since(row.cells, idle)
    }

    /// Whether name and ARN of a user are those of the row.
    pub(super) fn is_named(&self, user: usize, row: &Row<'_>) -> bool {
        self.names.are(user, row.name, row.arn)
    }

    /// Whether the slots for keys, and those for certificates, tell what they hold, and none of it was made in the same
    /// second.
    pub(super) fn is_clear(&self, user: usize) -> bool {
        self.cells[user].is_clear()
    }

    /// The hash of the ARN, or of the name where there is none.
    pub(super) fn hash(&self, user: usize) -> u32 {
        self.hashes[user]
    }

    /// Adds the user of a row; the chunk is that of its block, if any of its times is odd.
    pub(super) fn push(&mut self, row: &Row<'_>, odd: Option<&Chunk>) {
        if let Some(chunk) = odd.filter(|_| row.cells.is_odd()) {
            for column in Column::ALL {
                if let Column::Time(time) = column
                    && row.cells.time(time).is_none()
                {
                    let cell = chunk.times(time).cells[row.number as usize];
                    self.odd.insert((index(self.cells.len()), time as usize), cell);
                }
            }
        }
        self.cells.push(*row.cells);
        self.names.push(row.name, row.arn);
        self.hashes.push(Identity::Arn.of(row.name, row.arn).hash());
    }

    /// Moves all users of the other one behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        let before = index(self.cells.len());
        self.cells.append(&mut other.cells);
        let odd = std::mem::take(&mut other.odd).into_iter();
        self.odd
            .extend(odd.map(|((row, column), time)| ((before + row, column), time)));
        self.names.append(&mut other.names);
        self.hashes.append(&mut other.hashes);
        self.accounts.extend(std::mem::take(&mut other.accounts));
    }
}

impl Cells for Users {
    fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.time(row, column)
    }

    fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        self.flag(row, column)
    }

    fn is_root(&self, row: usize) -> bool {
        self.is_root(row)
    }
}

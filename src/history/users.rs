//! The users of a report: their cells, names and accounts.

use std::collections::BTreeSet;
use std::ops::Range;

use super::account::{AccountNames, AccountOfRow, AccountsOf, Owners, id_of};
use super::keys::UserCells;
use crate::engine::Block;
use crate::report::cell;
use crate::report::schema::{TextColumn, TimeColumn};
use crate::rule::UserToFilter;

/// A row, or the number of a user, as it is stored.
pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).expect("invariant: a snapshot has fewer than 4 G rows")
}

/// The users of one report, in its order. Some of its rows may not be stored.
#[derive(Clone, Debug, Default)]
pub struct Users {
    cells: Vec<UserCells>,
    names: Names,
    /// Of users whose ARN names no account.
    owners: Owners,
    pub(super) accounts: BTreeSet<Vec<u8>>,
    pub(super) account_names: AccountNames,
    /// Whether a row names no account.
    pub(super) has_rows_without_account: bool,
    /// The number of rows of the report, stored or not.
    pub(super) rows: u32,
    /// The row of each user in the report, from 0; empty while all rows are stored.
    numbers: Vec<u32>,
}

/// What happens to a row of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowFate {
    Stored,
    /// Only its account is noted.
    LeftOut,
    /// It counts for nothing.
    Ignored,
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

    /// A time of the user: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    pub fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.cells[row].time(column)
    }

    /// Whether it is the root user.
    pub fn is_root(&self, row: usize) -> bool {
        self.cells[row].is_root
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

    /// What identifies a user in outputs: name, ARN and the account in columns.
    pub(super) fn who(&self, row: usize) -> [&[u8]; 3] {
        [self.name(row), self.arn(row), self.owner(row)]
    }

    pub(super) fn cells(&self, row: usize) -> &UserCells {
        &self.cells[row]
    }

    /// The row of a user in the report, from 0.
    pub(super) fn number(&self, row: u32) -> u32 {
        self.numbers.get(row as usize).copied().unwrap_or(row)
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

    /// Fills an empty list with the users of a block. `fate` decides what happens to a row, by its position in the block and
    /// its account.
    pub(super) fn take(&mut self, block: Block<'_>, fate: impl Fn(usize, &[u8]) -> RowFate) {
        let Block { input, chunk, .. } = block;
        UserCells::read(chunk, &mut self.cells);
        self.rows = index(self.cells.len());
        self.account_names.take(input, chunk);
        let mut accounts = AccountsOf::default();
        let mut account_of = AccountOfRow::new(chunk, &input.header);
        let mut stored = 0;
        for row in 0..self.cells.len() {
            let [name, arn] = [TextColumn::User, TextColumn::Arn]
                .map(|column| chunk.text(&input.header, row, column).unwrap_or_default());
            let [account, owner] = account_of.row(row, arn);
            let fate = fate(row, account);
            if fate != RowFate::Ignored {
                accounts.add(account, &mut self.accounts);
                self.has_rows_without_account |= account.is_empty();
            }
            if fate == RowFate::Stored {
                self.cells[stored] = self.cells[row];
                self.numbers.push(index(row));
                self.owners.set(stored, owner);
                self.names.push(name, arn);
                stored += 1;
            }
        }
        if stored == self.cells.len() {
            self.numbers.clear();
        }
        self.cells.truncate(stored);
    }

    /// The rows that are stored, in the block that [`Users::take`] took.
    pub(super) fn stored(&self) -> impl ExactSizeIterator<Item = usize> + Clone {
        (0..index(self.len())).map(|row| self.number(row) as usize)
    }

    /// Appends the users of `other`, which is empty afterwards.
    pub(super) fn append(&mut self, other: &mut Self) {
        let users = index(self.len());
        if users < self.rows || other.len() < other.rows as usize {
            if self.numbers.is_empty() {
                self.numbers.extend(0..users);
            }
            let numbers = (0..index(other.len())).map(|row| self.rows + other.number(row));
            self.numbers.extend(numbers);
        }
        other.numbers.clear();
        self.owners.append(self.cells.len(), &mut other.owners);
        self.cells.append(&mut other.cells);
        self.names.append(&mut other.names);
        self.accounts.extend(std::mem::take(&mut other.accounts));
        self.account_names.append(&mut other.account_names);
        self.has_rows_without_account |= std::mem::take(&mut other.has_rows_without_account);
        self.rows = index((self.rows + std::mem::take(&mut other.rows)) as usize);
    }

    /// Appends the user in this row of `other`.
    pub(super) fn push(&mut self, other: &Self, row: u32) {
        let at = row as usize;
        self.numbers.push(other.number(row));
        self.owners.set(self.cells.len(), other.owner(at));
        self.cells.push(other.cells[at]);
        self.names.push(other.name(at), other.arn(at));
    }
}

/// Name and ARN of each user, by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// The ARN of each user, followed by the name unless the ARN ends with it.
    text: Vec<u8>,
    bounds: Vec<TextBounds>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TextBounds {
    /// Where the text of the user ends.
    end: usize,
    /// Length of the ARN.
    arn: u32,
    /// Length of the name, which is at the end of the text.
    name: u32,
}

impl Names {
    fn push(&mut self, name: &[u8], arn: &[u8]) {
        self.text.extend_from_slice(arn);
        if !arn.ends_with(name) {
            self.text.extend_from_slice(name);
        }
        let length = |text: &[u8]| u32::try_from(text.len()).expect("invariant: a record is within a block");
        self.bounds.push(TextBounds {
            end: self.text.len(),
            arn: length(arn),
            name: length(name),
        });
    }

    /// The name; empty if the report has none.
    fn name(&self, row: usize) -> &[u8] {
        let TextBounds { end, name, .. } = self.bounds[row];
        &self.text[end - name as usize..end]
    }

    /// The ARN; empty if the report has none.
    fn arn(&self, row: usize) -> &[u8] {
        let start = self.text_of(row).start;
        &self.text[start..start + self.bounds[row].arn as usize]
    }

    /// The range of the user's text.
    fn text_of(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).map_or(0, |before| self.bounds[before].end);
        start..self.bounds[row].end
    }

    /// Appends the names of `other`.
    fn append(&mut self, other: &mut Self) {
        let before = self.text.len();
        self.text.append(&mut other.text);
        let moved = other.bounds.drain(..).map(|bounds| TextBounds {
            end: bounds.end + before,
            ..bounds
        });
        self.bounds.extend(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_come_back() {
        let all: [(&[u8], &[u8]); 6] = [
            (b"alice", b"arn:aws:iam::1:user/alice"),
            (b"carol", b"arn:aws:iam::1:user/alice"),
            (b"<root_account>", b"arn:aws:iam::1:root"),
            (b"", b"arn:aws:iam::1:user/x"),
            (b"bob", b""),
            (b"", b""),
        ];
        let mut names = Names::default();
        for part in all.chunks(2) {
            let mut more = Names::default();
            for (name, arn) in part {
                more.push(name, arn);
            }
            names.append(&mut more);
            assert_eq!(more, Names::default());
        }
        assert_eq!(names.bounds.len(), all.len());
        for (row, (name, arn)) in all.into_iter().enumerate() {
            assert_eq!((names.name(row), names.arn(row)), (name, arn));
        }
    }
}

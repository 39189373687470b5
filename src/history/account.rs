//! The accounts of users, as ARNs say, or else columns of the report; and the names of accounts.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Input;
use crate::report::cell::account_of;
use crate::report::chunk::Chunk;
use crate::report::header::Header;
use crate::report::schema::TextColumn;

/// Reads the account of an ARN; fast if the ARN before was of the same account.
#[derive(Debug, Default)]
pub(super) struct AccountOf<'a> {
    /// The start of the last ARN, up to and including the colon after the account; and that account.
    last: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> AccountOf<'a> {
    /// The account in the ARN, as [`account_of`] says.
    #[inline]
    pub(super) fn arn(&mut self, arn: &'a [u8]) -> Option<&'a [u8]> {
        if let Some((head, account)) = self.last
            && arn.starts_with(head)
        {
            return Some(account);
        }
        let account = account_of(arn);
        let end = memchr::memchr_iter(b':', arn).nth(4);
        self.last = end.map(|end| &arn[..=end]).zip(account);
        account
    }
}

/// Reads the account of a row: as its ARN says, or else columns of the report. It is an id, or a name if the columns have
/// only that.
#[derive(Debug)]
pub(super) struct AccountOfRow<'a> {
    of_arn: AccountOf<'a>,
    /// The rows and their columns, if any column has accounts.
    in_columns: Option<(&'a Chunk, &'a Header)>,
}

impl<'a> AccountOfRow<'a> {
    pub(super) fn new(chunk: &'a Chunk, header: &'a Header) -> Self {
        Self {
            of_arn: AccountOf::default(),
            in_columns: chunk.has_account_column(header).then_some((chunk, header)),
        }
    }

    /// The account of this row, which has this ARN; and the account in the columns, if the ARN names none. Each is empty if
    /// it is not known.
    #[inline]
    pub(super) fn row(&mut self, row: usize, arn: &'a [u8]) -> [&'a [u8]; 2] {
        match self.of_arn.arn(arn) {
            Some(account) => [account, b""],
            None => [self.in_columns(row); 2],
        }
    }

    fn in_columns(&self, row: usize) -> &'a [u8] {
        let account = self
            .in_columns
            .and_then(|(chunk, header)| chunk.account_in_columns(header, row));
        account.unwrap_or_default()
    }
}

/// Collects the accounts of consecutive rows.
#[derive(Debug, Default)]
pub(super) struct AccountsOf<'a> {
    last: &'a [u8],
}

impl<'a> AccountsOf<'a> {
    /// Adds the account of a row; nothing if it is empty.
    pub(super) fn add(&mut self, account: &'a [u8], accounts: &mut BTreeSet<Vec<u8>>) {
        if account == self.last {
            return;
        }
        self.last = account;
        if !account.is_empty() && !accounts.contains(account) {
            accounts.insert(account.to_vec());
        }
    }
}

/// The accounts by row: an id, or a name if the columns have only that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    /// Each account once.
    accounts: Vec<Box<[u8]>>,
    positions: BTreeMap<Box<[u8]>, u32>,
    /// By row, the number of its account from 1, or 0. Rows behind the end have none: most reports have none at all.
    rows: Vec<u32>,
}

/// The account, if it is an id and not a name.
pub(super) fn id_of(account: &[u8]) -> Option<&[u8]> {
    (!account.is_empty() && account.iter().all(u8::is_ascii_digit)).then_some(account)
}

impl Owners {
    /// Sets the account of a row, the last one that has any; nothing if it is empty.
    pub(super) fn set(&mut self, row: usize, account: &[u8]) {
        if !account.is_empty() {
            let number = self.number_of(account);
            self.rows.resize(row, 0);
            self.rows.push(number);
        }
    }

    /// The account of a row; empty if it is not known.
    pub(super) fn of(&self, row: usize) -> &[u8] {
        let number = self.rows.get(row).and_then(|number| number.checked_sub(1));
        number.map_or(b"", |number| &self.accounts[number as usize])
    }

    /// Appends the accounts of the rows from `start` on.
    pub(super) fn append(&mut self, start: usize, other: &mut Self) {
        if !other.rows.is_empty() {
            let numbers: Vec<u32> = other
                .accounts
                .iter()
                .map(|account| self.number_of(account))
                .collect();
            self.rows.resize(start, 0);
            let rows = other.rows.iter().map(|&number| match number {
                0 => 0,
                known => numbers[known as usize - 1],
            });
            self.rows.extend(rows);
        }
        *other = Self::default();
    }

    fn number_of(&mut self, account: &[u8]) -> u32 {
        if let Some(&number) = self.positions.get(account) {
            return number;
        }
        self.accounts.push(account.into());
        let number = super::users::index(self.accounts.len());
        self.positions.insert(account.into(), number);
        number
    }
}

/// Names by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountNames(BTreeMap<Vec<u8>, String>);

impl AccountNames {
    /// Takes the names of a block: that of the input's account, else those in the rows.
    pub(super) fn take(&mut self, input: &Input, chunk: &Chunk) {
        let of_input = input.account.name.as_deref();
        if of_input.is_none() && !chunk.has_account_column(&input.header) {
            return;
        }
        let mut accounts = AccountOfRow::new(chunk, &input.header);
        let mut last: Option<&[u8]> = None;
        for row in 0..chunk.rows.len() {
            let arn = chunk.text(&input.header, row, TextColumn::Arn);
            let [account, _] = accounts.row(row, arn.unwrap_or_default());
            if last == Some(account) || self.0.contains_key(account) {
                continue;
            }
            let of_row = || str::from_utf8(chunk.account_name(&input.header, row)?).ok();
            if let Some(name) = of_input.or_else(of_row) {
                self.0.insert(account.to_owned(), name.to_owned());
                last = Some(account);
            }
        }
    }

    /// Adds names of a later block or report: of two names of an account the later one counts.
    pub(super) fn append(&mut self, later: &mut Self) {
        self.0.append(&mut later.0);
    }

    /// The name of an account, if it is known.
    pub fn get(&self, account: &[u8]) -> Option<&str> {
        self.0.get(account).map(String::as_str)
    }

    /// The account in messages: `111122223333 (prod)`, or its name where that is all there is.
    pub fn phrase(&self, account: &[u8]) -> String {
        let id = String::from_utf8_lossy(account);
        match self.get(account).filter(|_| id_of(account).is_some()) {
            Some(name) => format!("{id} ({name})"),
            None => id.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_does_not_depend_on_the_arn_before() {
        let arns: [&[u8]; 9] = [
            b"arn:aws:iam::12:user/a",
            b"arn:aws:iam::12:user/b",
            b"arn:aws:iam::123:user/a",
            b"arn:aws:iam::12",
            b"arn:aws:iam::12:user/b",
            b"",
            b"arn:aws:iam::x:user/b",
            b"arn:aws:iam::x:user/c",
            b"arn:aws:iam::12:root",
        ];
        let mut accounts = AccountOf::default();
        for arn in arns {
            assert_eq!(accounts.arn(arn), account_of(arn));
        }
    }

    #[test]
    fn accounts_come_back() {
        let all: [&[u8]; 9] = [b"", b"1", b"prod", b"1", b"", b"2", b"prod", b"2", b""];
        for parts in [1, 2, 4, 9] {
            let (mut owners, mut rows) = (Owners::default(), 0);
            for part in all.chunks(parts) {
                let mut more = Owners::default();
                for (row, account) in part.iter().enumerate() {
                    more.set(row, account);
                }
                owners.append(rows, &mut more);
                rows += part.len();
            }
            for (row, account) in all.into_iter().enumerate() {
                assert_eq!(owners.of(row), account, "{row} in parts of {parts}");
            }
        }
    }

    #[test]
    fn an_id_has_only_digits() {
        assert_eq!(
            [&b"12"[..], b"prod", b"1a", b""].map(id_of),
            [Some(&b"12"[..]), None, None, None]
        );
    }
}

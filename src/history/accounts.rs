//! Reads the accounts of consecutive rows, which are mostly of one account.

use std::collections::BTreeSet;

use crate::report::cell::account_of;
use crate::report::chunk::Chunk;
use crate::report::header::Header;

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
}

//! Reads the accounts of consecutive ARNs, which are mostly of one account.

use std::collections::BTreeSet;

use crate::report::cell::account_of;

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

/// Collects the accounts of consecutive ARNs.
#[derive(Debug, Default)]
pub(super) struct AccountsOf<'a> {
    account_of: AccountOf<'a>,
    last: Option<&'a [u8]>,
}

impl<'a> AccountsOf<'a> {
    /// Adds the account of the ARN.
    pub(super) fn add(&mut self, arn: &'a [u8], accounts: &mut BTreeSet<Vec<u8>>) {
        let account = self.account_of.arn(arn);
        if account == self.last {
            return;
        }
        self.last = account;
        if let Some(account) = account.filter(|&account| !accounts.contains(account)) {
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

//! Stores the accounts of users whose ARN names none, as columns of the report say.

use std::collections::BTreeMap;

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
        let number = super::roster::index(self.accounts.len());
        self.positions.insert(account.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

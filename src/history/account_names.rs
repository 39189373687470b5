//! The names of accounts, as the organization or a column of a report says.

use std::collections::BTreeMap;

use super::accounts::AccountOfRow;
use super::owners::id_of;
use crate::engine::Input;
use crate::report::chunk::Chunk;
use crate::report::schema::TextColumn;

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

    pub(super) fn clear(&mut self) {
        self.0.clear();
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

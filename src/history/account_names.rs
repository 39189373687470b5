//! The names of accounts, as the organization or a column of a report says.

use std::collections::BTreeMap;

use super::accounts::AccountOf;
use crate::engine::Input;
use crate::report::chunk::Chunk;
use crate::report::schema::{ExtraColumn, TextColumn};

/// Names by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountNames(BTreeMap<Vec<u8>, String>);

impl AccountNames {
    /// Takes the names of a block: that of the input's account, else those in the rows.
    pub(super) fn take(&mut self, input: &Input, chunk: &Chunk) {
        let columns = [ExtraColumn::AccountId, ExtraColumn::AccountName];
        let has_columns = columns
            .into_iter()
            .any(|column| input.header.extra(column).is_some());
        let of_input = input.account.name.as_deref();
        if of_input.is_none() && !has_columns {
            return;
        }
        let mut accounts = AccountOf::default();
        let mut last: Option<&[u8]> = None;
        for row in 0..chunk.rows.len() {
            let arn = chunk.text(&input.header, row, TextColumn::Arn);
            let account = accounts.arn(arn.unwrap_or_default()).unwrap_or_default();
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

    /// The account in messages: `111122223333 (prod)`.
    pub fn phrase(&self, account: &[u8]) -> String {
        let id = String::from_utf8_lossy(account);
        self.get(account)
            .map_or_else(|| id.to_string(), |name| format!("{id} ({name})"))
    }
}

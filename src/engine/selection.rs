//! Which rows of a report are evaluated.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Input, ReportId};
use crate::report::cell::account_of;
use crate::report::chunk::Chunk;
use crate::report::schema::TextColumn;

/// The rows that are not evaluated: those of some accounts, by report. Rows without an account are always evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSelection(BTreeMap<ReportId, BTreeSet<Vec<u8>>>);

impl RowSelection {
    /// Leaves the rows of these accounts out of a report.
    pub fn leave_out(&mut self, report: ReportId, accounts: impl IntoIterator<Item = Vec<u8>>) {
        self.0.entry(report).or_default().extend(accounts);
    }

    /// Writes the selected records of a chunk to bitmaps of 64.
    pub(super) fn select(&self, input: &Input, chunk: &Chunk, selected: &mut Vec<u64>) {
        let rows = chunk.rows.len();
        selected.clear();
        selected.resize(rows.div_ceil(64), u64::MAX);
        if let Some(last) = selected.last_mut()
            && rows % 64 > 0
        {
            *last = (1 << (rows % 64)) - 1;
        }
        let Some(left_out) = self.0.get(&input.id) else {
            return;
        };
        for row in 0..rows {
            let account = chunk
                .text(&input.header, row, TextColumn::Arn)
                .and_then(account_of);
            if account.is_some_and(|account| left_out.contains(account)) {
                selected[row / 64] &= !(1 << (row % 64));
            }
        }
    }
}

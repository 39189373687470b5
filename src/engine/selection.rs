//! Which rows of which reports are evaluated.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Input, ReportId};
use crate::finding::{InputTally, LeftOutReason};
use crate::report::chunk::Chunk;

/// The rows that are not evaluated: those of some accounts, by report. Rows without an account are always evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSelection {
    rows: BTreeMap<ReportId, LeftOutRows>,
    inputs: BTreeMap<usize, LeftOutInput>,
}

/// The rows that are left out of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutRows {
    /// The path of its input: another file with its number is evaluated.
    pub path: String,
    /// The accounts whose rows are left out.
    pub accounts: BTreeSet<Vec<u8>>,
    /// Why, for the first of them.
    pub reason: LeftOutReason,
}

/// An input all of whose rows are left out, so that it need not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOutInput {
    /// Its path: another file with its number is evaluated.
    pub path: String,
    /// The entries of its reports in the tally.
    pub reports: Vec<(ReportId, InputTally)>,
}

impl RowSelection {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.rows.is_empty() && self.inputs.is_empty()
    }

    /// Leaves rows out of a report.
    pub(super) fn leave_out(&mut self, report: ReportId, rows: LeftOutRows) {
        self.rows.insert(report, rows);
    }

    /// Leaves out a whole input.
    pub(super) fn leave_out_input(&mut self, input: usize, left_out: LeftOutInput) {
        self.inputs.insert(input, left_out);
    }

    /// The inputs that need not be read, by their number in the run.
    pub fn left_out_inputs(&self) -> &BTreeMap<usize, LeftOutInput> {
        &self.inputs
    }

    /// What is left out of this report.
    pub fn left_out_of(&self, input: &Input) -> Option<&LeftOutRows> {
        let rows = self.rows.get(&input.id);
        rows.filter(|rows| rows.path == input.path)
    }

    /// Writes the selected records of a chunk to bitmaps of 64.
    pub(super) fn select(&self, input: &Input, chunk: &Chunk, selected: &mut Vec<u64>) {
        let rows = chunk.rows.len();
        selected.clear();
        selected.resize(rows.div_ceil(64), u64::MAX);
        if let Some(last) = selected.last_mut()
            && !rows.is_multiple_of(64)
        {
            *last = (1 << (rows % 64)) - 1;
        }
        let Some(left_out) = self.left_out_of(input) else {
            return;
        };
        for (rows, account) in chunk.account_runs(&input.header) {
            if account.is_some_and(|account| left_out.accounts.contains(account)) {
                for row in rows {
                    selected[row / 64] &= !(1 << (row % 64));
                }
            }
        }
    }
}

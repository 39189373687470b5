//! The engine sink that collects each report into a snapshot.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::before::{Before, Expected, Taken};
use super::roster::{BlockRows, Roster, RowFate, index, rule};
use super::snapshot::Snapshot;
use crate::engine::{Block, FindingRef, Input, Sink};
use crate::report::schema::{Column, ColumnSet};

/// Passes each completely read report to a callback as a snapshot, in the order of inputs.
/// A report that was only partly read is dropped, because its missing users would seem deleted.
pub struct Collector<'a, F> {
    /// The accounts to collect, by index of the input; all accounts if an input has no entry.
    accounts: Vec<Option<BTreeSet<Vec<u8>>>>,
    before: Option<&'a Before<'a>>,
    /// The columns that the older reports lack.
    lacking_before: ColumnSet,
    state: Mutex<CollectorState<F>>,
}

struct CollectorState<F> {
    take: F,
    current: Option<Snapshot>,
    /// The number of rows in the reports before the current one.
    rows: u32,
}

/// The rows of one block that a worker collects.
#[derive(Default)]
pub struct CollectedBlock {
    input: Option<Arc<Input>>,
    roster: Roster,
    rows: BlockRows,
    taken: Taken,
    folded: Vec<u16>,
    last: bool,
}

impl<'a, F: FnMut(Snapshot) + Send> Collector<'a, F> {
    /// Passes snapshots to `take`.
    pub fn new(take: F) -> Self {
        Self {
            accounts: Vec::new(),
            before: None,
            lacking_before: ColumnSet::default(),
            state: Mutex::new(CollectorState {
                take,
                current: None,
                rows: 0,
            }),
        }
    }

    /// Collects only these accounts of each input, by its index, and rows without an account.
    #[must_use]
    pub fn of_accounts(self, accounts: Vec<Option<BTreeSet<Vec<u8>>>>) -> Self {
        Self { accounts, ..self }
    }

    /// For newer reports that are compared later: the columns that the older ones lack.
    #[must_use]
    pub fn after_lacking(self, lacking_before: ColumnSet) -> Self {
        Self {
            lacking_before,
            ..self
        }
    }

    /// Stores only users who changed since the older snapshot. All reports together are the newer snapshot.
    #[must_use]
    pub fn against(self, before: &'a Before<'a>) -> Self {
        Self {
            before: Some(before),
            lacking_before: before.old.missing_anywhere(),
            ..self
        }
    }
}

impl<F: FnMut(Snapshot) + Send> Sink for Collector<'_, F> {
    type Part = CollectedBlock;

    fn part(&self) -> CollectedBlock {
        CollectedBlock::default()
    }

    fn columns(&self) -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn lacking_before(&self) -> Option<ColumnSet> {
        Some(self.lacking_before)
    }

    fn rows(&self, part: &mut CollectedBlock, block: Block<'_>) {
        part.input = Some(Arc::clone(block.input));
        part.last = block.last;
        let wanted = self.accounts.get(block.input.id.input).and_then(Option::as_ref);
        let before = self.before.filter(|before| before.can_take(block.input));
        let (taken, mut expected) = (&mut part.taken, Expected::new(before, block.input));
        let gained = self.lacking_before.minus(block.input.header.missing());
        part.roster.take(block, &mut part.rows, gained, |row| {
            let is_wanted =
                |wanted: &BTreeSet<Vec<u8>>| row.account.is_empty() || wanted.contains(row.account);
            if !wanted.is_none_or(is_wanted) {
                return RowFate::LeftOut;
            }
            match before {
                Some(before) if before.take(row, &mut expected, taken) => RowFate::Counted,
                _ => RowFate::Stored,
            }
        });
    }

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, part: &mut CollectedBlock, finding: &FindingRef<'_>) {
        part.folded.push(rule(finding.rule().position));
    }

    fn accept(&self, part: &mut CollectedBlock) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A part without rows has only the folded findings of an input that failed.
        if let Some(input) = part.input.take() {
            let same = |snapshot: &Snapshot| snapshot.input.id == input.id;
            let mut snapshot = state
                .current
                .take()
                .filter(same)
                .unwrap_or_else(|| Snapshot::new(input));
            if let Some(before) = self.before {
                before.note(&mut part.taken, state.rows + snapshot.roster.rows());
            }
            snapshot.roster.append(&mut part.roster);
            snapshot.folded.append(&mut part.folded);
            if part.last {
                state.rows = index((state.rows + snapshot.roster.rows()) as usize);
                (state.take)(snapshot);
            } else {
                state.current = Some(snapshot);
            }
        }
        part.taken.clear();
        part.folded.clear();
        Ok(())
    }
}

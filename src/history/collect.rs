//! The engine's sink: whole reports as snapshots.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::before::{Before, Taken};
use super::roster::{Fate, Roster, Rows, index, rule};
use super::snapshot::Snapshot;
use crate::engine::{Block, FindingRef, Input, Sink};
use crate::report::cell::account_of;
use crate::report::schema::{Column, ColumnSet};

/// Hands each report that was read to its end over as a snapshot, one at a time and in the order of inputs.
/// A report of which only a part could be read is none: what is missing from it would seem deleted.
pub struct Collector<'a, F> {
    /// By index of the input, the accounts that are wanted; all where there is none.
    accounts: Vec<Option<BTreeSet<Vec<u8>>>>,
    before: Option<&'a Before<'a>>,
    state: Mutex<State<F>>,
}

struct State<F> {
    take: F,
    current: Option<Snapshot>,
    /// How many rows the reports before the current one have.
    rows: u32,
}

/// What a worker gathers of one block.
#[derive(Default)]
pub struct Part {
    input: Option<Input>,
    roster: Roster,
    rows: Rows,
    taken: Taken,
    folded: Vec<u16>,
    last: bool,
}

impl<'a, F: FnMut(Snapshot) + Send> Collector<'a, F> {
    /// Hands snapshots to `take`.
    pub fn new(take: F) -> Self {
        Self {
            accounts: Vec::new(),
            before: None,
            state: Mutex::new(State {
                take,
                current: None,
                rows: 0,
            }),
        }
    }

    /// Of each input, by its index, these accounts alone and rows that tell none; all where there is none.
    #[must_use]
    pub fn of_accounts(self, accounts: Vec<Option<BTreeSet<Vec<u8>>>>) -> Self {
        Self { accounts, ..self }
    }

    /// Keeps only users who are not as they were before; all reports are one newer snapshot.
    #[must_use]
    pub fn against(self, before: &'a Before<'a>) -> Self {
        Self {
            before: Some(before),
            ..self
        }
    }
}

impl<F: FnMut(Snapshot) + Send> Sink for Collector<'_, F> {
    type Part = Part;

    fn part(&self) -> Part {
        Part::default()
    }

    fn columns(&self) -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn rows(&self, part: &mut Part, block: Block<'_>) {
        part.input = Some(block.input.clone());
        part.last = block.last;
        let wanted = self.accounts.get(block.input.index).and_then(Option::as_ref);
        let before = self.before.filter(|before| before.can_take(block.input));
        let (taken, mut expected) = (&mut part.taken, 0);
        part.roster.take(block, &mut part.rows, |row| {
            let account = || account_of(row.arn);
            if wanted.is_some_and(|wanted| account().is_some_and(|account| !wanted.contains(account))) {
                return Fate::LeftOut;
            }
            match before {
                Some(before) if before.take(row, &mut expected, taken) => Fate::Counted,
                _ => Fate::Kept,
            }
        });
    }

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, part: &mut Part, finding: &FindingRef<'_>) {
        part.folded.push(rule(finding.rule().position));
    }

    fn accept(&self, part: &mut Part) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Without rows it is what folded in an input that ended in an error.
        if let Some(input) = part.input.take() {
            let same = |snapshot: &Snapshot| snapshot.input.index == input.index;
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

//! The engine's sink: whole reports as snapshots.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::snapshot::{Found, Snapshot, rule};
use super::users::Users;
use crate::engine::{Block, Hit, Input, Sink};
use crate::report::schema::{Column, ColumnSet};

/// Hands each report that was read to its end over as a snapshot, one at a time and in the order of inputs.
/// A report of which only a part could be read is none: what is missing from it would seem deleted.
pub struct Collector<F>(Mutex<State<F>>);

struct State<F> {
    take: F,
    current: Option<Snapshot>,
}

/// What a worker gathers of one block.
#[derive(Default)]
pub struct Part {
    input: Option<Input>,
    users: Users,
    found: Vec<Found>,
    folded: Vec<u16>,
    last: bool,
}

impl<F: FnMut(Snapshot) + Send> Collector<F> {
    /// Hands snapshots to `take`.
    pub fn new(take: F) -> Self {
        Self(Mutex::new(State { take, current: None }))
    }
}

impl<F: FnMut(Snapshot) + Send> Sink for Collector<F> {
    type Part = Part;

    fn part(&self) -> Part {
        Part::default()
    }

    fn columns(&self) -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn rows(&self, part: &mut Part, block: Block<'_>) {
        part.input = Some(block.input.clone());
        part.users.push(block);
        part.last = block.last;
    }

    fn hit(&self, part: &mut Part, hit: &Hit<'_>) {
        match Found::of(hit) {
            Some(found) => part.found.push(found),
            None => part.folded.push(rule(hit)),
        }
    }

    fn accept(&self, part: &mut Part) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Without rows it is what folded in an input that ended in an error.
        if let Some(input) = part.input.take() {
            let same = |snapshot: &Snapshot| snapshot.input.index == input.index;
            let mut snapshot = state
                .current
                .take()
                .filter(same)
                .unwrap_or_else(|| Snapshot::new(input));
            let before = u32::try_from(snapshot.users.len()).expect("invariant: fewer than 4 G users");
            snapshot.users.append(&mut part.users);
            let found = part.found.drain(..);
            snapshot.found.extend(found.map(|found| Found {
                row: before + found.row,
                ..found
            }));
            snapshot.folded.append(&mut part.folded);
            if part.last {
                snapshot.complete();
                (state.take)(snapshot);
            } else {
                state.current = Some(snapshot);
            }
        }
        part.folded.clear();
        Ok(())
    }
}

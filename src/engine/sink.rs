//! Where findings go.

use std::io;

use super::finding_ref::FindingRef;
use super::program::RuleInstance;
use super::source::Input;
use crate::finding::Status;
use crate::report::chunk::Chunk;
use crate::report::schema::{ColumnSet, Slot};

/// The rows of one block of an input, decoded.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Whose they are.
    pub input: &'a Input,
    /// Their columns: those that the rules read, and those that the sink asked for.
    pub chunk: &'a Chunk,
    /// Whether the input ends with them.
    pub last: bool,
    /// What is told of them.
    pub told: StatusBitmaps<'a>,
}

/// What is told of the rows of a block, as bitmaps of 64 rows.
#[derive(Clone, Copy, Debug)]
pub struct StatusBitmaps<'a> {
    pub(super) instances: &'a [RuleInstance],
    /// Of each word of rows, by judgement, a bitmap a status; none where nothing is told.
    pub(super) words: &'a [[u64; Status::ALL.len()]],
}

impl StatusBitmaps<'_> {
    /// Position of the rule, and slot, of each judgement, in the order of findings.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = (usize, Slot)> {
        self.instances
            .iter()
            .map(|instance| (instance.rule, instance.slot))
    }

    /// For each word of rows and each judgement in it, its rows of this status.
    pub fn rows(&self, status: Status) -> impl Iterator<Item = (usize, usize, u64)> {
        let words = self.words.chunks(self.instances.len().max(1)).enumerate();
        words.flat_map(move |(word, instances)| {
            let instances = instances.iter().enumerate();
            instances.map(move |(instance, told)| (word, instance, told[status as usize]))
        })
    }
}

/// Takes findings in two steps, so that the costly one runs in parallel: workers add the findings of a block
/// to a part of their own, and the parts are accepted in the order of the blocks.
pub trait Sink: Sync {
    /// What a worker fills; kept and filled again, block after block.
    type Part: Send;

    /// A part for one worker.
    fn part(&self) -> Self::Part;

    /// The columns that [`Sink::rows`] looks at, besides those that the rules read.
    fn columns(&self) -> ColumnSet {
        ColumnSet::default()
    }

    /// Adds the rows of a block to a part, before the findings in them. Most sinks want none.
    fn rows(&self, _part: &mut Self::Part, _block: Block<'_>) {}

    /// Whether findings about users are wanted one by one. Those that stand for a whole input always are.
    fn takes_findings(&self) -> bool {
        true
    }

    /// Adds a finding to a part. Within a part, findings come in (row, rule) order.
    fn finding(&self, part: &mut Self::Part, finding: &FindingRef<'_>);

    /// Takes what is in the part and leaves it empty. Called by one worker at a time, in (input, row) order.
    fn accept(&self, part: &mut Self::Part) -> io::Result<()>;
}

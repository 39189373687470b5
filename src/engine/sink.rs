//! The sink that receives findings, and the decoded rows with their statuses.

use std::io;
use std::sync::Arc;

use super::due::DueVerdict;
use super::finding_ref::FindingRef;
use super::program::{Program, RuleInstance};
use super::registers::Registers;
use super::source::Input;
use super::verdicts::is_selected;
use super::without::FailsWithout;
use crate::finding::Status;
use crate::report::chunk::Chunk;
use crate::report::schema::{ColumnSet, Slot};

/// The rows of one block of an input, decoded.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Their input.
    pub input: &'a Arc<Input>,
    /// Their columns: those that the rules read, and those that the sink requested.
    pub chunk: &'a Chunk,
    /// The rows that are evaluated, as bitmaps of 64.
    pub selected: &'a [u64],
    /// The same whatever filters choose: the rows of the newest snapshots.
    pub newest: &'a [u64],
    /// The number of the first data row in the input, from 1.
    pub first_row: u64,
    /// Whether this is the last block of the report.
    pub last: bool,
    /// The statuses of the emitted findings.
    pub emitted: StatusBitmaps<'a>,
    /// The verdicts that are due, emitted or not, in (row, instance) order. Empty unless [`AssessOptions::due_within`] asks
    /// for them.
    ///
    /// [`AssessOptions::due_within`]: super::AssessOptions::due_within
    pub due: &'a [DueVerdict],
    /// The statuses of all verdicts, emitted or not, after suppressions; empty unless the sink counts them.
    pub verdicts: StatusBitmaps<'a>,
    /// For each word of rows and each rule instance the rows for which the report cannot say whether they fail, because it
    /// lacks columns that the rule reads, optional ones too. Empty if it lacks none, or if the sink does not compare reports.
    pub unseen: &'a [u64],
    /// What fails without the columns that an earlier report lacks and this one has: one for each such set of columns.
    pub without: &'a [FailsWithout],
    /// The verdicts on service-specific credentials of its users, if these have some.
    pub credentials: Option<&'a CredentialVerdicts<'a>>,
    /// The program, and the results of its operations.
    pub(super) results: (&'a Program, &'a Registers),
}

/// The verdicts on the service-specific credentials of a block's users: each credential in the place of a row.
#[derive(Clone, Copy, Debug)]
pub struct CredentialVerdicts<'a> {
    /// The statuses of the emitted findings.
    pub emitted: StatusBitmaps<'a>,
    /// The statuses of all verdicts; empty unless the sink counts them.
    pub verdicts: StatusBitmaps<'a>,
    /// The verdicts that are due.
    pub due: &'a [DueVerdict],
    /// The row of each credential's user in the block; ascending.
    pub owners: &'a [u32],
}

impl Block<'_> {
    /// Whether this row is of the newest snapshot of its account, whatever filters choose.
    pub fn is_of_newest(&self, row: usize) -> bool {
        is_selected(self.newest, row)
    }

    /// Whether this row is evaluated.
    pub fn is_selected(&self, row: usize) -> bool {
        is_selected(self.selected, row)
    }
}

/// The statuses of a block's findings, as bitmaps of 64 rows.
#[derive(Clone, Copy, Debug)]
pub struct StatusBitmaps<'a> {
    pub(super) instances: &'a [RuleInstance],
    /// For each word of rows and each rule instance a bitmap for each status; may be empty if there are none.
    pub(super) words: &'a [[u64; Status::ALL.len()]],
}

impl StatusBitmaps<'_> {
    /// The position of the rule, and the slot, of each rule instance, in the order of findings.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = (usize, Slot)> {
        self.instances
            .iter()
            .map(|instance| (instance.rule, instance.slot))
    }

    /// For each rule instance a bitmap for each status of these 64 rows; nothing where there are none.
    pub(super) fn word(&self, word: usize) -> &[[u64; Status::ALL.len()]] {
        let instances = self.instances.len();
        self.words
            .get(word * instances..(word + 1) * instances)
            .unwrap_or_default()
    }

    /// For each word of rows and each rule instance, the rows with this status.
    pub fn rows(&self, status: Status) -> impl Iterator<Item = (usize, usize, u64)> {
        let words = self.words.chunks(self.instances.len().max(1)).enumerate();
        words.flat_map(move |(word, instances)| {
            let instances = instances.iter().enumerate();
            instances.map(move |(instance, emitted)| (word, instance, emitted[status as usize]))
        })
    }
}

/// Receives findings in two steps, so that the costly one runs in parallel: each worker adds the findings of a block to
/// its own part of the output, and the parts are accepted in the order of the blocks.
pub trait Sink: Sync {
    /// The findings of a block, in the form of the output; a worker fills it again for every block.
    type Part: Send;

    /// A part for one worker.
    fn part(&self) -> Self::Part;

    /// The columns that [`Sink::rows`] reads, besides those that the rules read.
    fn columns(&self) -> ColumnSet {
        ColumnSet::default()
    }

    /// For a sink that compares reports, the columns that reports before those of this run lack: then blocks say what their
    /// report cannot say, and what it says only with more columns than an earlier one, of this run or before.
    fn lacking_before(&self) -> Option<ColumnSet> {
        None
    }

    /// Whether [`Sink::rows`] looks at rows that filters or newer snapshots leave out: then such rows are read even where they
    /// need not be. Where reports are compared, it does.
    fn sees_left_out(&self) -> bool {
        self.lacking_before().is_some()
    }

    /// Whether [`Block::verdicts`] has all verdicts, for a sink that counts also what is not emitted.
    fn counts_verdicts(&self) -> bool {
        false
    }

    /// Whether findings need the lines of their rows in their files. Counting line ends costs a pass over each block, so
    /// sinks that show none do not ask for it.
    fn shows_lines(&self) -> bool {
        false
    }

    /// Adds the rows of a block to a part, before their findings. Most sinks need no rows.
    fn rows(&self, _part: &mut Self::Part, _block: Block<'_>) {}

    /// Whether [`Sink::finding`] is called for findings about users. For those about a whole input it always is.
    fn takes_findings(&self) -> bool {
        true
    }

    /// Adds a finding to a part. Findings are added in (row, rule) order.
    fn finding(&self, part: &mut Self::Part, finding: &FindingRef<'_>);

    /// Accepts the content of the part and leaves it empty. Called by one worker at a time, in (input, row) order.
    fn accept(&self, part: &mut Self::Part) -> io::Result<()>;
}

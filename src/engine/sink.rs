//! Where findings go.

use std::io;

use super::hit::Hit;
use super::source::Input;
use crate::report::chunk::Chunk;
use crate::report::schema::ColumnSet;

/// The rows of one block of an input, decoded.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Whose they are.
    pub input: &'a Input,
    /// Their columns: those that the rules read, and those that the sink asked for.
    pub chunk: &'a Chunk,
    /// Whether the input ends with them.
    pub last: bool,
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

    /// Adds a finding to a part. Within a part, findings come in (row, rule) order.
    fn hit(&self, part: &mut Self::Part, hit: &Hit<'_>);

    /// Takes what is in the part and leaves it empty. Called by one worker at a time, in (input, row) order.
    fn accept(&self, part: &mut Self::Part) -> io::Result<()>;
}

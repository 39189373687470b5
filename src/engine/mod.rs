//! Evaluates reports: typed rules become one program of column operations, blocks of records become chunks of typed
//! columns, and verdicts become findings that a sink receives in (input, row, rule) order, whatever the number of
//! threads. The only layer with threads. Has no I/O of its own and no clock.

mod bits;
mod counting;
mod due;
pub mod examples;
mod filtering;
mod finding_ref;
mod fix;
mod lines;
mod listing;
mod memory;
mod newest;

mod ordered_gate;
mod owned;
mod program;
mod registers;
mod root_rows;
mod run;
mod selection;
mod service_credentials;
mod sink;
mod snapshots;
mod source;
mod stand_ins;
mod survey;
mod tally_builder;
mod turning;
mod verdicts;
mod without;
mod workers;

use std::io;

pub use counting::{Counted, Counting, CountingKeys};
pub use due::{DueVerdict, LONGEST_DUE_WINDOW};
pub use finding_ref::{FindingRef, FindingScope, UserRow, finding_id, user_key};
pub use listing::{ItemRef, ItemScratch, LastUse, Listed, Lister};
pub use memory::{Collect, Memory};
pub use newest::Instants;
pub use program::{CompiledRule, Program};
pub use selection::{LeftOutInput, LeftOutRows, RowSelection};
pub use sink::{Block, CredentialVerdicts, Sink, StatusBitmaps};
pub use snapshots::{Snapshots, newest_snapshots, undated_beside_dated};
pub use source::{
    AccountInfo, BlockEnd, DeferredBlock, DeferredInput, FileDigest, FileFacts, Input, ReportId,
    SequentialRead, SequentialSource, Source, SourceError, SourceEvent, StoredColumns, StoredRecords,
};
pub use survey::{AccountRows, ReportAccounts, SurveyedReport, Surveying, survey};
pub use verdicts::EmitFilter;
pub use without::FailsWithout;
pub use workers::{Workers, hand_over};

use crate::finding::Tally;
use crate::rule::{Filters, RuleSuppressions, Suppressions};
use due::DuePlan;
use filtering::Filtering;
use run::{Run, SelectedRows, Worker};

/// How [`assess`] runs.
#[derive(Clone, Debug, Default)]
pub struct AssessOptions<'a> {
    /// Number of threads; 0 is one for each core.
    pub threads: usize,
    /// Which findings are emitted.
    pub emit: EmitFilter,
    /// Which failing verdicts are accepted.
    pub suppressions: Option<&'a Suppressions>,
    /// Which rows are evaluated.
    pub rows: RowSelection,
    /// Of these, which users are.
    pub filters: Option<&'a Filters>,
    /// The window in seconds after the as-of in which verdicts are due, if these are asked for; at most
    /// [`LONGEST_DUE_WINDOW`].
    pub due_within: Option<u64>,
}

/// Evaluates all inputs of the source, emits findings to the sink, and returns the tally.
///
/// # Errors
/// Those of the sink, and of starting the threads.
pub fn assess<S: Sink>(
    program: &Program,
    source: impl Source,
    sink: &S,
    options: AssessOptions<'_>,
) -> io::Result<Tally> {
    let AssessOptions {
        threads,
        emit,
        suppressions,
        rows,
        filters,
        due_within,
    } = options;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(io::Error::other)?;
    let suppressions: Vec<RuleSuppressions<'_>> = match suppressions {
        Some(all) if !all.is_empty() => program
            .rules()
            .map(|bound| all.for_rule(&bound.rule.id))
            .collect(),
        Some(_) | None => Vec::new(),
    };
    let filtering = Filtering::new(filters);
    let rows = SelectedRows {
        rows: &rows,
        filtering: filtering.as_ref(),
    };
    let due = due_within.map(|seconds| DuePlan::new(program, seconds));
    let run = Run::new(program, source, sink, emit, rows, &suppressions, due.as_ref());
    pool.scope(|scope| {
        for _ in 0..pool.current_num_threads() {
            scope.spawn(|_| Worker::new(&run).work());
        }
    });
    run.finish()
}

//! Evaluates reports: typed rules become one program of column operations, blocks of records become chunks of typed
//! columns, and verdicts become findings that a sink receives in (input, row, rule) order, whatever the number of
//! threads. The only layer with threads. Has no I/O of its own and no clock.

pub mod examples;
mod finding_ref;
mod memory;
mod ordered_gate;
mod program;
mod registers;
mod sink;
mod source;
mod tally_builder;
mod verdicts;
mod workers;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use finding_ref::{FindingRef, FindingScope, UserRow, finding_id, user_key};
pub use memory::{Collect, Memory};
pub use program::{CompiledRule, Program};
pub use sink::{Block, Sink, StatusBitmaps};
pub use source::{
    AccountInfo, DeferredInput, DeferredText, Input, SequentialRead, SequentialSource, Source, SourceError,
    SourceEvent,
};
pub use verdicts::EmitFilter;
pub use workers::Workers;

use crate::finding::{Status, Tally};
use crate::report::chunk::Chunk;
use crate::report::issue::RowIssue;
use crate::report::schema::{ColumnSet, Slot};
use crate::report::split::Splitter;
use crate::report::time::Timestamp;
use crate::rule::{RuleSuppressions, Suppressions};
use ordered_gate::{OrderedGate, Pass};
use registers::Registers;
use tally_builder::{EndedInput, TallyBuilder};
use verdicts::{ChunkView, Verdicts};

/// How [`assess`] runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct AssessOptions<'a> {
    /// Number of threads; 0 is one for each core.
    pub threads: usize,
    /// Which findings are emitted.
    pub emit: EmitFilter,
    /// Which failing verdicts are accepted.
    pub suppressions: Option<&'a Suppressions>,
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
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(io::Error::other)?;
    let suppressions: Vec<RuleSuppressions<'_>> = match options.suppressions {
        Some(all) if !all.is_empty() => program
            .rules()
            .map(|bound| all.for_rule(&bound.rule.id))
            .collect(),
        Some(_) | None => Vec::new(),
    };
    let run = Run {
        program,
        sink,
        emit: options.emit,
        columns: program.decoded().union(sink.columns()),
        suppressions: &suppressions,
        source: Mutex::new(Tickets { source, next: 0 }),
        numbering: OrderedGate::new(0),
        delivery: OrderedGate::new((TallyBuilder::new(program), Ok(()))),
        stopped: AtomicBool::new(false),
    };
    pool.scope(|scope| {
        for _ in 0..pool.current_num_threads() {
            scope.spawn(|_| run.work());
        }
    });
    let (builder, result) = run.delivery.into_value();
    result.map(|()| builder.finish())
}

struct Run<'a, S, Src> {
    program: &'a Program,
    sink: &'a S,
    emit: EmitFilter,
    /// The columns that are decoded.
    columns: ColumnSet,
    /// One for each rule; empty if there are no suppressions.
    suppressions: &'a [RuleSuppressions<'a>],
    source: Mutex<Tickets<Src>>,
    /// How many data rows the current input has in earlier blocks.
    numbering: OrderedGate<u64>,
    delivery: OrderedGate<(TallyBuilder, io::Result<()>)>,
    stopped: AtomicBool,
}

struct Tickets<Src> {
    source: Src,
    next: u64,
}

/// What a worker reuses for every block.
#[derive(Default)]
struct Scratch<'s> {
    splitter: Splitter,
    chunk: Chunk,
    issues: Vec<RowIssue>,
    registers: Registers,
    /// The cutoffs for the as-of of the last block.
    cutoffs: Option<(Timestamp, Vec<i64>)>,
    verdicts: Verdicts<'s>,
}

impl<S, Src> Run<'_, S, Src> {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// A worker that panics, or stops before the end of its input, must not leave the others waiting for it.
struct BreakOff<'a, S, Src>(&'a Run<'a, S, Src>);

impl<S, Src> Drop for BreakOff<'_, S, Src> {
    fn drop(&mut self) {
        if std::thread::panicking() || self.0.is_stopped() {
            self.0.numbering.break_off();
            self.0.delivery.break_off();
        }
    }
}

impl<'a, S: Sink, Src: Source> Run<'a, S, Src> {
    fn work(&self) {
        let _guard = BreakOff(self);
        let mut scratch = Scratch::default();
        let mut part = self.sink.part();
        while !self.is_stopped() {
            let Some((ticket, event)) = self.next(scratch.chunk.rows.text_mut()) else {
                return;
            };
            if let SourceEvent::DeferredInput(mut deferred) = event {
                // After a stop the sink accepts nothing, so findings would pile up in the part.
                while self.next_of(ticket, &mut deferred, &mut scratch, &mut part) && !self.is_stopped() {}
            } else {
                let is_last = true;
                self.event(Pass { ticket, is_last }, event, &mut scratch, &mut part);
            }
        }
    }

    /// Evaluates the next block of an input that this worker reads, and says whether there may be more.
    fn next_of(
        &self,
        ticket: u64,
        deferred: &mut DeferredInput,
        scratch: &mut Scratch<'a>,
        part: &mut S::Part,
    ) -> bool {
        let event = deferred.0.next(scratch.chunk.rows.text_mut());
        let event = event.expect("invariant: an input ends with its last block or with a failure");
        if matches!(event, SourceEvent::LargeBlockAhead) {
            self.delivery.wait(ticket);
            return true;
        }
        let is_last = event.ends_input();
        self.event(Pass { ticket, is_last }, event, scratch, part);
        !is_last
    }

    fn event(&self, pass: Pass, event: SourceEvent, scratch: &mut Scratch<'a>, part: &mut S::Part) {
        match event {
            SourceEvent::Block { input, last } => self.block(pass, &input, last, scratch, part),
            SourceEvent::DeferredBlock { input, last, text } => {
                match text.produce(scratch.chunk.rows.text_mut()) {
                    Ok(()) => self.block(pass, &input, last, scratch, part),
                    Err(error) => self.fail(pass, &input.path, &error.to_string(), part),
                }
            }
            SourceEvent::Failed { path, error } => self.fail(pass, &path, &error.to_string(), part),
            SourceEvent::DeferredInput(_) | SourceEvent::LargeBlockAhead => {
                unreachable!(
                    "invariant: only deferred inputs announce large blocks, and they contain no other inputs"
                )
            }
        }
    }

    fn fail(&self, pass: Pass, path: &str, error: &str, part: &mut S::Part) {
        self.numbering.pass(pass, |before| *before = 0);
        self.deliver(pass, part, |builder| {
            builder.fail(path, error);
            true
        });
    }

    fn next(&self, text: &mut Vec<u8>) -> Option<(u64, SourceEvent)> {
        let mut tickets = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let event = tickets.source.next(text)?;
        let ticket = tickets.next;
        tickets.next += 1;
        Some((ticket, event))
    }

    fn block(
        &self,
        pass: Pass,
        input: &Arc<Input>,
        last: bool,
        scratch: &mut Scratch<'a>,
        part: &mut S::Part,
    ) {
        let Scratch {
            splitter,
            chunk,
            issues,
            registers,
            cutoffs,
            verdicts,
        } = scratch;
        splitter.split(&mut chunk.rows, &input.header, issues);
        let rows = chunk.rows.data_rows() as u64;
        let rows_before = self.numbering.pass(pass, |before| {
            let rows_before = *before;
            *before = if last { 0 } else { rows_before + rows };
            rows_before
        });
        let Some(rows_before) = rows_before else { return };
        chunk.decode(&input.header, self.columns);
        let cutoffs = match cutoffs {
            Some((as_of, cutoffs)) if *as_of == input.as_of => cutoffs,
            other => &mut other.insert((input.as_of, self.program.cutoffs(input.as_of))).1,
        };
        registers.run(self.program, cutoffs, chunk, &input.header);
        let view = ChunkView {
            input,
            chunk,
            first_row: rows_before + 1,
        };
        verdicts.evaluate(self.program, registers, view, self.suppressions, self.emit);
        let block = Block {
            input,
            chunk,
            last,
            emitted: verdicts.emitted(self.program),
        };
        self.sink.rows(part, block);
        if self.sink.takes_findings() {
            verdicts.findings(self.program, view, self.sink, part);
        }
        self.deliver(pass, part, |builder| {
            builder.add(input, chunk, &verdicts.counts, issues);
            last
        });
    }

    /// Adds a block to the builder and passes the part to the sink. `add` says whether the block ends its input.
    fn deliver(&self, pass: Pass, part: &mut S::Part, add: impl FnOnce(&mut TallyBuilder) -> bool) {
        self.delivery.pass(pass, |(builder, result)| {
            if add(builder)
                && let Some(ended) = builder.end()
            {
                self.emit_folded(&ended, part);
            }
            if result.is_ok() {
                *result = self.sink.accept(part);
                self.stopped.store(result.is_err(), Ordering::Relaxed);
            }
        });
    }

    fn emit_folded(&self, ended: &EndedInput, part: &mut S::Part) {
        for folded in &ended.folded {
            let compiled = &self.program.rules[folded.rule];
            if self.emit.emits(Status::Undetermined, compiled.bound.severity) {
                let finding = FindingRef {
                    input: &ended.input,
                    compiled,
                    slot: Slot::One,
                    status: Status::Undetermined,
                    scope: FindingScope::Input {
                        account: ended.account.as_deref(),
                        verdicts: folded.verdicts,
                    },
                    suppression: None,
                };
                self.sink.finding(part, &finding);
            }
        }
    }
}

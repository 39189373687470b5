//! Judges reports: typed rules become one program of column operations, blocks of records become chunks of
//! typed columns, and verdicts become findings handed to a sink, in (input, row, rule) order whatever the
//! number of threads. The only place that uses threads. No I/O of its own, no clock.

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

pub use finding_ref::{FindingRef, Place, UserRow, finding_id, user_key};
pub use memory::{Collect, Memory};
pub use program::{CompiledRule, Program};
pub use sink::{Block, Sink, StatusBitmaps};
pub use source::{Account, DeferredInput, Event, Input, Read, SequentialSource, Source, SourceError, Text};
pub use verdicts::EmitFilter;
pub use workers::Workers;

use crate::finding::{Status, Tally};
use crate::report::chunk::Chunk;
use crate::report::issue::RowIssue;
use crate::report::schema::{ColumnSet, Slot};
use crate::report::split::Splitter;
use crate::report::time::Timestamp;
use crate::rule::{RuleSuppressions, Suppressions};
use ordered_gate::{OrderedGate, Turn};
use registers::Registers;
use tally_builder::{Ended, TallyBuilder};
use verdicts::{Verdicts, View};

/// How a run is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Number of threads; 0 is one a core.
    pub threads: usize,
    /// What is told.
    pub emit: EmitFilter,
    /// Which failing verdicts are accepted.
    pub suppressions: Option<&'a Suppressions>,
}

/// Judges everything that the source gives, and hands what is told to the sink.
///
/// # Errors
/// Those of the sink, and of starting the threads.
pub fn assess<S: Sink>(
    program: &Program,
    source: impl Source,
    sink: &S,
    options: Options<'_>,
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
    /// What is decoded.
    columns: ColumnSet,
    /// One a rule; none at all where nothing is suppressed.
    suppressions: &'a [RuleSuppressions<'a>],
    source: Mutex<Tickets<Src>>,
    /// How many data rows of the present input lie in blocks before this one.
    numbering: OrderedGate<u64>,
    delivery: OrderedGate<(TallyBuilder, io::Result<()>)>,
    stopped: AtomicBool,
}

struct Tickets<Src> {
    source: Src,
    next: u64,
}

/// What a worker uses again for every block.
#[derive(Default)]
struct Scratch<'s> {
    splitter: Splitter,
    chunk: Chunk,
    issues: Vec<RowIssue>,
    registers: Registers,
    /// Those of the instant at which the last block was judged.
    cutoffs: Option<(Timestamp, Vec<i64>)>,
    verdicts: Verdicts<'s>,
}

impl<S, Src> Run<'_, S, Src> {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// A worker that panics, or ends before its input does, must not leave the others waiting for its turn.
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
            match event {
                // What is not accepted would pile up in the part.
                Event::DeferredInput(mut unread) => {
                    while self.whole(ticket, &mut unread, &mut scratch, &mut part) && !self.is_stopped() {}
                }
                event @ (Event::Block { .. }
                | Event::DeferredBlock { .. }
                | Event::Failed { .. }
                | Event::Large) => {
                    self.one(
                        Turn {
                            ticket,
                            is_through: true,
                        },
                        event,
                        &mut scratch,
                        &mut part,
                    );
                }
            }
        }
    }

    /// Judges the next block of an input that is read here, and says whether there is one more.
    fn whole(
        &self,
        ticket: u64,
        unread: &mut DeferredInput,
        scratch: &mut Scratch<'a>,
        part: &mut S::Part,
    ) -> bool {
        let event = unread.0.next(scratch.chunk.rows.text_mut());
        let event = event.expect("invariant: a whole input ends by its last block or by a failure");
        if matches!(event, Event::Large) {
            self.delivery.wait(ticket);
            return true;
        }
        let more = matches!(
            event,
            Event::Block { last: false, .. } | Event::DeferredBlock { last: false, .. }
        );
        self.one(
            Turn {
                ticket,
                is_through: !more,
            },
            event,
            scratch,
            part,
        );
        more
    }

    fn one(&self, turn: Turn, event: Event, scratch: &mut Scratch<'a>, part: &mut S::Part) {
        match event {
            Event::Block { input, last } => self.block(turn, &input, last, scratch, part),
            Event::DeferredBlock { input, last, text } => match text.make(scratch.chunk.rows.text_mut()) {
                Ok(()) => self.block(turn, &input, last, scratch, part),
                Err(error) => self.fail(turn, &input.path, &error.to_string(), part),
            },
            Event::Failed { path, error } => self.fail(turn, &path, &error.to_string(), part),
            Event::DeferredInput(_) | Event::Large => {
                unreachable!("invariant: of inputs that are read apart")
            }
        }
    }

    fn fail(&self, turn: Turn, path: &str, error: &str, part: &mut S::Part) {
        self.numbering.pass(turn, |before| *before = 0);
        self.deliver(turn, part, |builder| {
            builder.fail(path, error);
            true
        });
    }

    fn next(&self, text: &mut Vec<u8>) -> Option<(u64, Event)> {
        let mut tickets = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let event = tickets.source.next(text)?;
        let ticket = tickets.next;
        tickets.next += 1;
        Some((ticket, event))
    }

    fn block(
        &self,
        turn: Turn,
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
        let before = self.numbering.pass(turn, |before| {
            let mine = *before;
            *before = if last { 0 } else { mine + rows };
            mine
        });
        let Some(before) = before else { return };
        chunk.decode(&input.header, self.columns);
        let cutoffs = match cutoffs {
            Some((as_of, cutoffs)) if *as_of == input.as_of => cutoffs,
            other => &mut other.insert((input.as_of, self.program.cutoffs(input.as_of))).1,
        };
        registers.run(self.program, cutoffs, chunk, &input.header);
        let view = View {
            input,
            chunk,
            first_row: before + 1,
        };
        verdicts.judge(self.program, registers, view, self.suppressions, self.emit);
        let told = verdicts.told(self.program);
        let block = Block {
            input,
            chunk,
            last,
            told,
        };
        self.sink.rows(part, block);
        if self.sink.takes_findings() {
            verdicts.findings(self.program, view, self.sink, part);
        }
        self.deliver(turn, part, |builder| {
            builder.add(input, chunk, &verdicts.counts, issues);
            last
        });
    }

    /// Enters a block in the builder, which says whether its input ends with it, and hands over the part.
    fn deliver(&self, turn: Turn, part: &mut S::Part, enter: impl FnOnce(&mut TallyBuilder) -> bool) {
        self.delivery.pass(turn, |(builder, result)| {
            if enter(builder)
                && let Some(ended) = builder.end()
            {
                self.tell_folded(&ended, part);
            }
            if result.is_ok() {
                *result = self.sink.accept(part);
                self.stopped.store(result.is_err(), Ordering::Relaxed);
            }
        });
    }

    fn tell_folded(&self, ended: &Ended, part: &mut S::Part) {
        for folded in &ended.folded {
            let compiled = &self.program.rules[folded.rule];
            if self.emit.emits(Status::Undetermined, compiled.bound.severity) {
                let finding = FindingRef {
                    input: &ended.input,
                    compiled,
                    slot: Slot::One,
                    status: Status::Undetermined,
                    place: Place::Input {
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

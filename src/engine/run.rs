//! A run: workers take blocks from the source, evaluate them in parallel, and deliver the results in order.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::due::{DueFinder, DuePlan};
use super::filtering::Filtering;
use super::finding_ref::{FindingRef, FindingScope};
use super::lines::{LineEnds, LinesBefore, LinesOfBlock};
use super::ordered_gate::{OrderedGate, Pass};
use super::owned;
use super::program::Program;
use super::registers::{Registers, Restriction};
use super::root_rows::RootRows;
use super::selection::RowSelection;
use super::service_credentials::{Evaluating, ServiceCredentials};
use super::sink::{Block, Sink};
use super::source::{BlockEnd, DeferredBlock, DeferredInput, Input, Source, SourceError, SourceEvent};
use super::stand_ins;
use super::tally_builder::{EndedInput, TallyBuilder};
use super::verdicts::{ChunkView, EmitFilter, Verdicts};
use super::without::Without;
use crate::finding::{Status, Tally};
use crate::report::chunk::Chunk;
use crate::report::issue::RowIssue;
use crate::report::schema::{Column, ColumnSet, Slot, TextColumn};
use crate::report::split::Splitter;
use crate::report::stored::StoredBlock;
use crate::report::time::Timestamp;
use crate::rule::{NearMisses, RuleSuppressions};

/// What was read before a block.
#[derive(Default)]
struct ReadBefore {
    /// How many data rows the current input has in earlier blocks, of all its reports.
    rows: u64,
    lines: LinesBefore,
    /// The sets of columns that earlier reports lack, if the sink compares reports.
    lacking: Option<Vec<ColumnSet>>,
}

impl ReadBefore {
    /// The sets of columns that this report has and an earlier one lacks, as far as the program reads them.
    fn gained(&mut self, input: &Input, program: &Program) -> Vec<ColumnSet> {
        let Some(lacking) = &mut self.lacking else {
            return Vec::new();
        };
        let missing = input.header.missing();
        let mut gained: Vec<ColumnSet> = Vec::new();
        for &earlier in lacking.iter() {
            let columns = earlier.minus(missing);
            let is_read = !columns.intersection(program.columns()).is_empty();
            if is_read && !gained.contains(&columns) {
                gained.push(columns);
            }
        }
        if !lacking.contains(&missing) {
            lacking.push(missing);
        }
        gained
    }
}

/// Which rows are evaluated.
#[derive(Clone, Copy)]
pub(super) struct SelectedRows<'a> {
    pub(super) rows: &'a RowSelection,
    pub(super) filtering: Option<&'a Filtering<'a>>,
}

/// What all workers share.
pub(super) struct Run<'a, S, Src> {
    program: &'a Program,
    sink: &'a S,
    emit: EmitFilter,
    /// The columns that are decoded.
    columns: ColumnSet,
    /// One for each rule; empty if there are no suppressions.
    suppressions: &'a [RuleSuppressions<'a>],
    selection: SelectedRows<'a>,
    /// If what is due is asked for.
    due: Option<&'a DuePlan>,
    /// Whether the sink compares reports.
    compares: bool,
    /// Whether the sink counts all verdicts.
    counts: bool,
    /// Whether it shows lines.
    lines: bool,
    /// The source, and the ticket of its next event.
    source: Mutex<(Src, u64)>,
    numbering: OrderedGate<ReadBefore>,
    delivery: OrderedGate<(TallyBuilder, io::Result<()>)>,
    stopped: AtomicBool,
}

impl<'a, S: Sink, Src: Source> Run<'a, S, Src> {
    pub(super) fn new(
        program: &'a Program,
        source: Src,
        sink: &'a S,
        emit: EmitFilter,
        selection: SelectedRows<'a>,
        suppressions: &'a [RuleSuppressions<'a>],
        due: Option<&'a DuePlan>,
    ) -> Self {
        Self {
            program,
            sink,
            emit,
            columns: program.decoded().union(sink.columns()),
            suppressions,
            selection,
            due,
            compares: sink.lacking_before().is_some(),
            counts: sink.counts_verdicts(),
            lines: sink.shows_lines(),
            source: Mutex::new((source, 0)),
            numbering: OrderedGate::new(ReadBefore {
                rows: 0,
                lines: LinesBefore::default(),
                lacking: sink.lacking_before().map(|lacking| vec![lacking]),
            }),
            delivery: OrderedGate::new((TallyBuilder::new(program, due.map(DuePlan::seconds)), Ok(()))),
            stopped: AtomicBool::new(false),
        }
    }

    /// The columns to decode of a block that was stored: all that may be asked for, of which findings and lists ask for any.
    fn stored_columns(&self, input: &Input) -> ColumnSet {
        let reads_cells = self.sink.takes_findings()
            || self.sink.columns() != ColumnSet::default()
            || !self.suppressions.is_empty()
            || input.account.details.is_some();
        if reads_cells {
            return Column::ALL.into_iter().collect();
        }
        let who = [TextColumn::User, TextColumn::Arn].map(Column::Text);
        self.columns.union(who.into_iter().collect())
    }

    /// The tally, or the error of the sink, after all workers have ended.
    pub(super) fn finish(self) -> io::Result<Tally> {
        let (builder, result) = self.delivery.into_value();
        result.map(|()| builder.finish(self.selection))
    }

    fn next(&self, text: &mut Vec<u8>) -> Option<(u64, SourceEvent)> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let (source, next) = &mut *source;
        let event = source.next(text)?;
        let ticket = *next;
        *next += 1;
        Some((ticket, event))
    }

    /// How many data rows and lines the input has before this block, and the columns that its report has and earlier ones
    /// lack; none after a stop.
    fn read_before(
        &self,
        pass: Pass,
        (rows, lines): (u64, Option<LineEnds>),
        input: &Input,
        end: BlockEnd,
    ) -> Option<(u64, LinesOfBlock, Vec<ColumnSet>)> {
        self.numbering.pass(pass, |before| {
            let rows_before = before.rows;
            before.rows = if end.ends_input() { 0 } else { rows_before + rows };
            let lines = lines.and_then(|lines| before.lines.pass(input, lines));
            let gained = before.gained(input, self.program);
            (rows_before, LinesOfBlock::new(lines), gained)
        })
    }

    /// Adds a block to the builder and passes the part to the sink. `add` says whether the block ends its report.
    fn deliver(&self, pass: Pass, part: &mut S::Part, add: impl FnOnce(&mut TallyBuilder) -> bool) {
        self.delivery.pass(pass, |(builder, result)| {
            if add(builder)
                && let Some(ended) = builder.end(self.selection)
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
                        accounts: &ended.accounts,
                        verdicts: folded.verdicts,
                    },
                    suppression: None,
                    due_at: None,
                    is_without_fix: false,
                };
                self.sink.finding(part, &finding);
            }
        }
    }
}

impl<S, Src> Run<'_, S, Src> {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// One thread of a run, and what it reuses for every block.
pub(super) struct Worker<'r, 'a, S: Sink, Src> {
    run: &'r Run<'a, S, Src>,
    splitter: Splitter,
    chunk: Chunk,
    issues: Vec<RowIssue>,
    registers: Registers,
    /// The records of the last block that are evaluated, as bitmaps.
    selected: Vec<u64>,
    /// The same before filters.
    newest: Vec<u64>,
    /// What filters may have meant.
    misses: NearMisses,
    /// The cutoffs for the as-of of the last block.
    cutoffs: Option<(Timestamp, Vec<i64>)>,
    due: DueFinder,
    verdicts: Verdicts<'a>,
    without: Without,
    service_credentials: ServiceCredentials<'a>,
    part: S::Part,
}

impl<'r, 'a, S: Sink, Src: Source> Worker<'r, 'a, S, Src> {
    pub(super) fn new(run: &'r Run<'a, S, Src>) -> Self {
        Self {
            run,
            splitter: Splitter::default(),
            chunk: Chunk::default(),
            issues: Vec::new(),
            registers: Registers::default(),
            selected: Vec::new(),
            newest: Vec::new(),
            misses: NearMisses::default(),
            cutoffs: None,
            due: DueFinder::default(),
            verdicts: Verdicts::default(),
            without: Without::default(),
            service_credentials: ServiceCredentials::default(),
            part: run.sink.part(),
        }
    }

    /// Evaluates blocks until there are no more, or the sink fails.
    pub(super) fn work(mut self) {
        self.evaluate_blocks();
        if let Some(filtering) = self.run.selection.filtering {
            filtering.add_misses(std::mem::take(&mut self.misses));
        }
    }

    fn evaluate_blocks(&mut self) {
        while !self.run.is_stopped() {
            let Some((ticket, event)) = self.run.next(self.chunk.rows.text_mut()) else {
                return;
            };
            if let SourceEvent::DeferredInput(mut deferred) = event {
                // After a stop the sink accepts nothing, so findings would pile up in the part.
                while self.next_of(ticket, &mut deferred) && !self.run.is_stopped() {}
            } else {
                let is_last = true;
                self.event(Pass { ticket, is_last }, event);
            }
        }
    }

    /// Evaluates the next block of an input that this worker reads, and says whether there may be more.
    fn next_of(&mut self, ticket: u64, deferred: &mut DeferredInput) -> bool {
        let event = deferred.0.next(self.chunk.rows.text_mut());
        let event = event.expect("invariant: an input ends with its last block or with a failure");
        if matches!(event, SourceEvent::LargeBlockAhead) {
            self.run.delivery.wait(ticket);
            return true;
        }
        let is_last = event.ends_input();
        self.event(Pass { ticket, is_last }, event);
        !is_last
    }

    fn event(&mut self, pass: Pass, event: SourceEvent) {
        match event {
            SourceEvent::Block { input, end } => self.block(pass, &input, end),
            SourceEvent::DeferredBlock { input, end, block } => {
                if let Err(error) = self.stored_block(pass, (&input, end), &block) {
                    self.fail(pass, &input.path, &error.to_string(), true);
                }
            }
            SourceEvent::Failed {
                path,
                error,
                ends_input,
            } => self.fail(pass, &path, &error.to_string(), ends_input),
            SourceEvent::PassedOver(file) => self.ended(pass, true, |builder| builder.pass_over(file)),
            SourceEvent::DeferredInput(_) | SourceEvent::LargeBlockAhead => {
                unreachable!(
                    "invariant: only deferred inputs announce large blocks, and they contain no other inputs"
                )
            }
        }
    }

    fn fail(&mut self, pass: Pass, path: &str, error: &str, ends_input: bool) {
        self.ended(pass, ends_input, |builder| builder.fail(path, error));
    }

    /// Ends a report without a block.
    fn ended(&mut self, pass: Pass, ends_input: bool, add: impl FnOnce(&mut TallyBuilder)) {
        self.run.numbering.pass(pass, |before| {
            if ends_input {
                before.rows = 0;
            }
        });
        self.run.deliver(pass, &mut self.part, |builder| {
            add(builder);
            true
        });
    }

    /// Evaluates a block that was stored: as columns, if they say everything, or else as text.
    fn stored_block(
        &mut self,
        pass: Pass,
        (input, end): (&Arc<Input>, BlockEnd),
        block: &DeferredBlock,
    ) -> Result<(), SourceError> {
        if self.is_out(input, block) {
            let mut nothing = StoredBlock::default();
            let count = u32::try_from(block.0.count())?;
            nothing.left_out.leave_out(0, count);
            self.chunk.store(&input.header, nothing, ColumnSet::default());
            self.issues.clear();
            self.evaluate(pass, input, end);
            return Ok(());
        }
        let Some(columns) = block.0.columns(self.run.stored_columns(input))? else {
            block.text(self.chunk.rows.text_mut())?;
            self.block(pass, input, end);
            return Ok(());
        };
        self.chunk.store(&input.header, columns.block, self.run.columns);
        self.issues = columns.issues;
        self.evaluate(pass, input, end);
        Ok(())
    }

    /// Whether nothing is known to come of a stored block: none of its records is evaluated, and none gives a diagnostic.
    fn is_out(&mut self, input: &Input, block: &DeferredBlock) -> bool {
        let Some(rows) = &input.account.rows else {
            return false;
        };
        let is_quiet = rows.quiet_from.is_some_and(|from| from <= input.as_of);
        if !is_quiet || rows.has_other_rows || self.run.sink.sees_left_out() {
            return false;
        }
        let left_out = self.run.selection.rows.left_out_of(input);
        let filters = self
            .run
            .selection
            .filtering
            .filter(|filtering| !filtering.filters().is_partial());
        let name = input.account.name.as_deref().map(str::as_bytes);
        let is_out = |account: &[u8]| {
            left_out.is_some_and(|rows| rows.accounts.contains(account))
                || filters.is_some_and(|it| !it.filters().admits_account(Some(account), name))
        };
        let of_block = block.0.accounts();
        let mut accounts = match &of_block {
            Some([first, last]) => rows.accounts.range(first.clone()..=last.clone()),
            None => rows.accounts.range::<[u8], _>(..),
        };
        let Some(first) = accounts.next() else {
            return false;
        };
        if !is_out(first.0) || !accounts.all(|(account, _)| is_out(account)) {
            return false;
        }
        if let Some(filtering) = filters {
            let seen = rows
                .accounts
                .keys()
                .filter(|&account| left_out.is_none_or(|rows| !rows.accounts.contains(account)));
            filtering.pass_over(seen.map(|account| (&**account, name)), &mut self.misses);
        }
        true
    }

    fn block(&mut self, pass: Pass, input: &Arc<Input>, end: BlockEnd) {
        let chunk = &mut self.chunk;
        self.splitter
            .split(chunk.rows.split_mut(), &input.header, &mut self.issues);
        self.evaluate(pass, input, end);
    }

    /// Evaluates the records of the chunk, which were split, or stored as columns.
    fn evaluate(&mut self, pass: Pass, input: &Arc<Input>, end: BlockEnd) {
        let (run, chunk) = (self.run, &mut self.chunk);
        let rows = chunk.rows.data_rows() as u64;
        let lines = run.lines.then(|| LineEnds::of(chunk.rows.block()));
        let Some((rows_before, lines, gained)) = run.read_before(pass, (rows, lines), input, end) else {
            return;
        };
        if !chunk.is_stored() {
            chunk.decode(&input.header, run.columns);
        }
        let cutoffs = match &mut self.cutoffs {
            Some((as_of, cutoffs)) if *as_of == input.as_of => cutoffs,
            other => &mut other.insert((input.as_of, run.program.cutoffs(input.as_of))).1,
        };
        self.registers
            .run(run.program, cutoffs, chunk, &input.header, Restriction::default());
        run.selection.rows.select(input, chunk, &mut self.selected);
        self.newest.clone_from(&self.selected);
        if let Some(filtering) = run.selection.filtering {
            filtering.apply(input, chunk, &mut self.misses, &mut self.selected);
        }
        let view = ChunkView {
            input,
            chunk,
            selected: &self.selected,
            first_row: rows_before + 1,
            lines: &lines,
            owners: None,
        };
        owned::use_owners(run.program, view);
        if let Some(plan) = run.due {
            self.due
                .find((run.program, plan), &self.registers, view, run.suppressions);
        }
        let (verdicts, due) = (&mut self.verdicts, &self.due.found);
        verdicts.evaluate(
            run.program,
            &self.registers,
            view,
            run.suppressions,
            (run.emit, run.counts),
            due,
        );
        let stand_ins = stand_ins::find(run.program, &self.registers, cutoffs, view);
        let root_rows = RootRows::of_chunk(run.program, view);
        let emitted = verdicts.emitted(run.program);
        if run.compares {
            let results = (&self.registers, &**cutoffs);
            self.without.evaluate(run.program, results, view, &gained);
        }
        let with = Evaluating {
            program: run.program,
            cutoffs,
            columns: run.columns,
            suppressions: run.suppressions,
            due: run.due,
            emit: run.emit,
            counts: run.counts,
        };
        self.service_credentials.evaluate(&with, input, view);
        let credentials = &self.service_credentials;
        let found = credentials.found(run.program);
        let block = Block {
            input,
            chunk,
            selected: &self.selected,
            newest: &self.newest,
            first_row: view.first_row,
            last: end.ends_report(),
            emitted,
            due: due.all(),
            verdicts: verdicts.all(run.program),
            unseen: &self.without.unseen,
            without: &self.without.fails,
            credentials: found.as_ref(),
            results: (run.program, &self.registers),
        };
        run.sink.rows(&mut self.part, block);
        if run.sink.takes_findings() {
            verdicts.findings(run.program, view, due, (run.sink, &mut self.part));
            credentials.findings(run.program, view, (run.sink, &mut self.part));
        }
        run.deliver(pass, &mut self.part, |builder| {
            builder.add((input, end), view, &verdicts.counts, &self.issues);
            builder.add_service_credentials(credentials.counts());
            builder.add_stand_ins(stand_ins);
            builder.add_root_rows(&root_rows);
            end.ends_report()
        });
    }
}

/// A worker that panics, or stops before the end of its input, must not leave the others waiting for it.
impl<S: Sink, Src> Drop for Worker<'_, '_, S, Src> {
    fn drop(&mut self) {
        if std::thread::panicking() || self.run.is_stopped() {
            self.run.numbering.break_off();
            self.run.delivery.break_off();
        }
    }
}

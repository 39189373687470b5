//! Turns the results of a program into verdicts, counts them and emits findings.

use std::collections::BTreeMap;

use super::due::DueVerdicts;
use super::finding_ref::{FindingRef, UserRow};
use super::lines::LinesOfBlock;
use super::program::{Program, RuleInstance};
use super::registers::Registers;
use super::sink::{Sink, StatusBitmaps};
use super::source::Input;
use crate::finding::{Severity, Status, Suppression};
use crate::report::chunk::Chunk;
use crate::rule::RuleSuppressions;

/// Which findings are emitted. Verdicts that are not emitted are counted all the same.
#[derive(Clone, Copy, Debug)]
pub struct EmitFilter {
    /// By status.
    statuses: [bool; Status::ALL.len()],
    min_severity: Severity,
}

impl EmitFilter {
    /// Emits findings with these statuses and at least this severity.
    pub fn new(statuses: &[Status], min_severity: Severity) -> Self {
        Self {
            statuses: Status::ALL.map(|status| statuses.contains(&status)),
            min_severity,
        }
    }

    /// Emits nothing, for callers that need only the counts.
    pub fn nothing() -> Self {
        Self::new(&[], Severity::Critical)
    }

    fn is_nothing(self) -> bool {
        self.statuses == [false; Status::ALL.len()]
    }

    pub(super) fn emits(self, status: Status, severity: Severity) -> bool {
        self.statuses[status as usize] && severity >= self.min_severity
    }
}

impl Default for EmitFilter {
    /// Failing and undetermined, of any severity.
    fn default() -> Self {
        Self::new(&[Status::Fail, Status::Undetermined], Severity::Informational)
    }
}

/// The number of verdicts of one rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VerdictCounts {
    pub(super) tested: u64,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) undetermined: u64,
    pub(super) suppressed: u64,
    /// Those that passed or are not applicable, and fail by time alone within the window.
    pub(super) due: u64,
    /// The undetermined ones that fold into one finding, since the input lacks a column.
    pub(super) folded: u64,
}

/// Verdicts of one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'s> {
    /// One for each rule.
    pub(super) counts: Vec<VerdictCounts>,
    /// For each word of 64 records and each rule instance, a bitmap for each status that is emitted.
    emitted: Vec<[u64; Status::ALL.len()]>,
    /// The same for all verdicts; empty unless the sink counts them.
    all: Vec<[u64; Status::ALL.len()]>,
    /// The suppressions of failing verdicts, by record and rule instance.
    accepted: BTreeMap<(usize, usize), &'s Suppression>,
}

/// The chunk that is evaluated, its input, and its position there.
#[derive(Clone, Copy)]
pub(super) struct ChunkView<'a> {
    pub(super) input: &'a Input,
    pub(super) chunk: &'a Chunk,
    /// The records that are evaluated, as bitmaps of 64.
    pub(super) selected: &'a [u64],
    /// Number of the chunk's first record in its input, from 1.
    pub(super) first_row: u64,
    /// The lines of its records.
    pub(super) lines: &'a LinesOfBlock,
    /// If it is a table of service-specific credentials, the users' rows that it was made from.
    pub(super) owners: Option<Owners<'a>>,
}

/// The users of a table of service-specific credentials.
#[derive(Clone, Copy)]
pub(super) struct Owners<'a> {
    /// The chunk with their rows.
    pub(super) chunk: &'a Chunk,
    /// The index in it of each credential's user.
    pub(super) rows: &'a [u32],
}

impl ChunkView<'_> {
    /// The records of a word that a rule instance evaluates, as a bitmap: rules about service-specific credentials evaluate
    /// a table of these, all others the report.
    pub(super) fn rows_of(&self, instance: &RuleInstance, word: usize) -> u64 {
        if instance.needs_details == self.owners.is_some() {
            self.selected[word]
        } else {
            0
        }
    }
}

/// The verdicts of one rule instance on 64 records, as bitmaps.
#[derive(Clone, Copy)]
pub(super) struct WordVerdicts {
    tested: u64,
    /// By status.
    pub(super) verdicts: [u64; Status::ALL.len()],
}

impl<'s> Verdicts<'s> {
    /// Evaluates the rules on the chunk, for which the registers have the results of the program.
    pub(super) fn evaluate(
        &mut self,
        program: &Program,
        registers: &Registers,
        view: ChunkView<'_>,
        suppressions: &'s [RuleSuppressions<'s>],
        (emit, counts): (EmitFilter, bool),
        due: &DueVerdicts,
    ) {
        self.counts.clear();
        self.counts.resize(program.rules.len(), VerdictCounts::default());
        self.emitted.clear();
        self.all.clear();
        self.accepted.clear();
        let instances = program.instances.len();
        if !emit.is_nothing() {
            self.emitted
                .resize(registers.words() * instances, Default::default());
        }
        if counts {
            self.all.resize(registers.words() * instances, Default::default());
        }
        let missing = view.input.lacks();
        for (position, instance) in program.instances.iter().enumerate() {
            let compiled = &program.rules[instance.rule];
            let folds = !missing.intersection(compiled.needs).is_empty();
            let mut emits = Status::ALL.map(|status| emit.emits(status, compiled.bound.severity));
            emits[Status::Undetermined as usize] &= !folds;
            for word in 0..registers.words() {
                let mut verdict = word_of(registers, instance, (word, view.rows_of(instance, word)));
                if let Some(suppressions) = suppressions.get(instance.rule) {
                    self.suppress(program, view, suppressions, (position, word), &mut verdict);
                }
                let due = due.rows(word, position);
                verdict.verdicts[Status::Due as usize] = due;
                self.counts[instance.rule].add(&verdict, folds);
                if let Some(all) = self.all.get_mut(word * instances + position) {
                    *all = verdict.verdicts;
                }
                if let Some(emitted) = self.emitted.get_mut(word * instances + position) {
                    // One diagnostic says that everything about a ragged record is undetermined.
                    verdict.verdicts[Status::Undetermined as usize] &= !ragged(view.chunk, word);
                    verdict.verdicts[Status::Pass as usize] &= !due;
                    for (status, bits) in verdict.verdicts.into_iter().enumerate() {
                        emitted[status] = if emits[status] { bits } else { 0 };
                    }
                }
            }
        }
    }

    /// Turns failing verdicts that a suppression accepts into suppressed ones.
    fn suppress(
        &mut self,
        program: &Program,
        view: ChunkView<'_>,
        suppressions: &'s RuleSuppressions<'s>,
        (position, word): (usize, usize),
        verdict: &mut WordVerdicts,
    ) {
        let instance = &program.instances[position];
        let mut failing = verdict.verdicts[Status::Fail as usize];
        while failing != 0 {
            let bit = failing & failing.wrapping_neg();
            failing ^= bit;
            let index = word * 64 + bit.trailing_zeros() as usize;
            let row = UserRow::new(view, index);
            let finding = FindingRef::of_row(
                view.input,
                &program.rules[instance.rule],
                instance.slot,
                Status::Fail,
                &row,
            );
            if let Some(entry) = suppressions.find(&finding.subject(), view.input.as_of) {
                verdict.verdicts[Status::Fail as usize] ^= bit;
                verdict.verdicts[Status::Suppressed as usize] |= bit;
                self.accepted.insert((index, position), entry);
            }
        }
    }

    /// The statuses of the emitted findings, as bitmaps.
    pub(super) fn emitted<'a>(&'a self, program: &'a Program) -> StatusBitmaps<'a> {
        StatusBitmaps {
            instances: &program.instances,
            words: &self.emitted,
        }
    }

    /// The statuses of all verdicts, as bitmaps; empty unless they were asked for.
    pub(super) fn all<'a>(&'a self, program: &'a Program) -> StatusBitmaps<'a> {
        StatusBitmaps {
            instances: &program.instances,
            words: &self.all,
        }
    }

    /// Emits the findings to the sink, in (row, rule, slot) order.
    pub(super) fn findings<S: Sink>(
        &self,
        program: &Program,
        view: ChunkView<'_>,
        due: &DueVerdicts,
        (sink, part): (&S, &mut S::Part),
    ) {
        let mut any = Vec::with_capacity(program.instances.len());
        for (word, emitted) in self.emitted.chunks(program.instances.len().max(1)).enumerate() {
            any.clear();
            any.extend(
                emitted
                    .iter()
                    .map(|bits| bits.iter().fold(0, |any, bits| any | bits)),
            );
            let mut rows = any.iter().fold(0, |rows, bits| rows | bits);
            while rows != 0 {
                let bit = rows.trailing_zeros();
                rows &= rows - 1;
                let index = word * 64 + bit as usize;
                let row = UserRow::new(view, index);
                for (position, (instance, emitted)) in program.instances.iter().zip(emitted).enumerate() {
                    if any[position] >> bit & 1 == 0 {
                        continue;
                    }
                    let mut statuses = Status::ALL.into_iter();
                    let Some(status) = statuses.find(|&status| emitted[status as usize] >> bit & 1 == 1)
                    else {
                        continue;
                    };
                    let compiled = &program.rules[instance.rule];
                    let mut finding = FindingRef::of_row(view.input, compiled, instance.slot, status, &row);
                    finding.suppression = self.accepted.get(&(index, position)).copied();
                    if status == Status::Due {
                        finding.due_at = due.due_at(index, position);
                    }
                    sink.finding(part, &finding);
                }
            }
        }
    }
}

impl VerdictCounts {
    fn add(&mut self, word: &WordVerdicts, folds: bool) {
        let count = |bits: u64| u64::from(bits.count_ones());
        let of = |status: Status| count(word.verdicts[status as usize]);
        self.tested += count(word.tested);
        self.passed += of(Status::Pass);
        self.failed += of(Status::Fail);
        self.suppressed += of(Status::Suppressed);
        self.undetermined += of(Status::Undetermined);
        self.due += of(Status::Due);
        if folds {
            self.folded += of(Status::Undetermined);
        }
    }
}

/// The ragged records of a word.
pub(super) fn ragged(chunk: &Chunk, word: usize) -> u64 {
    let ragged = chunk.rows.ragged();
    let of = |word: usize| ragged.partition_point(|&row| (row as usize) < word * 64);
    let records = if ragged.is_empty() {
        &[]
    } else {
        &ragged[of(word)..of(word + 1)]
    };
    records.iter().fold(0, |bits, row| bits | 1 << (row % 64))
}

/// Whether the record is evaluated.
pub(super) fn is_selected(selected: &[u64], row: usize) -> bool {
    selected[row / 64] >> (row % 64) & 1 == 1
}

/// Fail where that is true, undetermined where it is unknown, otherwise pass where the entity is certainly in scope.
pub(super) fn word_of(
    registers: &Registers,
    instance: &RuleInstance,
    (word, mask): (usize, u64),
) -> WordVerdicts {
    let bits = |node| {
        let bits = registers.bits(node);
        (
            bits.yes[word] & mask,
            bits.unknown.map_or(0, |unknown| unknown[word] & mask),
        )
    };
    let (fail, undetermined) = bits(instance.fail);
    let scope = instance.scope.map_or(mask, |scope| bits(scope).0);
    let tested = instance.exists.map_or(mask, |exists| {
        let (yes, unknown) = bits(exists);
        yes | unknown
    });
    let mut verdicts = [0; Status::ALL.len()];
    verdicts[Status::Fail as usize] = fail;
    verdicts[Status::Undetermined as usize] = undetermined;
    verdicts[Status::Pass as usize] = scope & !fail & !undetermined;
    WordVerdicts { tested, verdicts }
}

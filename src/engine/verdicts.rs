//! Results of a program -> verdicts: counted, and told as hits.

use std::collections::BTreeMap;

use super::finding_ref::{FindingRef, UserRow};
use super::program::{Program, RuleInstance};
use super::registers::Registers;
use super::sink::{Sink, StatusBitmaps};
use super::source::Input;
use crate::finding::{Severity, Status, Suppression};
use crate::report::chunk::Chunk;
use crate::rule::RuleSuppressions;

/// What is told. What is not is still counted.
#[derive(Clone, Copy, Debug)]
pub struct EmitFilter {
    /// The statuses told.
    statuses: [bool; Status::ALL.len()],
    /// The mildest severity told.
    pub min_severity: Severity,
}

impl EmitFilter {
    /// Tells findings of these statuses and at least this severity.
    pub fn new(statuses: &[Status], min_severity: Severity) -> Self {
        let mut told = [false; Status::ALL.len()];
        for &status in statuses {
            told[status as usize] = true;
        }
        Self {
            statuses: told,
            min_severity,
        }
    }

    /// Tells nothing: counts alone are wanted.
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

/// Verdicts of one rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) tested: u64,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) undetermined: u64,
    pub(super) suppressed: u64,
    /// Undetermined ones that fold into one finding, since the input lacks a column.
    pub(super) folded: u64,
}

/// Verdicts of one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'s> {
    /// One a rule.
    pub(super) counts: Vec<Counts>,
    /// For each word of 64 records and each judgement, what is told: a bitmap a status.
    told: Vec<[u64; Status::ALL.len()]>,
    /// What accepts a failing verdict, by record and judgement.
    accepted: BTreeMap<(usize, usize), &'s Suppression>,
}

/// The chunk that is judged, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) input: &'a Input,
    pub(super) chunk: &'a Chunk,
    /// Number of the chunk's first record in its input, from 1.
    pub(super) first_row: u64,
}

/// The verdicts of one judgement on 64 records, as bitmaps.
#[derive(Clone, Copy)]
struct Word {
    tested: u64,
    /// By status.
    verdicts: [u64; Status::ALL.len()],
}

impl<'s> Verdicts<'s> {
    /// Judges the chunk on which the program was run.
    pub(super) fn judge(
        &mut self,
        program: &Program,
        registers: &Registers,
        view: View<'_>,
        suppressions: &'s [RuleSuppressions<'s>],
        emit: EmitFilter,
    ) {
        self.counts.clear();
        self.counts.resize(program.rules.len(), Counts::default());
        self.told.clear();
        self.accepted.clear();
        let instances = program.instances.len();
        if !emit.is_nothing() {
            self.told
                .resize(registers.words() * instances, Default::default());
        }
        let missing = view.input.lacks();
        for (position, instance) in program.instances.iter().enumerate() {
            let compiled = &program.rules[instance.rule];
            let folds = !missing.intersection(compiled.needs).is_empty();
            let mut told = Status::ALL.map(|status| emit.emits(status, compiled.bound.severity));
            told[Status::Undetermined as usize] &= !folds;
            for word in 0..registers.words() {
                let mut verdict = word_of(registers, instance, word);
                if let Some(suppressions) = suppressions.get(instance.rule) {
                    self.suppress(program, view, suppressions, (position, word), &mut verdict);
                }
                self.counts[instance.rule].add(&verdict, folds);
                if let Some(slot) = self.told.get_mut(word * instances + position) {
                    for (status, bits) in verdict.verdicts.into_iter().enumerate() {
                        slot[status] = if told[status] { bits } else { 0 };
                    }
                }
            }
        }
    }

    /// Turns failing verdicts that an entry accepts into suppressed ones.
    fn suppress(
        &mut self,
        program: &Program,
        view: View<'_>,
        suppressions: &'s RuleSuppressions<'s>,
        (position, word): (usize, usize),
        verdict: &mut Word,
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

    /// What is told, as bitmaps.
    pub(super) fn told<'a>(&'a self, program: &'a Program) -> StatusBitmaps<'a> {
        StatusBitmaps {
            instances: &program.instances,
            words: &self.told,
        }
    }

    /// Hands what is told to the sink, in (row, rule, slot) order.
    pub(super) fn findings<S: Sink>(&self, program: &Program, view: View<'_>, sink: &S, part: &mut S::Part) {
        let mut any = Vec::with_capacity(program.instances.len());
        for (word, told) in self.told.chunks(program.instances.len().max(1)).enumerate() {
            any.clear();
            any.extend(
                told.iter()
                    .map(|bits| bits.iter().fold(0, |any, bits| any | bits)),
            );
            let mut rows = any.iter().fold(0, |rows, bits| rows | bits);
            while rows != 0 {
                let bit = rows.trailing_zeros();
                rows &= rows - 1;
                let index = word * 64 + bit as usize;
                let row = UserRow::new(view, index);
                for (position, (instance, told)) in program.instances.iter().zip(told).enumerate() {
                    if any[position] >> bit & 1 == 0 {
                        continue;
                    }
                    let mut statuses = Status::ALL.into_iter();
                    let Some(status) = statuses.find(|&status| told[status as usize] >> bit & 1 == 1) else {
                        continue;
                    };
                    let compiled = &program.rules[instance.rule];
                    let mut finding = FindingRef::of_row(view.input, compiled, instance.slot, status, &row);
                    finding.suppression = self.accepted.get(&(index, position)).copied();
                    sink.finding(part, &finding);
                }
            }
        }
    }
}

impl Counts {
    fn add(&mut self, word: &Word, folds: bool) {
        let count = |bits: u64| u64::from(bits.count_ones());
        let of = |status: Status| count(word.verdicts[status as usize]);
        self.tested += count(word.tested);
        self.passed += of(Status::Pass);
        self.failed += of(Status::Fail);
        self.suppressed += of(Status::Suppressed);
        self.undetermined += of(Status::Undetermined);
        if folds {
            self.folded += of(Status::Undetermined);
        }
    }
}

/// Fail where that is true, undetermined where it is unknown, otherwise pass where the entity is surely in
/// scope.
fn word_of(registers: &Registers, instance: &RuleInstance, word: usize) -> Word {
    let mask = registers.mask(word);
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
    Word { tested, verdicts }
}
